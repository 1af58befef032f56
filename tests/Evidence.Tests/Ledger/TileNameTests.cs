using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class TileNameTests
{
    [Theory]
    [InlineData(0, 0, 256, "tile/0/000")]
    [InlineData(0, 273, 112, "tile/0/273.p/112")]
    [InlineData(0, 1_234_067, 256, "tile/0/x001/x234/067")]
    [InlineData(63, 1_000, 1, "tile/63/x001/000.p/1")]
    [InlineData(TileName.Entries, 999, 255, "tile/entries/999.p/255")]
    public void Places_have_the_names_of_tlog_tiles(int level, long index, int width, string name)
    {
        var tile = new TileName(level, index, width);
        Assert.Equal(name, tile.ToString());
        Assert.True(TileName.TryParse(name, out TileName? parsed));
        Assert.Equal(tile, parsed);
    }

    [Theory]
    [InlineData("tile/0")]
    [InlineData("tile/0/0")]
    [InlineData("tile/0/x000/001")]
    [InlineData("tile/0/001/002")]
    [InlineData("tile/00/001")]
    [InlineData("tile/64/001")]
    [InlineData("tile/-1/001")]
    [InlineData("tile/0/001.p/256")]
    [InlineData("tile/0/001.p/0")]
    [InlineData("tile/0/001.p/01")]
    [InlineData("tile/0/001.p")]
    [InlineData("tile/.p/5")]
    [InlineData("tile/0/x999/x999/x999/x999/x999/x999/999")]
    [InlineData("tile/0/001.p/5.tmp")]
    [InlineData("tile//001")]
    [InlineData("tile/entries/+01")]
    public void Other_names_are_no_tiles(string name) => Assert.False(TileName.TryParse(name, out _));

    [Theory]
    [InlineData(0, 273, 112)]
    [InlineData(0, 272, 256)]
    [InlineData(1, 0, 256)]
    [InlineData(1, 1, 17)]
    [InlineData(2, 0, 1)]
    [InlineData(3, 0, 0)]
    [InlineData(63, 0, 0)]
    public void Seventy_thousand_entries_have_tiles_of_these_widths(int level, long index, int width) =>
        Assert.Equal(width, TileName.At(level, index, 70_000).Width);
}
