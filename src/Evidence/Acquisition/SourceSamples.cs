using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
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

    /// <summary>
    /// Reads segments at places that nobody can foresee again; gives the first that differs, null where none does. What cannot be read a second time
    /// says nothing.
    /// </summary>
    /// <exception cref="EvidenceException">The source is gone, or ends before a place that it had.</exception>
    internal static MapRun? FirstDifference(Source source, HeldContent held, long size, CancellationToken cancellation)
    {
        MapRun last = default;
        foreach (long place in RandomPlaces(size).Order())
        {
            cancellation.ThrowIfCancellationRequested();
            if (place < last.End)
                continue;
            try
            {
                last = RunAt(held, place, size);
                if (last.Kind == RunKind.Data && Differs(source, held, last))
                    return last;
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

    private static IEnumerable<long> RandomPlaces(long size)
    {
        byte[] random = RandomNumberGenerator.GetBytes(Places * sizeof(ulong));
        for (int i = 0; i < Places && size > 0; i++)
            yield return (long)(BinaryPrimitives.ReadUInt64LittleEndian(random.AsSpan(i * sizeof(ulong))) % (ulong)size);
    }

    private static MapRun RunAt(HeldContent held, long offset, long size)
    {
        long page = offset / SegmentParameters.PageSize;
        int length = (int)Math.Min(SegmentParameters.PageSize, size - (page * SegmentParameters.PageSize));
        return held.Runs(page, length).First(r => offset < r.End);
    }

    private static bool Differs(Source source, HeldContent held, MapRun run)
    {
        int length = (int)run.Length;
        byte[] before = ArrayPool<byte>.Shared.Rent(length);
        byte[] now = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            held.Read(run, before.AsSpan(0, length));
            return source.Read(run.Offset, now.AsSpan(0, length)) == length && !before.AsSpan(0, length).SequenceEqual(now.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(before);
            ArrayPool<byte>.Shared.Return(now);
        }
    }
}
