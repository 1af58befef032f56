using Evidence.Segments;
using Evidence.Sources;

namespace Evidence.Vaults;

/// <summary>
/// What imaging may take of the file system that a vault is on: at most, if nothing is there already and nothing can be made smaller. How much deduplication
/// and compression will save is not known before.
/// </summary>
/// <param name="AtMost">The most bytes that it may take, records, indexes, maps and the ledger included; null where a source does not tell its length.</param>
/// <param name="Free">
/// The bytes that this user may still write, as the file system tells it: what it holds back for others, and quotas that it counts in there (of projects), are
/// taken off; other quotas do not show. Null where it does not tell.
/// </param>
public sealed record SpaceEstimate(long? AtMost, long? Free)
{
    /// <summary>What a record takes besides its content: its header, and its entry in the pack's index.</summary>
    private const long RecordOverhead = PackFormat.RecordHeaderSize + PackFormat.IndexEntrySize;

    /// <summary>What a pack takes besides its records, and the folder and the last block that it begins.</summary>
    private const long PackOverhead = PackFormat.HeaderSize + PackFormat.FooterSize + (2 * BlockSize);

    /// <summary>The unit in which most file systems give out space.</summary>
    private const long BlockSize = 4096;

    /// <summary>
    /// What the manifest and the ledger take for an image: the manifest without its lists, the entry staged and written, and its bundle and tiles, whose partial
    /// ones are written anew before the old ones go.
    /// </summary>
    private const long RecordingReserve = 1 << 20;

    /// <summary>What a page takes besides its runs: its head, its entry in the table, its record.</summary>
    private const long PageOverhead = MapPage.HeaderSize + PageTable.EntrySize + RecordOverhead;

    /// <summary>Whether there is room for the worst case; null where that cannot be said.</summary>
    public bool? Fits => AtMost is { } most && Free is { } free ? most <= free : null;

    /// <summary>Estimates for sources that are to be imaged into a vault, one after the other or side by side.</summary>
    /// <param name="vault">The vault. Where the worst case does not fit it logs a warning.</param>
    /// <param name="sources">The sources; they are asked for their extents, and not read.</param>
    /// <param name="readHoles">Whether what they call holes will be read, so that it may turn out to be data.</param>
    public static SpaceEstimate Of(Vault vault, IEnumerable<Source> sources, bool readHoles = false)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(sources);
        long? most = sources.Select(source => MostFor(source, vault.Settings.Segments, readHoles)).Aggregate((long?)0, (sum, each) => sum + each);
        var estimate = new SpaceEstimate(most, FreeFor(vault.Folder));
        if (estimate.Fits == false)
            Log.MayNotFit(vault.Access.Logger, estimate.AtMost!.Value, vault.Folder, estimate.Free!.Value);
        return estimate;
    }

    /// <summary>
    /// The worst case: every segment new, incompressible, and as short as it may be. Runs of one byte only make it less: each takes the place of more bytes than
    /// the segment takes that it splits.
    /// </summary>
    internal static long? MostFor(Source source, SegmentParameters parameters, bool readHoles)
    {
        if (source.Length is not { } length)
            return null;
        // Two for each extent: it may split a segment, and is a run itself.
        long data = 0, splits = 0;
        try
        {
            foreach (SourceExtent extent in source.Extents())
            {
                splits += 2;
                if (readHoles || extent.Kind == SourceExtentKind.Data)
                    data += extent.Length;
            }
        }
        catch (EvidenceException)
        {
            // What ails the source is told by whoever reads it.
            data = length;
        }

        long pages = (length / SegmentParameters.PageSize) + 1;
        long tables = (pages / PageTable.Capacity) + 1;
        long segments = (data / parameters.MinimumLength) + pages + splits;
        long records = data + (segments * (RecordOverhead + MapPage.RunSize)) + (pages * PageOverhead) + (tables * RecordOverhead);
        return records + (((records / SegmentStore.PackSize) + 1) * PackOverhead) + RecordingReserve;
    }

    private static long? FreeFor(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
