using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Tests.Sources;
using Evidence.Vaults;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class ImageReaderTests : IDisposable
{
    private readonly TestVault place = new();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(30_000, 0)]
    [InlineData(64 << 20, 8 << 20)]
    public async Task Whatever_is_asked_for_is_what_the_export_has_there(long cache, int ahead)
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Disk(1_500_333, 5);
        AcquisitionResult result = await TestVault.AcquireAsync(vault, content);
        Assert.Equal(content, await TestVault.ExportAsync(vault, result));
        using ImageReader reader = vault.OpenImage(result.Image).OpenReader(new ImageReadOptions { CacheSize = cache, ReadAhead = ahead });
        Prop.ForAll(Gen.Choose(0, content.Length + 100).ToArbitrary(), Gen.OneOf(Gen.Choose(0, 700), Gen.Choose(0, 400_000)).ToArbitrary(), (offset, length) =>
        {
            byte[] read = new byte[length];
            int count = reader.Read(offset, read);
            Assert.Equal(Math.Clamp(content.Length - offset, 0, length), count);
            Assert.True(read.AsSpan(0, count).SequenceEqual(content.AsSpan(Math.Min(offset, content.Length), count)), $"at {offset}+{length}");
            Assert.InRange(reader.Kept, 0, cache);
            if (offset < content.Length)
                Assert.Equal(reader.Image.Runs(offset, 1).Single(), reader.RunAt(offset));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task Eight_at_once_read_right_across_pages_of_the_map()
    {
        using Vault vault = place.Create(average: 64 << 10);
        byte[] content = new byte[(64 << 20) + 3_000_000];
        TestBytes.Disk(5_000_000, 1).CopyTo(content, (64 << 20) - 2_100_000);
        VaultImage image = vault.OpenImage((await TestVault.AcquireAsync(vault, content)).Image);
        // Far less than the content: what is in use by one is what another would have go.
        using ImageReader reader = image.OpenReader(new ImageReadOptions { CacheSize = 1 << 20 });
        Parallel.For(0, 8, seed =>
        {
            var random = new Random(seed);
            byte[] read = new byte[300_000];
            int position = (64 << 20) - 2_200_000;
            for (int i = 0; i < 150; i++)
            {
                // Half of them read on, the others jump.
                position = seed % 2 == 0 && position < content.Length - read.Length ? position : random.Next((64 << 20) - 2_200_000, content.Length);
                int count = reader.Read(position, read.AsSpan(0, random.Next(read.Length)));
                Assert.True(read.AsSpan(0, count).SequenceEqual(content.AsSpan(position, count)), $"at {position}+{count}");
                position += count;
            }
        });
        Assert.InRange(reader.Kept, 1, 1 << 20);
    }

    [Fact]
    public async Task Threads_that_share_a_stream_get_every_byte_once()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Disk(2_000_111, 3);
        using Stream stream = vault.OpenImage((await TestVault.AcquireAsync(vault, content)).Image).OpenRead();
        byte[] joined = new byte[content.Length];
        int total = 0;
        Parallel.For(0, 6, seed =>
        {
            byte[] read = new byte[1 + (seed * 777)];
            while (true)
            {
                int count = stream.Read(read);
                if (count == 0)
                    return;
                Interlocked.Add(ref total, count);
            }
        });
        Assert.Equal(content.Length, total);
        stream.Position = 0;
        await stream.ReadExactlyAsync(joined, TestVault.Stop);
        Assert.Equal(content, joined);
    }

    [Fact]
    public async Task What_is_absent_is_refused_with_its_range_or_filled_as_asked()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(200_000, 1);
        var source = new FailingSource(content) { BadSectors = [100, 101, 102], FailsWholeRequest = true };
        VaultImage image = vault.OpenImage((await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop)).Image);
        AbsentRange absent = Assert.Single(image.Manifest.Absent);
        Assert.Equal((100 * 512, 3 * 512), (absent.Offset, absent.Length));
        using ImageReader reader = image.OpenReader();
        byte[] read = new byte[50_000];
        foreach (long offset in (long[])[absent.Offset, absent.Offset + absent.Length - 1, absent.Offset - 100])
        {
            AbsentRangeException error = Assert.Throws<AbsentRangeException>(() => reader.Read(offset, read.AsSpan(0, 200)));
            Assert.Equal(ErrorCode.RangeAbsent, error.Code);
            Assert.Equal(absent, error.Range);
            Assert.Contains($"{absent.Offset} to {absent.Offset + absent.Length - 1}", error.Message, StringComparison.Ordinal);
        }

        // Up to the last byte before it, and from the first behind it.
        Assert.Equal(100, reader.Read(absent.Offset - 100, read.AsSpan(0, 100)));
        Assert.Equal(100, reader.Read(absent.Offset + absent.Length, read.AsSpan(0, 100)));
        content.AsSpan((int)absent.Offset, (int)absent.Length).Clear();
        using ImageReader filled = image.OpenReader(new ImageReadOptions { Absent = AbsentBytes.Zero });
        byte[] whole = new byte[content.Length];
        Assert.Equal(whole.Length, filled.Read(0, whole));
        Assert.Equal(content, whole);

        // A stream gives what comes before it first.
        using Stream stream = image.OpenRead();
        stream.Position = absent.Offset - 100;
        Assert.Equal(100, stream.Read(read));
        Assert.Throws<AbsentRangeException>(() => stream.Read(read));
        Assert.Equal(absent.Offset, stream.Position);
    }

    [Fact]
    public async Task What_was_never_asked_for_is_told_from_what_could_not_be_read()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(12 << 20, 1);
        var source = new FailingSource(content) { VanishesAfter = 1 };
        VaultImage image = vault.OpenImage((await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop)).Image);
        AbsentRange unread = image.Manifest.Absent[^1];
        Assert.Equal(RunKind.Unread, unread.Kind);
        using ImageReader reader = image.OpenReader();
        AbsentRangeException error = Assert.Throws<AbsentRangeException>(() => reader.Read(content.Length - 1, new byte[1]));
        Assert.Equal(unread, error.Range);
        Assert.Contains("were never read", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_segment_is_refuted_where_it_is_and_nowhere_else()
    {
        byte[] content = TestBytes.Random(300_000, 1);
        (Sha256Digest image, MapRun[] runs) = await place.HoldAsync(content, Compression.None);
        place.FlipRecord(runs[3], PackFormat.RecordHeaderSize + 5);

        using Vault damaged = place.Open();
        using ImageReader reader = damaged.OpenImage(image).OpenReader();
        Parallel.For(0, 60, i =>
        {
            MapRun run = runs[i % 6];
            byte[] read = new byte[run.Length];
            if (i % 6 == 3)
            {
                Assert.Equal(ErrorCode.ContentRefuted, Assert.Throws<EvidenceException>(() => reader.Read(run.Offset, read)).Code);
            }
            else
            {
                Assert.Equal(run.Length, reader.Read(run.Offset, read));
                Assert.True(content.AsSpan((int)run.Offset, read.Length).SequenceEqual(read));
            }
        });
    }

    [Theory]
    [InlineData(Compression.None)]
    [InlineData(Compression.Fast)]
    public async Task Damage_in_what_is_loaded_ahead_is_told_to_whoever_reads_it_and_costs_its_neighbours_nothing(Compression compression)
    {
        byte[] content = TestBytes.Text(600_000, 1);
        (Sha256Digest image, MapRun[] runs) = await place.HoldAsync(content, compression);
        // In its content, and in its header.
        foreach ((int run, int at) in (ReadOnlySpan<(int, int)>)[(2, PackFormat.RecordHeaderSize + 5), (4, 36)])
            Assert.Equal(compression == Compression.None, place.FlipRecord(runs[run], at).Header.Codec == Codec.Stored);

        using Vault damaged = place.Open();
        using ImageReader reader = damaged.OpenImage(image).OpenReader();
        reader.LoadBeginning();
        Assert.InRange(reader.Kept, runs.Where((run, i) => i is not (2 or 4)).Sum(run => run.Length), reader.Image.Size * 2);
        for (int i = 0; i < runs.Length; i++)
        {
            byte[] read = new byte[runs[i].Length];
            if (i is 2 or 4)
            {
                Assert.Equal(ErrorCode.ContentRefuted, Assert.Throws<EvidenceException>(() => reader.Read(runs[i].Offset, read)).Code);
            }
            else
            {
                Assert.Equal(read.Length, reader.Read(runs[i].Offset, read));
                Assert.True(content.AsSpan((int)runs[i].Offset, read.Length).SequenceEqual(read));
            }
        }
    }

    [Fact]
    public async Task A_reader_that_is_closed_says_so()
    {
        using Vault vault = place.Create();
        ImageReader reader = vault.OpenImage((await TestVault.AcquireAsync(vault, TestBytes.Random(100_000, 1))).Image).OpenReader();
        byte[] read = new byte[1000];
        for (int i = 0; i < 50; i++)
            reader.Read(i * 1000, read);
        reader.Dispose();
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.Read(0, read));
    }

    public void Dispose() => place.Dispose();
}
