namespace Evidence.Rescue;

/// <summary>
/// How far each byte of a source is: ranges in order from 0 to <see cref="Length"/>, without gap or overlap, no two neighbours of one status.
/// Not for use by several threads at once.
/// </summary>
public sealed class RescueMap
{
    private readonly List<(long Start, RescueStatus Status)> ranges = [];

    /// <summary>The map of a source of which nothing has been read.</summary>
    /// <param name="length">The source's length in bytes.</param>
    public RescueMap(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        if (length > 0)
            ranges.Add((0, RescueStatus.NonTried));
    }

    /// <summary>The length of the source in bytes.</summary>
    public long Length { get; }

    /// <summary>The number of ranges.</summary>
    public int Count => ranges.Count;

    /// <summary>The ranges in order. The map may not be changed while they are enumerated.</summary>
    public IEnumerable<RescueRange> Ranges => Enumerable.Range(0, ranges.Count).Select(At);

    /// <summary>The whole range, of one status, that an offset lies in.</summary>
    public RescueRange RangeAt(long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(offset, Length);
        return At(IndexOf(offset));
    }

    /// <summary>Gives a range a status, whatever statuses were there.</summary>
    /// <param name="offset">Its first byte.</param>
    /// <param name="length">Its length in bytes; where it is 0, nothing changes.</param>
    /// <param name="status">Its status from now on.</param>
    public void Set(long offset, long length, RescueStatus status)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length - offset);
        if (!Enum.IsDefined(status))
            throw new ArgumentOutOfRangeException(nameof(status));
        if (length == 0)
            return;

        long end = offset + length;
        int first = IndexOf(offset);
        int last = IndexOf(end - 1);
        // Neighbours of the same status become part of it.
        if (first > 0 && ranges[first].Start == offset && ranges[first - 1].Status == status)
            first--;
        if (last + 1 < ranges.Count && EndOf(last) == end && ranges[last + 1].Status == status)
            last++;
        RescueRange before = At(first);
        RescueRange after = At(last);
        if (before.Status == status)
            offset = before.Offset;
        if (after.Status == status)
            end = after.End;

        Span<(long Start, RescueStatus Status)> replacement = stackalloc (long, RescueStatus)[3];
        int count = 0;
        if (before.Offset < offset)
            replacement[count++] = (before.Offset, before.Status);
        replacement[count++] = (offset, status);
        if (after.End > end)
            replacement[count++] = (end, after.Status);
        Replace(first, last - first + 1, replacement[..count]);
    }

    /// <summary>The first bytes of a status from an offset on, as far as they reach.</summary>
    /// <param name="status">The status to look for.</param>
    /// <param name="from">Where to begin; a range that began before is given from there.</param>
    /// <returns>Null where there are none.</returns>
    public RescueRange? Next(RescueStatus status, long from)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        for (int i = from < Length ? IndexOf(from) : ranges.Count; i < ranges.Count; i++)
        {
            if (ranges[i].Status != status)
                continue;
            long start = Math.Max(ranges[i].Start, from);
            return new RescueRange(start, EndOf(i) - start, status);
        }

        return null;
    }

    /// <summary>The last bytes of a status before an offset, as far back as they reach.</summary>
    /// <param name="status">The status to look for.</param>
    /// <param name="before">Where to begin; a range that goes on after it is given up to there.</param>
    /// <returns>Null where there are none.</returns>
    public RescueRange? Previous(RescueStatus status, long before)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(before);
        before = Math.Min(before, Length);
        for (int i = before > 0 ? IndexOf(before - 1) : -1; i >= 0; i--)
        {
            if (ranges[i].Status == status)
                return new RescueRange(ranges[i].Start, Math.Min(EndOf(i), before) - ranges[i].Start, status);
        }

        return null;
    }

    /// <summary>The number of bytes that have a status.</summary>
    public long Total(RescueStatus status) => Ranges.Where(range => range.Status == status).Sum(range => range.Length);

    /// <summary>
    /// Joins what lies in one unit: where a boundary between two ranges is no multiple of it, the unit takes the status that is least far. Half
    /// a sector cannot be read, so a map that says so is of no use to whoever reads sectors.
    /// </summary>
    internal void Join(int unit)
    {
        for (int i = 1; i < ranges.Count;)
        {
            long boundary = ranges[i].Start;
            if (boundary % unit == 0)
            {
                i++;
                continue;
            }

            long start = boundary - (boundary % unit);
            long end = Math.Min(start + unit, Length);
            RescueStatus least = RescueStatus.Finished;
            for (int j = IndexOf(start); j < ranges.Count && ranges[j].Start < end; j++)
                least = Progress(ranges[j].Status) < Progress(least) ? ranges[j].Status : least;
            Set(start, end - start, least);
            i = IndexOf(start) + 1;
        }
    }

    /// <summary>The same of a source of a length, in whole units (<see cref="Join"/>); what lies behind this map's end was not tried.</summary>
    internal RescueMap Fit(long length, int unit)
    {
        var fitted = new RescueMap(length);
        foreach (RescueRange range in Ranges.Where(r => r.Offset < length))
            fitted.Set(range.Offset, Math.Min(range.Length, length - range.Offset), range.Status);
        fitted.Join(unit);
        return fitted;
    }

    /// <summary>Counts as finished, within a range, what another map of the same length says is not: it shall not be read.</summary>
    internal void Exclude(RescueMap other, long offset, long length)
    {
        for (long end = offset + length; offset < end;)
        {
            RescueRange range = other.RangeAt(offset);
            long stop = Math.Min(range.End, end);
            if (range.Status != RescueStatus.Finished)
                Set(offset, stop - offset, RescueStatus.Finished);
            offset = stop;
        }
    }

    private static int Progress(RescueStatus status) => status switch
    {
        RescueStatus.NonTried => 0,
        RescueStatus.NonTrimmed => 1,
        RescueStatus.NonScraped => 2,
        RescueStatus.BadSector => 3,
        _ => 4,
    };

    private void Replace(int first, int count, ReadOnlySpan<(long Start, RescueStatus Status)> replacement)
    {
        if (replacement.Length < count)
            ranges.RemoveRange(first, count - replacement.Length);
        else if (replacement.Length > count)
            ranges.InsertRange(first, replacement[..(replacement.Length - count)]);
        for (int i = 0; i < replacement.Length; i++)
            ranges[first + i] = replacement[i];
    }

    private RescueRange At(int index) => new(ranges[index].Start, EndOf(index) - ranges[index].Start, ranges[index].Status);

    private long EndOf(int index) => index + 1 < ranges.Count ? ranges[index + 1].Start : Length;

    /// <summary>The number of the range that an offset lies in.</summary>
    private int IndexOf(long offset)
    {
        int low = 0;
        int high = ranges.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (ranges[middle].Start <= offset)
                low = middle;
            else
                high = middle - 1;
        }

        return low;
    }
}
