using Evidence.Hashing;
using Evidence.Segments;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Vaults;

/// <summary>
/// An image in a vault: its description, its map, and its bytes. Every segment is checked against its id as it is read. May be read from several
/// threads.
/// </summary>
public sealed class VaultImage
{
    private readonly SegmentReader segments;
    private readonly Lock gate = new();
    private (long Number, PageEntry[] Entries) table = (-1, []);
    private (long Number, MapPage? Page) page = (-1, null);

    internal VaultImage(Sha256Digest id, ImageManifest manifest, SegmentReader segments)
    {
        Id = id;
        Manifest = manifest;
        this.segments = segments;
    }

    /// <summary>The image's id: the SHA-256 of its manifest.</summary>
    public Sha256Digest Id { get; }

    /// <summary>The image's description.</summary>
    public ImageManifest Manifest { get; }

    /// <summary>Hears of what happens on the way; the vault's.</summary>
    internal ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The image's size in bytes.</summary>
    public long Size => Manifest.Size;

    /// <summary>The runs that cover a range, in order, with offsets in the image; the first and last may reach beyond the range.</summary>
    /// <param name="offset">The range's first byte.</param>
    /// <param name="length">The range's length in bytes; null for all that follows.</param>
    /// <exception cref="EvidenceException">The map is damaged (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    public IEnumerable<MapRun> Runs(long offset = 0, long? length = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        long end = Math.Min(Size, length is { } l ? checked(offset + l) : Size);
        for (long number = offset / SegmentParameters.PageSize; number * SegmentParameters.PageSize < end; number++)
        {
            long start = number * SegmentParameters.PageSize;
            foreach (MapRun run in Page(number).Runs)
            {
                MapRun absolute = run with { Offset = start + run.Offset };
                if (absolute.End > offset && absolute.Offset < end)
                    yield return absolute;
            }
        }
    }

    /// <summary>A page of the map.</summary>
    /// <param name="number">Its number, from 0.</param>
    /// <exception cref="EvidenceException">The map is damaged (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    public MapPage Page(long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(number, Manifest.Pages);
        lock (gate)
        {
            if (page.Number == number)
                return page.Page!;
        }

        MapPage read = ReadPage(number);
        lock (gate)
            page = (number, read);
        return read;
    }

    /// <summary>Reads a page of the map, whatever was read before.</summary>
    internal MapPage ReadPage(long number)
    {
        PageEntry entry = Entry(number);
        byte[] bytes = segments.Read(entry.Id, PackFormat.LargestContent);
        try
        {
            MapPage read = MapPage.Decode(bytes);
            long length = Math.Min(SegmentParameters.PageSize, Size - (number * SegmentParameters.PageSize));
            return read.Length == length && read.Root == entry.Root ? read : throw new FormatException($"Page {number} is not the one that its table names.");
        }
        catch (FormatException e)
        {
            throw Refuted(e);
        }
    }

    /// <summary>The page table's entry for a page.</summary>
    internal PageEntry Entry(long number)
    {
        long tableNumber = number / PageTable.Capacity;
        lock (gate)
        {
            if (table.Number == tableNumber)
                return table.Entries[number % PageTable.Capacity];
        }

        try
        {
            PageEntry[] entries = PageTable.Decode(segments.Read(Manifest.Tables[(int)tableNumber], PackFormat.LargestContent));
            if (entries.Length != Math.Min(PageTable.Capacity, Manifest.Pages - (tableNumber * PageTable.Capacity)))
                throw new FormatException($"Page table {tableNumber} has {entries.Length} entries.");
            lock (gate)
                table = (tableNumber, entries);
            return entries[number % PageTable.Capacity];
        }
        catch (FormatException e)
        {
            throw Refuted(e);
        }
    }

    /// <summary>Reads the content of a run into a buffer of its length. What was not read comes as zeros.</summary>
    internal void ReadRun(MapRun run, Span<byte> content)
    {
        if (run.Kind == RunKind.Data)
            segments.Read(run.Segment, content);
        else
            content.Fill(run.Value);
    }

    /// <inheritdoc cref="SegmentReader.TryRead"/>
    internal bool[] TryReadSegments(IReadOnlyList<MapRun> runs, IReadOnlyList<byte[]> buffers) => segments.TryRead(runs, buffers);

    /// <summary>The range that is absent at an offset, as the manifest lists it; null where it lists none.</summary>
    internal AbsentRange? AbsentAt(long offset)
    {
        IReadOnlyList<AbsentRange> absent = Manifest.Absent;
        // The first range that ends behind the offset.
        int first = 0;
        for (int end = absent.Count; first < end;)
        {
            int middle = first + ((end - first) / 2);
            if (absent[middle].End > offset)
                end = middle;
            else
                first = middle + 1;
        }

        return first < absent.Count && absent[first].Offset <= offset ? absent[first] : null;
    }

    /// <summary>Opens the image for reading at any offset, by any number of threads.</summary>
    /// <param name="options">How; null for the usual.</param>
    public ImageReader OpenReader(ImageReadOptions? options = null) => new(this, options ?? new ImageReadOptions());

    /// <summary>
    /// The image as a stream that can seek. Any number of threads may read it: each read takes its place in the stream at once, and is carried out beside the others. What is not
    /// in the image is an <see cref="AbsentRangeException"/>, if the options do not ask for zeros; what comes before it is given first.
    /// </summary>
    /// <param name="options">How; null for the usual.</param>
    public Stream OpenRead(ImageReadOptions? options = null) => new VaultImageStream(OpenReader(options));

    private EvidenceException Refuted(FormatException e) =>
        new(ErrorCode.ContentRefuted, $"The map of image {Id} is damaged: {e.Message} Run 'evidence verify' to see what it touches.", e);
}
