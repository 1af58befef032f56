using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Identifying;

[Trait("Requirement", "SRC-2")]
public sealed class LiveSourceTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence;

    public LiveSourceTests()
    {
        LoopDevice.Require();
        evidence = new EvidenceCommand();
    }

    [Theory]
    [InlineData("device", true)]
    [InlineData("device", false)]
    [InlineData("file", true)]
    [InlineData("file", false)]
    [InlineData("link", true)]
    public void SRC_2_a_mounted_source_is_called_live_everywhere(string what, bool isMounted)
    {
        using var loop = new LoopDevice(new byte[8 * MiB]);
        LoopDevice.Run("mkfs.ext4", "-q", loop.Node);
        if (isMounted)
            loop.Mount(loop.Node, "-o", "ro,noload");
        string source = what == "device" ? loop.Node : loop.BackingFile;
        if (what == "link")
        {
            // Another name of the same file, on the same file system.
            source = Path.Combine(Path.GetDirectoryName(loop.BackingFile)!, "another.img");
            Peer.Run("ln", loop.BackingFile, source);
        }

        string text = evidence.Run("acquire", source, "--item", "it", "--digest", "none").Succeeds().Text;
        Assert.Equal(isMounted, text.Contains("live", StringComparison.Ordinal));
        Assert.Equal(isMounted, evidence.Run("images").Text.Contains("live", StringComparison.Ordinal));
        Assert.Equal(isMounted, evidence.Run("show", "it").Text.Contains("WARNING    live", StringComparison.Ordinal));
        Assert.Equal(isMounted, evidence.Run("log").Text.Contains("live", StringComparison.Ordinal));
        Assert.Equal(isMounted, evidence.Json("acquire", source, "--item", "again", "--digest", "none").Succeeds().Image().GetProperty("live").GetBoolean());
        Assert.Equal(isMounted, evidence.Json("show", "it").Succeeds().Json.GetProperty("live").GetBoolean());
        Assert.All(
            evidence.Json("images").Succeeds().Json.GetProperty("images").EnumerateArray(),
            image => Assert.Equal(isMounted, image.GetProperty("live").GetBoolean()));
        JsonElement entry = evidence.Json("log", "--kind", "acquisition").Succeeds().Json.GetProperty("entries")[0];
        Assert.Equal(isMounted, entry.GetProperty("body").GetProperty("live").GetBoolean());
    }

    [Fact]
    public void SRC_2_a_file_that_is_a_disk_with_a_mounted_partition_is_live()
    {
        using var loop = new LoopDevice(new byte[16 * MiB], "--partscan");
        string script = evidence.PathOf("table.sfdisk");
        File.WriteAllText(script, "label: dos\nstart=2048, type=83\n");
        LoopDevice.Run("sh", "-c", $"sfdisk --quiet '{loop.Node}' < '{script}'");
        LoopDevice.Run("partx", "--update", loop.Node);
        LoopDevice.Run("mkfs.ext4", "-q", loop.Node + "p1");
        loop.Mount(loop.Node + "p1", "-o", "ro,noload");
        JsonElement source = Source(loop.BackingFile);
        Assert.True(source.GetProperty("live").GetBoolean());
        Assert.Equal(loop.KernelName, Assert.Single(source.GetProperty("holders").EnumerateArray()).GetString());
    }

    [Fact]
    public void SRC_2_a_file_that_is_swapped_to_is_live()
    {
        Peer.Require("mkswap");
        string swap = evidence.PathOf("swapfile");
        File.WriteAllBytes(swap, new byte[MiB]);
        Peer.Run("chmod", "600", swap);
        Peer.Run("mkswap", swap);
        if (Peer.TryRun("swapon", swap) is { ExitCode: not 0 } refused)
        {
            Assert.Skip($"This file system holds no swap files: {refused.Errors}");
            return;
        }

        try
        {
            Assert.Equal(swap, Assert.Single(Source(swap).GetProperty("swaps").EnumerateArray()).GetString());
        }
        finally
        {
            Peer.Run("swapoff", swap);
        }
    }

    public void Dispose() => evidence.Dispose();

    private JsonElement Source(string path)
    {
        evidence.Json("acquire", path, "--item", "it", "--digest", "none").Succeeds();
        return evidence.Json("show", "it").Succeeds().Json.GetProperty("manifest").GetProperty("source");
    }
}
