using System.IO.Hashing;
using Evidence.Segments;

namespace Evidence.Tests.Segments;

/// <summary>Cutting as <c>docs/format/map.md</c> words it, over a whole stretch in memory, without a thought of speed or windows.</summary>
internal static class ReferenceSegmenter
{
    public static List<Piece> Cut(byte[] stretch, int average)
    {
        // 1. A stretch is seen as sectors of 512 bytes from its start; the last may be shorter.
        byte[][] sectors = [.. stretch.Chunk(512)];
        var pieces = new List<Piece>();
        var data = new List<byte[]>();
        for (int i = 0; i < sectors.Length;)
        {
            // 2. The longest sequence of sectors from here in which every byte is the same as the first one's, if it is 4,096 bytes or longer.
            byte value = sectors[i][0];
            int end = i;
            while (end < sectors.Length && sectors[end].All(b => b == value))
                end++;
            int length = sectors[i..end].Sum(s => s.Length);
            if (length >= 4096)
            {
                CutData(data, average, pieces);
                pieces.Add(new Piece(length, IsFill: true, value));
                i = end;
                continue;
            }

            // If it is shorter, its sectors are data, and the search goes on behind them.
            end = Math.Max(end, i + 1);
            data.AddRange(sectors[i..end]);
            i = end;
        }

        CutData(data, average, pieces);
        return pieces;
    }

    // 3. What lies between those runs is cut into segments.
    private static void CutData(List<byte[]> sectors, int average, List<Piece> pieces)
    {
        int length = 0;
        foreach (byte[] sector in sectors)
        {
            length += sector.Length;
            bool meetsMask = (XxHash3.HashToUInt64(sector) & (ulong)((average / 1024) - 1)) == 0;
            if (length >= 4 * average || (length >= average / 4 && meetsMask))
            {
                pieces.Add(new Piece(length, IsFill: false, 0));
                length = 0;
            }
        }

        if (length > 0)
            pieces.Add(new Piece(length, IsFill: false, 0));
        sectors.Clear();
    }
}
