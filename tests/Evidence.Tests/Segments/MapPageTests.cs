using Evidence.Hashing;
using Evidence.Segments;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Segments;

public sealed class MapPageTests
{
    private static readonly MapRun[] Runs =
    [
        new(0, 70_000, RunKind.Data, 0, Sha256Digest.Compute([1])),
        new(70_000, 4_096, RunKind.Zero, 0, default),
        new(74_096, 5_000, RunKind.Fill, 0xF6, default),
        new(79_096, 120, RunKind.Data, 0, Sha256Digest.Compute([2])),
        new(79_216, 656, RunKind.Zero, 0, default),
        new(79_872, 1_024, RunKind.Hole, 0, default),
        new(80_896, 512, RunKind.Unreadable, 0, default),
        new(81_408, 100, RunKind.Unread, 0, default),
    ];

    [Fact]
    public void Runs_round_trip() => Prop.ForAll(Pages().ToArbitrary(), runs =>
    {
        byte[] bytes = MapPage.Encode(runs);
        MapPage page = MapPage.Decode(bytes);
        Sha256Digest[] leaves = [.. bytes[16..].Chunk(44).Select(r => MerkleTree.LeafHash(r))];
        return page.Runs.SequenceEqual(runs) && page.Length == runs[^1].End && page.Root == MerkleTree.Root(leaves) &&
            MapPage.Encode([.. page.Runs]).AsSpan().SequenceEqual(bytes);
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_page_has_one_form_so_a_changed_bit_is_refused_or_means_other_runs()
    {
        byte[] bytes = MapPage.Encode(Runs);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] damaged = [.. bytes];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            if (Decode(damaged) is { } page)
            {
                Assert.False(page.Runs.SequenceEqual(Runs), $"bit {bit} has no meaning");
                Assert.Equal(damaged, MapPage.Encode([.. page.Runs]));
            }
        }
    }

    [Fact]
    public void A_page_of_any_other_length_is_refused()
    {
        byte[] bytes = MapPage.Encode(Runs);
        for (int length = 0; length < bytes.Length; length++)
            Assert.Null(Decode(bytes[..length]));
        Assert.Null(Decode([.. bytes, 0]));
        Assert.Null(Decode([.. bytes, .. new byte[44]]));
    }

    [Fact]
    public void A_claimed_number_of_runs_allocates_nothing()
    {
        byte[] bytes = MapPage.Encode(Runs);
        bytes.AsSpan(12, 4).Fill(0xFF);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(Decode(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 16);
    }

    [Fact]
    public void Garbage_is_refused() => Prop.ForAll(ArbMap.Default.ArbFor<byte[]>(), bytes => Decode(bytes) is null &&
        Decode([.. "EVPAGE1\n"u8, .. bytes]) is null).QuickCheckThrowOnFailure();

    [Theory]
    [MemberData(nameof(WrongRuns))]
    public void A_run_in_no_valid_form_is_refused(long offset, long length, int kind, byte value, bool id)
    {
        var run = new MapRun(offset, length, (RunKind)kind, value, default);
        byte[] bytes = MapPage.Encode([new MapRun(0, 100, RunKind.Fill, 1, default), run]);
        if (id)
            bytes.AsSpan(^32..).Fill(9);
        Assert.Null(Decode(bytes));
    }

    [Theory]
    [InlineData(RunKind.Zero, 0)]
    [InlineData(RunKind.Fill, 7)]
    [InlineData(RunKind.Hole, 0)]
    [InlineData(RunKind.Unreadable, 0)]
    public void Two_runs_that_are_one_are_refused(RunKind kind, byte value)
    {
        Assert.NotNull(Decode(MapPage.Encode([new MapRun(0, 1024, kind, value, default)])));
        Assert.Null(Decode(MapPage.Encode([new MapRun(0, 512, kind, value, default), new MapRun(512, 512, kind, value, default)])));
    }

    [Theory]
    [InlineData(RunKind.Hole)]
    [InlineData(RunKind.Unreadable)]
    [InlineData(RunKind.Unread)]
    public void What_was_not_read_ends_at_a_sector_or_with_the_page(RunKind kind)
    {
        Assert.NotNull(Decode(MapPage.Encode([new MapRun(0, 100, kind, 0, default)])));
        Assert.NotNull(Decode(MapPage.Encode([new MapRun(0, 512, kind, 0, default), new MapRun(512, 5, RunKind.Zero, 0, default)])));
        Assert.Null(Decode(MapPage.Encode([new MapRun(0, 100, kind, 0, default), new MapRun(100, 412, RunKind.Zero, 0, default)])));
    }

    public static TheoryData<long, long, int, byte, bool> WrongRuns => new()
    {
        { 100, 10, 0, 0, false }, // no kind
        { 100, 10, 7, 0, false },
        { 100, 10, 255, 0, false },
        { 100, 10, (int)RunKind.Data, 0, false }, // data without an id
        { 100, 10, (int)RunKind.Data, 1, true },
        { 100, 10, (int)RunKind.Zero, 0, true }, // an id where no data is
        { 100, 10, (int)RunKind.Zero, 1, false },
        { 100, 10, (int)RunKind.Fill, 0, false }, // a fill of zeros is a zero
        { 100, 10, (int)RunKind.Hole, 0, false }, // absent, and not at a sector
        { 100, 10, (int)RunKind.Unreadable, 0, false },
        { 100, 0, (int)RunKind.Zero, 0, false }, // empty
        { 99, 10, (int)RunKind.Zero, 0, false }, // overlap
        { 101, 10, (int)RunKind.Zero, 0, false }, // gap
        { 100, SegmentParameters.PageSize, (int)RunKind.Zero, 0, false }, // longer than a page
    };

    private static MapPage? Decode(byte[] bytes)
    {
        try
        {
            return MapPage.Decode(bytes);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static Gen<MapRun[]> Pages() =>
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from count in Gen.Choose(1, 40)
        select Page(new Random(seed), count);

    private static MapRun[] Page(Random random, int count)
    {
        var runs = new List<MapRun>();
        long position = 0;
        for (int i = 0; i < count; i++)
        {
            var kind = (RunKind)random.Next(1, 7);
            if (kind >= RunKind.Hole && position % 512 != 0)
                kind = RunKind.Zero;
            long length = kind >= RunKind.Hole || random.Next(2) == 0 ? 512 * random.Next(1, 200) : random.Next(1, 100_000);
            byte value = kind == RunKind.Fill ? (byte)random.Next(1, 256) : (byte)0;
            if (kind != RunKind.Data && runs.Count > 0 && runs[^1].Kind == kind && runs[^1].Value == value)
                continue;
            runs.Add(new MapRun(position, length, kind, value, kind == RunKind.Data ? Sha256Digest.Compute([(byte)i]) : default));
            position += length;
        }

        return [.. runs];
    }
}
