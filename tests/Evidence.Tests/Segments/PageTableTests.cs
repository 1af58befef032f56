using Evidence.Hashing;
using Evidence.Segments;
using Xunit;

namespace Evidence.Tests.Segments;

public sealed class PageTableTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(1023)]
    [InlineData(1024)]
    public void Entries_round_trip(int count)
    {
        PageEntry[] entries = [.. Enumerable.Range(0, count).Select(i => new PageEntry(Digest(i), Digest(-i)))];
        byte[] bytes = PageTable.Encode(entries);
        Assert.Equal(64 * count, bytes.Length);
        Assert.Equal(entries, PageTable.Decode(bytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(65)]
    [InlineData((1024 * 64) + 64)]
    public void Any_other_length_is_refused(int length) => Assert.Throws<FormatException>(() => PageTable.Decode(new byte[length]));

    private static Sha256Digest Digest(int number) => Sha256Digest.Compute(BitConverter.GetBytes(number));
}
