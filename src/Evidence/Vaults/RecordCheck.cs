using System.Buffers;
using Evidence.Hashing;
using Evidence.Segments;

namespace Evidence.Vaults;

/// <summary>Recomputes one record of a pack.</summary>
internal static class RecordCheck
{
    /// <summary>Recomputes records, one after the other, and their contents' ids many at a time.</summary>
    /// <param name="pack">The pack.</param>
    /// <param name="entries">The records, best in the order in which they lie.</param>
    /// <param name="depth">How much of each to recompute: <see cref="RecordDepth.StoredBytes"/> or more.</param>
    /// <returns>Each record, in the same order, with what is wrong with it; null where nothing is.</returns>
    internal static IEnumerable<(PackEntry Entry, string? Defect)> Defects(PackFile pack, IEnumerable<PackEntry> entries, RecordDepth depth)
    {
        using var batch = new ContentBatch();
        var checks = new List<PendingCheck>();
        foreach (PackEntry entry in entries)
        {
            // What is stored as it is needs no room to be expanded into.
            int length = PackFormat.RecordHeaderSize + entry.Header.StoredLength + (entry.Header.Codec == Codec.Stored ? 0 : entry.Header.ContentLength);
            if (!batch.HasRoom(length))
            {
                foreach ((PackEntry, string?) result in End(batch, checks))
                    yield return result;
            }

            checks.Add(Begin(pack, entry, depth, batch, batch.Take(length)));
        }

        foreach ((PackEntry, string?) result in End(batch, checks))
            yield return result;
    }

    /// <summary>The content of a record whose place and lengths are known; null where it is not what the id says.</summary>
    /// <exception cref="EvidenceException">The file cannot be read there.</exception>
    internal static byte[]? TryReadContent(PackFile pack, SegmentLocation location, Sha256Digest id)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PackFormat.RecordHeaderSize + location.StoredLength);
        try
        {
            // The header may be what is damaged: with stored bytes as long as the content they are the content, and else one codec or the other expands them.
            Span<byte> record = buffer.AsSpan(0, PackFormat.RecordHeaderSize + location.StoredLength);
            if (pack.ReadTolerant(location.Offset, record) != record.Length)
                return null;
            ReadOnlySpan<byte> stored = record[PackFormat.RecordHeaderSize..];
            var content = new byte[location.ContentLength];
            foreach (Codec codec in (ReadOnlySpan<Codec>)[Codec.Stored, Codec.Brotli, Codec.Deflate])
            {
                if ((codec == Codec.Stored) == (stored.Length == content.Length) && SegmentCodec.TryExpand(codec, stored, content) && Sha256Digest.Compute(content) == id)
                    return content;
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Reads a record and checks all of it but the content's id, which is left to the batch.</summary>
    private static PendingCheck Begin(PackFile pack, PackEntry entry, RecordDepth depth, ContentBatch batch, Span<byte> buffer)
    {
        try
        {
            RecordHeader header = pack.ReadRecord(entry.Offset, entry.Header.StoredLength, buffer);
            if (header != entry.Header)
                return new(entry, "the record's header is not the one in the index.");
            ReadOnlySpan<byte> stored = buffer.Slice(PackFormat.RecordHeaderSize, header.StoredLength);
            if (depth == RecordDepth.StoredBytes)
                return new(entry, header.ComputeChecksum(stored) == header.Checksum ? null : "the stored bytes do not match their checksum.");
            if (header.Codec == Codec.Stored)
                return new(entry, null, batch.Add(stored));
            Span<byte> content = buffer[(PackFormat.RecordHeaderSize + header.StoredLength)..];
            if (!SegmentCodec.TryExpand(header.Codec, stored, content))
                return new(entry, "the stored bytes cannot be expanded.");
            // A compressed stream can have bits that do not matter to its content; they matter here.
            string? defect = header.ComputeChecksum(stored) == header.Checksum
                ? null
                : "the stored bytes do not match their checksum, although they expand to the right content.";
            return new(entry, defect, batch.Add(content));
        }
        catch (EvidenceException e)
        {
            return new(entry, e.Message);
        }
    }

    private static List<(PackEntry, string?)> End(ContentBatch batch, List<PendingCheck> checks)
    {
        Sha256Digest[] digests = batch.Digests();
        List<(PackEntry, string?)> results =
        [
            .. checks.Select(check => (check.Entry, check.Content is { } content && digests[content] != check.Entry.Header.Id
                ? "the content is not what its id says."
                : check.Defect)),
        ];
        batch.Clear();
        checks.Clear();
        return results;
    }

    /// <summary>A record that was read.</summary>
    /// <param name="Entry">Its entry in the index.</param>
    /// <param name="Defect">What is wrong with it, if its content is what its id says; null where nothing is.</param>
    /// <param name="Content">The content's number in the batch; null where it is not to be recomputed, or cannot be.</param>
    private readonly record struct PendingCheck(PackEntry Entry, string? Defect, int? Content = null);
}

/// <summary>How much of each record of a pack to recompute.</summary>
internal enum RecordDepth
{
    /// <summary>Nothing: only header, index and footer of the pack.</summary>
    IndexOnly,

    /// <summary>The stored bytes, against their checksum.</summary>
    StoredBytes,

    /// <summary>The content, against its id, and the stored bytes.</summary>
    Content,
}
