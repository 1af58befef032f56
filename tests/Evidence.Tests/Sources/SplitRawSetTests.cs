using Evidence.Sources;
using Xunit;

namespace Evidence.Tests.Sources;

public sealed class SplitRawSetTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public static TheoryData<int> Lengths => SourceAssert.Lengths;

    public void Dispose() => directory.Dispose();

    [Theory]
    [MemberData(nameof(Lengths))]
    [Trait("Requirement", "ACQ-1")]
    public void Reads_across_the_boundaries_of_parts(int partLength)
    {
        byte[] content = TemporaryDirectory.Content(4 * partLength);
        string first = Split("disk", "D3", 1, content, Math.Max(partLength, 1), partLength == 0 ? 1 : 4);
        using Source source = Source.Open(first);
        Assert.IsType<SplitRawSet>(source);
        SourceAssert.Reads(content, source);
        SourceAssert.Tile(source);
        source.EnsureUnchanged();
    }

    [Theory]
    [InlineData("D3", 0, "disk.000")]
    [InlineData("D3", 1, "disk.001")]
    [InlineData("D3", 1, "disk.003")]
    [InlineData("D2", 1, "disk.01")]
    [InlineData("D4", 0, "disk.0002")]
    public void Opens_by_any_part_in_every_numbering(string format, int start, string named)
    {
        byte[] content = TemporaryDirectory.Content(2_500);
        string first = Split("disk", format, start, content, 1_000, 3);
        directory.Write("disk.txt", [1]);
        directory.Write("other.004", [1]);
        directory.Write("disk.00001", [1]);
        using Source source = Source.Open(directory.At(named));
        SourceAssert.Reads(content, source);
        Assert.Equal(SourceKind.SplitFiles, source.Identity.Kind);
        Assert.Equal(first, source.Identity.Name);
        Assert.Equal([1_000, 1_000, 500], source.Identity.Parts.Select(part => part.Length));
        Assert.False(source.Identity.HasUnequalParts);
    }

    [Fact]
    public void Numbers_grow_wider_past_the_last_of_their_width()
    {
        byte[] content = TemporaryDirectory.Content(120);
        using Source source = Source.Open(Split("disk", "D2", 1, content, 1, 120));
        SourceAssert.Reads(content, source);
        Assert.EndsWith(".120", source.Identity.Parts[^1].Path, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("disk.001", "disk.003", "disk.002")]
    [InlineData("disk.002", "disk.003", "disk.001")]
    [InlineData("disk.003", "disk.003", "disk.001")]
    public void A_missing_part_is_named(string present, string named, string missing)
    {
        directory.Write(present, new byte[10]);
        directory.Write("disk.003", new byte[10]);
        EvidenceException error = Assert.Throws<EvidenceException>(() => Source.Open(directory.At(named)));
        Assert.Equal(ErrorCode.SourceUnsupported, error.Code);
        Assert.Contains("lacks its part " + directory.At(missing), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_part_is_named()
    {
        directory.Write("disk.001", new byte[10]);
        string empty = directory.Write("disk.002", []);
        EvidenceException error = Assert.Throws<EvidenceException>(() => Source.Open(directory.At("disk.001")));
        Assert.Equal(ErrorCode.SourceUnsupported, error.Code);
        Assert.Contains(empty, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_of_unequal_length_are_read_and_recorded()
    {
        directory.Write("disk.001", TemporaryDirectory.Content(10));
        directory.Write("disk.002", TemporaryDirectory.Content(7));
        directory.Write("disk.003", TemporaryDirectory.Content(10));
        using Source source = Source.Open(directory.At("disk.001"));
        SourceAssert.Reads(
            [.. TemporaryDirectory.Content(10), .. TemporaryDirectory.Content(7), .. TemporaryDirectory.Content(10)], source);
        Assert.True(source.Identity.HasUnequalParts);
    }

    [Fact]
    public void Extents_of_neighbouring_parts_are_joined()
    {
        const int Unit = 1 << 20;
        for (int i = 1; i <= 3; i++)
        {
            using var file = new FileStream(directory.At($"disk.00{i}"), FileMode.CreateNew);
            file.SetLength(2 * Unit);
            file.Position = i == 1 ? Unit : 0;
            if (i < 3)
                file.Write(TemporaryDirectory.Content(Unit));
        }

        using Source source = Source.Open(directory.At("disk.001"));
        IReadOnlyList<SourceExtent> extents = SourceAssert.Tile(source);
        Assert.SkipWhen(extents is [{ Kind: SourceExtentKind.Data }], "The file system of the temporary directory keeps no holes.");
        Assert.Equal(
            [
                new(0, Unit, SourceExtentKind.Hole),
                new(Unit, 2 * Unit, SourceExtentKind.Data),
                new(3 * Unit, 3 * Unit, SourceExtentKind.Hole),
            ],
            extents);
    }

    [Fact]
    public void A_year_in_a_name_makes_no_part_and_the_caller_may_insist_on_one_file()
    {
        using (Source source = Source.Open(directory.Write("backup.2024", new byte[3])))
            Assert.IsType<RawFile>(source);
        using (Source source = Source.Open(directory.Write("disk.007", new byte[3]), new SourceOptions { SingleFile = true }))
            Assert.IsType<RawFile>(source);
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public void A_part_cut_short_while_open_is_a_changed_source()
    {
        string first = Split("disk", "D3", 1, TemporaryDirectory.Content(3_000), 1_000, 3);
        using Source source = Source.Open(first);
        using (var writer = new FileStream(directory.At("disk.002"), FileMode.Open))
            writer.SetLength(10);
        SourceChangedException error = Assert.Throws<SourceChangedException>(() => source.Read(0, new byte[3_000]));
        Assert.Equal(directory.At("disk.002"), error.SourceName);
        Assert.Throws<SourceChangedException>(source.EnsureUnchanged);
    }

    private string Split(string name, string format, int start, byte[] content, int partLength, int parts)
    {
        string PathOf(int part) => directory.At($"{name}.{(start + part).ToString(format, null)}");
        for (int part = 0; part < parts; part++)
            File.WriteAllBytes(PathOf(part), content[Math.Min(part * partLength, content.Length)..Math.Min((part + 1) * partLength, content.Length)]);
        return PathOf(0);
    }
}
