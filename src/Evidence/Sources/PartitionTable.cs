using System.Buffers.Binary;
using System.IO.Hashing;

namespace Evidence.Sources;

/// <summary>
/// Where the partitions of a disk begin, by its MBR (with logical ones) or GPT (UEFI 2.10, 5.2 and 5.3). Only that: it is read to know where to look, and
/// is strict. A table that contradicts itself has no partitions.
/// </summary>
/// <param name="length">The disk's length in bytes.</param>
/// <param name="sectorSize">The logical sector size; null where it is not known, as of an image file: then both of the usual ones are tried.</param>
/// <param name="read">Reads at an offset, and leaves zeros past the end; false where that failed.</param>
internal sealed class PartitionTable(long length, int? sectorSize, PartitionTable.ReadAt read)
{
    /// <summary>The most partitions of a GPT that are looked at; 128 are usual.</summary>
    internal const int MostEntries = 1024;

    /// <summary>The most logical partitions that are looked at.</summary>
    internal const int MostLogical = 128;

    private const int RecordLength = 512;
    private const byte Empty = 0x00;
    private const byte Protective = 0xEE;

    private static readonly int[] UsualSizes = [512, 4096];

    internal delegate bool ReadAt(long offset, Span<byte> buffer);

    /// <summary>The partitions' first bytes, each once, in order.</summary>
    internal IReadOnlyList<long> Starts()
    {
        var starts = new SortedSet<long>();
        var record = new byte[RecordLength];
        if (!read(0, record) || Entries(record) is not { } entries)
            return [];
        if (Array.Exists(entries, entry => entry.Type == Protective))
        {
            // A table may be of another sector size than the disk's: it was then written behind a bridge that shows another one.
            foreach (int size in sectorSize is { } known ? UsualSizes.Union([known]) : UsualSizes)
                AddGuid(size, starts);
        }
        else
        {
            foreach (int size in sectorSize is { } known ? [known] : UsualSizes)
                AddBootRecord(entries, size, starts);
        }

        return [.. starts];
    }

    /// <summary>The four entries of a boot record; null where it is none.</summary>
    private static Entry[]? Entries(ReadOnlySpan<byte> record)
    {
        const int Table = 446, EntryLength = 16, Count = 4;
        if (record[510] != 0x55 || record[511] != 0xAA)
            return null;
        var entries = new Entry[Count];
        for (int i = 0; i < Count; i++)
        {
            ReadOnlySpan<byte> entry = record.Slice(Table + (EntryLength * i), EntryLength);
            // The boot sector of a volume ends in the same signature, and has code in this place.
            if (entry[0] is not (0x00 or 0x80))
                return null;
            entries[i] = new Entry(entry[4], BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]), BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]));
        }

        return entries;
    }

    private void AddBootRecord(Entry[] entries, int size, SortedSet<long> starts)
    {
        foreach (Entry entry in entries)
        {
            if (entry.IsExtended)
                AddLogical(entry.First, size, starts);
            else
                Add(entry, 0, size, starts);
        }
    }

    /// <summary>
    /// The chain of logical partitions: each record names one, from itself on, and the next record, from the extended partition on. A chain that goes
    /// backwards, as one that runs in a circle must, ends there.
    /// </summary>
    private void AddLogical(long extended, int size, SortedSet<long> starts)
    {
        var record = new byte[RecordLength];
        long at = extended;
        for (int i = 0; i < MostLogical && at > 0 && at < length / size; i++)
        {
            record.AsSpan().Clear();
            if (!read(at * size, record) || Entries(record) is not { } entries)
                return;
            foreach (Entry entry in entries.Where(entry => !entry.IsExtended))
                Add(entry, at, size, starts);
            long next = Array.Find(entries, entry => entry.IsExtended) is { Sectors: > 0 } link ? extended + link.First : 0;
            if (next <= at)
                return;
            at = next;
        }
    }

    private void Add(Entry entry, long from, int size, SortedSet<long> starts)
    {
        long first = from + entry.First;
        if (entry.Type is not (Empty or Protective) && entry.First > 0 && entry.Sectors > 0 && first < length / size)
            starts.Add(first * size);
    }

    private void AddGuid(int size, SortedSet<long> starts)
    {
        const int ShortestHeader = 92, EntryLength = 128, LongestEntry = 4096, LongestTable = 1 << 20;
        var header = new byte[size];
        if (length < 2L * size || !read(size, header) || !header.AsSpan().StartsWith("EFI PART"u8))
            return;
        uint headerLength = UInt32(header, 12);
        if (headerLength < ShortestHeader || headerLength > size || Checksum(header.AsSpan(0, (int)headerLength)) != UInt32(header, 16) || UInt64(header, 24) != 1)
            return;
        ulong table = UInt64(header, 72);
        uint count = UInt32(header, 80), entryLength = UInt32(header, 84);
        if (count is 0 or > MostEntries || entryLength is < EntryLength or > LongestEntry || count * entryLength > LongestTable
            || table < 2 || table >= (ulong)(length / size))
        {
            return;
        }

        var entries = new byte[count * entryLength];
        if (!read((long)table * size, entries) || Crc32.HashToUInt32(entries) != UInt32(header, 88))
            return;
        for (int at = 0; at < entries.Length; at += (int)entryLength)
        {
            ulong first = UInt64(entries, at + 32), last = UInt64(entries, at + 40);
            if (entries.AsSpan(at, 16).ContainsAnyExcept((byte)0) && first > 0 && last >= first && first < (ulong)(length / size))
                starts.Add((long)first * size);
        }
    }

    /// <summary>The checksum of the header, its own field taken for zero.</summary>
    private static uint Checksum(ReadOnlySpan<byte> header)
    {
        byte[] copy = header.ToArray();
        copy.AsSpan(16, sizeof(uint)).Clear();
        return Crc32.HashToUInt32(copy);
    }

    private static uint UInt32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private static ulong UInt64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));

    /// <summary>An entry of a boot record, in sectors.</summary>
    private readonly record struct Entry(byte Type, uint First, uint Sectors)
    {
        internal bool IsExtended => Type is 0x05 or 0x0F or 0x85;
    }
}
