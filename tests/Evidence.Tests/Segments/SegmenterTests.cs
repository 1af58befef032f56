using Evidence.Segments;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Segments;

public sealed class SegmenterTests
{
    public static TheoryData<int> Averages => [4 << 10, 16 << 10, 64 << 10, 1 << 20];

    [Theory]
    [MemberData(nameof(Averages))]
    public void It_cuts_as_the_format_says_whatever_the_windows_are(int average)
    {
        Gen<(byte[] Content, int Seed)> cases =
            from content in TestBytes.Disks(average == 1 << 20 ? 6 << 20 : 12 * average)
            from seed in Gen.Choose(0, int.MaxValue - 1)
            select (content, seed);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(average == 1 << 20 ? 15 : 200), Prop.ForAll(cases.ToArbitrary(), c =>
        {
            List<Piece> expected = ReferenceSegmenter.Cut(c.Content, average);
            List<Piece> actual = CutInWindows(c.Content, average, new Random(c.Seed));
            return expected.SequenceEqual(actual) ? true : throw new InvalidOperationException(
                $"Expected {string.Join(' ', expected)}, got {string.Join(' ', actual)}");
        }));
    }

    /// <summary>Runs and cuts whose ends fall on, before and behind every limit there is.</summary>
    [Theory]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(4608)]
    [InlineData(16 * 1024)]
    public void A_run_of_one_byte_at_a_limit_is_judged_by_its_length(int length)
    {
        foreach (byte value in (byte[])[0, 7])
        {
            foreach (int before in (int[])[0, 512, 1024, 4096, 16384])
            {
                foreach (int after in (int[])[0, 1, 512, 513, 4096])
                {
                    byte[] run = new byte[length];
                    run.AsSpan().Fill(value);
                    byte[] content = [.. TestBytes.Random(before, 1), .. run, .. TestBytes.Random(after, 2)];
                    List<Piece> expected = ReferenceSegmenter.Cut(content, 4096);
                    for (int seed = 0; seed < 5; seed++)
                        Assert.Equal(expected, CutInWindows(content, 4096, new Random(seed)));
                }
            }
        }
    }

    [Fact]
    public void Content_that_never_meets_the_mask_is_cut_at_the_longest_length()
    {
        // One sector that does not meet the mask, followed by one like it but for a byte, over and over: no run, no cut.
        byte[] odd = Enumerable.Range(0, 1000).Select(i => TestBytes.Random(512, i)).First(s => !MeetsMask(s));
        byte[] content = [.. Enumerable.Repeat(odd, 100).SelectMany(s => s)];
        Assert.Equal([16384, 16384, 16384, 2048], CutInWindows(content, 4096, new Random(1)).Select(p => p.Length));

        static bool MeetsMask(byte[] sector) => (System.IO.Hashing.XxHash3.HashToUInt64(sector) & SegmentParameters.ForAverage(4096).CutMask) == 0;
    }

    [Fact]
    public void A_segmenter_that_ended_a_stretch_begins_the_next_afresh()
    {
        var segmenter = new Segmenter(SegmentParameters.ForAverage(4096));
        for (int seed = 0; seed < 50; seed++)
        {
            byte[] content = TestBytes.Disk(20_000 + (seed * 37), seed);
            Assert.Equal(ReferenceSegmenter.Cut(content, 4096), CutInWindows(content, 4096, new Random(seed), segmenter));
        }
    }

    private static List<Piece> CutInWindows(byte[] content, int average, Random random, Segmenter? segmenter = null)
    {
        var parameters = SegmentParameters.ForAverage(average);
        segmenter ??= new Segmenter(parameters);
        var pieces = new List<Piece>();
        int start = 0;
        int shown = 0;
        int widest = random.Next(3) switch { 0 => 1, 1 => 20, _ => 1 + (average / 64) };
        bool last = false;
        while (!last)
        {
            shown = Math.Min(content.Length, shown + (512 * random.Next(widest + 1)));
            // A stretch can also end in a call that brings nothing new.
            last = shown == content.Length && random.Next(2) == 0;
            var found = new List<Piece>();
            int consumed = segmenter.Cut(content.AsSpan(start, shown - start), last, found);
            Assert.Equal(found.Sum(p => p.Length), consumed);
            start += consumed;
            Assert.InRange(shown - start, 0, last ? 0 : Segmenter.LargestCarry(parameters));
            foreach (Piece piece in found)
                Add(pieces, piece);
        }

        return pieces;
    }

    /// <summary>Neighbouring fills of one value are one run: a window's end parts them.</summary>
    private static void Add(List<Piece> pieces, Piece piece)
    {
        if (piece.IsFill && pieces.Count > 0 && pieces[^1] is { IsFill: true } last && last.Value == piece.Value)
            pieces[^1] = last with { Length = last.Length + piece.Length };
        else
            pieces.Add(piece);
    }
}
