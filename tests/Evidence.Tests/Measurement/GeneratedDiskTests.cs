using Evidence.Measurement;
using Xunit;

namespace Evidence.Tests.Measurement;

public sealed class GeneratedDiskTests
{
    private const int Length = (17 << 20) + 300;

    [Fact]
    public void A_disk_is_the_same_however_it_is_read()
    {
        using var disk = new GeneratedDisk(3, Length);
        byte[] whole = Read(disk);
        var random = new Random(1);
        for (int round = 0; round < 300; round++)
        {
            int offset = random.Next(Length);
            var part = new byte[random.Next(1, random.Next(2, 3 << 20))];
            int read = disk.Read(offset, part);
            Assert.Equal(Math.Min(part.Length, Length - offset), read);
            // A stamp that a read begins or ends within is left out: imaging reads whole sectors.
            int first = (512 - (offset % 512)) % 512;
            int end = Math.Max(first, read - ((offset + read) % 512));
            Assert.True(part.AsSpan(first..end).SequenceEqual(whole.AsSpan(offset)[first..end]), $"differs within {offset} + {read}");
        }
    }

    /// <summary>Else deduplication would be measured, and not storing.</summary>
    [Fact]
    public void No_two_sectors_are_alike_but_those_of_zeros()
    {
        using var one = new GeneratedDisk(1, Length);
        using var two = new GeneratedDisk(2, Length);
        byte[][] sectors = [.. new[] { one, two }.SelectMany(disk => Read(disk)[..(Length / 512 * 512)].Chunk(512))];
        int zeros = sectors.Count(s => !s.AsSpan().ContainsAnyExcept((byte)0));
        Assert.Equal(2 * (4 << 20) / 512, zeros);
        Assert.Equal(sectors.Length - zeros + 1, sectors.Select(s => Convert.ToHexString(s)).Distinct(StringComparer.Ordinal).Count());
    }

    private static byte[] Read(GeneratedDisk disk)
    {
        var bytes = new byte[Length];
        Assert.Equal(Length, disk.Read(0, bytes));
        return bytes;
    }
}
