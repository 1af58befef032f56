using Evidence.Hashing;
using Evidence.Segments;
using Xunit;

namespace Evidence.Tests.Segments;

public sealed class PackFormatTests
{
    private static readonly Sha256Digest Name = Sha256Digest.Compute("name"u8);

    [Fact]
    public void A_header_has_one_form_and_every_other_bit_is_refused()
    {
        byte[] header = PackFormat.EncodeHeader();
        Assert.Equal(64, header.Length);
        PackFormat.CheckHeader(header);
        for (int bit = 0; bit < header.Length * 8; bit++)
            Assert.Throws<FormatException>(() => PackFormat.CheckHeader(Flip(header, bit)));
    }

    [Fact]
    public void A_newer_header_says_so()
    {
        byte[] header = PackFormat.EncodeHeader();
        header[8] = 2;
        System.IO.Hashing.XxHash128.Hash(header.AsSpan(0, 48), header.AsSpan(48));
        Assert.Contains("newer", Assert.Throws<FormatException>(() => PackFormat.CheckHeader(header)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_footer_round_trips_and_no_changed_bit_gives_the_same()
    {
        long length = 1000 + (3 * 72) + 64;
        byte[] footer = PackFormat.EncodeFooter(1000, 3, Name);
        Assert.Equal((1000, 3, Name), PackFormat.DecodeFooter(footer, length));
        for (int bit = 0; bit < footer.Length * 8; bit++)
        {
            byte[] damaged = Flip(footer, bit);
            // Only the name can be another one; that the index does not hash to it is for the reader to find.
            if (bit / 8 is >= 16 and < 48)
                Assert.NotEqual(Name, PackFormat.DecodeFooter(damaged, length).Name);
            else
                Assert.Throws<FormatException>(() => PackFormat.DecodeFooter(damaged, length));
        }
    }

    [Theory]
    [InlineData(long.MaxValue, 1)]
    [InlineData(long.MinValue, 1)]
    [InlineData(-72, 2)]
    [InlineData(0, 0)]
    [InlineData(0, -1)]
    [InlineData(0, int.MinValue)]
    [InlineData(0, int.MaxValue)]
    public void A_footer_that_names_what_no_file_holds_is_refused(long indexOffset, int count) =>
        Assert.Throws<FormatException>(() => PackFormat.DecodeFooter(PackFormat.EncodeFooter(indexOffset, count, Name), 136));

    [Fact]
    public void A_record_header_round_trips_and_its_checksum_covers_every_bit()
    {
        byte[] stored = TestBytes.Random(100, 1);
        var header = RecordHeader.For(Name, Codec.Brotli, stored, 500);
        var bytes = new byte[PackFormat.RecordHeaderSize];
        header.Encode(bytes);
        Assert.Equal(header, RecordHeader.Decode(bytes));
        Assert.Equal(header.Checksum, header.ComputeChecksum(stored));
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            try
            {
                RecordHeader damaged = RecordHeader.Decode(Flip(bytes, bit));
                Assert.NotEqual(damaged.Checksum, damaged.ComputeChecksum(stored));
                Assert.InRange(damaged.ContentLength, 1, PackFormat.LargestContent);
                Assert.InRange(damaged.StoredLength, 1, PackFormat.LargestContent);
            }
            catch (FormatException)
            {
                // Refused: as good.
            }
        }

        for (int bit = 0; bit < stored.Length * 8; bit++)
            Assert.NotEqual(header.Checksum, header.ComputeChecksum(Flip(stored, bit)));
    }

    [Theory]
    [InlineData(0, 10, 11)] // stored, with two lengths
    [InlineData(1, 10, 10)] // compressed, and not shorter
    [InlineData(2, 11, 10)]
    [InlineData(3, 5, 10)] // reserved
    [InlineData(4, 5, 10)]
    [InlineData(-1, 5, 10)]
    [InlineData(0, 0, 0)]
    [InlineData(2, 0, 10)]
    [InlineData(2, -1, 10)]
    [InlineData(2, 10, -1)]
    [InlineData(0, (16 << 20) + 1, (16 << 20) + 1)]
    public void A_record_header_that_no_writer_makes_is_refused(int codec, int stored, int content)
    {
        var bytes = new byte[PackFormat.RecordHeaderSize];
        new RecordHeader(Name, (Codec)codec, stored, content, 0).Encode(bytes);
        Assert.Throws<FormatException>(() => RecordHeader.Decode(bytes));
    }

    private static byte[] Flip(byte[] bytes, int bit)
    {
        byte[] damaged = [.. bytes];
        damaged[bit / 8] ^= (byte)(1 << (bit % 8));
        return damaged;
    }

    [Fact]
    public void A_footer_that_claims_more_records_than_fit_before_the_index_is_refused()
    {
        byte[] footer = PackFormat.EncodeFooter(64, 29_000_000, default);
        Assert.Throws<FormatException>(() => PackFormat.DecodeFooter(footer, 64 + (29_000_000L * PackFormat.IndexEntrySize) + PackFormat.FooterSize));
        footer = PackFormat.EncodeFooter(64 + 65, 1, default);
        Assert.Equal(1, PackFormat.DecodeFooter(footer, 64 + 65 + PackFormat.IndexEntrySize + PackFormat.FooterSize).Count);
    }
}
