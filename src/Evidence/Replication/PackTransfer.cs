using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>
/// Gives the bytes of a pack one record after the other, each as it was held against its checksum, and the index against the pack's name: what is damaged here is
/// not copied, and what is copied is what was checked.
/// </summary>
internal static class PackTransfer
{
    /// <summary>Reads a pack. A buffer that it gives is good until the next is asked for.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="name">The pack.</param>
    /// <exception cref="DamagedSourceException">It is damaged, or cannot be read.</exception>
    internal static IEnumerable<ReadOnlyMemory<byte>> Read(VaultLayout layout, Sha256Digest name)
    {
        using PackFile pack = Attempt(() => PackFile.Open(layout.Pack(name)));
        PackEntry[] entries = Attempt(() => pack.ReadIndex(name));
        yield return PackFormat.EncodeHeader();
        long position = PackFormat.HeaderSize;
        byte[] buffer = [];
        foreach (PackEntry entry in entries.OrderBy(e => e.Offset))
        {
            int length = PackFormat.RecordHeaderSize + entry.Header.StoredLength;
            if (buffer.Length < length)
                buffer = new byte[length];
            Attempt(() => ReadRecord(pack, entry, buffer));
            yield return buffer.AsMemory(0, length);
            position += length;
        }

        // The index was found to be what the name says, and has one spelling.
        yield return PackIndex.Encode([.. entries]);
        yield return PackFormat.EncodeFooter(position, entries.Length, name);
    }

    private static bool ReadRecord(PackFile pack, PackEntry entry, byte[] buffer)
    {
        RecordHeader header = pack.ReadRecord(entry.Offset, entry.Header.StoredLength, buffer);
        return header == entry.Header && header.ComputeChecksum(buffer.AsSpan(PackFormat.RecordHeaderSize, header.StoredLength)) == header.Checksum
            ? true
            : throw pack.Refuted($"the record at offset {entry.Offset} is not the one that its index and its checksum are of");
    }

    private static T Attempt<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (EvidenceException e)
        {
            throw new DamagedSourceException(e);
        }
    }
}

/// <summary>Something that is to be sent is damaged, or cannot be read. The rest goes on.</summary>
internal sealed class DamagedSourceException(EvidenceException cause) : EvidenceException(cause.Code, cause.Message, cause);
