using Evidence.Sources.Ewf;
using Xunit;

namespace Evidence.Tests.Sources.Ewf;

public sealed class EwfSegmentNameTests
{
    [Theory]
    [InlineData(1, "E01")]
    [InlineData(99, "E99")]
    [InlineData(100, "EAA")]
    [InlineData(125, "EAZ")]
    [InlineData(126, "EBA")]
    [InlineData(775, "EZZ")]
    [InlineData(776, "FAA")]
    [InlineData(14_971, "ZZZ")]
    public void Names_go_on_past_99_as_the_field_has_them(int number, string extension)
    {
        using var folder = new TemporaryFolder();
        string stem = Path.Combine(folder.Path, "disk.");
        File.WriteAllBytes(stem + "E01", []);
        EwfSegmentName name = EwfSegmentName.TryParse(stem + "E01", out _)!.Value;
        Assert.Equal(stem + extension, name.PathOf(number));
        Assert.Equal(14_971, name.Last);
        Assert.Equal(name, EwfSegmentName.TryParse(stem + extension, out int read));
        Assert.Equal(number, read);
    }

    [Theory]
    [InlineData("disk.e01", 1, "disk.eaa")]
    [InlineData("disk.s01", 1, "disk.saa")]
    [InlineData("disk.e99", 99, "disk.eaa")]
    public void Small_letters_stay_small(string path, int number, string hundredth)
    {
        EwfSegmentName name = EwfSegmentName.TryParse(path, out int read)!.Value;
        Assert.Equal(number, read);
        Assert.Equal(hundredth, name.PathOf(100));
    }

    [Theory]
    [InlineData("disk.E00")]
    [InlineData("disk.EA1")]
    [InlineData("disk.E1A")]
    [InlineData("disk.Eaa")]
    [InlineData("disk.E001")]
    [InlineData("disk.img")]
    [InlineData("disk.DAA")]
    [InlineData("disk.F01")]
    [InlineData("disk")]
    public void Other_names_are_none(string path) =>
        Assert.Null(EwfSegmentName.TryParse(path, out _));

    [Fact]
    public void Past_the_last_name_there_is_none()
    {
        EwfSegmentName name = EwfSegmentName.TryParse("disk.E01", out _)!.Value;
        Assert.Throws<ArgumentOutOfRangeException>(() => name.PathOf(14_972));
        Assert.Throws<ArgumentOutOfRangeException>(() => name.PathOf(0));
    }
}
