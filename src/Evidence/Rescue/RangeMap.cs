namespace Evidence.Rescue;

/// <summary>A range of bytes, and what is known of it.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Its length in bytes, at least 1.</param>
/// <param name="Value">What is known.</param>
internal readonly record struct ValueRange<T>(long Offset, long Length, T Value)
{
    /// <summary>The offset after its last byte.</summary>
    internal long End => Offset + Length;
}

/// <summary>Says one thing of each of some ranges of bytes, and nothing of the rest. Neighbours of which the same is said are one range.</summary>
internal sealed class RangeMap<T>
{
    private readonly List<ValueRange<T>> ranges = [];

    /// <summary>The ranges in order.</summary>
    internal IReadOnlyList<ValueRange<T>> Ranges => ranges;

    /// <summary>Says something of a range, in place of what was said of any part of it.</summary>
    internal void Set(long offset, long length, T value)
    {
        if (length == 0)
            return;
        long end = offset + length;
        int first = IndexAt(offset);
        int after = first;
        var replacement = new List<ValueRange<T>>(3);
        while (after < ranges.Count && ranges[after].Offset < end)
        {
            ValueRange<T> old = ranges[after++];
            if (old.Offset < offset)
                replacement.Add(old with { Length = offset - old.Offset });
            if (old.End > end)
                replacement.Add(new ValueRange<T>(end, old.End - end, old.Value));
        }

        replacement.Insert(replacement.Count > 0 && replacement[0].Offset < offset ? 1 : 0, new ValueRange<T>(offset, length, value));
        if (first > 0)
            replacement.Insert(0, ranges[--first]);
        if (after < ranges.Count)
            replacement.Add(ranges[after++]);
        for (int i = replacement.Count - 1; i > 0; i--)
        {
            (ValueRange<T> left, ValueRange<T> right) = (replacement[i - 1], replacement[i]);
            if (left.End != right.Offset || !EqualityComparer<T>.Default.Equals(left.Value, right.Value))
                continue;
            replacement[i - 1] = left with { Length = left.Length + right.Length };
            replacement.RemoveAt(i);
        }

        int common = Math.Min(after - first, replacement.Count);
        for (int i = 0; i < common; i++)
            ranges[first + i] = replacement[i];
        if (after - first > common)
            ranges.RemoveRange(first + common, after - first - common);
        else
            ranges.InsertRange(first + common, replacement.Skip(common));
    }

    /// <summary>The range that an offset lies in; where nothing is said of it, null, and where the next range begins (the largest number where none does).</summary>
    internal ValueRange<T>? Find(long offset, out long next)
    {
        int index = IndexAt(offset);
        next = index < ranges.Count ? ranges[index].Offset : long.MaxValue;
        return next <= offset ? ranges[index] : null;
    }

    /// <summary>The index of the first range that ends after an offset.</summary>
    private int IndexAt(long offset)
    {
        int low = 0;
        int high = ranges.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (ranges[middle].End <= offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
