using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class ReadingAheadTests
{
    private const int Distance = 8 << 20;

    [Theory]
    [InlineData(4096, 1)]
    [InlineData(131_072, 1)]
    [InlineData(131_072, 2)]
    [InlineData(1 << 20, 1)]
    public void Who_reads_on_has_everything_ready_once(int length, int outOfOrder)
    {
        var ahead = new ReadingAhead(Distance);
        long ready = -1;
        for (long at = 0; at < 64 << 20; at += (long)length * outOfOrder)
        {
            // Requests of a kernel come in pairs that are the wrong way round, too.
            for (int part = outOfOrder - 1; part >= 0; part--)
            {
                (long offset, long count) = ahead.Next(at + ((long)part * length), length);
                if (count == 0)
                    continue;
                Assert.True(ready < 0 || offset == ready || at >= ready, $"{offset} after {ready}");
                ready = offset + count;
                Assert.InRange(ready, at, at + ((long)outOfOrder * length) + Distance);
            }
        }

        Assert.InRange(ready, 64 << 20, (64 << 20) + Distance);
    }

    [Fact]
    public void Who_jumps_has_nothing_loaded_for_nothing()
    {
        var ahead = new ReadingAhead(Distance);
        var random = new Random(1);
        long wasted = 0;
        // Everywhere is near something that was read before.
        for (int i = 0; i < 20_000; i++)
            wasted += ahead.Next(random.Next(20 << 20) / 4096 * 4096, 4096).Length;
        Assert.InRange(wasted, 0, 20_000 * 4096L);
    }
}
