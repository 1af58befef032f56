using System.Buffers;
using Evidence.Segments;
using Evidence.Sources.Ewf;
using Evidence.Vaults;

namespace Evidence.Formats.Ewf;

/// <summary>Some chunks of an image that follow one another, from being read out of the vault to being written. Its memory is used again.</summary>
internal sealed class EwfBatch
{
    private readonly byte[] content;
    private readonly byte[] stored;
    private readonly int chunkLength;
    private readonly (int Start, int Length, bool IsCompressed)[] chunks;
    private readonly List<string>[] absences;
    private int imageLength;

    internal EwfBatch(int chunkLength, int chunkCount)
    {
        this.chunkLength = chunkLength;
        content = new byte[chunkLength * chunkCount];
        stored = new byte[EwfChunkEncoder.LongestStored(chunkLength) * chunkCount];
        chunks = new (int, int, bool)[chunkCount];
        absences = [.. Enumerable.Range(0, chunkCount).Select(_ => new List<string>())];
    }

    /// <summary>The number of chunks in it.</summary>
    internal int Count { get; private set; }

    /// <summary>The bytes of the image.</summary>
    internal ReadOnlySpan<byte> ImageBytes => content.AsSpan(0, imageLength);

    /// <summary>The bytes of the image, and what fills the last sector.</summary>
    internal ReadOnlySpan<byte> MediaBytes => content.AsSpan(0, MediaLength);

    internal int MediaLength { get; private set; }

    /// <summary>How many of the bytes were never read.</summary>
    internal long AbsentBytes { get; private set; }

    /// <summary>How many of the bytes the source said to be holes.</summary>
    internal long HoleBytes { get; private set; }

    /// <summary>Ends when every digest has taken it.</summary>
    internal Task Hashed { get; set; } = Task.CompletedTask;

    internal ReadOnlySpan<byte> Stored(int chunk) => stored.AsSpan(chunks[chunk].Start, chunks[chunk].Length);

    internal bool IsCompressed(int chunk) => chunks[chunk].IsCompressed;

    /// <summary>Lines about what was not read, of ranges that begin in a chunk.</summary>
    internal IReadOnlyList<string> Absences(int chunk) => absences[chunk];

    /// <summary>Reads a range of an image, every segment checked against its id, and encodes it.</summary>
    internal void Fill(VaultImage image, long offset, int length, int sectorSize, EwfChunkEncoder encoder)
    {
        imageLength = length;
        MediaLength = (length + sectorSize - 1) / sectorSize * sectorSize;
        content.AsSpan(length, MediaLength - length).Clear();
        AbsentBytes = 0;
        HoleBytes = 0;
        foreach (List<string> lines in absences)
            lines.Clear();
        foreach (MapRun run in image.Runs(offset, length))
            Take(image, run, offset, length);
        if (AbsentBytes > 0)
            TellAbsent(image.Manifest.Absent, offset, length);
        Count = (MediaLength + chunkLength - 1) / chunkLength;
        int at = 0;
        for (int i = 0; i < Count; i++)
        {
            int start = i * chunkLength;
            (int written, bool compressed) = encoder.Encode(content, start, Math.Min(chunkLength, MediaLength - start), stored, at);
            chunks[i] = (at, written, compressed);
            at += written;
        }
    }

    private void Take(VaultImage image, MapRun run, long offset, int length)
    {
        long start = Math.Max(run.Offset, offset);
        int count = (int)(Math.Min(run.End, offset + length) - start);
        Span<byte> place = content.AsSpan((int)(start - offset), count);
        if (run.Kind != RunKind.Data)
        {
            place.Fill(run.Value);
            if (run.Kind == RunKind.Hole)
            {
                HoleBytes += count;
                Tell(RunKind.Hole, start, count, reason: null, offset);
            }
            else if (!run.IsPresent)
            {
                AbsentBytes += count;
            }
        }
        else if (count == run.Length)
        {
            image.ReadRun(run, place);
        }
        else
        {
            byte[] whole = ArrayPool<byte>.Shared.Rent((int)run.Length);
            image.ReadRun(run, whole.AsSpan(0, (int)run.Length));
            whole.AsSpan((int)(start - run.Offset), count).CopyTo(place);
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    /// <summary>Of what is absent the manifest knows the reasons, too.</summary>
    private void TellAbsent(IReadOnlyList<AbsentRange> ranges, long offset, int length)
    {
        // The first range that ends behind the offset.
        int index = 0;
        for (int end = ranges.Count; index < end;)
        {
            int middle = index + ((end - index) / 2);
            if (ranges[middle].End > offset)
                end = middle;
            else
                index = middle + 1;
        }

        for (; index < ranges.Count && ranges[index].Offset < offset + length; index++)
        {
            long start = Math.Max(ranges[index].Offset, offset);
            Tell(ranges[index].Kind, start, Math.Min(ranges[index].End, offset + length) - start, ranges[index].Reason, offset);
        }
    }

    private void Tell(RunKind kind, long start, long count, string? reason, long offset) =>
        absences[(start - offset) / chunkLength].Add(EwfRemarks.Range(kind.Name(), start, count, reason));
}
