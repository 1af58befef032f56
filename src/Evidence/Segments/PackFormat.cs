using System.Buffers.Binary;
using System.IO.Hashing;
using Evidence.Hashing;

namespace Evidence.Segments;

/// <summary>The pack's fixed parts as bytes, written and read (<c>docs/format/pack.md</c>).</summary>
internal static class PackFormat
{
    internal const int HeaderSize = 64;
    internal const int RecordHeaderSize = 64;
    internal const int IndexEntrySize = RecordHeaderSize + 8;
    internal const int FooterSize = 64;

    /// <summary>The largest content of a record, in bytes: every length is held against it before anything is allocated.</summary>
    internal const int LargestContent = 16 << 20;

    /// <summary>Where the checksum stands in a header and in a record header.</summary>
    internal const int ChecksumOffset = 48;

    private const ushort Version = 1;

    private static ReadOnlySpan<byte> HeaderMagic => [0x89, (byte)'E', (byte)'V', (byte)'P', (byte)'K', 0x0D, 0x0A, 0x1A];

    private static ReadOnlySpan<byte> FooterMagic => "EVPKEND\n"u8;

    internal static byte[] EncodeHeader()
    {
        var header = new byte[HeaderSize];
        HeaderMagic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), Version);
        XxHash128.Hash(header.AsSpan(0, ChecksumOffset), header.AsSpan(ChecksumOffset));
        return header;
    }

    /// <summary>Checks a header: there is exactly one valid form so far.</summary>
    /// <exception cref="FormatException">It is another; the message says how.</exception>
    internal static void CheckHeader(ReadOnlySpan<byte> header)
    {
        if (header.SequenceEqual(EncodeHeader()))
            return;
        if (!header[..8].SequenceEqual(HeaderMagic))
            throw new FormatException("it does not begin with a pack's magic number");
        Span<byte> checksum = stackalloc byte[16];
        XxHash128.Hash(header[..ChecksumOffset], checksum);
        throw new FormatException(checksum.SequenceEqual(header[ChecksumOffset..])
            ? "its header asks for a newer version of this software, a flag or an encryption that it does not know"
            : "its header does not match its checksum");
    }

    internal static byte[] EncodeFooter(long indexOffset, int count, Sha256Digest name)
    {
        var footer = new byte[FooterSize];
        BinaryPrimitives.WriteInt64LittleEndian(footer, indexOffset);
        BinaryPrimitives.WriteInt32LittleEndian(footer.AsSpan(8), count);
        name.CopyTo(footer.AsSpan(16));
        FooterMagic.CopyTo(footer.AsSpan(56));
        return footer;
    }

    /// <summary>Reads a footer and holds it against the file's length.</summary>
    /// <exception cref="FormatException">It is not the footer of a pack of that length.</exception>
    internal static (long IndexOffset, int Count, Sha256Digest Name) DecodeFooter(ReadOnlySpan<byte> footer, long fileLength)
    {
        if (!footer[56..].SequenceEqual(FooterMagic))
            throw new FormatException("it does not end with a pack's footer: it was cut off, or written over");
        ulong indexOffset = BinaryPrimitives.ReadUInt64LittleEndian(footer);
        uint count = BinaryPrimitives.ReadUInt32LittleEndian(footer[8..]);
        bool valid = count is > 0 and <= int.MaxValue / IndexEntrySize &&
            indexOffset <= (ulong)fileLength &&
            // Each record takes its header and a byte at least: an index that claims more is not read.
            count <= ((long)indexOffset - HeaderSize) / (RecordHeaderSize + 1) &&
            (long)indexOffset + ((long)count * IndexEntrySize) + FooterSize == fileLength &&
            !footer.Slice(12, 4).ContainsAnyExcept((byte)0) && !footer.Slice(48, 8).ContainsAnyExcept((byte)0);
        return valid
            ? ((long)indexOffset, (int)count, new Sha256Digest(footer.Slice(16, Sha256Digest.Size)))
            : throw new FormatException($"its footer does not fit a file of {fileLength} bytes");
    }
}

/// <summary>The 64 bytes before a record's stored bytes; the same bytes stand in the index.</summary>
/// <param name="Id">The SHA-256 of the content.</param>
/// <param name="Codec">What the stored bytes are.</param>
/// <param name="StoredLength">Their number.</param>
/// <param name="ContentLength">The length of the content.</param>
/// <param name="Checksum">The XXH128 over the fields before it and the stored bytes.</param>
internal readonly record struct RecordHeader(Sha256Digest Id, Codec Codec, int StoredLength, int ContentLength, UInt128 Checksum)
{
    /// <summary>A header whose checksum covers the stored bytes.</summary>
    internal static RecordHeader For(Sha256Digest id, Codec codec, ReadOnlySpan<byte> stored, int contentLength)
    {
        var header = new RecordHeader(id, codec, stored.Length, contentLength, 0);
        return header with { Checksum = header.ComputeChecksum(stored) };
    }

    /// <summary>The checksum that the fields and these stored bytes give.</summary>
    internal UInt128 ComputeChecksum(ReadOnlySpan<byte> stored)
    {
        Span<byte> bytes = stackalloc byte[PackFormat.RecordHeaderSize];
        Encode(bytes);
        var hash = new XxHash128();
        hash.Append(bytes[..PackFormat.ChecksumOffset]);
        hash.Append(stored);
        return hash.GetCurrentHashAsUInt128();
    }

    internal void Encode(Span<byte> bytes)
    {
        Id.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[32..], (int)Codec);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[36..], StoredLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[40..], ContentLength);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[44..], 0);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[PackFormat.ChecksumOffset..], Checksum);
    }

    /// <summary>Reads a record header and bounds its lengths.</summary>
    /// <exception cref="FormatException">No writer makes such a header.</exception>
    internal static RecordHeader Decode(ReadOnlySpan<byte> bytes)
    {
        uint codec = BinaryPrimitives.ReadUInt32LittleEndian(bytes[32..]);
        uint stored = BinaryPrimitives.ReadUInt32LittleEndian(bytes[36..]);
        uint content = BinaryPrimitives.ReadUInt32LittleEndian(bytes[40..]);
        bool valid = BinaryPrimitives.ReadUInt32LittleEndian(bytes[44..]) == 0 &&
            content is > 0 and <= PackFormat.LargestContent && stored > 0 &&
            (codec == (uint)Codec.Stored ? stored == content : codec is (uint)Codec.Deflate or (uint)Codec.Brotli && stored < content);
        return valid
            ? new RecordHeader(
                new Sha256Digest(bytes[..Sha256Digest.Size]), (Codec)codec, (int)stored, (int)content,
                BinaryPrimitives.ReadUInt128BigEndian(bytes[PackFormat.ChecksumOffset..]))
            : throw new FormatException($"a record header claims codec {codec}, {stored} stored bytes and {content} bytes of content");
    }
}
