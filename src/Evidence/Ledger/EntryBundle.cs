using System.Buffers.Binary;
using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>Entries in a row, each a big-endian 16-bit length and its bytes (c2sp.org/tlog-tiles, "log entries").</summary>
internal static class EntryBundle
{
    internal const int MaximumEntryLength = ushort.MaxValue;

    internal const int MaximumLength = TileName.FullWidth * (sizeof(ushort) + MaximumEntryLength);

    internal static void Append(List<byte> bundle, ReadOnlySpan<byte> entry)
    {
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16BigEndian(length, checked((ushort)entry.Length));
        bundle.AddRange(length);
        bundle.AddRange(entry);
    }

    /// <summary>Takes entries from the front of a bundle.</summary>
    /// <param name="bundle">The bundle's bytes.</param>
    /// <param name="count">How many entries are wanted; there may be more.</param>
    /// <param name="end">Where the last of them ended.</param>
    /// <exception cref="FormatException">There are fewer; the message gives the offset.</exception>
    internal static IReadOnlyList<ReadOnlyMemory<byte>> Read(ReadOnlyMemory<byte> bundle, int count, out int end)
    {
        var entries = new List<ReadOnlyMemory<byte>>(count);
        end = 0;
        while (entries.Count < count)
        {
            ReadOnlyMemory<byte> rest = bundle[end..];
            int length = rest.Length < sizeof(ushort) ? -1 : BinaryPrimitives.ReadUInt16BigEndian(rest.Span);
            if (length < 0 || rest.Length - sizeof(ushort) < length)
            {
                throw new FormatException(string.Create(
                    CultureInfo.InvariantCulture, $"it ends within entry {entries.Count} of {count}, which begins at byte {end}"));
            }

            entries.Add(rest.Slice(sizeof(ushort), length));
            end += sizeof(ushort) + length;
        }

        return entries;
    }

    /// <summary>Where a bundle first departs from the leaf hashes that its entries should have: the start of the wrong entry.</summary>
    internal static int FirstWrong(ReadOnlySpan<byte> bundle, ReadOnlySpan<Sha256Digest> leafHashes)
    {
        int start = 0;
        foreach (Sha256Digest leafHash in leafHashes)
        {
            ReadOnlySpan<byte> rest = bundle[start..];
            if (rest.Length < sizeof(ushort))
                break;
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest);
            rest = rest[sizeof(ushort)..];
            if (rest.Length < length || MerkleTree.LeafHash(rest[..length]) != leafHash)
                break;
            start += sizeof(ushort) + length;
        }

        return start;
    }
}
