using System.IO.Compression;

namespace Evidence.Segments;

/// <summary>Compresses and expands the bytes of one record. The roster of codecs is <see cref="Codec"/>.</summary>
internal static class SegmentCodec
{
    /// <summary>Compresses content into a destination of at least its length.</summary>
    /// <param name="content">What to store.</param>
    /// <param name="compression">How hard to try.</param>
    /// <param name="destination">Receives the stored bytes; left alone for <see cref="Codec.Stored"/>.</param>
    /// <param name="written">The length of the stored bytes.</param>
    /// <returns>What the stored bytes are. What does not shrink is <see cref="Codec.Stored"/>: then they are the content itself.</returns>
    internal static Codec Compress(ReadOnlySpan<byte> content, Compression compression, Span<byte> destination, out int written)
    {
        if (compression != Compression.None && !LooksRandom(content))
        {
            int quality = compression == Compression.Fast ? 1 : 5;
            // RFC 7932, section 9.1: a window of 2^18 spans a segment of the default parameters, and costs less memory than larger ones.
            int window = content.Length <= 1 << 18 ? 18 : 22;
            if (BrotliEncoder.TryCompress(content, destination[..content.Length], out written, quality, window) && written < content.Length)
                return Codec.Brotli;
        }

        written = content.Length;
        return Codec.Stored;
    }

    /// <summary>
    /// Whether a sample of the content has its bytes spread as evenly as chance would: what is encrypted or compressed already. Trying to shrink that
    /// costs as much as shrinking text, and gains nothing.
    /// </summary>
    private static bool LooksRandom(ReadOnlySpan<byte> content)
    {
        const int Chunk = 64;
        const int Chunks = 64;
        const int Samples = Chunk * Chunks;
        if (content.Length < 2 * Samples)
            return false;
        Span<int> counts = stackalloc int[256];
        counts.Clear();
        int stride = content.Length / Chunks;
        for (int start = 0; start < Chunks; start++)
        {
            foreach (byte value in content.Slice(start * stride, Chunk))
                counts[value]++;
        }

        long squares = 0;
        foreach (int count in counts)
            squares += (long)count * count;
        // Evenly spread, the sum of squares is n + n(n-1)/256, with a deviation of about 0.5%: a thirty-second above it is six deviations. Text and programs are far beyond.
        const long Expected = Samples + ((long)Samples * (Samples - 1) / 256);
        return squares < Expected + (Expected / 32);
    }

    /// <summary>Expands stored bytes to a content of a known length.</summary>
    /// <returns>False where they are not a stream of that codec that ends with them and gives exactly the content's length.</returns>
    internal static bool TryExpand(Codec codec, ReadOnlySpan<byte> stored, Span<byte> content)
    {
        switch (codec)
        {
            case Codec.Stored:
                if (stored.Length != content.Length)
                    return false;
                stored.CopyTo(content);
                return true;
            case Codec.Brotli:
                using (var decoder = new BrotliDecoder())
                {
                    return decoder.Decompress(stored, content, out int consumed, out int written) == System.Buffers.OperationStatus.Done &&
                        consumed == stored.Length && written == content.Length;
                }

            case Codec.Deflate:
                return TryInflate(stored, content);
            default:
                return false;
        }
    }

    private static unsafe bool TryInflate(ReadOnlySpan<byte> stored, Span<byte> content)
    {
        if (stored.IsEmpty)
            return false;
        fixed (byte* start = stored)
        {
            using var bytes = new UnmanagedMemoryStream(start, stored.Length);
            using var inflate = new DeflateStream(bytes, CompressionMode.Decompress);
            try
            {
                return inflate.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) == content.Length && inflate.ReadByte() < 0;
            }
            catch (InvalidDataException)
            {
                // Not a DEFLATE stream: the answer is in the return value.
                return false;
            }
        }
    }
}
