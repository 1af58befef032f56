using Evidence.Rescue;
using Evidence.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>What the page cache costs on a failing disk, and when it is left.</summary>
public sealed class DirectTests
{
    private const int Length = 3 << 20;

    private static readonly long[] Bad = [1001, 4000, 4001, 4007, 5000];

    public DirectTests() => FailingDisk.Require();

    [Fact]
    public void A_file_is_read_through_the_page_cache_until_a_read_fails_and_then_to_the_sector()
    {
        using var disk = new FailingDisk(Length, 512, Bad, isDevice: false);
        using Source source = Source.Open(disk.Node!);
        Assert.Equal((false, Environment.SystemPageSize), (source.IsDirect, source.ErrorGranularity));
        Assert.Equal(disk.Truth.Ranges, Rescue(source, disk).Ranges);
        Assert.Equal((true, 512), (source.IsDirect, source.ErrorGranularity));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Through_the_page_cache_alone_a_bad_sector_costs_its_page(bool isDevice)
    {
        using var disk = new FailingDisk(Length, 512, Bad, isDevice);
        using Source source = Source.Open(disk.Node!, new SourceOptions { DirectIO = false });
        RescueMap map = Rescue(source, disk);
        Assert.False(source.IsDirect);
        var pages = new RescueMap(Length);
        pages.Set(0, Length, RescueStatus.Finished);
        int page = Environment.SystemPageSize;
        foreach (long sector in Bad)
            pages.Set(sector * 512 / page * page, page, RescueStatus.BadSector);
        Assert.Equal(pages.Ranges, map.Ranges);
    }

    [Fact]
    public void A_device_is_read_directly_from_the_beginning()
    {
        using var disk = new FailingDisk(Length, 512, Bad, isDevice: true);
        using Source source = Source.Open(disk.Node!);
        Assert.Equal((true, 512), (source.IsDirect, source.ErrorGranularity));
        Assert.InRange(source.PreferredReadSize, 64 << 10, 1 << 20);
        Assert.Equal(disk.Truth.Ranges, Rescue(source, disk).Ranges);
    }

    private static RescueMap Rescue(Source source, FailingDisk disk)
    {
        using var sink = new ImageSink(Length);
        var map = new RescueMap(Length);
        var rescuer = new Rescuer(source, map);
        rescuer.CopyForward(0, Length, sink, CancellationToken.None);
        rescuer.Recover(sink, CancellationToken.None);
        foreach (RescueRange range in map.Ranges.Where(r => r.Status == RescueStatus.Finished))
        {
            Assert.True(disk.Content.AsSpan((int)range.Offset, (int)range.Length).SequenceEqual(
                sink.Image.AsSpan((int)range.Offset, (int)range.Length)));
        }

        return map;
    }
}
