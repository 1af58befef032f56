using System.Runtime.ExceptionServices;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>
/// Reads every segment that an image names back from the medium and recomputes it, old ones included: deduplicating against a segment that has
/// rotted would lose the new evidence too. Pages that were put together from the medium a moment ago are not read once more.
/// </summary>
internal static class ReadBack
{
    /// <summary>Segments that are remembered as checked, so that one named many times is read once: about 40 MB.</summary>
    private const int MostRemembered = 1 << 19;

    /// <summary>The number of segments that one task reads, so that neighbours in a pack are read by the same one.</summary>
    private const int BatchSize = 64;

    /// <exception cref="EvidenceException">A segment is missing or is not what its id says (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    internal static async Task RunAsync(
        VaultImage image, IReadOnlySet<Sha256Digest> proven, SegmentIndex index, SegmentReader segments, Action<long> progress, CancellationToken cancellation)
    {
        long done = 0;
        EvidenceException? first = null;
        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        await Parallel.ForEachAsync(Batches(image, proven, index), options, (batch, stop) =>
        {
            foreach ((MapRun run, EvidenceException? error) in segments.Check(batch, stop))
            {
                if (error is null)
                    continue;
                if (!string.Equals(error.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
                    ExceptionDispatchInfo.Throw(error);
                // The next run stores it anew; all that are damaged are found now, so that one more run is enough.
                index.MarkDamaged(run.Segment);
                Interlocked.CompareExchange(
                    ref first,
                    new EvidenceException(
                        error.Code,
                        $"What the vault holds for bytes {run.Offset} to {run.End - 1} of the image is not what was read: {error.Message} Run the same " +
                        "command again: the segment is then stored anew, and 'evidence repair' sets the damaged pack aside. If it is damaged again, the vault's medium is failing.",
                        error),
                    null);
            }

            progress(Interlocked.Add(ref done, batch.Sum(r => r.Length)));
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
        if (first is not null)
            throw first;
    }

    private static IEnumerable<List<MapRun>> Batches(VaultImage image, IReadOnlySet<Sha256Digest> proven, SegmentIndex index)
    {
        var seen = new HashSet<Sha256Digest>();
        var batch = new List<MapRun>(BatchSize);
        foreach (MapRun run in Runs(image, proven, index))
        {
            if (run.Kind != RunKind.Data || seen.Contains(run.Segment))
                continue;
            if (seen.Count < MostRemembered)
                seen.Add(run.Segment);
            batch.Add(run);
            if (batch.Count == BatchSize)
            {
                yield return batch;
                batch = new List<MapRun>(BatchSize);
            }
        }

        if (batch.Count > 0)
            yield return batch;
    }

    private static IEnumerable<MapRun> Runs(VaultImage image, IReadOnlySet<Sha256Digest> proven, SegmentIndex index)
    {
        for (long number = 0; number < image.Manifest.Pages; number++)
        {
            if (Page(image, number, proven, index) is not { } page)
                continue;
            foreach (MapRun run in page.Runs)
                yield return run with { Offset = (number * SegmentParameters.PageSize) + run.Offset };
        }
    }

    /// <summary>A page of the map; null where all that it names is proved already.</summary>
    private static MapPage? Page(VaultImage image, long number, IReadOnlySet<Sha256Digest> proven, SegmentIndex index)
    {
        try
        {
            return proven.Contains(image.Entry(number).Id) ? null : image.Page(number);
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
        {
            // The map is stored as content is; the next run stores it anew, too.
            index.MarkDamaged(image.Manifest.Tables[(int)(number / PageTable.Capacity)]);
            if (TryEntry(image, number) is { } entry)
                index.MarkDamaged(entry.Id);
            throw;
        }
    }

    private static PageEntry? TryEntry(VaultImage image, long number)
    {
        try
        {
            return image.Entry(number);
        }
        catch (EvidenceException)
        {
            // The table is what is damaged: that is being reported.
            return null;
        }
    }
}
