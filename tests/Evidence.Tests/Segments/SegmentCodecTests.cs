using System.IO.Compression;
using Evidence.Segments;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Segments;

public sealed class SegmentCodecTests
{
    public static TheoryData<Compression> Levels => [.. Enum.GetValues<Compression>()];

    public static TheoryData<Codec> Codecs => [.. Enum.GetValues<Codec>(), (Codec)3, (Codec)(-1)];

    [Theory]
    [MemberData(nameof(Levels))]
    public void Content_round_trips(Compression level) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(TestBytes.Disks(300_000).Where(c => c.Length > 0).ToArbitrary(), content =>
        {
            var scratch = new byte[content.Length];
            Codec codec = SegmentCodec.Compress(content, level, scratch, out int written);
            byte[] stored = codec == Codec.Stored ? content : scratch[..written];
            var expanded = new byte[content.Length];
            return written <= content.Length && (codec == Codec.Stored) == (written == content.Length) &&
                SegmentCodec.TryExpand(codec, stored, expanded) && expanded.AsSpan().SequenceEqual(content);
        }));

    [Theory]
    [MemberData(nameof(Levels))]
    public void What_does_not_shrink_is_stored(Compression level)
    {
        foreach (int length in (int[])[1, 2, 3, 16, 511, 4096, 65536])
        {
            Assert.Equal(Codec.Stored, SegmentCodec.Compress(TestBytes.Random(length, length), level, new byte[length], out int written));
            Assert.Equal(length, written);
        }
    }

    [Fact]
    public void Text_shrinks_unless_that_was_not_asked_for()
    {
        byte[] text = TestBytes.Text(65536, 1);
        Assert.Equal(Codec.Stored, SegmentCodec.Compress(text, Compression.None, new byte[text.Length], out _));
        Assert.Equal(Codec.Brotli, SegmentCodec.Compress(text, Compression.Fast, new byte[text.Length], out int fast));
        Assert.Equal(Codec.Brotli, SegmentCodec.Compress(text, Compression.Best, new byte[text.Length], out int best));
        Assert.True(best < fast && fast < text.Length / 2, $"best {best}, fast {fast}");
    }

    [Fact]
    public void A_deflate_stream_is_read()
    {
        byte[] text = TestBytes.Text(100_000, 2);
        using var stream = new MemoryStream();
        using (var deflate = new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(text);
        var expanded = new byte[text.Length];
        Assert.True(SegmentCodec.TryExpand(Codec.Deflate, stream.ToArray(), expanded));
        Assert.Equal(text, expanded);
        Assert.False(SegmentCodec.TryExpand(Codec.Deflate, stream.ToArray(), new byte[text.Length - 1]));
        Assert.False(SegmentCodec.TryExpand(Codec.Deflate, stream.ToArray(), new byte[text.Length + 1]));
        Assert.False(SegmentCodec.TryExpand(Codec.Deflate, stream.ToArray().AsSpan(0, (int)stream.Length / 2), new byte[text.Length]));
    }

    /// <summary>Not so for DEFLATE: the framework's decoder does not tell where its stream ended. Only the record's checksum covers what follows.</summary>
    [Theory]
    [InlineData(Codec.Stored)]
    [InlineData(Codec.Brotli)]
    public void A_stream_that_ends_before_the_stored_bytes_do_is_refused(Codec codec)
    {
        byte[] text = TestBytes.Text(10_000, 3);
        byte[] stored = Encode(codec, text);
        Assert.True(SegmentCodec.TryExpand(codec, stored, new byte[text.Length]));
        Assert.False(SegmentCodec.TryExpand(codec, [.. stored, 0], new byte[text.Length]));
        Assert.False(SegmentCodec.TryExpand(codec, stored.AsSpan(0, stored.Length - 1), new byte[text.Length]));
    }

    [Theory]
    [MemberData(nameof(Codecs))]
    public void No_bytes_are_no_stream(Codec codec) => Assert.False(SegmentCodec.TryExpand(codec, [], new byte[1]));

    [Theory]
    [MemberData(nameof(Codecs))]
    public void Garbage_is_refused_and_never_throws(Codec codec)
    {
        for (int seed = 0; seed < 500; seed++)
        {
            byte[] garbage = TestBytes.Random(seed, seed);
            var content = new byte[1 + (seed * 3)];
            Assert.False(SegmentCodec.TryExpand(codec, garbage, content) && codec != Codec.Stored && garbage.Length > 20);
        }
    }

    [Theory]
    [InlineData(Codec.Deflate)]
    [InlineData(Codec.Brotli)]
    public void A_damaged_stream_never_throws(Codec codec)
    {
        byte[] text = TestBytes.Text(2000, 4);
        byte[] stored = Encode(codec, text);
        for (int i = 0; i < stored.Length * 8; i++)
        {
            byte[] damaged = [.. stored];
            damaged[i / 8] ^= (byte)(1 << (i % 8));
            _ = SegmentCodec.TryExpand(codec, damaged, new byte[text.Length]);
        }
    }

    private static byte[] Encode(Codec codec, byte[] content)
    {
        using var stream = new MemoryStream();
        using (Stream encoder = codec switch
        {
            Codec.Deflate => new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true),
            Codec.Brotli => new BrotliStream(stream, CompressionLevel.Optimal, leaveOpen: true),
            _ => new BufferedStream(stream),
        })
        {
            encoder.Write(content);
            encoder.Flush();
            return codec == Codec.Stored ? stream.ToArray() : Finish(encoder, stream);
        }
    }

    private static byte[] Finish(Stream encoder, MemoryStream stream)
    {
        encoder.Dispose();
        return stream.ToArray();
    }
}
