using System.Text;
using Evidence.Canonical;
using Evidence.Segments;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

[Trait("Requirement", "SRC-1")]
public sealed class ImageManifestTests
{
    private const string Digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("")]
    [InlineData("\"clock\":{\"estimatedError\":\"25\",\"maximumError\":\"16000\",\"synchronised\":true},")]
    [InlineData("\"seal\":\"bag 0042\",\"writeBlocker\":\"Maker T8u, 01234\",")]
    public void SRC_1_what_is_stated_goes_round(string fields)
    {
        byte[] bytes = Manifest(fields);
        ImageManifest manifest = ImageManifest.Decode(bytes);
        Assert.Equal(bytes, manifest.ToBytes());
        Assert.Equal(fields.Contains("clock", StringComparison.Ordinal) ? new ClockSynchronisation(true, 16_000, 25) : null, manifest.Clock);
        Assert.Equal(fields.Contains("seal", StringComparison.Ordinal) ? ("bag 0042", "Maker T8u, 01234") : (null, null), (manifest.Seal, manifest.WriteBlocker));
    }

    [Theory]
    [InlineData("\"seal\":null,")]
    [InlineData("\"writeBlocker\":7,")]
    [InlineData("\"clock\":null,")]
    [InlineData("\"clock\":{},")]
    [InlineData("\"clock\":{\"estimatedError\":\"25\",\"maximumError\":\"16000\",\"synchronised\":\"yes\"},")]
    [InlineData("\"clock\":{\"estimatedError\":\"25\",\"maximumError\":16000,\"synchronised\":true},")]
    [InlineData("\"clock\":{\"estimatedError\":\"-1\",\"maximumError\":\"16000\",\"synchronised\":true},")]
    public void SRC_1_another_form_is_refused(string fields) => Assert.Throws<FormatException>(() => ImageManifest.Decode(Manifest(fields)));

    /// <summary>An image of no bytes, with fields besides, in canonical form.</summary>
    private static byte[] Manifest(string fields)
    {
        string[] members =
        [
            "\"absent\":[]", "\"continues\":null", "\"differences\":[]", "\"digests\":[]", "\"runs\":[]", "\"examiner\":null", "\"finished\":\"2026-02-03T04:05:07.000000000Z\"", "\"format\":\"evidence-image\"",
            $"\"map\":{{\"pages\":\"0\",\"root\":\"{Digest}\",\"tables\":[]}}", "\"options\":{\"compression\":\"fast\",\"holes\":\"recorded\"}",
            $"\"segments\":{Encoding.UTF8.GetString(CanonicalJson.Serialize(VaultSettings.EncodeSegments(SegmentParameters.Default)))}",
            "\"size\":\"0\"", "\"source\":{\"kind\":\"file\",\"name\":\"/nothing\"}", "\"started\":\"2026-02-03T04:05:06.000000000Z\"",
            "\"tool\":{\"name\":\"evidence\",\"version\":\"1\"}",
            "\"totals\":{\"data\":\"0\",\"fill\":\"0\",\"hole\":\"0\",\"unread\":\"0\",\"unreadable\":\"0\",\"zero\":\"0\"}", "\"version\":1",
        ];
        IEnumerable<string> all = fields.Length == 0 ? members : [.. members, .. Split(fields)];
        return Encoding.UTF8.GetBytes($"{{{string.Join(',', all.Order(StringComparer.Ordinal))}}}");
    }

    private static IEnumerable<string> Split(string fields) =>
        fields.TrimEnd(',').Split(",\"writeBlocker", 2) is [var seal, var blocker] ? [seal, $"\"writeBlocker{blocker}"] : [fields.TrimEnd(',')];
}
