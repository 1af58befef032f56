using System.Buffers.Binary;

namespace Evidence.Hashing.Lanes;

/// <summary>MD5, SHA-1 and SHA-256, as far as they are alike: words of 32 bits, blocks of 64 bytes, and what is put behind the last one.</summary>
internal sealed class HashFunction
{
    /// <summary>The bytes of a block.</summary>
    internal const int BlockSize = 64;

    /// <summary>The most words that a hash has.</summary>
    internal const int MostWords = 8;

    /// <summary>The most blocks that a message ends in: the last bytes, and what is put behind them.</summary>
    internal const int LargestTail = 2 * BlockSize;

    private readonly uint[] start;
    private readonly bool bigEndian;

    private HashFunction(DigestAlgorithm algorithm, bool bigEndian, params uint[] start)
    {
        Algorithm = algorithm;
        this.bigEndian = bigEndian;
        this.start = start;
    }

    /// <summary>MD5 (RFC 1321).</summary>
    internal static HashFunction Md5 { get; } = new(DigestAlgorithm.Md5, bigEndian: false, 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476);

    /// <summary>SHA-1 (FIPS 180-4).</summary>
    internal static HashFunction Sha1 { get; } = new(DigestAlgorithm.Sha1, bigEndian: true, 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0);

    /// <summary>SHA-256 (FIPS 180-4).</summary>
    internal static HashFunction Sha256 { get; } = new(
        DigestAlgorithm.Sha256, bigEndian: true,
        0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19);

    /// <summary>The function of an algorithm; null where it is not one of these.</summary>
    internal static HashFunction? Find(DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Md5 => Md5,
        DigestAlgorithm.Sha1 => Sha1,
        DigestAlgorithm.Sha256 => Sha256,
        _ => null,
    };

    internal DigestAlgorithm Algorithm { get; }

    /// <summary>The words that a hash begins with, and has: 4 to 8.</summary>
    internal ReadOnlySpan<uint> Start => start;

    /// <summary>The bytes of a digest.</summary>
    internal int DigestSize => start.Length * sizeof(uint);

    /// <summary>Writes the end of a message: its last bytes, a one, zeros, and its length in bits, which is counted modulo 2^64.</summary>
    /// <param name="rest">What is behind the last whole block: 0 to 63 bytes.</param>
    /// <param name="length">The message's length in bytes.</param>
    /// <param name="tail">Receives it; room for two blocks.</param>
    /// <returns>The number of blocks: 1 or 2.</returns>
    internal int WriteTail(ReadOnlySpan<byte> rest, ulong length, Span<byte> tail)
    {
        int blocks = rest.Length < BlockSize - sizeof(ulong) ? 1 : 2;
        tail = tail[..(blocks * BlockSize)];
        rest.CopyTo(tail);
        tail[rest.Length] = 0x80;
        tail[(rest.Length + 1)..^sizeof(ulong)].Clear();
        if (bigEndian)
            BinaryPrimitives.WriteUInt64BigEndian(tail[^sizeof(ulong)..], length << 3);
        else
            BinaryPrimitives.WriteUInt64LittleEndian(tail[^sizeof(ulong)..], length << 3);
        return blocks;
    }

    /// <summary>Writes a hash's words as the digest.</summary>
    internal void WriteDigest(ReadOnlySpan<uint> words, Span<byte> digest)
    {
        for (int i = 0; i < start.Length; i++)
        {
            if (bigEndian)
                BinaryPrimitives.WriteUInt32BigEndian(digest[(sizeof(uint) * i)..], words[i]);
            else
                BinaryPrimitives.WriteUInt32LittleEndian(digest[(sizeof(uint) * i)..], words[i]);
        }
    }
}
