using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>
/// Makes lost pages of a map anew from the bytes that they describe. The map is a function of those, of what was not read (the manifest lists it) and of the
/// segment parameters; the page's id tells whether it came out right.
/// </summary>
internal sealed class MapRebuilding(RepairRun run, ImageManifest manifest)
{
    /// <summary>A page, made anew; null where nothing at hand has its bytes.</summary>
    internal byte[]? TryPage(long number, Sha256Digest id, CancellationToken cancellation)
    {
        foreach (ImageOrigin origin in run.ImageOrigins)
        {
            if (Make(origin, number, cancellation) is { } page && Sha256Digest.Compute(page) == id)
                return run.Accept(id, page, origin);
        }

        return null;
    }

    /// <summary>A table of pages, made anew from all its pages; null where nothing at hand has the bytes of all of them.</summary>
    internal byte[]? TryTable(int number, CancellationToken cancellation)
    {
        long first = (long)number * PageTable.Capacity;
        foreach (ImageOrigin origin in run.ImageOrigins)
        {
            var entries = new List<PageEntry>();
            for (long page = first; page < Math.Min(manifest.Pages, first + PageTable.Capacity); page++)
            {
                if (Make(origin, page, cancellation) is not { } bytes)
                    break;
                entries.Add(new PageEntry(MapPage.Decode(bytes).Root, Sha256Digest.Compute(bytes)));
            }

            if (entries.Count == 0)
                continue;
            byte[] table = PageTable.Encode(entries);
            if (Sha256Digest.Compute(table) == manifest.Tables[number])
                return run.Accept(manifest.Tables[number], table, origin);
        }

        return null;
    }

    private byte[]? Make(ImageOrigin origin, long number, CancellationToken cancellation)
    {
        long start = number * SegmentParameters.PageSize;
        int length = (int)Math.Min(SegmentParameters.PageSize, manifest.Size - start);
        var runs = new List<MapRun>();
        int position = 0;
        foreach ((RunKind kind, int from, int count) in Absent(origin, start, length))
        {
            if (from < position || !TryCut(origin, start, position, from - position, runs, cancellation))
                return null;
            Add(runs, new MapRun(from, count, kind, 0, default));
            position = from + count;
        }

        return TryCut(origin, start, position, length - position, runs, cancellation) ? MapPage.Encode(runs.ToArray()) : null;
    }

    /// <summary>What of a page was not read: as the manifest lists it, and holes as the source has them, if it is the source.</summary>
    private List<(RunKind Kind, int Offset, int Length)> Absent(ImageOrigin origin, long start, int length)
    {
        var ranges = manifest.Absent.Select(a => (a.Kind, a.Offset, a.Length));
        if (manifest.Totals.GetValueOrDefault(RunKind.Hole) > 0)
            ranges = ranges.Concat(origin.Extents().Where(e => e.Kind == SourceExtentKind.Hole).Select(e => (RunKind.Hole, e.Offset, e.Length)));
        return
        [
            .. ranges.Select(r => (r.Item1, From: Math.Max(0, r.Item2 - start), To: Math.Min(length, r.Item2 - start + r.Item3)))
                .Where(r => r.From < r.To)
                .OrderBy(r => r.From)
                .Select(r => (r.Item1, (int)r.From, (int)(r.To - r.From))),
        ];
    }

    private bool TryCut(ImageOrigin origin, long start, int offset, int length, List<MapRun> runs, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (length == 0)
            return true;
        // A stretch in one piece, 64 MiB at most: the segmenter is then shown no windows, which it would cut in the same way.
        if (origin.TryReadRange(start + offset, length) is not { } bytes)
            return false;
        var pieces = new List<Piece>();
        new Segmenter(manifest.Segments).Cut(bytes, last: true, pieces);
        int position = 0;
        foreach (Piece piece in pieces)
        {
            Add(runs, piece.IsFill
                ? new MapRun(offset + position, piece.Length, piece.Value == 0 ? RunKind.Zero : RunKind.Fill, piece.Value, default)
                : new MapRun(offset + position, piece.Length, RunKind.Data, 0, Sha256Digest.Compute(bytes.AsSpan(position, piece.Length))));
            position += piece.Length;
        }

        return true;
    }

    /// <summary>Neighbours that are not data, and of one kind and value, are one run.</summary>
    private static void Add(List<MapRun> runs, MapRun next)
    {
        if (runs.Count > 0 && next.Kind != RunKind.Data && runs[^1] is var last && last.Kind == next.Kind && last.Value == next.Value)
            runs[^1] = last with { Length = last.Length + next.Length };
        else
            runs.Add(next);
    }
}
