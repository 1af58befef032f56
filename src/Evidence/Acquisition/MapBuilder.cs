using System.Runtime.InteropServices;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>Builds an image's map from its runs in order: pages, tables and root, stored as they are filled.</summary>
internal sealed class MapBuilder(SegmentStore store, Compression compression)
{
    private readonly List<MapRun> page = [];
    private readonly List<PageEntry> table = [];
    private readonly List<Sha256Digest> tables = [];
    private readonly List<AbsentRange> absent = [];
    private readonly Dictionary<RunKind, long> totals = [];
    private readonly MerkleAccumulator tree = new();
    private long size;

    /// <summary>The bytes that storing the map itself took.</summary>
    internal long StoredBytes { get; private set; }

    /// <summary>The segments that the pages so far are stored as, in order.</summary>
    internal List<Sha256Digest> Pages { get; } = [];

    /// <summary>The number of data runs.</summary>
    internal long Segments { get; private set; }

    /// <summary>Adds the run that starts where the last one ended.</summary>
    internal void Add(MapRun run)
    {
        if (run.Offset != size)
            throw new InvalidOperationException($"A run at {run.Offset} does not follow the last, which ended at {size}.");
        totals[run.Kind] = totals.GetValueOrDefault(run.Kind) + run.Length;
        if (run.Kind == RunKind.Data)
            Segments++;
        if (run.Kind is RunKind.Unreadable or RunKind.Unread)
            AddAbsent(run);
        while (run.Length > 0)
        {
            long room = SegmentParameters.PageSize - (size % SegmentParameters.PageSize);
            long length = Math.Min(room, run.Length);
            AddToPage(run with { Offset = size % SegmentParameters.PageSize, Length = length });
            size += length;
            run = run with { Offset = size, Length = run.Length - length };
            if (length == room)
                ClosePage();
        }
    }

    /// <summary>Ends the map.</summary>
    internal (long Size, Sha256Digest Root, IReadOnlyList<Sha256Digest> Tables, IReadOnlyList<AbsentRange> Absent, IReadOnlyDictionary<RunKind, long> Totals) Finish()
    {
        if (table.Count > 0)
            CloseTable();
        return (size, tree.Root, tables, absent, totals);
    }

    /// <summary>Ends the last page, which may cover less than the others.</summary>
    internal void EndPages()
    {
        if (page.Count > 0)
            ClosePage();
    }

    private void AddToPage(MapRun run)
    {
        if (page.Count > 0 && run.Kind != RunKind.Data && page[^1] is var last && last.Kind == run.Kind && last.Value == run.Value)
            page[^1] = last with { Length = last.Length + run.Length };
        else
            page.Add(run);
    }

    private void AddAbsent(MapRun run)
    {
        if (absent.Count > 0 && absent[^1] is var last && last.Kind == run.Kind && last.Offset + last.Length == run.Offset)
            absent[^1] = last with { Length = last.Length + run.Length };
        else
            absent.Add(new AbsentRange(run.Kind, run.Offset, run.Length, ""));
    }

    private void ClosePage()
    {
        byte[] bytes = MapPage.Encode(CollectionsMarshal.AsSpan(page));
        Sha256Digest root = MapPage.Decode(bytes).Root;
        tree.Append(MerkleTree.LeafHash(root.ToArray()));
        table.Add(new PageEntry(root, Put(bytes)));
        Pages.Add(table[^1].Id);
        page.Clear();
        if (table.Count == PageTable.Capacity)
            CloseTable();
    }

    private void CloseTable()
    {
        tables.Add(Put(PageTable.Encode(table)));
        table.Clear();
    }

    private Sha256Digest Put(byte[] bytes)
    {
        Sha256Digest id = Sha256Digest.Compute(bytes);
        StoredBytes += store.Put(id, bytes, compression, new byte[bytes.Length]);
        return id;
    }
}
