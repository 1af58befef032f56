using System.Security.Cryptography;
using Evidence.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Sources;

public sealed class BlockDeviceTests
{
    private const int MiB = 1 << 20;

    public BlockDeviceTests() => LoopDevice.Require();

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [Trait("Requirement", "ACQ-1")]
    [Trait("Requirement", "SRC-1")]
    public void Reads_every_sector_and_tells_their_size(int sectorSize)
    {
        byte[] content = RandomNumberGenerator.GetBytes(MiB);
        using var loop = new LoopDevice(content, "--read-only", "--sector-size", $"{sectorSize}");
        using Source source = Source.Open(loop.Node);
        Assert.IsType<BlockDevice>(source);
        Assert.Equal(MiB, source.Length);
        Assert.Equal(sectorSize, source.SectorSize);
        Assert.True(source.Identity.PhysicalSectorSize >= sectorSize);

        var buffer = new byte[2 * MiB];
        Assert.Equal(MiB, source.Read(0, buffer));
        Assert.Equal(content, buffer[..MiB]);
        Assert.Equal(1_000, source.Read(511, buffer.AsSpan(0, 1_000)));
        Assert.Equal(content.AsSpan(511, 1_000), buffer.AsSpan(0, 1_000));
        Assert.Equal(1, source.Read(MiB - 1, buffer));
        Assert.Equal(0, source.Read(MiB, buffer));
        Assert.Equal(new SourceExtent(0, MiB, SourceExtentKind.Data), Assert.Single(source.Extents()));
        source.EnsureUnchanged();
    }

    [Theory]
    [InlineData(513, 512)]
    [InlineData(4097, 4096)]
    [InlineData(511, 0)]
    [Trait("Requirement", "ACQ-3")]
    public void A_device_has_whole_sectors_only(int fileLength, int visible)
    {
        using var loop = new LoopDevice(new byte[fileLength], "--read-only");
        using Source source = Source.Open(loop.Node);
        Assert.Equal(visible, source.Length);
        Assert.Equal(visible, source.Read(0, new byte[fileLength]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Requirement", "SRC-1")]
    public void Tells_what_it_is(bool readOnly)
    {
        string[] options = readOnly ? ["--read-only"] : [];
        using var loop = new LoopDevice(new byte[MiB], options);
        using Source source = Source.Open(loop.Node);
        Assert.Equal((SourceKind.BlockDevice, loop.Node), (source.Identity.Kind, source.Identity.Name));
        DeviceIdentity device = source.Identity.Device!;
        Assert.Equal((loop.KernelName, loop.BackingFile, readOnly), (device.KernelName, device.BackingFile, device.IsReadOnly));
        Assert.Matches("^7:[0-9]+$", device.Number);
        Assert.Null(device.PartitionOf);
        Assert.False(source.Identity.IsLive);
    }

    [Fact]
    [Trait("Requirement", "ACQ-2")]
    public void Leaves_the_device_as_it_was()
    {
        byte[] content = RandomNumberGenerator.GetBytes(MiB);
        using var loop = new LoopDevice(content);
        DateTime written = File.GetLastWriteTimeUtc(loop.BackingFile);
        using (Source source = Source.Open(loop.Node))
            Assert.Equal(MiB, source.Read(0, new byte[MiB]));
        LoopDevice.Run("sync", loop.Node);
        Assert.Equal(written, File.GetLastWriteTimeUtc(loop.BackingFile));
        Assert.Equal(content, File.ReadAllBytes(loop.BackingFile));
    }

    [Fact]
    [Trait("Requirement", "SRC-2")]
    public void A_mounted_device_is_live()
    {
        using var loop = new LoopDevice(new byte[8 * MiB]);
        LoopDevice.Run("mkfs.ext4", "-q", loop.Node);
        string mountPoint = loop.Mount(loop.Node);
        using Source source = Source.Open(loop.Node);
        Assert.True(source.Identity.IsLive);
        Assert.Equal(
            new DeviceMount(loop.KernelName, mountPoint, "ext4", IsReadOnly: false), Assert.Single(source.Identity.Usage!.Mounts));
    }

    [Fact]
    [Trait("Requirement", "SRC-2")]
    public void A_disk_with_a_mounted_partition_is_live_and_so_is_the_partition()
    {
        using var loop = new LoopDevice(new byte[16 * MiB], "--partscan");
        string script = Path.ChangeExtension(loop.BackingFile, ".sfdisk");
        File.WriteAllText(script, "label: dos\nstart=2048, type=83\n");
        LoopDevice.Run("sh", "-c", $"sfdisk --quiet '{loop.Node}' < '{script}'");
        // The kernel may know no partition tables; partx reads them for it, and agrees where the kernel was first.
        LoopDevice.Run("partx", "--update", loop.Node);
        string partition = loop.Node + "p1";
        LoopDevice.Run("mkfs.ext4", "-q", partition);
        string mountPoint = loop.Mount(partition, "-o", "ro,noload");
        foreach (string node in (string[])[loop.Node, partition])
        {
            using Source source = Source.Open(node);
            Assert.Equal(
                new DeviceMount(loop.KernelName + "p1", mountPoint, "ext4", IsReadOnly: true),
                Assert.Single(source.Identity.Usage!.Mounts));
        }

        using Source part = Source.Open(partition);
        Assert.Equal((loop.KernelName, loop.BackingFile), (part.Identity.Device!.PartitionOf, part.Identity.Device.BackingFile));
        Assert.Equal(15 * MiB, part.Length);
    }

    [Fact]
    [Trait("Requirement", "SRC-2")]
    public void A_device_used_for_swap_is_live()
    {
        using var loop = new LoopDevice(new byte[MiB]);
        LoopDevice.Run("mkswap", loop.Node);
        LoopDevice.Run("swapon", loop.Node);
        try
        {
            using Source source = Source.Open(loop.Node);
            Assert.True(source.Identity.IsLive);
            Assert.Equal([loop.KernelName], source.Identity.Usage!.Swaps);
        }
        finally
        {
            LoopDevice.Run("swapoff", loop.Node);
        }
    }

    [Fact]
    public void A_sector_that_fails_is_a_typed_error_with_its_place()
    {
        byte[] content = RandomNumberGenerator.GetBytes(MiB);
        using var loop = new LoopDevice(content);
        // The device keeps its size while the file behind it has lost its second half: every read there fails with EIO.
        using (var file = new FileStream(loop.BackingFile, FileMode.Open))
            file.SetLength(MiB / 2);
        using (Source cached = Source.Open(loop.Node, new SourceOptions { DirectIO = false }))
        {
            Assert.Equal((false, Environment.SystemPageSize), (cached.IsDirect, cached.ErrorGranularity));
            var buffer = new byte[MiB];
            SourceReadException error = Assert.Throws<SourceReadException>(() => cached.Read(4_096, buffer));
            Assert.Equal((ErrorCode.SourceFailed, loop.Node, MiB / 2, 5), (error.Code, error.SourceName, error.Offset, error.Errno));
            Assert.Equal(content.AsSpan(4_096, (MiB / 2) - 4_096), buffer.AsSpan(0, (MiB / 2) - 4_096));
        }

        using Source direct = Source.Open(loop.Node);
        Assert.Equal((true, 512), (direct.IsDirect, direct.ErrorGranularity));
        // Of one request nothing is given; up to the very sector all is.
        Assert.Equal(4_096, Assert.Throws<SourceReadException>(() => direct.Read(4_096, new byte[MiB])).Offset);
        Assert.Equal(1_024, direct.Read((MiB / 2) - 1_024, new byte[1_024]));
        Assert.Equal(MiB / 2, Assert.Throws<SourceReadException>(() => direct.Read(MiB / 2, new byte[512])).Offset);
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public void A_device_that_shrinks_is_a_changed_source()
    {
        using var loop = new LoopDevice(new byte[MiB]);
        using Source source = Source.Open(loop.Node);
        using (var file = new FileStream(loop.BackingFile, FileMode.Open))
            file.SetLength(MiB / 2);
        LoopDevice.Run("losetup", "--set-capacity", loop.Node);
        Assert.Equal(
            SourceChange.Shorter, Assert.Throws<SourceChangedException>(() => source.Read(0, new byte[MiB])).Change);
        Assert.Equal(MiB / 2, Assert.Throws<SourceChangedException>(source.EnsureUnchanged).ActualLength);
    }
}
