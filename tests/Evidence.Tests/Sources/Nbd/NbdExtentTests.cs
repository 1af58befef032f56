using Evidence.Sources;
using Evidence.Sources.Nbd;
using Xunit;

namespace Evidence.Tests.Sources.Nbd;

public sealed class NbdExtentTests
{
    private const uint Context = 0xA110C;
    private const SourceExtentKind Data = SourceExtentKind.Data;
    private const SourceExtentKind Hole = SourceExtentKind.Hole;

    private static readonly byte[] Content = new byte[10_000];

    [Fact]
    public void Only_what_is_a_hole_and_reads_as_zeros_is_a_hole()
    {
        Assert.Equal(
            [new(0, 1_000, Data), new(1_000, 2_000, Hole), new(3_000, 3_000, Data), new(6_000, 4_000, Hole)],
            ExtentsFrom(asked => [Reply.Status(asked.Cookie, Context, [
                (1_000, 0), (1_000, 3), (1_000, 0xFFFF_FFFF), (1_000, 1), (1_000, 2), (1_000, 0xFFFF_FFF0), (4_000, 3)])]));
    }

    [Fact]
    public void What_the_server_leaves_out_is_asked_for_next_and_what_it_knows_beyond_the_end_is_left()
    {
        var asked = new List<(long, int)>();
        SourceExtent[] extents = ExtentsFrom(a =>
        {
            asked.Add((a.Offset, a.Length));
            return a.Offset == 0
                ? [Reply.Status(a.Cookie, Context, [(4_096, 3)], isLast: false), Reply.Done(a.Cookie)]
                : [Reply.Status(a.Cookie, Context, [(uint.MaxValue, 0)])];
        });
        Assert.Equal([new(0, 4_096, Hole), new(4_096, 5_904, Data)], extents);
        Assert.Equal([(0, 10_000), (4_096, 5_904)], asked);
    }

    /// <summary>A question must begin at a block's boundary; what is a hole only in part is data.</summary>
    [Fact]
    public void Extents_end_at_blocks_where_the_server_stops_within_one()
    {
        var asked = new List<long>();
        SourceExtent[] extents = ExtentsFrom(
            a =>
            {
                asked.Add(a.Offset);
                return [Reply.Status(a.Cookie, Context, [a.Offset == 0 ? (700U, 3U) : a.Offset == 512 ? (100U, 3U) : (600U, 0U), (a.Offset == 1024 ? 9_000U : 1U, 3U)])];
            },
            (512, 512, 1 << 20));
        Assert.Equal([0, 512, 1024], asked);
        Assert.Equal([new(0, 512, Hole), new(512, 512, Data), new(1024, 600, Data), new(1624, 8_376, Hole)], extents);
    }

    [Fact]
    public void A_large_export_is_asked_about_in_parts_as_they_are_needed()
    {
        const long Size = (5L << 30) + 512;
        var asked = new List<(long, int)>();
        var export = new ExportDouble(Content)
        {
            ToldSize = (ulong)Size,
            Answer = a =>
            {
                asked.Add((a.Offset, a.Length));
                return [Reply.Status(a.Cookie, Context, [((uint)a.Length, 3)])];
            },
        };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        Assert.Equal(new SourceExtent(0, 1 << 30, Hole), source.Extents().First());
        Assert.Single(asked);
        asked.Clear();
        SourceAssert.Tile(source);
        Assert.Equal((6, ((5L << 30), 512)), (asked.Count, asked[^1]));
    }

    [Theory]
    [InlineData(true, null)]
    [InlineData(false, 1u)]
    public void Without_the_means_all_of_it_is_data_and_nothing_is_asked(bool structured, uint? allocation)
    {
        var export = new ExportDouble(Content) { HasStructuredReplies = structured, Allocation = allocation };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        Assert.Equal(new SourceExtent(0, Content.Length, Data), Assert.Single(source.Extents()));
        Assert.Empty(export.Requests);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void From_where_the_server_refuses_all_of_it_is_data(bool simple)
    {
        int asked = 0;
        SourceExtent[] extents = ExtentsFrom(a => asked++ == 0
            ? [Reply.Status(a.Cookie, Context, [(4_096, 3)])]
            : [simple ? Reply.Simple(a.Cookie, 95, []) : Reply.Error(a.Cookie, 5, "cannot tell")]);
        Assert.Equal([new(0, 4_096, Hole), new(4_096, 5_904, Data)], extents);
        Assert.Equal(2, asked);
    }

    public static TheoryData<string, Func<ulong, byte[][]>> Violations => new()
    {
        { "with nothing", c => [Reply.Done(c)] },
        { "with a simple reply", c => [Reply.Simple(c, 0, [])] },
        { "the metadata context 1, and asked was 659724", c => [Reply.Status(c, 1, [(10_000, 0)])] },
        { "twice", c => [Reply.Status(c, Context, [(5_000, 0)], isLast: false), Reply.Status(c, Context, [(5_000, 0)])] },
        { "an extent of 0 bytes at offset 0", c => [Reply.Status(c, Context, [(0, 0)])] },
        { "an extent of 1 bytes at offset 10000", c => [Reply.Status(c, Context, [(10_000, 0), (1, 0)])] },
        { "BlockStatus that has 4 bytes", c => [Reply.Status(c, Context, [])] },
        { "BlockStatus that has 13 bytes", c => [Reply.Chunk(c, 1, NbdChunk.BlockStatus, new byte[13])] },
        { "BlockStatus that has 4294967292 bytes", c => [Reply.Bytes(NbdProtocol.StructuredReplyMagic, (ushort)1, (ushort)5, c, 0xFFFF_FFFCU)] },
        { "OffsetData that has 10 bytes", c => [Reply.Data(c, 0, new byte[2])] },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public void What_breaks_the_protocol_is_told_with_what_came(string told, Func<ulong, byte[][]> answer)
    {
        EvidenceException error = Assert.Throws<EvidenceException>(() => ExtentsFrom(asked => answer(asked.Cookie)));
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
    }

    private static SourceExtent[] ExtentsFrom(Func<Asked, byte[][]> answer, (uint, uint, uint)? sizes = null)
    {
        using var server = new ScriptedServer(new ExportDouble(Content) { Sizes = sizes, Answer = a => a.Command == NbdCommand.BlockStatus ? answer(a) : null });
        using NbdSource source = server.Open();
        return [.. SourceAssert.Tile(source)];
    }
}
