using System.Runtime.InteropServices;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>
/// What the vault holds of a source already: pages of its map, from a run that was interrupted or from an earlier image, and pieces read since
/// into what those pages lack. Filled by one thread at a time.
/// </summary>
internal sealed class HeldContent(SegmentReader segments, SegmentIndex index)
{
    private readonly Dictionary<long, Sha256Digest> pages = [];

    /// <summary>The page that was decoded last: samples are many to a page.</summary>
    private (Sha256Digest Id, IReadOnlyList<MapRun>? Runs) last;
    private readonly Dictionary<long, SortedList<long, MapRun>> pieces = [];

    /// <summary>The pages of which every segment was read from the medium, and found good, since.</summary>
    internal HashSet<Sha256Digest> Proven { get; } = [];

    /// <summary>The number of bytes that were read, once they are counted: see <see cref="Count"/>.</summary>
    internal long PresentBytes { get; private set; }

    /// <summary>Holds a page of the map, in place of whatever was held of it: pieces that it has taken up are pieces no more.</summary>
    /// <param name="number">Its number, from 0.</param>
    /// <param name="id">The segment that it is stored as.</param>
    internal void AddPage(long number, Sha256Digest id)
    {
        pages[number] = id;
        pieces.Remove(number);
    }

    /// <summary>Holds a page no more, because it has rotted; the pieces read since are still there.</summary>
    internal void DropPage(long number) => pages.Remove(number);

    /// <summary>Holds a piece of what a page lacks. It lies within one page.</summary>
    internal void AddPiece(MapRun piece)
    {
        ref SortedList<long, MapRun>? list = ref CollectionsMarshal.GetValueRefOrAddDefault(pieces, piece.Offset / SegmentParameters.PageSize, out _);
        (list ??= [])[piece.Offset] = piece;
    }

    /// <summary>Notes that all of a page was given, and that all of it was good.</summary>
    internal void Prove(long number)
    {
        if (pages.TryGetValue(number, out Sha256Digest id))
            Proven.Add(id);
    }

    /// <summary>The runs of one page, in order and without gap, with offsets in the image. What is not held is one or more <see cref="RunKind.Unread"/> runs.</summary>
    /// <param name="number">The page.</param>
    /// <param name="length">The bytes that it covers.</param>
    /// <exception cref="EvidenceException">The page is damaged (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    internal IEnumerable<MapRun> Runs(long number, int length)
    {
        long start = number * SegmentParameters.PageSize;
        SortedList<long, MapRun> own = pieces.GetValueOrDefault(number) ?? [];
        int next = 0;
        foreach (MapRun run in pages.TryGetValue(number, out Sha256Digest id) ? WithoutReasons(Decode(id, length)) : [Missing(0, length)])
        {
            MapRun rest = run with { Offset = start + run.Offset };
            for (; rest.Kind == RunKind.Unread && next < own.Count && own.GetValueAtIndex(next) is var piece && piece.Offset < rest.End; next++)
            {
                // A piece is taken whole, and only where all of it is missing: what follows keeps its place.
                if (piece.Offset < rest.Offset || piece.End > rest.End)
                    continue;
                if (piece.Offset > rest.Offset)
                    yield return Missing(rest.Offset, piece.Offset - rest.Offset);
                yield return piece;
                rest = Missing(piece.End, rest.End - piece.End);
            }

            if (rest.Length > 0)
                yield return rest;
        }
    }

    /// <summary>Reads the content of a run that is there; checked against its id.</summary>
    internal void Read(MapRun run, Span<byte> content)
    {
        if (run.Kind == RunKind.Data)
            segments.Read(run.Segment, content);
        else
            content.Fill(run.Value);
    }

    /// <summary>Goes through all that is held of an image of a size, and counts it. A page that has rotted is held no more.</summary>
    internal IEnumerable<MapRun> Count(long size)
    {
        PresentBytes = 0;
        foreach (long number in pages.Keys.Union(pieces.Keys).Order().ToArray())
        {
            List<MapRun> runs;
            int length = (int)Math.Min(SegmentParameters.PageSize, size - (number * SegmentParameters.PageSize));
            try
            {
                runs = [.. Runs(number, length)];
            }
            catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
            {
                DropPage(number);
                runs = [.. Runs(number, length)];
            }

            foreach (MapRun run in runs)
            {
                if (run.IsPresent)
                    PresentBytes += run.Length;
                yield return run;
            }
        }
    }

    /// <summary>Runs in which neighbours that are absent are one, whatever kept them from being read: a piece may span them.</summary>
    private static IEnumerable<MapRun> WithoutReasons(IEnumerable<MapRun> runs)
    {
        MapRun missing = Missing(0, 0);
        foreach (MapRun run in runs)
        {
            if (run.Kind is RunKind.Unreadable or RunKind.Unread)
            {
                missing = missing.Length > 0 ? Missing(missing.Offset, run.End - missing.Offset) : Missing(run.Offset, run.Length);
                continue;
            }

            if (missing.Length > 0)
                yield return missing;
            missing = Missing(0, 0);
            yield return run;
        }

        if (missing.Length > 0)
            yield return missing;
    }

    private static MapRun Missing(long offset, long length) => new(offset, length, RunKind.Unread, 0, default);

    private IReadOnlyList<MapRun> Decode(Sha256Digest id, int length)
    {
        if (last.Id == id && last.Runs is { } again)
            return again;
        try
        {
            MapPage page = MapPage.Decode(segments.Read(id, PackFormat.LargestContent));
            if (page.Length != length)
                throw new FormatException($"it covers {page.Length} bytes where {length} are asked for.");
            last = (id, page.Runs);
            return page.Runs;
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.ContentRefuted, $"The map page {id} is not what was stored: {e.Message}", e);
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
        {
            // The page comes out the same when its bytes are read again, and must be stored again then.
            index.MarkDamaged(id);
            throw;
        }
    }
}
