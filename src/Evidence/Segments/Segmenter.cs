using System.IO.Hashing;

namespace Evidence.Segments;

/// <summary>A piece that the segmenter found: <see cref="Length"/> bytes of data, or of one repeated byte.</summary>
/// <param name="Length">Bytes, at least one.</param>
/// <param name="IsFill">Whether every byte is <paramref name="Value"/>. Neighbouring fills of one value are one run.</param>
/// <param name="Value">The repeated byte; zero for data.</param>
internal readonly record struct Piece(int Length, bool IsFill, byte Value);

/// <summary>
/// Finds where to cut. Pure: it is shown a stretch of an image window by window and says how to divide it; the result depends on the stretch's
/// bytes alone, never on the windows.
/// </summary>
/// <remarks>
/// A stretch is what was read without a gap within one page. In it, each longest run of sectors of one repeated byte that is at least
/// <see cref="SegmentParameters.MinimumFill"/> long is a fill; what lies between is cut into segments after each sector whose XXH3 meets the
/// mask, no earlier than the minimum and no later than the maximum length (<c>docs/format/map.md</c>).
/// </remarks>
internal sealed class Segmenter(SegmentParameters parameters)
{
    private const int Sector = SegmentParameters.SectorSize;

    /// <summary>The length of the open segment that was judged already: where the next window's scan goes on.</summary>
    private int judged;

    /// <summary>The value of the fill that the last window ended in, or -1.</summary>
    private int openFill = -1;

    /// <summary>The most bytes that <see cref="Cut"/> leaves unconsumed.</summary>
    internal static int LargestCarry(SegmentParameters parameters) => parameters.MaximumLength + SegmentParameters.MinimumFill;

    /// <summary>Divides a window.</summary>
    /// <param name="window">What the last call left unconsumed, followed by what comes next; whole sectors, unless it is the last.</param>
    /// <param name="last">Whether the stretch ends with this window: then everything is consumed.</param>
    /// <param name="pieces">Receives the pieces in order; they start at the window's start and lie end to end.</param>
    /// <returns>The number of bytes consumed: the sum of the pieces' lengths.</returns>
    internal int Cut(ReadOnlySpan<byte> window, bool last, List<Piece> pieces)
    {
        int start = 0;
        int position = judged;
        if (openFill >= 0)
        {
            position = FillEnd(window, 0, (byte)openFill);
            if (position > 0)
                pieces.Add(new Piece(position, IsFill: true, (byte)openFill));
            start = position;
            if (position < window.Length)
                openFill = -1;
        }

        while (position < window.Length)
        {
            int end = FillEnd(window, position, window[position]);
            if (end - position >= SegmentParameters.MinimumFill)
            {
                if (position > start)
                    pieces.Add(new Piece(position - start, IsFill: false, 0));
                pieces.Add(new Piece(end - position, IsFill: true, window[position]));
                if (end == window.Length)
                    openFill = window[position];
                start = position = end;
                continue;
            }

            // A short run at the window's end may go on in the next: it is judged then.
            if (end == window.Length && end > position && !last)
                break;
            end = Math.Max(end, Math.Min(position + Sector, window.Length));
            while (position < end)
            {
                int next = Math.Min(position + Sector, window.Length);
                if (EndsSegment(window[position..next], next - start))
                {
                    pieces.Add(new Piece(next - start, IsFill: false, 0));
                    start = next;
                }

                position = next;
            }
        }

        if (last)
        {
            if (position > start)
                pieces.Add(new Piece(position - start, IsFill: false, 0));
            judged = 0;
            openFill = -1;
            return window.Length;
        }

        judged = position - start;
        return start;
    }

    /// <summary>The end of the longest run of sectors from <paramref name="position"/> of which every byte is <paramref name="value"/>.</summary>
    private static int FillEnd(ReadOnlySpan<byte> window, int position, byte value)
    {
        while (position < window.Length)
        {
            ReadOnlySpan<byte> sector = window.Slice(position, Math.Min(Sector, window.Length - position));
            // Most sectors of data differ from their first byte within a few bytes, so this ends at once.
            if (sector.IndexOfAnyExcept(value) >= 0)
                break;
            position += sector.Length;
        }

        return position;
    }

    private bool EndsSegment(ReadOnlySpan<byte> sector, int length) =>
        length >= parameters.MaximumLength ||
        (length >= parameters.MinimumLength && (XxHash3.HashToUInt64(sector) & parameters.CutMask) == 0);
}
