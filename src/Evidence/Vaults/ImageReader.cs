using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using Evidence.Hashing;
using Evidence.Segments;

namespace Evidence.Vaults;

/// <summary>
/// Reads an image at any offset, for any number of threads at once. Segments are checked against their ids as they are loaded, kept within a bound, and loaded once for all who
/// want them at the time; whoever wants another waits for nobody. The vault must stay open for as long as its readers.
/// </summary>
public sealed class ImageReader : IDisposable
{
    /// <summary>Of the cache, one part in this many is for pages of the map.</summary>
    private const int PagesPart = 8;

    /// <summary>The most of the image that is loaded ahead at a time, in bytes, and the least: less is not worth it.</summary>
    private const int LargestPart = 2 << 20;
    private const int SmallestPart = 64 << 10;

    private readonly VaultImage image;
    private readonly ImageReadOptions options;
    private readonly SharedCache<Sha256Digest, byte[]> segments;
    private readonly SharedCache<long, MapPage> pages;
    private readonly ReadingAhead? ahead;

    /// <summary>How much of the image is loaded ahead at a time, in bytes: a power of two, which divides a page.</summary>
    private readonly int partAhead = SmallestPart;
    private readonly SemaphoreSlim loaders = new(Loaders);
    private volatile bool isDisposed;

    internal ImageReader(VaultImage image, ImageReadOptions options)
    {
        this.image = image;
        this.options = options;
        pages = new SharedCache<long, MapPage>(options.CacheSize / PagesPart);
        segments = new SharedCache<Sha256Digest, byte[]>(options.CacheSize - (options.CacheSize / PagesPart), static buffer => ArrayPool<byte>.Shared.Return(buffer));
        int distance = (int)Math.Min(options.ReadAhead, options.CacheSize / 4);
        if (distance >= SmallestPart)
        {
            ahead = new ReadingAhead(distance);
            partAhead = Math.Min(LargestPart, 1 << BitOperations.Log2((uint)distance));
        }
    }

    /// <summary>The image.</summary>
    public VaultImage Image => image;

    /// <summary>The image's size in bytes.</summary>
    public long Size => image.Size;

    /// <summary>The bytes of content and map that are kept now while nobody reads them.</summary>
    internal long Kept => segments.Kept + pages.Kept;

    private static int Loaders => 2 * Environment.ProcessorCount;

    /// <summary>Reads a range.</summary>
    /// <param name="offset">Its first byte, 0 or more.</param>
    /// <param name="destination">Takes its bytes.</param>
    /// <returns>The number of bytes: fewer than asked for only where the image ends, 0 from its end on.</returns>
    /// <exception cref="AbsentRangeException">A part of it is not in the image, and <see cref="ImageReadOptions.Absent"/> does not ask for zeros.</exception>
    /// <exception cref="EvidenceException">What the vault holds of it is missing or damaged (<see cref="ErrorCode.ContentRefuted"/>), or cannot be read.</exception>
    public int Read(long offset, Span<byte> destination) => Read(offset, destination, inPart: false);

    /// <summary>As <see cref="Read(long, Span{byte})"/>; in part, what comes before an error is given first, and only who goes on from there gets the error.</summary>
    internal int Read(long offset, Span<byte> destination, bool inPart)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        int count = (int)Math.Clamp(Size - offset, 0, destination.Length);
        int done = 0;
        try
        {
            while (done < count)
                ReadInPage(offset, destination[..count], ref done);
        }
        catch (EvidenceException) when (inPart && done > 0)
        {
            return done;
        }

        if (count > 0 && ahead is not null)
            LoadAhead(ahead.Next(offset, count));
        return count;
    }

    /// <summary>The run that an offset lies in, with its offset in the image. It may go on in the next page of the map.</summary>
    /// <param name="offset">An offset within the image.</param>
    /// <exception cref="EvidenceException">The map is damaged (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    public MapRun RunAt(long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(offset, Size);
        ObjectDisposedException.ThrowIf(isDisposed, this);
        long number = offset / SegmentParameters.PageSize;
        long start = number * SegmentParameters.PageSize;
        using SharedCache<long, MapPage>.Lease page = pages.Take(number, LoadPage);
        MapRun run = page.Value.Runs[page.Value.IndexOf(offset - start)];
        return run with { Offset = start + run.Offset };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (isDisposed)
            return;
        isDisposed = true;
        // What is loaded ahead uses the vault, which may be closed next.
        for (int i = 0; i < Loaders; i++)
            loaders.Wait();
        loaders.Dispose();
    }

    /// <summary>Loads the image's beginning, which whoever opens it reads first; the code that does so is compiled meanwhile.</summary>
    internal void LoadBeginning()
    {
        if (Size == 0)
            return;
        loaders.Wait();
        LoadPart(0);
    }

    private void ReadInPage(long offset, Span<byte> destination, ref int done)
    {
        long number = (offset + done) / SegmentParameters.PageSize;
        long start = number * SegmentParameters.PageSize;
        using SharedCache<long, MapPage>.Lease page = pages.Take(number, LoadPage);
        IReadOnlyList<MapRun> runs = page.Value.Runs;
        for (int index = page.Value.IndexOf(offset + done - start); index < runs.Count && done < destination.Length; index++)
        {
            MapRun run = runs[index];
            int skip = (int)(offset + done - start - run.Offset);
            int count = (int)Math.Min(run.Length - skip, destination.Length - done);
            Span<byte> part = destination.Slice(done, count);
            if (run.Kind == RunKind.Data)
            {
                using SharedCache<Sha256Digest, byte[]>.Lease segment = Take(run);
                segment.Value.AsSpan(skip, count).CopyTo(part);
            }
            else if (run.Kind is RunKind.Unreadable or RunKind.Unread && options.Absent == AbsentBytes.Refuse)
            {
                throw new AbsentRangeException(image, image.AbsentAt(offset + done) ?? new AbsentRange(run.Kind, start + run.Offset, run.Length, ""));
            }
            else
            {
                part.Fill(run.Value);
            }

            done += count;
        }
    }

    private SharedCache<Sha256Digest, byte[]>.Lease Take(MapRun run) => segments.Take(run.Segment, _ =>
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)run.Length);
        try
        {
            image.ReadRun(run, buffer.AsSpan(0, (int)run.Length));
            return (buffer, buffer.Length);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    });

    /// <summary>Loads segments, all of them or, where something is wrong with one, the others.</summary>
    private List<(byte[]? Value, long Cost)> LoadTogether(IReadOnlyList<MapRun> runs)
    {
        var buffers = new List<byte[]>(runs.Count);
        foreach (MapRun run in runs)
            buffers.Add(ArrayPool<byte>.Shared.Rent((int)run.Length));
        bool[] good = image.TryReadSegments(runs, buffers);
        var values = new List<(byte[]?, long)>(runs.Count);
        for (int i = 0; i < runs.Count; i++)
        {
            values.Add(good[i] ? (buffers[i], buffers[i].Length) : default);
            if (!good[i])
                ArrayPool<byte>.Shared.Return(buffers[i]);
        }

        return values;
    }

    private (MapPage Page, long Cost) LoadPage(long number)
    {
        MapPage page = image.ReadPage(number);
        return (page, (long)page.Runs.Count * Unsafe.SizeOf<MapRun>());
    }

    /// <summary>Has the segments of a range loaded on other cores, as long as there are any to spare.</summary>
    private void LoadAhead((long Offset, long Length) range)
    {
        long end = Math.Min(range.Offset + range.Length, Size);
        for (long at = range.Offset / partAhead * partAhead; at < end; at = end - at > partAhead ? at + partAhead : end)
        {
            if (isDisposed || !loaders.Wait(0))
                return;
            ThreadPool.UnsafeQueueUserWorkItem(static work => work.Reader.LoadPart(work.Offset), (Reader: this, Offset: at), preferLocal: false);
        }
    }

    private void LoadPart(long offset)
    {
        try
        {
            long number = offset / SegmentParameters.PageSize;
            long start = number * SegmentParameters.PageSize;
            using SharedCache<long, MapPage>.Lease page = pages.Take(number, LoadPage);
            var wanted = new Dictionary<Sha256Digest, MapRun>();
            for (int index = page.Value.IndexOf(offset - start); index < page.Value.Runs.Count && page.Value.Runs[index].Offset < offset + partAhead - start; index++)
            {
                if (page.Value.Runs[index] is { Kind: RunKind.Data } run)
                    wanted.TryAdd(run.Segment, run);
            }

            segments.Prepare(wanted.Keys, ids => LoadTogether([.. ids.Select(id => wanted[id])]));
        }
        catch (EvidenceException)
        {
            // Whoever reads that far meets it again, and is told.
        }
        finally
        {
            loaders.Release();
        }
    }
}
