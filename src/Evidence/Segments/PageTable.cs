using Evidence.Hashing;

namespace Evidence.Segments;

/// <summary>A page's entry in a page table: its tree hash, and the id that its bytes are stored under.</summary>
/// <param name="Root">The tree hash of the page's runs.</param>
/// <param name="Id">The SHA-256 of the page's bytes.</param>
public readonly record struct PageEntry(Sha256Digest Root, Sha256Digest Id);

/// <summary>The tables that lead from an image to its pages (<c>docs/format/map.md</c>).</summary>
public static class PageTable
{
    /// <summary>The entries of a full table.</summary>
    public const int Capacity = 1024;

    internal const int EntrySize = 2 * Sha256Digest.Size;

    internal static byte[] Encode(IReadOnlyList<PageEntry> entries)
    {
        var bytes = new byte[entries.Count * EntrySize];
        for (int i = 0; i < entries.Count; i++)
        {
            entries[i].Root.CopyTo(bytes.AsSpan(i * EntrySize));
            entries[i].Id.CopyTo(bytes.AsSpan((i * EntrySize) + Sha256Digest.Size));
        }

        return bytes;
    }

    /// <summary>Reads a table.</summary>
    /// <exception cref="FormatException">The length is not that of a table.</exception>
    public static PageEntry[] Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length is 0 or > Capacity * EntrySize || bytes.Length % EntrySize != 0)
            throw new FormatException($"A page table cannot have {bytes.Length} bytes.");
        var entries = new PageEntry[bytes.Length / EntrySize];
        for (int i = 0; i < entries.Length; i++)
        {
            ReadOnlySpan<byte> entry = bytes.Slice(i * EntrySize, EntrySize);
            entries[i] = new PageEntry(new Sha256Digest(entry[..Sha256Digest.Size]), new Sha256Digest(entry[Sha256Digest.Size..]));
        }

        return entries;
    }
}
