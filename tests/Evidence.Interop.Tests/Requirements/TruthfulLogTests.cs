using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Requirements;

/// <summary>A run of commands of which everything is known beforehand, and what the ledger says of it afterwards: docs/requirements.md, OUT-5.</summary>
[Trait("Requirement", "OUT-5")]
public sealed class TruthfulLogTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Fact]
    public void OUT_5_the_ledger_says_what_happened_in_order_and_nothing_else()
    {
        byte[] first = RandomNumberGenerator.GetBytes(1_234_567);
        byte[] second = new byte[100_001];
        File.WriteAllBytes(evidence.PathOf("first.img"), first);
        File.WriteAllBytes(evidence.PathOf("second.img"), second);
        DateTimeOffset began = DateTimeOffset.UtcNow;

        evidence.Json("init").Succeeds();
        JsonElement one = evidence.Json("acquire", "first.img", "--item", "server-1", "--case", "2026-117", "--examiner", "A. Turing").Succeeds().Image();
        // What fails leaves no entry: a source that is not there, a wrong call, an export to a file that is there.
        evidence.Json("acquire", "missing.img").FailsWith("source-not-found");
        evidence.Json("acquire", "first.img", "--digest", "crc32").FailsWith("usage", 2);
        JsonElement two = evidence.Json("acquire", "second.img", "--no-verify", "--digest", "sha1").Succeeds().Image();
        evidence.Json("export", "server-1", "--output", "part.img", "--range", "1000+2345").Succeeds();
        evidence.Json("export", "server-1", "--output", "part.img").Ends(1);
        evidence.Json("note", "The seal was broken", "--item", "server-1", "--case", "2026-117").Succeeds();
        evidence.Json("verify").Succeeds();
        evidence.Json("verify", "--no-record").Succeeds();
        evidence.Json("images").Succeeds();
        DateTimeOffset ended = DateTimeOffset.UtcNow;

        JsonElement[] entries = [.. evidence.Json("log").Succeeds().Json.GetProperty("entries").EnumerateArray()];
        Assert.Equal(
            "identity identity acquisition acquisition export note verification", string.Join(' ', entries.Select(entry => entry.GetProperty("kind").GetString())));
        Assert.All(entries, entry => Assert.Equal("valid", entry.GetProperty("signature").GetString()));
        Assert.Equal("0 1 2 3 4 5 6", string.Join(' ', entries.Select(entry => entry.GetProperty("entry").GetString())));
        DateTimeOffset[] times = [.. entries.Select(entry => DateTimeOffset.Parse(entry.GetProperty("time").GetString()!, CultureInfo.InvariantCulture))];
        Assert.Equal(times.Order(), times);
        Assert.All(times, time => Assert.InRange(time, began, ended));

        (JsonElement acquired, JsonElement unverified, JsonElement handedOut, JsonElement note) = (Body(entries[2]), Body(entries[3]), Body(entries[4]), Body(entries[5]));
        Assert.Equal(("server-1", "2026-117"), LabelsOf(entries[2]));
        Says(acquired, ("image", Id(one)), ("size", "1234567"), ("source", evidence.PathOf("first.img")), ("examiner", "A. Turing"), ("readBack", "verified"), ("absentBytes", "0"));
        string path = evidence.PathOf("first.img");
        Says(acquired.GetProperty("digests"), ("md5", Peer.Sum("md5", path)), ("sha1", Peer.Sum("sha1", path)), ("sha256", Peer.Sum("sha256", path)));
        Assert.False(acquired.GetProperty("live").GetBoolean());

        Assert.Equal(("second.img", null), LabelsOf(entries[3]));
        Says(unverified, ("image", Id(two)), ("size", "100001"), ("readBack", "skipped"), ("examiner", null));
        Assert.Equal(Peer.Sum("sha1", evidence.PathOf("second.img")), Assert.Single(unverified.GetProperty("digests").EnumerateObject()).Value.GetString());

        Says(handedOut, ("image", Id(one)), ("format", "raw"), ("offset", "1000"), ("length", "2345"), ("sha256", Convert.ToHexStringLower(SHA256.HashData(first.AsSpan(1000, 2345)))));
        Assert.Equal(("server-1", "2026-117"), LabelsOf(entries[5]));
        Says(note, ("text", "The seal was broken"));
        Says(Body(entries[6]), ("content", "verified"), ("imageCount", "2"), ("ledgerSize", "6"));
    }

    public void Dispose() => evidence.Dispose();

    private static JsonElement Body(JsonElement entry) => entry.GetProperty("body");

    private static string Id(JsonElement image) => image.GetProperty("image").GetString()!["sha256:".Length..];

    private static (string Item, string? Case) LabelsOf(JsonElement entry) =>
        (Assert.Single(entry.GetProperty("items").EnumerateArray()).GetString()!, entry.GetProperty("case").GetString());

    private static void Says(JsonElement body, params ReadOnlySpan<(string Name, string? Value)> fields)
    {
        foreach ((string name, string? value) in fields)
            Assert.Equal((name, value), (name, body.GetProperty(name).GetString()));
    }
}
