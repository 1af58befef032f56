using System.Buffers;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>
/// Reads every segment that an image names back from the medium and recomputes it, old ones included: deduplicating against a segment that has
/// rotted would lose the new evidence too.
/// </summary>
internal static class ReadBack
{
    /// <summary>Segments that are remembered as checked, so that one named many times is read once: about 40 MB.</summary>
    private const int MostRemembered = 1 << 19;

    /// <summary>The number of segments that one task reads, so that neighbours in a pack are read by the same one.</summary>
    private const int BatchSize = 64;

    /// <exception cref="EvidenceException">A segment is missing or is not what its id says (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    internal static async Task RunAsync(
        VaultImage image, SegmentIndex index, SegmentReader segments, Action<long> progress, CancellationToken cancellation)
    {
        long done = 0;
        var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        await Parallel.ForEachAsync(Batches(image), options, (batch, _) =>
        {
            foreach (MapRun run in batch)
            {
                byte[] buffer = ArrayPool<byte>.Shared.Rent((int)run.Length);
                try
                {
                    segments.Read(run.Segment, buffer.AsSpan(0, (int)run.Length));
                }
                catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
                {
                    // The next run stores it anew.
                    index.MarkDamaged(run.Segment);
                    throw new EvidenceException(
                        e.Code,
                        $"What the vault holds for bytes {run.Offset} to {run.End - 1} of the image is not what was read: {e.Message} Run the same " +
                        "command again: the segment is then stored anew. If it is damaged again, the vault's medium is failing.",
                        e);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            }

            progress(Interlocked.Add(ref done, batch.Sum(r => r.Length)));
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
    }

    private static IEnumerable<List<MapRun>> Batches(VaultImage image)
    {
        var seen = new HashSet<Sha256Digest>();
        var batch = new List<MapRun>(BatchSize);
        foreach (MapRun run in image.Runs())
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
}
