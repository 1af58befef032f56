using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class VaultImageTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task An_image_is_read_at_any_offset()
    {
        using Vault vault = place.Create();
        byte[] content = [.. TestBytes.Disk(600_000, 1), .. new byte[20_480], .. TestBytes.Disk(77_777, 2)];
        content.AsSpan(102_400, 20_480).Clear();
        AcquisitionResult result = await TestVault.AcquireAsync(vault, content, extents:
        [
            new(0, 102_400, SourceExtentKind.Data), new(102_400, 20_480, SourceExtentKind.Hole),
            new(122_880, content.Length - 122_880, SourceExtentKind.Data),
        ]);
        VaultImage image = vault.OpenImage(result.Image);
        using Stream stream = image.OpenRead();
        Assert.Equal(content.Length, stream.Length);
        var random = new Random(3);
        for (int i = 0; i < 500; i++)
        {
            int offset = random.Next(content.Length + 10);
            int count = random.Next(random.Next(2) == 0 ? 1000 : 60_000);
            switch (random.Next(3))
            {
                case 0:
                    stream.Position = offset;
                    break;
                case 1:
                    stream.Seek(offset - stream.Position, SeekOrigin.Current);
                    break;
                default:
                    stream.Seek(offset - content.Length, SeekOrigin.End);
                    break;
            }

            byte[] read = new byte[count];
            int length = stream.ReadAtLeast(read, count, throwOnEndOfStream: false);
            Assert.Equal(Math.Clamp(content.Length - offset, 0, count), length);
            Assert.True(read.AsSpan(0, length).SequenceEqual(content.AsSpan(Math.Min(offset, content.Length), length)), $"at {offset}+{count}");
        }
    }

    [Fact]
    public async Task The_runs_of_a_range_cover_it_and_no_more()
    {
        using Vault vault = place.Create(average: 64 << 10);
        byte[] content = new byte[(64 << 20) + 300_000];
        TestBytes.Disk(900_000, 1).CopyTo(content, (64 << 20) - 600_000);
        VaultImage image = vault.OpenImage((await TestVault.AcquireAsync(vault, content)).Image);
        MapRun[] all = [.. image.Runs()];
        Assert.Equal(content.Length, all.Sum(r => r.Length));
        Assert.Contains(all, r => r.Offset == 64 << 20);
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            long offset = random.Next(content.Length);
            long length = random.Next(2) == 0 ? random.Next(1, 100_000) : random.Next(1, content.Length);
            Assert.Equal(all.Where(r => r.End > offset && r.Offset < Math.Min(offset + length, content.Length)), image.Runs(offset, length));
        }

        Assert.Empty(image.Runs(content.Length));
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Runs(-1).ToList());
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Page(2));
    }

    /// <summary>The reader keeps the last segment. One that could not be read must not take its place.</summary>
    [Theory]
    [InlineData(Compression.None)]
    [InlineData(Compression.Fast)]
    public async Task After_a_damaged_segment_the_good_one_before_it_still_reads_right(Compression compression)
    {
        byte[] content = TestBytes.Text(200_000, 1);
        (Sha256Digest image, MapRun[] runs) = await place.HoldAsync(content, compression);
        place.FlipRecord(runs[1], ^30);

        using Vault damaged = place.Open();
        using Stream stream = damaged.OpenImage(image).OpenRead();
        byte[] read = new byte[runs[0].Length];
        stream.ReadExactly(read);
        Assert.Equal(ErrorCode.ContentRefuted, Assert.Throws<EvidenceException>(() => _ = stream.ReadByte()).Code);
        stream.Position = 0;
        stream.ReadExactly(read);
        Assert.True(content.AsSpan(0, read.Length).SequenceEqual(read));
    }

    [Fact]
    public async Task An_image_cannot_be_written_to()
    {
        using Vault vault = place.Create();
        using Stream stream = vault.OpenImage((await TestVault.AcquireAsync(vault, [1, 2, 3])).Image).OpenRead();
        Assert.False(stream.CanWrite);
        Assert.Throws<NotSupportedException>(() => stream.Write([1], 0, 1));
        Assert.Throws<NotSupportedException>(() => stream.SetLength(0));
        Assert.Throws<IOException>(() => stream.Seek(-1, SeekOrigin.Begin));
    }

    public void Dispose() => place.Dispose();
}
