using System.Buffers;
using Evidence.Hashing;
using Evidence.Segments;

namespace Evidence.Vaults;

/// <summary>Recomputes one record of a pack.</summary>
internal static class RecordCheck
{
    /// <summary>What is wrong with a record; null where nothing is.</summary>
    internal static string? Defect(PackFile pack, PackEntry entry, RecordDepth depth)
    {
        int length = PackFormat.RecordHeaderSize + entry.Header.StoredLength;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length + entry.Header.ContentLength);
        try
        {
            RecordHeader header = pack.ReadRecord(entry.Offset, entry.Header.StoredLength, buffer);
            if (header != entry.Header)
                return "the record's header is not the one in the index.";
            ReadOnlySpan<byte> stored = buffer.AsSpan(PackFormat.RecordHeaderSize, header.StoredLength);
            if (depth == RecordDepth.StoredBytes)
                return header.ComputeChecksum(stored) == header.Checksum ? null : "the stored bytes do not match their checksum.";
            Span<byte> content = buffer.AsSpan(length, header.ContentLength);
            if (header.Codec == Codec.Stored)
                content = buffer.AsSpan(PackFormat.RecordHeaderSize, header.StoredLength);
            else if (!SegmentCodec.TryExpand(header.Codec, stored, content))
                return "the stored bytes cannot be expanded.";
            if (Sha256Digest.Compute(content) != header.Id)
                return "the content is not what its id says.";
            // A compressed stream can have bits that do not matter to its content; they matter here.
            return header.Codec == Codec.Stored || header.ComputeChecksum(stored) == header.Checksum
                ? null
                : "the stored bytes do not match their checksum, although they expand to the right content.";
        }
        catch (EvidenceException e)
        {
            return e.Message;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
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
