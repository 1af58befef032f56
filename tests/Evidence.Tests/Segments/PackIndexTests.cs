using Evidence.Hashing;
using Evidence.Segments;
using Xunit;

namespace Evidence.Tests.Segments;

public sealed class PackIndexTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(500)]
    public void Entries_come_back_sorted(int count)
    {
        (List<PackEntry> entries, long end) = Entries(count);
        byte[] bytes = PackIndex.Encode([.. entries]);
        Assert.Equal(count * 72, bytes.Length);
        Assert.Equal(entries.OrderBy(e => e.Header.Id), PackIndex.Decode(bytes, end));
    }

    [Fact]
    public void Every_changed_bit_is_refused_or_changes_an_entry()
    {
        (List<PackEntry> entries, long end) = Entries(5);
        byte[] bytes = PackIndex.Encode([.. entries]);
        PackEntry[] right = PackIndex.Decode(bytes, end);
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] damaged = [.. bytes];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            try
            {
                Assert.NotEqual(right, PackIndex.Decode(damaged, end));
            }
            catch (FormatException)
            {
                // Refused: as good.
            }
        }
    }

    [Fact]
    public void A_gap_an_overlap_or_another_end_is_refused()
    {
        (List<PackEntry> entries, long end) = Entries(5);
        Assert.Throws<FormatException>(() => PackIndex.Decode(PackIndex.Encode([.. entries]), end + 1));
        Assert.Throws<FormatException>(() => PackIndex.Decode(PackIndex.Encode([.. entries]), end - 1));
        Assert.Throws<FormatException>(() => PackIndex.Decode(PackIndex.Encode([.. entries.Where((_, i) => i != 2)]), end));
        foreach (long offset in (long[])[entries[2].Offset + 1, entries[2].Offset - 1, entries[1].Offset, 0, -1, long.MinValue, long.MaxValue])
        {
            List<PackEntry> wrong = [.. entries];
            wrong[2] = wrong[2] with { Offset = offset };
            Assert.Throws<FormatException>(() => PackIndex.Decode(PackIndex.Encode(wrong), end));
        }
    }

    [Fact]
    public void An_id_twice_or_out_of_order_is_refused()
    {
        (List<PackEntry> entries, long end) = Entries(2);
        byte[] bytes = PackIndex.Encode(entries);
        Assert.Throws<FormatException>(() => PackIndex.Decode([.. bytes[72..], .. bytes[..72]], end));
        List<PackEntry> twice = [entries[0], entries[1] with { Header = entries[1].Header with { Id = entries[0].Header.Id } }];
        Assert.Throws<FormatException>(() => PackIndex.Decode(PackIndex.Encode(twice), end));
    }

    private static (List<PackEntry> Entries, long End) Entries(int count)
    {
        var entries = new List<PackEntry>();
        long offset = PackFormat.HeaderSize;
        for (int i = 0; i < count; i++)
        {
            byte[] content = TestBytes.Random(1 + (i * 13), i);
            entries.Add(new PackEntry(RecordHeader.For(Sha256Digest.Compute(content), Codec.Stored, content, content.Length), offset));
            offset += PackFormat.RecordHeaderSize + content.Length;
        }

        return (entries, offset);
    }
}
