using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Acquiring;

public sealed class SeveralSourcesTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Fact]
    public void A_missing_source_does_not_touch_the_others()
    {
        string[] names = ["one.img", "missing.img", "two.img", "three.img"];
        byte[] content = RandomNumberGenerator.GetBytes(3_000_000);
        foreach (string name in names.Where(n => n != "missing.img"))
            File.WriteAllBytes(evidence.PathOf(name), content);
        CommandResult result = evidence.Json(["acquire", .. names, "--digest", "sha256"]).Ends(1);
        JsonElement[] images = [.. result.Json.GetProperty("images").EnumerateArray()];
        Assert.Equal(string.Join(" ", names), string.Join(" ", images.Select(i => i.GetProperty("source").GetString())));
        foreach (JsonElement image in images)
        {
            bool missing = image.GetProperty("source").GetString() == "missing.img";
            Assert.Equal(missing, image.TryGetProperty("error", out JsonElement error));
            Assert.Equal(!missing, image.TryGetProperty("image", out _));
            if (missing)
                Assert.Equal("source-not-found", error.GetProperty("code").GetString());
            else
                Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), image.GetProperty("digests").GetProperty("sha256").GetString());
        }

        Assert.Equal(3, evidence.Json("images").Json.GetProperty("images").GetArrayLength());
        // All three are alike: their content is stored once.
        long stored = images.Sum(i => i.TryGetProperty("newBytes", out JsonElement bytes) ? long.Parse(bytes.GetString()!, null) : 0);
        Assert.InRange(stored, 3_000_000, 3_100_000);
        evidence.VerifyAll();
        evidence.LeavesNothingBehind();
    }

    [Fact]
    public void Many_sources_at_once_are_all_recorded()
    {
        string[] names = [.. Enumerable.Range(0, 12).Select(n => $"disk-{n}.img")];
        foreach (string name in names)
            File.WriteAllBytes(evidence.PathOf(name), RandomNumberGenerator.GetBytes(200_000));
        evidence.Json(["acquire", .. names]).Succeeds();
        Assert.Equal(
            names.Order(StringComparer.Ordinal),
            evidence.Json("images").Json.GetProperty("images").EnumerateArray().Select(i => i.GetProperty("item").GetString()!).Order(StringComparer.Ordinal));
        evidence.VerifyAll();
    }

    [Fact]
    public void Alike_sources_imaged_side_by_side_wait_for_one_another_s_segments()
    {
        string[] names = [.. Enumerable.Range(0, 16).Select(n => $"disk-{n}.img")];
        byte[] content = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, 50_000)));
        foreach (string name in names)
            File.WriteAllBytes(evidence.PathOf(name), content);
        // More threads than cores: any of them may stand still for long between any two steps.
        evidence.Environment["DOTNET_PROCESSOR_COUNT"] = "16";
        for (int round = 0; round < 4; round++)
        {
            evidence.Vault = evidence.PathOf($"vault-{round}");
            evidence.Json(["acquire", .. names, "--compression", "best", "--digest", "none"]).Succeeds();
        }
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(1, 3)]
    [InlineData(1, 12)]
    [Trait("Requirement", "ACQ-1")]
    public void A_split_set_is_one_image(int first, int parts)
    {
        byte[] content = RandomNumberGenerator.GetBytes((parts * 300_000) - 777);
        for (int part = 0; part < parts; part++)
            File.WriteAllBytes(evidence.PathOf($"disk.{first + part:000}"), content.AsSpan(part * 300_000, Math.Min(300_000, content.Length - (part * 300_000))).ToArray());
        JsonElement image = evidence.Json("acquire", $"disk.{first:000}", "--item", "split").Succeeds().Image();
        Assert.Equal($"{content.Length}", image.GetProperty("size").GetString());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), image.GetProperty("digests").GetProperty("sha256").GetString());
        JsonElement source = evidence.Json("show", "split").Json.GetProperty("manifest").GetProperty("source");
        Assert.Equal(("split", parts), (source.GetProperty("kind").GetString(), source.GetProperty("parts").GetArrayLength()));
        string export = evidence.PathOf("export.img");
        evidence.Run("export", "split", "--output", export).Succeeds();
        Assert.Equal(content, File.ReadAllBytes(export));
    }

    [Fact]
    public void A_split_set_with_a_gap_is_refused_with_the_missing_part()
    {
        foreach (int part in (int[])[1, 2, 4])
            File.WriteAllBytes(evidence.PathOf($"disk.{part:000}"), new byte[1000]);
        string message = evidence.Json("acquire", "disk.001").FailsWith("source-unsupported");
        Assert.Contains("disk.003", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    [Fact]
    public void Items_must_be_as_many_as_sources()
    {
        evidence.Json("acquire", "a", "b", "--item", "one").FailsWith("usage", 2);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    public void Dispose() => evidence.Dispose();
}
