using Evidence.Cli;
using Xunit;

namespace Evidence.Tests.Cli;

public sealed class UnitsTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1", 1)]
    [InlineData("007", 7)]
    [InlineData("64KiB", 65536)]
    [InlineData("1MiB", 1048576)]
    [InlineData("3GiB", 3221225472)]
    [InlineData("2TiB", 2199023255552)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("9007199254740991KiB", 9223372036854774784)]
    public void A_size_is_read(string text, long bytes)
    {
        Assert.True(Units.TryParseSize(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("KiB")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData(" 1")]
    [InlineData("1 KiB")]
    [InlineData("1.5MiB")]
    [InlineData("1,000")]
    [InlineData("1KB")]
    [InlineData("1kib")]
    [InlineData("1KiBMiB")]
    [InlineData("0x10")]
    [InlineData("9223372036854775808")]
    [InlineData("9007199254740992KiB")]
    [InlineData("8388608TiB")]
    public void Anything_else_is_no_size(string text)
    {
        Assert.False(Units.TryParseSize(text, out long bytes));
        Assert.Equal(0, bytes);
    }

    [Theory]
    [InlineData("200MB", 200_000_000)]
    [InlineData("2TB", 2_000_000_000_000)]
    [InlineData("9223372TB", 9_223_372_000_000_000_000)]
    [InlineData("128MiB", 134217728)]
    [InlineData("512", 512)]
    public void The_size_of_a_disk_is_read(string text, long bytes)
    {
        Assert.True(Units.TryParseDiskSize(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MB")]
    [InlineData("-1MB")]
    [InlineData("1.5TB")]
    [InlineData("1KB")]
    [InlineData("9223373TB")]
    public void Anything_else_is_no_size_of_a_disk(string text)
    {
        Assert.False(Units.TryParseDiskSize(text, out long bytes));
        Assert.Equal(0, bytes);
    }

    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(1023, "1023 bytes")]
    [InlineData(1024, "1.0 KiB (1,024 bytes)")]
    [InlineData(1536, "1.5 KiB (1,536 bytes)")]
    [InlineData(5368709120, "5.0 GiB (5,368,709,120 bytes)")]
    [InlineData(long.MaxValue, "8388608.0 TiB (9,223,372,036,854,775,807 bytes)")]
    public void A_size_is_written(long bytes, string text) => Assert.Equal(text, Units.Exact(bytes));

    [Fact]
    public void A_rate_needs_time_to_have_passed()
    {
        Assert.Equal("", Units.Rate(1000, TimeSpan.Zero));
        Assert.Equal("1.0 MiB/s", Units.Rate(2 << 20, TimeSpan.FromSeconds(2)));
    }
}
