using Evidence.Sources;
using Xunit;

namespace Evidence.Tests.Sources;

/// <summary>What holds of every source.</summary>
internal static class SourceAssert
{
    /// <summary>The lengths at which sources go wrong: around nothing, a sector, and a page.</summary>
    public static TheoryData<int> Lengths => [0, 1, 511, 512, 513, 4095, 4096, 4097];

    /// <summary>Whole, in pieces that keep to no boundary, past the end: every read gives the bytes that are there.</summary>
    public static void Reads(byte[] expected, Source source)
    {
        Assert.Equal(expected.Length, source.Length);
        var whole = new byte[expected.Length + 100];
        Assert.Equal(expected.Length, source.Read(0, whole));
        Assert.Equal(expected, whole[..expected.Length]);
        foreach (int step in (int[])[1, 7, 511, 512, 513, 4096])
        {
            for (int offset = 0; offset < expected.Length; offset += Math.Max(step, expected.Length / 50))
            {
                var piece = new byte[step];
                int count = source.Read(offset, piece);
                Assert.Equal(Math.Min(step, expected.Length - offset), count);
                Assert.Equal(expected.AsSpan(offset, count), piece.AsSpan(0, count));
            }
        }

        Assert.Equal(0, source.Read(expected.Length, new byte[1]));
        Assert.Equal(0, source.Read(expected.Length + 1000L, new byte[1]));
        Assert.Equal(0, source.Read(0, []));
    }

    /// <summary>The extents cover [0, Length) in order, without gap or overlap.</summary>
    public static IReadOnlyList<SourceExtent> Tile(Source source)
    {
        SourceExtent[] extents = [.. source.Extents()];
        long end = 0;
        foreach (SourceExtent extent in extents)
        {
            Assert.Equal(end, extent.Offset);
            Assert.True(extent.Length > 0);
            end = extent.End;
        }

        Assert.Equal(source.Length, end);
        return extents;
    }
}
