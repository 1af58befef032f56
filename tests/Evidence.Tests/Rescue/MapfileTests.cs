using Evidence.Rescue;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Rescue;

public sealed class MapfileTests
{
    /// <summary>The example of ddrescue's manual, "Mapfile structure".</summary>
    private const string Example = """
        # Mapfile. Created by GNU ddrescue version 1.27
        # Command line: ddrescue -d -c18 /dev/fd0 fdimage mapfile
        # current_pos  current_status  current_pass
        0x00120000     ?               1
        #      pos        size  status
        0x00000000  0x00117000  +
        0x00117000  0x00000200  -
        0x00117200  0x00001000  /
        0x00118200  0x00007E00  *
        0x00120000  0x00048000  ?
        """;

    [Fact]
    public void The_example_of_the_manual_is_read_and_written()
    {
        RescueMap map = Read(Example);
        Assert.Equal(
            [
                new(0, 0x117000, RescueStatus.Finished),
                new(0x117000, 0x200, RescueStatus.BadSector),
                new(0x117200, 0x1000, RescueStatus.NonScraped),
                new(0x118200, 0x7E00, RescueStatus.NonTrimmed),
                new(0x120000, 0x48000, RescueStatus.NonTried),
            ],
            map.Ranges);
        string[] written = Write(map, "anything").Split('\n');
        Assert.Equal(string.Join('\n', Example.Split('\n')[2..]), string.Join('\n', written[2..^1]));
    }

    [Fact]
    public void What_is_written_is_read_as_the_same()
    {
        Gen<RescueMap> maps =
            from sets in Gen.Choose(0, 1 << 30).Zip(Gen.Choose(1, 1 << 30)).Zip(Gen.Elements(Enum.GetValues<RescueStatus>())).ListOf()
            from huge in Gen.Elements(0L, 1L << 50)
            select Make(sets.Select(s => (s.Item1.Item1, s.Item1.Item2, s.Item2)), (1L << 31) + huge);
        Prop.ForAll(maps.ToArbitrary(), map =>
        {
            string text = Write(map, "a comment", "two\nlines");
            Assert.Equal(map.Ranges, Read(text).Ranges);
            Assert.DoesNotContain('\r', text);
        }).QuickCheckThrowOnFailure();
        Assert.Equal(0, Read(Write(new RescueMap(0))).Length);
    }

    [Theory]
    [InlineData("?", '?')]
    [InlineData("+?", '?')]
    [InlineData("+*/-", '*')]
    [InlineData("+/-+", '/')]
    [InlineData("+-+", '+')]
    [InlineData("+", '+')]
    public void The_status_line_says_what_is_to_be_done_next(string statuses, char current)
    {
        var map = new RescueMap(statuses.Length * 0x200);
        for (int i = 0; i < statuses.Length; i++)
            map.Set(i * 0x200, 0x200, (RescueStatus)statuses[i]);
        int position = current == '+' ? (int)map.Length : statuses.IndexOf(current, StringComparison.Ordinal) * 0x200;
        Assert.Contains($"\n0x{position:X8}     {current}               1\n", Write(map), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0 + 1\n0 512 +")]
    [InlineData("0x0 +\n0x0 0x200 +")]
    [InlineData("\n  # x\n0\t+\t1 # y\r\n\n00 01000 + #\n")]
    [InlineData("0 F 2\n0X0 0X200 +")]
    public void Numbers_and_comments_are_those_of_the_manual(string text) =>
        Assert.Equal([new RescueRange(0, 512, RescueStatus.Finished)], Read(text).Ranges);

    [Fact]
    public void What_lies_before_the_first_block_was_not_tried() => Assert.Equal(
        [new RescueRange(0, 512, RescueStatus.NonTried), new RescueRange(512, 512, RescueStatus.Finished)], Read("0 + 1\n512 512 +").Ranges);

    [Theory]
    [InlineData("", 0)]
    [InlineData("# only\n# comments", 2)]
    [InlineData("0x0 x 1", 1)]
    [InlineData("0x0 + 0", 1)]
    [InlineData("0x0 + 0x1", 1)]
    [InlineData("0x0 + 1 1", 1)]
    [InlineData("-1 + 1", 1)]
    [InlineData("0 + 1\n0 512", 2)]
    [InlineData("0 + 1\n0 512 F", 2)]
    [InlineData("0 + 1\n0 512 + +", 2)]
    [InlineData("0 + 1\n0 512 ++", 2)]
    [InlineData("0 + 1\n0 512#+", 2)]
    [InlineData("0 + 1\n0 -512 +", 2)]
    [InlineData("0 + 1\n0 08 +", 2)]
    [InlineData("0 + 1\n0 0x +", 2)]
    [InlineData("0 + 1\n0 0 +", 2)]
    [InlineData("0 + 1\n0 0x8000000000000000 +", 2)]
    [InlineData("0 + 1\n0 01000000000000000000000 +", 2)]
    [InlineData("0 + 1\n0 9223372036854775808 +", 2)]
    [InlineData("0 + 1\n0x200 0x7FFFFFFFFFFFFFFF +", 2)]
    [InlineData("0 + 1\n0 512 +\n# gap\n1024 512 +", 4)]
    [InlineData("0 + 1\n0 512 +\n511 512 +", 3)]
    public void What_is_no_mapfile_is_refused_by_its_line(string text, int line)
    {
        EvidenceException error = Assert.Throws<EvidenceException>(() => Read(text));
        Assert.Equal(ErrorCode.RescueMapInvalid, error.Code);
        Assert.Contains($"the.map is no mapfile that can be used: line {line}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_largest_block_is_read() => Assert.Equal(long.MaxValue, Read("0 ? 1\n0 0x7FFFFFFFFFFFFFFF ?").Length);

    private static RescueMap Make(IEnumerable<(int Offset, int Length, RescueStatus Status)> sets, long length)
    {
        var map = new RescueMap(length);
        foreach ((int offset, int count, RescueStatus status) in sets)
            map.Set(offset, count, status);
        return map;
    }

    private static RescueMap Read(string text)
    {
        using var reader = new StringReader(text);
        return Mapfile.Read(reader, "the.map");
    }

    private static string Write(RescueMap map, params ReadOnlySpan<string> comments)
    {
        using var writer = new StringWriter();
        Mapfile.Write(map, writer, comments);
        return writer.ToString();
    }
}
