using System.Buffers;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Recomputes every byte of one pack, and says which of its records are good.</summary>
internal static class PackCheck
{
    /// <summary>Checks a pack.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="name">The pack's name.</param>
    /// <param name="depth">How much of each record to recompute.</param>
    /// <param name="findings">Receives what is wrong.</param>
    /// <param name="progress">Hears of the bytes read.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <returns>The records that are what the index says.</returns>
    internal static List<PackEntry> Run(
        VaultLayout layout, Sha256Digest name, RecordDepth depth, Action<Finding> findings, Action<long> progress, CancellationToken cancellation)
    {
        string path = layout.Pack(name);
        string file = Path.GetRelativePath(layout.Folder, path);
        try
        {
            using PackFile pack = PackFile.Open(path);
            PackEntry[] entries = pack.ReadIndex(name);
            var good = new List<PackEntry>(entries.Length);
            if (depth == RecordDepth.IndexOnly)
                return [.. entries];
            foreach (PackEntry entry in entries.OrderBy(e => e.Offset))
            {
                cancellation.ThrowIfCancellationRequested();
                if (Defect(pack, entry, depth) is { } defect)
                {
                    findings(new Finding(
                        "segment", file, entry.Offset, PackFormat.RecordHeaderSize + entry.Header.StoredLength, $"Segment {entry.Header.Id}: {defect}"));
                }
                else
                {
                    good.Add(entry);
                }

                progress(PackFormat.RecordHeaderSize + entry.Header.StoredLength);
            }

            return good;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever damage can cause, it is this pack's, and the others are still to be checked.
            findings(new Finding("pack", file, null, null, e.Message));
            return [];
        }
    }

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
