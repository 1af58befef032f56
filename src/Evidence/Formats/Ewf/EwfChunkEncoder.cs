using System.Buffers.Binary;
using System.IO.Compression;
using Evidence.Segments;
using Evidence.Sources.Ewf;

namespace Evidence.Formats.Ewf;

/// <summary>Turns chunks into what is stored: a zlib stream (RFC 1950) where that is shorter, else the bytes and their Adler-32. May be used by several threads.</summary>
internal sealed class EwfChunkEncoder
{
    /// <summary>The bytes that are looked at to tell noise from the rest, and in how many places they lie.</summary>
    private const int SampleLength = 4096;
    private const int SamplePlaces = 4;

    /// <summary>
    /// The sum of squares that says noise, for 4,096 bytes of 256 values: chi-square has a mean of 255 and a deviation of 23, so a sample of noise is above with a chance of
    /// less than one in a million, while text is above by a hundred times. Either way the chunk is right; only its length differs.
    /// </summary>
    private const double LargestNoise = 400;

    private readonly Compression compression;
    private readonly byte[] zeros;
    private readonly int chunkLength;

    internal EwfChunkEncoder(Compression compression, int chunkLength)
    {
        this.compression = compression;
        this.chunkLength = chunkLength;
        var scratch = new byte[LongestStored(chunkLength)];
        zeros = compression == Compression.None ? [] : scratch[..Deflate(new byte[chunkLength], 0, chunkLength, scratch, 0)];
    }

    /// <summary>The most bytes that a chunk is stored in.</summary>
    internal static int LongestStored(int chunkLength) => chunkLength + EwfFormat.ChecksumLength;

    /// <summary>Encodes a chunk.</summary>
    /// <param name="content">An array that holds it.</param>
    /// <param name="start">Where it begins.</param>
    /// <param name="length">Its length in bytes: of the last of an image perhaps less than of others.</param>
    /// <param name="stored">An array that takes what is stored.</param>
    /// <param name="at">Where, with room for <see cref="LongestStored"/> bytes.</param>
    /// <returns>The bytes that are stored, and whether they are a zlib stream.</returns>
    internal (int Length, bool IsCompressed) Encode(byte[] content, int start, int length, byte[] stored, int at)
    {
        ReadOnlySpan<byte> chunk = content.AsSpan(start, length);
        if (compression != Compression.None)
        {
            if (length == chunkLength && !chunk.ContainsAnyExcept((byte)0))
            {
                zeros.CopyTo(stored.AsSpan(at));
                return (zeros.Length, true);
            }

            if ((compression == Compression.Best || !LooksLikeNoise(chunk)) && Deflate(content, start, length, stored, at) is > 0 and var deflated)
                return (deflated, true);
        }

        chunk.CopyTo(stored.AsSpan(at));
        BinaryPrimitives.WriteUInt32LittleEndian(stored.AsSpan(at + length), Adler32.Compute(chunk));
        return (length + EwfFormat.ChecksumLength, false);
    }

    /// <summary>The length of the zlib stream; 0 where it would not be shorter than the chunk.</summary>
    private int Deflate(byte[] content, int start, int length, byte[] stored, int at)
    {
        using var target = new BoundedStream(stored, at, length - 1);
        using (var deflate = new ZLibStream(target, compression == Compression.Best ? CompressionLevel.SmallestSize : CompressionLevel.Fastest, leaveOpen: true))
            deflate.Write(content, start, length);
        return target.IsFull ? 0 : (int)target.Position;
    }

    private static bool LooksLikeNoise(ReadOnlySpan<byte> chunk)
    {
        if (chunk.Length < SampleLength)
            return false;
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        const int Part = SampleLength / SamplePlaces;
        for (int place = 0; place < SamplePlaces; place++)
        {
            foreach (byte value in chunk.Slice(place * (chunk.Length - Part) / (SamplePlaces - 1), Part))
                counts[value]++;
        }

        const double Expected = SampleLength / 256.0;
        double sum = 0;
        foreach (int count in counts)
            sum += (count - Expected) * (count - Expected) / Expected;
        return sum < LargestNoise;
    }

    /// <summary>A part of an array, to write to. What does not fit is dropped, and remembered.</summary>
    private sealed class BoundedStream(byte[] array, int start, int length) : Stream
    {
        private int written;

        internal bool IsFull { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => written;

        public override long Position { get => written; set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (IsFull || buffer.Length > length - written)
            {
                IsFull = true;
                return;
            }

            buffer.CopyTo(array.AsSpan(start + written));
            written += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
            // Nothing is held back.
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
