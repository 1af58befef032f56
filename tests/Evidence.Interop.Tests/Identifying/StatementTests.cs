using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Identifying;

/// <summary>What the examiner states, and what the clock is worth: in the manifest, in the ledger's entry, and shown.</summary>
[Trait("Requirement", "SRC-1")]
public sealed class StatementTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Fact]
    public void SRC_1_write_blocker_seal_and_clock_are_recorded_and_shown()
    {
        Make("disk.img");
        evidence.Json("acquire", "disk.img", "--examiner", "A. Turing", "--write-blocker", "Maker T8u, serial 01234", "--seal", "bag 0042, whole").Succeeds();
        JsonElement manifest = Manifest("disk.img");
        JsonElement body = evidence.Json("log", "--kind", "acquisition").Succeeds().Json.GetProperty("entries")[0].GetProperty("body");
        foreach (JsonElement record in (JsonElement[])[manifest, body])
        {
            Assert.Equal("A. Turing", record.GetProperty("examiner").GetString());
            Assert.Equal("Maker T8u, serial 01234", record.GetProperty("writeBlocker").GetString());
            Assert.Equal("bag 0042, whole", record.GetProperty("seal").GetString());
            Assert.Matches("^[0-9]+$", record.GetProperty("clock").GetProperty("maximumError").GetString());
            Assert.Equal(IsSynchronised(), record.GetProperty("clock").GetProperty("synchronised").GetBoolean());
        }

        foreach (string text in (string[])[evidence.Run("show", "disk.img").Text, evidence.Run("log").Text])
        {
            Assert.Contains("Maker T8u, serial 01234", text, StringComparison.Ordinal);
            Assert.Contains("bag 0042, whole", text, StringComparison.Ordinal);
        }

        Assert.Contains("  clock      ", evidence.Run("show", "disk.img").Text, StringComparison.Ordinal);
        evidence.VerifyAll();
    }

    [Fact]
    public void SRC_1_what_is_not_stated_is_not_there()
    {
        Make("disk.img");
        evidence.Json("acquire", "disk.img").Succeeds();
        Assert.False(Manifest("disk.img").TryGetProperty("seal", out _));
        Assert.False(Manifest("disk.img").TryGetProperty("writeBlocker", out _));
    }

    [Fact]
    public void SRC_1_several_sources_share_one_statement_or_have_one_each()
    {
        Make("a.img");
        Make("b.img");
        evidence.Json("acquire", "a.img", "b.img", "--write-blocker", "one for both", "--seal", "of a", "--seal", "of b").Succeeds();
        foreach (string name in (string[])["a", "b"])
        {
            Assert.Equal("one for both", Manifest($"{name}.img").GetProperty("writeBlocker").GetString());
            Assert.Equal($"of {name}", Manifest($"{name}.img").GetProperty("seal").GetString());
        }

        evidence.Json("acquire", "a.img", "b.img", "a.img", "--seal", "1", "--seal", "2").FailsWith("usage", 2);
        evidence.Json("acquire", "a.img", "--seal", "two\nlines").Ends(2);
    }

    /// <summary>On hardware that is not there: a file is no device, and a loop device none that could hide anything.</summary>
    [Fact]
    [Trait("Requirement", "ACQ-4")]
    public void ACQ_4_a_device_that_does_not_tell_is_said_not_to_tell()
    {
        Sources.LoopDevice.Require();
        using var loop = new Sources.LoopDevice(new byte[1 << 20]);
        evidence.Json("acquire", loop.Node, "--item", "loop").Succeeds();
        JsonElement hidden = Manifest("loop").GetProperty("source").GetProperty("hiddenSectors");
        Assert.Equal("notTold", Assert.Single(hidden.EnumerateObject()).Name);
        Assert.Contains("not told by the device", evidence.Run("show", "loop").Text, StringComparison.Ordinal);
        JsonElement body = evidence.Json("log", "--kind", "acquisition").Succeeds().Json.GetProperty("entries")[0].GetProperty("body");
        Assert.True(JsonElement.DeepEquals(hidden, body.GetProperty("hiddenSectors")));
    }

    public void Dispose() => evidence.Dispose();

    private void Make(string name) => File.WriteAllText(evidence.PathOf(name), "content of " + name);

    private JsonElement Manifest(string item) => evidence.Json("show", item).Succeeds().Json.GetProperty("manifest");

    /// <summary>The same question put by Python's way to the same call.</summary>
    private static bool IsSynchronised()
    {
        Peer.Require("python3");
        const string Ask = "import ctypes; t=(ctypes.c_ubyte*256)(); ctypes.CDLL(None).adjtimex(t); print(int.from_bytes(bytes(t[40:44]),'little')&0x40)";
        return Peer.Run("python3", "-c", Ask).Trim() == "0";
    }
}
