using System.Buffers.Binary;

namespace Evidence.Segments;

/// <summary>Where a record lies in its pack.</summary>
/// <param name="Header">The record's header.</param>
/// <param name="Offset">The offset of that header in the file, in bytes.</param>
internal readonly record struct PackEntry(RecordHeader Header, long Offset);

/// <summary>The index of a pack: sorted by id, and named by its own digest (<c>docs/format/pack.md</c>).</summary>
internal static class PackIndex
{
    /// <summary>Encodes an index; sorts the entries.</summary>
    internal static byte[] Encode(List<PackEntry> entries)
    {
        entries.Sort(static (x, y) => x.Header.Id.CompareTo(y.Header.Id));
        var bytes = new byte[checked(entries.Count * PackFormat.IndexEntrySize)];
        for (int i = 0; i < entries.Count; i++)
        {
            Span<byte> entry = bytes.AsSpan(i * PackFormat.IndexEntrySize, PackFormat.IndexEntrySize);
            entries[i].Header.Encode(entry);
            BinaryPrimitives.WriteInt64LittleEndian(entry[PackFormat.RecordHeaderSize..], entries[i].Offset);
        }

        return bytes;
    }

    /// <summary>Reads an index that was found to match its name, and checks that its records tile the pack up to <paramref name="indexOffset"/>.</summary>
    /// <exception cref="FormatException">No writer makes such an index.</exception>
    internal static PackEntry[] Decode(ReadOnlySpan<byte> bytes, long indexOffset)
    {
        var entries = new PackEntry[bytes.Length / PackFormat.IndexEntrySize];
        for (int i = 0; i < entries.Length; i++)
        {
            ReadOnlySpan<byte> entry = bytes.Slice(i * PackFormat.IndexEntrySize, PackFormat.IndexEntrySize);
            RecordHeader header = RecordHeader.Decode(entry);
            entries[i] = new PackEntry(header, BinaryPrimitives.ReadInt64LittleEndian(entry[PackFormat.RecordHeaderSize..]));
            if (i > 0 && entries[i - 1].Header.Id >= header.Id)
                throw new FormatException($"entry {i} of its index is out of order");
        }

        long position = PackFormat.HeaderSize;
        foreach (PackEntry entry in entries.OrderBy(e => e.Offset))
        {
            if (entry.Offset != position)
                throw new FormatException($"its index leaves a gap or an overlap at offset {position}");
            position += PackFormat.RecordHeaderSize + entry.Header.StoredLength;
        }

        return position == indexOffset ? entries : throw new FormatException($"its records end at {position}, its index begins at {indexOffset}");
    }
}
