using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Evidence.Hashing;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Vaults;

/// <summary>
/// A sorted file of the index cache: where the segments of some packs lie. It is never trusted: every page has its checksum, and a file that is
/// not in order is as good as missing.
/// </summary>
/// <remarks>
/// Pages of 4 KiB hold 78 entries (id 32, pack number 4, offset 8, stored length 4, content length 4) and an XXH128. Behind them stand the first eight bytes
/// of each page's first id (the fences, 8 bytes for 78 entries: all that is kept in memory), the packs' names, and a tail. All of it is private to this
/// software, and may change with it.
/// </remarks>
internal sealed class IndexRun : IDisposable
{
    internal const string Extension = ".run";
    private const int PageSize = 4096;
    private const int EntrySize = 52;
    private const int PerPage = (PageSize - 16) / EntrySize;
    private const int TailSize = 48;

    private readonly SafeFileHandle file;
    private readonly ulong[] firstIds;

    private IndexRun(string path, SafeFileHandle handle, long count, ulong[] fences, Sha256Digest[] packs)
    {
        FilePath = path;
        file = handle;
        Count = count;
        firstIds = fences;
        Packs = packs;
    }

    internal string FilePath { get; }

    internal long Count { get; }

    /// <summary>The packs whose segments the run holds.</summary>
    internal IReadOnlyList<Sha256Digest> Packs { get; }

    private static ReadOnlySpan<byte> Magic => "EVRUN02\n"u8;

    /// <summary>Writes a run from entries in ascending order of their ids.</summary>
    internal static void Write(string path, IEnumerable<KeyValuePair<Sha256Digest, SegmentLocation>> entries, IReadOnlyList<Sha256Digest> packs)
    {
        var numbers = new Dictionary<Sha256Digest, int>(packs.Count);
        foreach (Sha256Digest pack in packs)
            numbers.Add(pack, numbers.Count);

        using var output = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        var fences = new List<ulong>();
        var page = new byte[PageSize];
        long count = 0;
        foreach ((Sha256Digest id, SegmentLocation location) in entries)
        {
            int slot = (int)(count++ % PerPage);
            if (slot == 0)
                fences.Add(id.Prefix);
            Span<byte> entry = page.AsSpan(slot * EntrySize, EntrySize);
            id.CopyTo(entry);
            BinaryPrimitives.WriteInt32LittleEndian(entry[32..], numbers[location.Pack]);
            BinaryPrimitives.WriteInt64LittleEndian(entry[36..], location.Offset);
            BinaryPrimitives.WriteInt32LittleEndian(entry[44..], location.StoredLength);
            BinaryPrimitives.WriteInt32LittleEndian(entry[48..], location.ContentLength);
            if (slot == PerPage - 1)
                FlushPage(output, page);
        }

        if (count % PerPage != 0)
            FlushPage(output, page);

        var trailer = new byte[(fences.Count * 8) + (packs.Count * Sha256Digest.Size) + TailSize];
        for (int i = 0; i < fences.Count; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(trailer.AsSpan(i * 8), fences[i]);
        for (int i = 0; i < packs.Count; i++)
            packs[i].CopyTo(trailer.AsSpan((fences.Count * 8) + (i * Sha256Digest.Size)));
        Span<byte> tail = trailer.AsSpan(trailer.Length - TailSize);
        Magic.CopyTo(tail);
        BinaryPrimitives.WriteInt64LittleEndian(tail[8..], count);
        BinaryPrimitives.WriteInt64LittleEndian(tail[16..], fences.Count);
        BinaryPrimitives.WriteInt64LittleEndian(tail[24..], packs.Count);
        XxHash128.Hash(trailer.AsSpan(0, trailer.Length - 16), tail[32..]);
        output.Write(trailer);
    }

    /// <summary>Opens a run; null where it is not one, or is damaged.</summary>
    internal static IndexRun? TryOpen(string path)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        IndexRun? run = TryRead(path, handle);
        if (run is null)
            handle.Dispose();
        return run;
    }

    /// <summary>Looks a segment up.</summary>
    /// <exception cref="InvalidDataException">The page that would hold it is damaged.</exception>
    internal bool TryFind(Sha256Digest id, out SegmentLocation location)
    {
        // The last page whose first id is not above ours; ids with the same first eight bytes can begin a page earlier.
        int page = UpperBound(id.Prefix) - 1;
        Span<byte> bytes = stackalloc byte[PageSize];
        for (; page >= 0; page--)
        {
            int count = ReadPage(page, bytes);
            for (int low = 0, high = count - 1; low <= high;)
            {
                int middle = (low + high) >>> 1;
                ReadOnlySpan<byte> entry = bytes.Slice(middle * EntrySize, EntrySize);
                int order = new Sha256Digest(entry[..Sha256Digest.Size]).CompareTo(id);
                if (order == 0)
                {
                    location = Decode(entry);
                    return true;
                }

                if (order < 0)
                    low = middle + 1;
                else
                    high = middle - 1;
            }

            if (firstIds[page] != id.Prefix)
                break;
        }

        location = default;
        return false;
    }

    /// <summary>All entries, in ascending order of their ids.</summary>
    internal IEnumerable<KeyValuePair<Sha256Digest, SegmentLocation>> Enumerate()
    {
        var bytes = new byte[PageSize];
        for (int page = 0; page < firstIds.Length; page++)
        {
            int count = ReadPage(page, bytes);
            for (int i = 0; i < count; i++)
            {
                int start = i * EntrySize;
                yield return new(new Sha256Digest(bytes.AsSpan(start, Sha256Digest.Size)), Decode(bytes.AsSpan(start, EntrySize)));
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => file.Dispose();

    private static void FlushPage(FileStream output, byte[] page)
    {
        XxHash128.Hash(page.AsSpan(0, PageSize - 16), page.AsSpan(PageSize - 16));
        output.Write(page);
        page.AsSpan().Clear();
    }

    private static IndexRun? TryRead(string path, SafeFileHandle handle)
    {
        long length = RandomAccess.GetLength(handle);
        var tail = new byte[TailSize];
        if (length < TailSize || RandomAccess.Read(handle, tail, length - TailSize) != TailSize || !tail.AsSpan(0, 8).SequenceEqual(Magic))
            return null;
        long count = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(8));
        long pages = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(16));
        long packs = BinaryPrimitives.ReadInt64LittleEndian(tail.AsSpan(24));
        if (count is < 0 or > long.MaxValue / PageSize || pages != (count + PerPage - 1) / PerPage || packs is < 0 or > int.MaxValue || pages > int.MaxValue / PageSize * 512L ||
            (pages * (PageSize + 8)) + (packs * Sha256Digest.Size) + TailSize != length)
        {
            return null;
        }

        var trailer = new byte[length - (pages * PageSize)];
        if (RandomAccess.Read(handle, trailer, pages * PageSize) != trailer.Length ||
            !XxHash128.Hash(trailer.AsSpan(0, trailer.Length - 16)).AsSpan().SequenceEqual(trailer.AsSpan(trailer.Length - 16)))
        {
            return null;
        }

        var fences = new ulong[pages];
        MemoryMarshal.Cast<byte, ulong>(trailer.AsSpan(0, (int)pages * 8)).CopyTo(fences);
        var names = new Sha256Digest[packs];
        for (int i = 0; i < names.Length; i++)
            names[i] = new Sha256Digest(trailer.AsSpan((int)(pages * 8) + (i * Sha256Digest.Size), Sha256Digest.Size));
        return new IndexRun(path, handle, count, fences, names);
    }

    private int UpperBound(ulong prefix)
    {
        int low = 0;
        int high = firstIds.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (firstIds[middle] <= prefix)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }

    private int ReadPage(int page, Span<byte> bytes)
    {
        Span<byte> checksum = stackalloc byte[16];
        if (RandomAccess.Read(file, bytes, (long)page * PageSize) != PageSize)
            throw new InvalidDataException($"{FilePath} is cut off.");
        XxHash128.Hash(bytes[..(PageSize - 16)], checksum);
        if (!checksum.SequenceEqual(bytes[(PageSize - 16)..]))
            throw new InvalidDataException($"{FilePath} is damaged at offset {(long)page * PageSize}.");
        return (int)Math.Min(PerPage, Count - ((long)page * PerPage));
    }

    private SegmentLocation Decode(ReadOnlySpan<byte> entry) => new(
        Packs[BinaryPrimitives.ReadInt32LittleEndian(entry[32..])],
        BinaryPrimitives.ReadInt64LittleEndian(entry[36..]),
        BinaryPrimitives.ReadInt32LittleEndian(entry[44..]),
        BinaryPrimitives.ReadInt32LittleEndian(entry[48..]));
}
