using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace Evidence.Sources.Ewf;

/// <summary>Turns what is stored back into chunks, and says why where that cannot be done. Holds no state.</summary>
internal static class EwfChunkDecoder
{
    /// <summary>No zlib stream of a chunk is longer than this; what deflate makes longer than its content no writer stores.</summary>
    internal static int LongestStored(int chunkLength) => (2 * chunkLength) + 1024;

    /// <summary>Reads a chunk.</summary>
    /// <param name="file">The segment file.</param>
    /// <param name="place">Where it is.</param>
    /// <param name="chunk">Where its content goes: the length that it must have.</param>
    /// <param name="chunkLength">The length of a whole chunk.</param>
    /// <param name="remark">A deviation that changes no byte of the content.</param>
    /// <returns>Null where every byte is there, and its checksum right; else the reason. What is in the buffer then counts for nothing.</returns>
    internal static string? Decode(EwfFile file, EwfPlace place, Span<byte> chunk, int chunkLength, out string? remark)
    {
        remark = null;
        if (place.Defect is not null)
            return place.Defect;
        if (!place.IsCompressed && place.Length < chunk.Length + EwfFormat.ChecksumLength)
            return "it is stored in fewer bytes than it has";
        if (place.IsCompressed && place.Length > LongestStored(chunkLength))
            return "it is stored in more bytes than compression makes";
        return place.IsCompressed ? Inflate(file, place, chunk, chunkLength, ref remark) : Copy(file, place, chunk, chunkLength, ref remark);
    }

    private static string? Copy(EwfFile file, EwfPlace place, Span<byte> chunk, int chunkLength, ref string? remark)
    {
        file.Read(place.Offset, chunk);
        Span<byte> checksum = stackalloc byte[EwfFormat.ChecksumLength];
        file.Read(place.Offset + chunk.Length, checksum);
        long more = place.Length - chunk.Length - EwfFormat.ChecksumLength;
        if (BinaryPrimitives.ReadUInt32LittleEndian(checksum) == Adler32.Compute(chunk))
        {
            if (more > 0)
                remark = $"{more} bytes behind the chunk belong to nothing.";
            return null;
        }

        if (more <= 0 || chunk.Length + more > chunkLength)
            return "its checksum is wrong";
        byte[] longer = file.Read(place.Offset, (int)place.Length);
        if (!EwfContents.EndsInChecksum(longer))
            return "its checksum is wrong";
        remark = TellLonger(more);
        return null;
    }

    /// <summary>Of a source whose size is no whole number of sectors ewfacquire stores and hashes every byte, and counts only whole sectors.</summary>
    private static string TellLonger(long more) =>
        $"The last chunk has {more} bytes more than the image's sectors: they are not read. A digest that is stored may be over them.";

    private static string? Inflate(EwfFile file, EwfPlace place, Span<byte> chunk, int chunkLength, ref string? remark)
    {
        byte[] stored = ArrayPool<byte>.Shared.Rent((int)place.Length);
        byte[]? longer = null;
        try
        {
            file.Read(place.Offset, stored.AsSpan(0, (int)place.Length));
            using var stream = new MemoryStream(stored, 0, (int)place.Length, writable: false);
            using var inflate = new ZLibStream(stream, CompressionMode.Decompress);
            int length = inflate.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false);
            if (length < chunk.Length)
                return "it does not inflate to its length";
            uint checksum = Adler32.Compute(chunk);
            if (chunk.Length < chunkLength && inflate.ReadByte() is >= 0 and var next)
            {
                longer = ArrayPool<byte>.Shared.Rent(chunkLength);
                chunk.CopyTo(longer);
                longer[chunk.Length] = (byte)next;
                int rest = chunk.Length + 1;
                rest += inflate.ReadAtLeast(longer.AsSpan(rest, chunkLength - rest), chunkLength - rest, throwOnEndOfStream: false);
                checksum = Adler32.Compute(longer.AsSpan(0, rest));
                remark = TellLonger(rest - chunk.Length);
            }

            // The framework may not look at the stream's own checksum where it has given every byte.
            if (inflate.ReadByte() >= 0)
                return "it inflates to more than its length";
            return CheckEnd(stored.AsSpan(0, (int)place.Length), checksum, ref remark);
        }
        catch (InvalidDataException)
        {
            return "it does not inflate";
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(stored);
            if (longer is not null)
                ArrayPool<byte>.Shared.Return(longer);
        }
    }

    /// <summary>The Adler-32 of a zlib stream is its last four bytes; where others follow, it stands before them.</summary>
    private static string? CheckEnd(ReadOnlySpan<byte> stored, uint checksum, ref string? remark)
    {
        Span<byte> expected = stackalloc byte[EwfFormat.ChecksumLength];
        BinaryPrimitives.WriteUInt32BigEndian(expected, checksum);
        if (stored.EndsWith(expected))
            return null;
        int at = stored.LastIndexOf(expected);
        if (at < 0)
            return "its checksum is wrong";
        remark = $"{stored.Length - at - EwfFormat.ChecksumLength} bytes behind the chunk belong to nothing.";
        return null;
    }
}
