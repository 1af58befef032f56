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
