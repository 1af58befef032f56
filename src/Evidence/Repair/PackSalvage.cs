using System.Buffers.Binary;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>A record of a damaged pack whose content is what its id says.</summary>
/// <param name="Header">The header, with a checksum that was computed anew.</param>
/// <param name="Offset">The offset of the record's header in the file, in bytes.</param>
/// <param name="Stored">The stored bytes, until the next record is asked for.</param>
internal readonly record struct SalvagedRecord(RecordHeader Header, long Offset, ReadOnlyMemory<byte> Stored);

/// <summary>
/// Gets every record out of a pack of which nothing can be relied on: whatever is left of the index says where to look, records follow one another, and
/// between the known places each byte is tried. What comes out is proven by its id alone.
/// </summary>
internal sealed class PackSalvage
{
    private const int ScanWindow = 1 << 20;

    /// <summary>So many index entries in a row that are none end the index.</summary>
    private const int MostMisses = 16;

    private readonly PackFile pack;
    private readonly SortedDictionary<long, RecordHeader> hints = [];
    private byte[] stored = [];
    private byte[] content = [];

    /// <summary>Bytes that may still be spent on what only looks like records: a crafted file must not cost the square of its length.</summary>
    private long patience;

    private PackSalvage(PackFile pack)
    {
        this.pack = pack;
        patience = 64 * pack.Length;
    }

    /// <summary>Gives the records of a pack that are what their ids say, in the order of their places.</summary>
    /// <param name="pack">The pack.</param>
    /// <param name="cancellation">Stops the search.</param>
    internal static IEnumerable<SalvagedRecord> Run(PackFile pack, CancellationToken cancellation) => new PackSalvage(pack).Run(cancellation);

    private IEnumerable<SalvagedRecord> Run(CancellationToken cancellation)
    {
        ReadHints();
        long[] places = [.. hints.Keys];
        long position = PackFormat.HeaderSize;
        int next = 0;
        while (position + PackFormat.RecordHeaderSize < pack.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            if (TryRecord(position, pack.Length) is { } record)
            {
                yield return record;
                position += PackFormat.RecordHeaderSize + record.Header.StoredLength;
                continue;
            }

            while (next < places.Length && places[next] <= position)
                next++;
            long limit = next < places.Length ? places[next] : pack.Length;
            SalvagedRecord? found = Search(position + 1, limit, cancellation);
            if (found is { } met)
                yield return met;
            position = found is { } end ? end.Offset + PackFormat.RecordHeaderSize + end.Header.StoredLength : limit;
        }
    }

    /// <summary>Collects what is left of the index: its entries lie before the footer, wherever that says that they begin.</summary>
    private void ReadHints()
    {
        Span<byte> entry = stackalloc byte[PackFormat.IndexEntrySize];
        int misses = 0;
        for (long at = pack.Length - PackFormat.FooterSize - entry.Length; at >= PackFormat.HeaderSize && misses < MostMisses; at -= entry.Length)
        {
            pack.ReadTolerant(at, entry);
            long offset = BinaryPrimitives.ReadInt64LittleEndian(entry[PackFormat.RecordHeaderSize..]);
            if (TryDecode(entry) is { } header && offset >= PackFormat.HeaderSize && offset < at)
            {
                hints[offset] = header;
                misses = 0;
            }
            else
            {
                misses++;
            }
        }
    }

    /// <summary>The first proven record that begins in a range and ends in it.</summary>
    private SalvagedRecord? Search(long start, long limit, CancellationToken cancellation)
    {
        var window = new byte[(int)Math.Min(ScanWindow, Math.Max(0, limit - start))];
        while (limit - start > PackFormat.RecordHeaderSize)
        {
            cancellation.ThrowIfCancellationRequested();
            int count = pack.ReadTolerant(start, window.AsSpan(0, (int)Math.Min(window.Length, limit - start)));
            int last = count - PackFormat.RecordHeaderSize;
            for (int i = 0; i <= last; i++)
            {
                if (TryDecode(window.AsSpan(i, PackFormat.RecordHeaderSize)) is { } header &&
                    start + i + PackFormat.RecordHeaderSize + header.StoredLength <= limit && TryProve(start + i, header) is { } record)
                {
                    return record;
                }
            }

            start += Math.Max(1, last + 1);
        }

        return null;
    }

    /// <summary>The record at a place, by its own header or by the one that the index has for it.</summary>
    private SalvagedRecord? TryRecord(long offset, long limit)
    {
        Span<byte> bytes = stackalloc byte[PackFormat.RecordHeaderSize];
        pack.ReadTolerant(offset, bytes);
        SalvagedRecord? record = null;
        if (TryDecode(bytes) is { } own && offset + PackFormat.RecordHeaderSize + own.StoredLength <= limit)
            record = TryProve(offset, own);
        if (record is null && hints.TryGetValue(offset, out RecordHeader indexed) && offset + PackFormat.RecordHeaderSize + indexed.StoredLength <= limit)
            record = TryProve(offset, indexed);
        return record;
    }

    private SalvagedRecord? TryProve(long offset, RecordHeader header)
    {
        if (patience <= 0)
            return null;
        Grow(ref stored, header.StoredLength);
        Span<byte> bytes = stored.AsSpan(0, header.StoredLength);
        patience -= bytes.Length;
        if (pack.ReadTolerant(offset + PackFormat.RecordHeaderSize, bytes) != bytes.Length)
            return null;
        ReadOnlySpan<byte> expanded = bytes;
        if (header.Codec != Codec.Stored)
        {
            Grow(ref content, header.ContentLength);
            if (!SegmentCodec.TryExpand(header.Codec, bytes, content.AsSpan(0, header.ContentLength)))
                return null;
            expanded = content.AsSpan(0, header.ContentLength);
        }

        if (Sha256Digest.Compute(expanded) != header.Id)
        {
            patience -= expanded.Length;
            return null;
        }

        patience += bytes.Length;
        return new SalvagedRecord(RecordHeader.For(header.Id, header.Codec, bytes, header.ContentLength), offset, stored.AsMemory(0, header.StoredLength));
    }

    private static RecordHeader? TryDecode(ReadOnlySpan<byte> bytes)
    {
        // Most bytes are no header, and an exception for each would be dear.
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..]) != 0 || BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]) > (uint)Codec.Brotli ||
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]) is 0 or > PackFormat.LargestContent)
        {
            return null;
        }

        try
        {
            return RecordHeader.Decode(bytes);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static void Grow(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new byte[length];
    }
}
