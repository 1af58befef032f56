using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Devices;

public sealed class DeviceExportTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence;

    public DeviceExportTests()
    {
        LoopDevice.Require();
        evidence = new EvidenceCommand();
    }

    [Theory]
    [InlineData(512, 2 * MiB)]
    [InlineData(4096, 2 * MiB)]
    [InlineData(512, (2 * MiB) + 513)]
    [InlineData(4096, (2 * MiB) - 1)]
    [Trait("Requirement", "OUT-4")]
    public void A_larger_device_is_written_over_from_its_start_and_keeps_its_rest(int sectorSize, int length)
    {
        byte[] image = MakeImage(length);
        byte[] old = RandomNumberGenerator.GetBytes(4 * MiB);
        using var loop = new LoopDevice(old, "--sector-size", $"{sectorSize}");
        JsonElement exported = evidence.Json("export", "disk.img", "--output", loop.Node).Succeeds().Json;
        Assert.Equal($"{(4 * MiB) - length}", exported.GetProperty("remainingBytes").GetString());
        LoopDevice.Run("blockdev", "--flushbufs", loop.Node);
        byte[] now = File.ReadAllBytes(loop.BackingFile);
        Assert.Equal(image, now[..length]);
        Assert.Equal(old[length..], now[length..]);
    }

    [Theory]
    [InlineData("smaller", "destination-invalid")]
    [InlineData("read-only", null)]
    [InlineData("mounted", "destination-invalid")]
    [Trait("Requirement", "OUT-4")]
    public void A_device_that_cannot_take_it_stays_as_it_was(string why, string? code)
    {
        MakeImage(2 * MiB);
        byte[] old = RandomNumberGenerator.GetBytes(why == "smaller" ? (2 * MiB) - 4096 : 8 * MiB);
        using var loop = new LoopDevice(old, why == "read-only" ? ["--read-only"] : []);
        if (why == "mounted")
        {
            LoopDevice.Run("mkfs.ext4", "-q", loop.Node);
            loop.Mount(loop.Node, "-o", "ro,noload");
            old = File.ReadAllBytes(loop.BackingFile);
        }

        CommandResult result = evidence.Json("export", "disk.img", "--output", loop.Node);
        string message = code is null ? result.Ends(1).Json.GetProperty("error").GetProperty("message").GetString()! : result.FailsWith(code);
        Assert.Contains(loop.Node, message, StringComparison.Ordinal);
        LoopDevice.Run("blockdev", "--flushbufs", loop.Node);
        Assert.Equal(old, File.ReadAllBytes(loop.BackingFile));
        Assert.DoesNotContain("handed out", evidence.Run("log").Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mkfs.ext4 -q -F", "an ext file system")]
    [InlineData("mkfs.vfat", "a FAT file system")]
    [InlineData("mkfs.ntfs -F -Q -q", "an NTFS file system")]
    [InlineData("mkswap", "a swap area")]
    [InlineData("cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file /proc/self/comm", "an encrypted volume")]
    [InlineData("echo 'label: dos\nstart=2048, size=4096' | sfdisk --quiet", "one partition")]
    [InlineData("echo 'label: gpt' | sfdisk --quiet", "a GUID partition table")]
    [Trait("Requirement", "OUT-4")]
    public void A_device_with_something_on_it_is_written_over_only_where_it_is_named_once_more(string make, string what)
    {
        Peer.Require("mkfs.ext4", "mkfs.vfat", "mkfs.ntfs", "mkswap", "cryptsetup", "sfdisk");
        byte[] image = MakeImage(2 * MiB);
        using var loop = new LoopDevice(new byte[32 * MiB]);
        LoopDevice.Run("sh", "-c", $"printf '' ; {make.Replace("echo", "printf", StringComparison.Ordinal)} {loop.Node}");
        LoopDevice.Run("blockdev", "--flushbufs", loop.Node);
        byte[] old = File.ReadAllBytes(loop.BackingFile);
        string message = evidence.Json("export", "disk.img", "--output", loop.Node).FailsWith("destination-invalid");
        Assert.Contains(what, message, StringComparison.Ordinal);
        evidence.Json("export", "disk.img", "--output", loop.Node, "--overwrite", "/dev/another").FailsWith("usage", 2);
        LoopDevice.Run("blockdev", "--flushbufs", loop.Node);
        Assert.Equal(old, File.ReadAllBytes(loop.BackingFile));
        evidence.Json("export", "disk.img", "--output", loop.Node, "--overwrite", loop.Node).Succeeds();
        LoopDevice.Run("blockdev", "--flushbufs", loop.Node);
        Assert.Equal(image, File.ReadAllBytes(loop.BackingFile)[..image.Length]);
    }

    public void Dispose() => evidence.Dispose();

    private byte[] MakeImage(int length)
    {
        // Zeros and holes too: over old bytes they must be written.
        byte[] image = RandomNumberGenerator.GetBytes(length);
        image.AsSpan(MiB / 2, MiB / 4).Clear();
        image.AsSpan(MiB, 8192).Fill(0xE5);
        File.WriteAllBytes(evidence.PathOf("disk.img"), image);
        evidence.Json("acquire", "disk.img").Succeeds();
        return image;
    }
}
