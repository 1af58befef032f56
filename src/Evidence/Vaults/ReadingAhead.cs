namespace Evidence.Vaults;

/// <summary>
/// Notices who reads an image in order, several of them at once, and says what they will want next. Requests of one reader may come a little out of order, as a kernel sends
/// them.
/// </summary>
internal sealed class ReadingAhead(int distance)
{
    private const int MostReaders = 16;

    /// <summary>How far from where a reader is expected its next read may be, in bytes.</summary>
    private const int Tolerance = 256 << 10;

    private readonly Lock gate = new();

    /// <summary>The readers, the one that was heard of last in front.</summary>
    private readonly List<Reader> readers = [];

    /// <summary>Takes note of a read.</summary>
    /// <returns>The range that is to be had ready; empty where nothing is known of this reader, or it has that already.</returns>
    internal (long Offset, long Length) Next(long offset, int length)
    {
        long end = offset + length;
        lock (gate)
        {
            int index = readers.FindIndex(r => Math.Abs(offset - r.Next) <= Tolerance);
            if (index < 0)
            {
                if (readers.Count == MostReaders)
                    readers.RemoveAt(MostReaders - 1);
                readers.Insert(0, new Reader { Next = end, Ready = end, InOrder = length });
                return default;
            }

            Reader reader = readers[index];
            readers.RemoveAt(index);
            readers.Insert(0, reader);
            if (end <= reader.Next)
                return default;
            reader.InOrder += end - reader.Next;
            reader.Next = end;
            // As far as it has come, it is believed to go on: who happened to be near has not come far.
            long believed = Math.Min(reader.InOrder, distance);
            long from = Math.Max(reader.Ready, reader.Next);
            long to = Math.Min(reader.Next, long.MaxValue - believed) + believed;
            // Not for every few bytes.
            if (to - from < distance / 4)
                return default;
            reader.Ready = to;
            return (from, to - from);
        }
    }

    private sealed class Reader
    {
        internal long Next { get; set; }

        /// <summary>How far it has come in order, in bytes.</summary>
        internal long InOrder { get; set; }

        internal long Ready { get; set; }
    }
}
