using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Interop.Tests.Rescue;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Rescue;
using Xunit;

namespace Evidence.Interop.Tests.Devices;

/// <summary>What is read back of a disk with sectors that cannot be read: those are counted as that, and neither as blank nor in the digest.</summary>
public sealed class ReadBackTests
{
    private const int Length = 1 << 20;

    private static readonly Sha256Digest Intent = Sha256Digest.Compute("intent"u8);

    public ReadBackTests() => FailingDisk.Require();

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    public void Of_a_device_each_sector_that_cannot_be_read_is_counted_and_no_other(int sectorSize)
    {
        // The first and the last, some side by side, and one alone.
        long[] bad = [0, 7, 8, 9, 100, (Length / sectorSize) - 1];
        using var disk = new FailingDisk(Length, sectorSize, bad, isDevice: true);
        ReadBackSample sample = ReadBack.Sample(Intent, "disk", disk.Node!, Length / sectorSize, TestContext.Current.CancellationToken);
        Assert.Equal((Length / sectorSize, sectorSize, bad.Length, 0, true), (sample.Sectors, sample.SectorSize, sample.Unreadable, sample.Blank, sample.Direct));
        Assert.Equal(DigestOf(disk, sectorSize), sample.Digest);
    }

    [Fact]
    public void Of_a_device_that_reads_nothing_nothing_is_told()
    {
        using var disk = new FailingDisk(1 << 16, 512, [.. Enumerable.Range(0, 128)], isDevice: true);
        ReadBackSample sample = ReadBack.Sample(Intent, "disk", disk.Node!, 1000, TestContext.Current.CancellationToken);
        Assert.Equal((128, 128, 0), (sample.Sectors, sample.Unreadable, sample.Blank));
        Assert.Equal(Sha256Digest.Compute([]), sample.Digest);
    }

    /// <summary>Through the page cache, a sector's neighbours may not be readable either; nothing else may become of it.</summary>
    [Fact]
    public void Of_a_file_no_sector_that_cannot_be_read_is_told_as_blank()
    {
        long[] bad = [3, 64, 65, 2047];
        using var disk = new FailingDisk(Length, 512, bad, isDevice: false);
        ReadBackSample sample = ReadBack.Sample(Intent, "disk", disk.Node!, 2048, TestContext.Current.CancellationToken);
        Assert.Equal((2048, 0), (sample.Sectors, sample.Blank));
        Assert.InRange(sample.Unreadable, bad.Length, bad.Length * (sample.Direct ? 1 : 8));
        if (sample.Direct)
            Assert.Equal(DigestOf(disk, 512), sample.Digest);
    }

    private static Sha256Digest DigestOf(FailingDisk disk, int sectorSize)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int offset = 0; offset < disk.Content.Length; offset += sectorSize)
        {
            if (disk.Truth.Next(RescueStatus.BadSector, offset) is not { } bad || bad.Offset >= offset + sectorSize)
                hash.AppendData(disk.Content, offset, sectorSize);
        }

        return new Sha256Digest(hash.GetHashAndReset());
    }
}
