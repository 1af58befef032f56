using System.Text.Json;
using Evidence.Interop.Tests.FileSystems;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Devices;

public sealed class DeviceAcquisitionTests : IDisposable
{
    private readonly EvidenceCommand evidence;

    public DeviceAcquisitionTests()
    {
        LoopDevice.Require();
        evidence = new EvidenceCommand();
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [Trait("Requirement", "ACQ-2")]
    public void A_device_is_imaged_and_left_as_it_was(int sectorSize)
    {
        Peer.Require("blockdev");
        byte[] content = File.ReadAllBytes(FileSystemImage.Make("ext4", evidence.Folder));
        using var loop = new LoopDevice(content, "--read-only", "--sector-size", $"{sectorSize}");
        DateTime written = File.GetLastWriteTimeUtc(loop.BackingFile);
        string before = Peer.Sum("sha256", loop.BackingFile);

        JsonElement acquired = evidence.Json("acquire", loop.Node, "--item", "device").Succeeds().Image();
        Assert.Equal(before, acquired.GetProperty("digests").GetProperty("sha256").GetString());
        Assert.Equal(before, Peer.Sum("sha256", loop.Node));
        Assert.Equal((before, written), (Peer.Sum("sha256", loop.BackingFile), File.GetLastWriteTimeUtc(loop.BackingFile)));
        Assert.Equal("1", Peer.Run("blockdev", "--getro", loop.Node).Trim());

        JsonElement source = evidence.Json("show", "device").Succeeds().Json.GetProperty("manifest").GetProperty("source");
        Assert.Equal(("device", loop.Node), (source.GetProperty("kind").GetString(), source.GetProperty("name").GetString()));
        Assert.Equal(sectorSize, source.GetProperty("sectorSize").GetInt32());
        Assert.True(source.GetProperty("physicalSectorSize").GetInt32() >= sectorSize);
        Assert.True(source.GetProperty("readOnly").GetBoolean());
        Assert.False(source.GetProperty("live").GetBoolean());
        evidence.VerifyAll();

        string export = evidence.PathOf("export.img");
        evidence.Run("export", "device", "--output", export).Succeeds();
        Peer.Compare(loop.BackingFile, export);
    }

    [Fact]
    [Trait("Requirement", "SRC-2")]
    public void A_mounted_device_is_recorded_as_live_with_where_it_is_mounted()
    {
        byte[] content = File.ReadAllBytes(FileSystemImage.Make("ext4", evidence.Folder));
        using var loop = new LoopDevice(content);
        string mountPoint = loop.Mount(loop.Node);
        evidence.Json("acquire", loop.Node, "--item", "device").Succeeds();
        JsonElement source = evidence.Json("show", "device").Succeeds().Json.GetProperty("manifest").GetProperty("source");
        Assert.True(source.GetProperty("live").GetBoolean());
        Assert.Equal(mountPoint, Assert.Single(source.GetProperty("mounts").EnumerateArray()).GetString());
    }

    [Fact]
    [Trait("Requirement", "ACQ-5")]
    [Trait("Requirement", "OUT-6")]
    public void Unreadable_sectors_are_told_and_end_in_four()
    {
        const int MiB = 1 << 20;
        byte[] content = new byte[MiB];
        Random.Shared.NextBytes(content);
        using var loop = new LoopDevice(content);
        // The device keeps its size while the file behind it has lost its second half.
        using (var file = new FileStream(loop.BackingFile, FileMode.Open))
            file.SetLength(MiB / 2);
        JsonElement acquired = evidence.Json("acquire", loop.Node, "--item", "bad").Ends(4).Image();
        JsonElement range = Assert.Single(acquired.GetProperty("unreadable").EnumerateArray());
        Assert.Equal(($"{MiB / 2}", $"{MiB / 2}"), (range.GetProperty("offset").GetString(), range.GetProperty("length").GetString()));
        Assert.Equal("incomplete", evidence.Json("verify", "--digests").Ends(4).Json.GetProperty("content").GetString());

        string export = evidence.PathOf("export.img");
        evidence.Run("export", "bad", "--output", export).Ends(4);
        Assert.Equal([.. content.AsSpan(0, MiB / 2), .. new byte[MiB / 2]], File.ReadAllBytes(export));
        string good = evidence.PathOf("good.img");
        evidence.Run("export", "bad", "--output", good, "--range", "0+512KiB").Ends(0);
    }

    public void Dispose() => evidence.Dispose();
}
