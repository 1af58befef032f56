using Evidence.Segments;
using Xunit;

namespace Evidence.Tests.Segments;

public sealed class SegmentParametersTests
{
    [Theory]
    [InlineData(4 << 10, 3)]
    [InlineData(64 << 10, 63)]
    [InlineData(1 << 20, 1023)]
    public void The_limits_follow_from_the_average(int average, int mask)
    {
        var parameters = SegmentParameters.ForAverage(average);
        Assert.Equal(average / 4, parameters.MinimumLength);
        Assert.Equal(average * 4, parameters.MaximumLength);
        Assert.Equal((ulong)mask, parameters.CutMask);
        Assert.True(parameters.MaximumLength <= PackFormat.LargestContent);
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(-4096)]
    [InlineData(0)]
    [InlineData(2048)]
    [InlineData(65535)]
    [InlineData(65537)]
    [InlineData(2 << 20)]
    [InlineData((1L << 32) + 65536)]
    public void Any_other_average_is_a_mistake_of_the_caller(long average) =>
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => SegmentParameters.ForAverage(average)).Code);
}
