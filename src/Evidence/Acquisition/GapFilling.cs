using System.Runtime.InteropServices;
using Evidence.Hashing;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>
/// Takes what is got out of a failing source piece by piece, in whatever order, and stores it: a sector that was read once may never be read again. The
/// pieces become part of the image when it is put together.
/// </summary>
internal sealed unsafe class GapFilling : IRescueSink, IDisposable
{
    /// <summary>Bytes that wait in memory until they are stored: neighbours read one by one become one piece.</summary>
    private const int MostWaiting = 4 << 20;
    private const nuint Alignment = 4096;

    /// <summary>A rescue may take days, and each time that it keeps what it has, it seals a pack: the longer it took so far, the more of it may be lost, up to this.</summary>
    private static readonly TimeSpan MostPatience = TimeSpan.FromMinutes(1);

    private readonly HeldContent held;
    private readonly SegmentStore store;
    private readonly SegmentParameters parameters;
    private readonly Compression compression;
    private readonly Absences absences;
    private readonly AcquisitionJournal journal;
    private readonly Action<long> progress;
    private readonly byte* buffer = (byte*)NativeMemory.AlignedAlloc(BlockPool.BlockSize + Alignment, Alignment);
    private readonly SortedList<long, byte[]> waiting = [];
    private readonly List<MapRun> stored = [];
    private long bufferOffset;
    private int waitingBytes;
    private long rescued;
    private readonly long began = Environment.TickCount64;
    private long lastKept;

    internal GapFilling(
        HeldContent held, SegmentStore store, SegmentParameters parameters, Compression compression, Absences absences, AcquisitionJournal journal, Action<long> progress)
    {
        this.held = held;
        this.store = store;
        this.parameters = parameters;
        this.compression = compression;
        this.absences = absences;
        this.journal = journal;
        this.progress = progress;
        lastKept = Environment.TickCount64;
    }

    /// <summary>What storing the pieces took.</summary>
    internal StoredCounts Stored { get; private set; }

    public Span<byte> Buffer(long offset, int length)
    {
        bufferOffset = offset;
        // As aligned in memory as on the medium, which direct I/O asks for.
        return new Span<byte>(buffer + (offset % (long)Alignment), length);
    }

    public void Rescued(long offset, int length)
    {
        waiting[offset] = new Span<byte>(buffer + (bufferOffset % (long)Alignment) + (offset - bufferOffset), length).ToArray();
        waitingBytes += length;
        progress(rescued += length);
        KeepNowAndThen();
    }

    public void Failed(long offset, long length, RescueStatus status, SourceReadException? error)
    {
        string reason = Absences.ReasonOf(error);
        absences.Note(offset, length, status, reason);
        journal.Note(offset, length, status, reason);
        KeepNowAndThen();
    }

    /// <summary>Stores what waits, and makes it durable.</summary>
    internal void Keep()
    {
        foreach ((long offset, byte[] bytes) in Joined())
            Put(offset, bytes);
        waiting.Clear();
        waitingBytes = 0;
        lastKept = Environment.TickCount64;
        store.FlushAsync().GetAwaiter().GetResult();
        journal.Keep(stored);
        stored.Clear();
    }

    public void Dispose() => NativeMemory.AlignedFree(buffer);

    private void KeepNowAndThen()
    {
        double patience = Math.Clamp((lastKept - began) / 60, AcquisitionJournal.Patience.TotalMilliseconds, MostPatience.TotalMilliseconds);
        if (waitingBytes >= MostWaiting || Environment.TickCount64 - lastKept > patience)
            Keep();
    }

    /// <summary>What waits, neighbours joined; no piece crosses a page of the map or is longer than a segment may be.</summary>
    private IEnumerable<(long Offset, byte[] Bytes)> Joined()
    {
        var parts = new List<byte[]>();
        long start = 0;
        int length = 0;
        foreach ((long offset, byte[] bytes) in waiting)
        {
            for (int done = 0; done < bytes.Length;)
            {
                long at = offset + done;
                if (length > 0 && (start + length != at || at % SegmentParameters.PageSize == 0 || length >= parameters.MaximumLength))
                {
                    yield return (start, [.. parts.SelectMany(p => p)]);
                    parts.Clear();
                    length = 0;
                }

                if (length == 0)
                    start = at;
                int count = (int)Math.Min(
                    Math.Min(bytes.Length - done, parameters.MaximumLength - length), SegmentParameters.PageSize - (at % SegmentParameters.PageSize));
                parts.Add(bytes[done..(done + count)]);
                length += count;
                done += count;
            }
        }

        if (length > 0)
            yield return (start, [.. parts.SelectMany(p => p)]);
    }

    private void Put(long offset, byte[] bytes)
    {
        Sha256Digest id = Sha256Digest.Compute(bytes);
        int took = store.Put(id, bytes, compression, new byte[bytes.Length]);
        if (took > 0)
            Stored += new StoredCounts(1, bytes.Length, took);
        var run = new MapRun(offset, bytes.Length, RunKind.Data, 0, id);
        held.AddPiece(run);
        stored.Add(run);
    }
}
