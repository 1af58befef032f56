using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;

namespace Evidence.Acquisition;

/// <summary>
/// Reads some places of a source a second time, and compares. A disk that gives other bytes than before is failing, fake, or being written to; and
/// what an earlier run read may be of another disk under the same name.
/// </summary>
internal static class SourceSamples
{
    /// <summary>Places to read: on a hard disk that seeks for each, a few seconds in all.</summary>
    private const int Places = 256;

    /// <summary>The most bytes to read of a run that need not be one segment: of zeros, or of another repeated byte.</summary>
    private const int LargestSample = 64 << 10;

    /// <summary>
    /// Reads again, at places that nobody can foresee, what was read before; gives the first that differs, from its first other byte on; null where none does. What cannot be read a
    /// second time says nothing.
    /// </summary>
    /// <param name="source">The source.</param>
    /// <param name="held">What was read.</param>
    /// <param name="map">Where that is: places are chosen among what is finished, so that a small beginning is looked at as closely as a whole.</param>
    /// <param name="mapfile">What of the source counts, of the same length; null for all of it.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">The source is gone, or ends before a place that it had.</exception>
    internal static MapRun? FirstDifference(Source source, HeldContent held, RescueMap map, RescueMap? mapfile, CancellationToken cancellation)
    {
        MapRun last = default;
        foreach (long place in RandomPlaces(map))
        {
            cancellation.ThrowIfCancellationRequested();
            if (place < last.End)
                continue;
            try
            {
                last = SampleAt(held, place, map.Length);
                if (last.IsPresent && Counts(mapfile, last) && Same(source, held, last) is var same && same < last.Length)
                    return last with { Offset = last.Offset + same, Length = last.Length - same };
            }
            catch (SourceReadException e) when (!e.IsSourceGone)
            {
                // It was read once. That it cannot be read any more is what rescuing is for.
            }
            catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
            {
                // The vault's copy has rotted. Whoever reads all of it finds that too, and has an answer.
            }
        }

        return null;
    }

    private static IEnumerable<long> RandomPlaces(RescueMap map)
    {
        byte[] random = RandomNumberGenerator.GetBytes(Places * sizeof(ulong));
        long finished = map.Total(RescueStatus.Finished);
        long[] choices = [.. Enumerable.Range(0, finished > 0 ? Places : 0)
            .Select(i => (long)(BinaryPrimitives.ReadUInt64LittleEndian(random.AsSpan(i * sizeof(ulong))) % (ulong)finished)).Order()];
        int next = 0;
        long before = 0;
        foreach (RescueRange range in map.Ranges.Where(r => r.Status == RescueStatus.Finished))
        {
            for (; next < choices.Length && choices[next] < before + range.Length; next++)
                yield return range.Offset + (choices[next] - before);
            before += range.Length;
        }
    }

    /// <summary>The run at a place, or that part of it which is to be read: a segment can be had as a whole only.</summary>
    private static MapRun SampleAt(HeldContent held, long place, long size)
    {
        long page = place / SegmentParameters.PageSize;
        int length = (int)Math.Min(SegmentParameters.PageSize, size - (page * SegmentParameters.PageSize));
        MapRun run = held.Runs(page, length).First(r => place < r.End);
        if (run.Kind == RunKind.Data)
            return run;
        long start = Math.Max(run.Offset, place - (place % LargestSample));
        return run with { Offset = start, Length = Math.Min(run.End - start, LargestSample) };
    }

    private static bool Counts(RescueMap? mapfile, MapRun run) =>
        mapfile is null || (mapfile.RangeAt(run.Offset) is { Status: RescueStatus.Finished } range && range.End >= run.End);

    /// <summary>How many of a run's bytes the source gives as before, up to the first that it does not.</summary>
    private static int Same(Source source, HeldContent held, MapRun run)
    {
        int length = (int)run.Length;
        byte[] before = ArrayPool<byte>.Shared.Rent(length);
        byte[] now = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            held.Read(run, before.AsSpan(0, length));
            _ = source.Read(run.Offset, now.AsSpan(0, length));
            return before.AsSpan(0, length).CommonPrefixLength(now.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(before);
            ArrayPool<byte>.Shared.Return(now);
        }
    }
}
