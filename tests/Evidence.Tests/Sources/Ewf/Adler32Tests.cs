using System.Buffers.Binary;
using System.IO.Compression;
using Evidence.Sources.Ewf;
using Xunit;

namespace Evidence.Tests.Sources.Ewf;

public sealed class Adler32Tests
{
    /// <summary>The framework's zlib puts the checksum at the end of each stream.</summary>
    [Fact]
    public void It_is_what_zlib_puts_behind_a_stream()
    {
        foreach (int length in (int[])[1, 2, 31, 32, 33, 63, 64, 511, 5535, 5536, 5537, 5552, 11_071, 32_768, 100_003])
        {
            foreach (byte[] bytes in (byte[][])[TestBytes.Random(length, length), [.. Enumerable.Repeat((byte)0xFF, length)], new byte[length]])
            {
                using var stream = new MemoryStream();
                using (var deflate = new ZLibStream(stream, CompressionLevel.Fastest, leaveOpen: true))
                    deflate.Write(bytes);
                Assert.Equal(BinaryPrimitives.ReadUInt32BigEndian(stream.ToArray().AsSpan()[^4..]), Adler32.Compute(bytes));
            }
        }
    }

    [Fact]
    public void Of_nothing_it_is_one() => Assert.Equal(1u, Adler32.Compute([]));
}
