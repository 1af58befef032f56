using Evidence.Hashing;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class IndexRunTests : IDisposable
{
    private static readonly Sha256Digest[] Packs = [Digest(-1), Digest(-2), Digest(-3)];

    private readonly TestVault place = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(77)]
    [InlineData(78)]
    [InlineData(79)]
    [InlineData(10_000)]
    public void What_is_in_it_is_found_and_nothing_else(int count)
    {
        (string path, SortedDictionary<Sha256Digest, SegmentLocation> entries) = Write(count);
        using IndexRun run = IndexRun.TryOpen(path)!;
        Assert.Equal(count, run.Count);
        Assert.Equal(Packs, run.Packs);
        Assert.Equal(entries, run.Enumerate());
        Assert.All(entries, e => Assert.True(run.TryFind(e.Key, out SegmentLocation found) && found == e.Value));
        Assert.All(Enumerable.Range(count, 2000), i => Assert.False(run.TryFind(Digest(i), out _)));
        Assert.False(run.TryFind(default, out _));
        Assert.False(run.TryFind(new Sha256Digest(Enumerable.Repeat((byte)255, 32).ToArray()), out _));
    }

    [Fact]
    public void Ids_with_the_same_beginning_are_told_apart_over_many_pages()
    {
        var entries = new SortedDictionary<Sha256Digest, SegmentLocation>();
        for (int i = 0; i < 1000; i++)
        {
            // Three groups, each of which begins and ends within a page and fills others.
            byte[] id = Digest(i).ToArray();
            id.AsSpan(0, 8).Fill((byte)(i % 3));
            entries[new Sha256Digest(id)] = new SegmentLocation(Packs[0], i, 1, 1);
        }

        string path = place.At("run");
        IndexRun.Write(path, entries, Packs);
        using IndexRun run = IndexRun.TryOpen(path)!;
        Assert.All(entries, e => Assert.True(run.TryFind(e.Key, out SegmentLocation found) && found == e.Value));
        byte[] absent = new byte[32];
        absent.AsSpan(0, 8).Fill(1);
        Assert.False(run.TryFind(new Sha256Digest(absent), out _));
    }

    [Fact]
    public void A_changed_byte_is_never_believed()
    {
        (string path, SortedDictionary<Sha256Digest, SegmentLocation> entries) = Write(200);
        byte[] bytes = File.ReadAllBytes(path);
        int refused = 0;
        for (int i = 0; i < bytes.Length; i += i < bytes.Length - 200 ? 7 : 1)
        {
            byte[] damaged = [.. bytes];
            damaged[i] ^= 0x41;
            File.WriteAllBytes(path, damaged);
            using IndexRun? run = IndexRun.TryOpen(path);
            Assert.True(run is null || Throws(run, entries), $"byte {i} does not matter");
            refused++;
        }

        Assert.True(refused > 1000);
    }

    [Fact]
    public void A_file_that_was_cut_off_is_none()
    {
        (string path, _) = Write(200);
        byte[] bytes = File.ReadAllBytes(path);
        foreach (int length in (int[])[0, 1, 47, 48, 4096, bytes.Length - 48, bytes.Length - 1])
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.Null(IndexRun.TryOpen(path));
        }
    }

    /// <summary>Numbers in the tail are read before its checksum can be computed.</summary>
    [Theory]
    [InlineData(8, long.MaxValue)]
    [InlineData(8, long.MinValue)]
    [InlineData(16, long.MaxValue)]
    [InlineData(16, -1)]
    [InlineData(24, long.MaxValue)]
    [InlineData(24, int.MaxValue)]
    public void A_claimed_size_is_refused_and_allocates_nothing(int field, long value)
    {
        (string path, _) = Write(10);
        byte[] bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 48 + field), value);
        File.WriteAllBytes(path, bytes);
        Assert.Null(IndexRun.TryOpen(path));
    }

    /// <summary>Whether one of the lookups meets the damage. Those before it must be right.</summary>
    private static bool Throws(IndexRun run, SortedDictionary<Sha256Digest, SegmentLocation> entries)
    {
        try
        {
            foreach ((Sha256Digest id, SegmentLocation location) in entries)
                Assert.True(run.TryFind(id, out SegmentLocation found) && found == location);
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    private (string Path, SortedDictionary<Sha256Digest, SegmentLocation> Entries) Write(int count)
    {
        var entries = new SortedDictionary<Sha256Digest, SegmentLocation>();
        for (int i = 0; i < count; i++)
            entries.Add(Digest(i), new SegmentLocation(Packs[i % 3], 64 + ((long)i << 20), i + 1, i + 2));
        string path = place.At($"{count}.run");
        IndexRun.Write(path, entries, Packs);
        return (path, entries);
    }

    private static Sha256Digest Digest(int number) => Sha256Digest.Compute(BitConverter.GetBytes(number));

    public void Dispose() => place.Dispose();
}
