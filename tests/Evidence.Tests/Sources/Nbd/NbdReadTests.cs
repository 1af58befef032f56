using Evidence.Sources;
using Evidence.Sources.Nbd;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Sources.Nbd;

public sealed class NbdReadTests
{
    private static readonly byte[] Content = TemporaryDirectory.Content(9_000);

    private static readonly SourceOptions Once = new() { Nbd = new NbdOptions { ReconnectTime = TimeSpan.Zero } };

    public static TheoryData<int> Lengths => SourceAssert.Lengths;

    [Theory]
    [MemberData(nameof(Lengths))]
    public void Exports_of_every_length_are_read(int length)
    {
        using var server = new ScriptedServer(new ExportDouble(TemporaryDirectory.Content(length)));
        using NbdSource source = server.Open();
        SourceAssert.Reads(TemporaryDirectory.Content(length), source);
    }

    /// <summary>Offsets and lengths of requests are multiples of the minimum block size, up to the export's end, and none is over the maximum.</summary>
    [Theory]
    [InlineData(1, 32 << 20)]
    [InlineData(512, 512)]
    [InlineData(512, 700)]
    [InlineData(512, 1 << 20)]
    [InlineData(4096, 4096)]
    [InlineData(4096, 5000)]
    [InlineData(65536, 65536)]
    public void Requests_keep_to_the_servers_block_sizes(int minimum, int maximum)
    {
        var export = new ExportDouble(Content) { Sizes = ((uint)minimum, 4096, (uint)maximum) };
        using (var server = new ScriptedServer(export))
        using (NbdSource source = server.Open())
            SourceAssert.Reads(Content, source);
        Assert.All(export.Requests.Where(r => r.Command == NbdCommand.Read), asked =>
        {
            Assert.Equal(0, asked.Offset % minimum);
            Assert.True(asked.Length % minimum == 0 || asked.Offset + asked.Length == Content.Length);
            Assert.InRange(asked.Length, 1, maximum);
            Assert.Equal(0, asked.Flags);
        });
    }

    [Fact]
    public void A_large_read_is_several_requests_under_way_at_once_and_their_answers_come_in_any_order()
    {
        byte[] large = TemporaryDirectory.Content(10 * NbdSource.LargestRequest / 4);
        var waiting = new List<Asked>();
        var export = new ExportDouble(large);
        export = export with
        {
            // None is answered before all three are there: a client that sends one at a time would wait for ever.
            Answer = asked =>
            {
                if (asked.Command != NbdCommand.Read)
                    return null;
                waiting.Add(asked);
                return waiting.Count < 3 ? [] : [.. Interleaved(export.Content, waiting)];
            },
        };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        var bytes = new byte[large.Length];
        Assert.Equal(large.Length, source.Read(0, bytes));
        Assert.Equal(large, bytes);
    }

    [Fact]
    public void Threads_read_at_once()
    {
        byte[] large = TemporaryDirectory.Content(1 << 20);
        using var server = new ScriptedServer(new ExportDouble(large));
        using NbdSource source = server.Open();
        Parallel.For(0, 64, i =>
        {
            var piece = new byte[10_007];
            int offset = i * 16_001;
            int count = source.Read(offset, piece);
            Assert.Equal(large.AsSpan(offset, count), piece.AsSpan(0, count));
        });
        Assert.Equal(1, server.Connections);
    }

    /// <summary>Cut anywhere, in any order, some of it as holes: the bytes are the same.</summary>
    [Fact]
    public void Chunks_may_come_in_any_order_and_of_any_length()
    {
        int offset = 0;
        Random random = new(1);
        byte[] content = TemporaryDirectory.Content(9_000);
        var export = new ExportDouble(content);
        export = export with { Answer = asked => asked.Command == NbdCommand.Read ? Shuffled(export, asked, random) : null };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        Prop.ForAll(
            Gen.Choose(0, 8_999).SelectMany(from => Gen.Choose(1, 9_000 - from).Select(count => (from, count))).ToArbitrary(),
            range =>
            {
                // Where the server has zeros it may send a hole instead.
                offset = (offset + 997) % 8_000;
                content.AsSpan(offset, 500).Clear();
                byte[] bytes = TemporaryDirectory.Content(range.count);
                return source.Read(range.from, bytes) == range.count && bytes.AsSpan().SequenceEqual(content.AsSpan(range.from, range.count));
            }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Where_a_read_failed_is_told_exactly_and_what_came_before_it_is_kept()
    {
        var export = new ExportDouble(Content);
        export = export with
        {
            Answer = asked => asked.Command != NbdCommand.Read ? null :
            [
                // In the order of a server that reads in parallel.
                Reply.Data(asked.Cookie, 4_000, Content[4_000..5_000]),
                Reply.ErrorAt(asked.Cookie, 5, "bad sector", 3_000, isLast: false),
                Reply.Data(asked.Cookie, 0, Content[..3_000]),
                Reply.ErrorAt(asked.Cookie, 12, "another", 6_000),
            ],
        };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        var bytes = new byte[Content.Length];
        SourceReadException error = Assert.Throws<SourceReadException>(() => source.Read(0, bytes));
        Assert.Equal((3_000, 6_000, 5, false), (error.Offset, error.Length, error.Errno, error.IsSourceGone));
        Assert.Contains("the server says: bad sector", error.Message, StringComparison.Ordinal);
        Assert.Equal(Content[..3_000], bytes[..3_000]);
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    // The error's place is what is good before it, but never more than came.
    [InlineData(new[] { 0, 1_000 }, 3_000, 1_000)]
    [InlineData(new[] { 0, 1_000, 1_000, 2_000 }, 3_000, 3_000)]
    [InlineData(new[] { 0, 5_000 }, 3_000, 3_000)]
    [InlineData(new[] { 1_000, 2_000 }, 3_000, 0)]
    [InlineData(new int[0], 3_000, 0)]
    // Without a place nothing is good.
    [InlineData(new[] { 0, 5_000 }, null, 0)]
    public void Of_a_failed_read_only_what_is_sure_is_kept(int[] chunks, int? place, int good)
    {
        using var server = new ScriptedServer(new ExportDouble(Content)
        {
            Answer = asked =>
            [
                .. chunks.Chunk(2).Select(c => Reply.Data(asked.Cookie, c[0], Content[c[0]..(c[0] + c[1])])),
                place is { } at ? Reply.ErrorAt(asked.Cookie, 5, "", at) : Reply.Error(asked.Cookie, 5, ""),
            ],
        });
        using NbdSource source = server.Open();
        var bytes = new byte[Content.Length];
        Assert.Equal(good, Assert.Throws<SourceReadException>(() => source.Read(0, bytes)).Offset);
        Assert.Equal(Content[..good], bytes[..good]);
    }

    [Fact]
    public void Of_a_block_that_is_bad_in_part_the_good_part_is_read()
    {
        var export = new ExportDouble(Content) { Sizes = (4096, 4096, 1 << 20) };
        export = export with
        {
            Answer = asked => [Reply.Data(asked.Cookie, asked.Offset, Content[(int)asked.Offset..(int)(asked.Offset + 1_000)]), Reply.ErrorAt(asked.Cookie, 5, "", asked.Offset + 1_000)],
        };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        var bytes = new byte[100];
        Assert.Equal(100, source.Read(4_196, bytes));
        Assert.Equal(Content[4_196..4_296], bytes);
        Assert.Equal(4_096 + 1_000, Assert.Throws<SourceReadException>(() => source.Read(5_000, new byte[200])).Offset);
        Assert.Equal(7_000, Assert.Throws<SourceReadException>(() => source.Read(7_000, new byte[200])).Offset);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_request_that_fails_among_others_fails_where_it_begins(bool structured)
    {
        byte[] large = TemporaryDirectory.Content(4 * NbdSource.LargestRequest);
        var export = new ExportDouble(large) { HasStructuredReplies = structured, Allocation = null };
        export = export with
        {
            Answer = asked => asked.Offset != 2 * NbdSource.LargestRequest ? null
                : [structured ? Reply.Error(asked.Cookie, 5, "") : Reply.Simple(asked.Cookie, 5, [])],
        };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        var bytes = new byte[large.Length];
        SourceReadException error = Assert.Throws<SourceReadException>(() => source.Read(0, bytes));
        Assert.Equal((2 * NbdSource.LargestRequest, 5), (error.Offset, error.Errno));
        Assert.Equal(large.AsSpan(0, (int)error.Offset), bytes.AsSpan(0, (int)error.Offset));
        Assert.Equal(NbdSource.LargestRequest, source.Read(3L * NbdSource.LargestRequest, bytes));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(12, 12)]
    [InlineData(22, 22)]
    // What the protocol does not know must not be taken for what Linux has under that number: that the device is gone.
    [InlineData(19, 5)]
    [InlineData(int.MaxValue, 5)]
    public void Error_numbers_are_the_protocols(int sent, int errno)
    {
        using var server = new ScriptedServer(new ExportDouble(Content) { Answer = asked => [Reply.Error(asked.Cookie, (uint)sent, "")] });
        using NbdSource source = server.Open();
        SourceReadException error = Assert.Throws<SourceReadException>(() => source.Read(0, new byte[10]));
        Assert.Equal((errno, false), (error.Errno, error.IsSourceGone));
    }

    public static TheoryData<string, bool, Func<ulong, byte[][]>> Violations => new()
    {
        { "it sent 0x00000000", true, _ => [new byte[4]] },
        { "it sent 0x668e33ef", false, c => [Reply.Data(c, 0, Content[..1000], isLast: true)] },
        { "with a simple reply", true, c => [Reply.Simple(c, 0, Content[..1000])] },
        { "with a simple reply", true, c => [Reply.Simple(c, 5, [])] },
        { "the cookie 0x00000000000003e8", false, _ => [Reply.Simple(1000, 0, Content[..1000])] },
        { "the cookie 0x00000000000003e8", true, _ => [Reply.Done(1000)] },
        { "the cookie", true, c => [Reply.Data(c, 0, Content[..1000], isLast: true), Reply.Done(c), Reply.Done(c)] },
        { "without the bytes at offset 0", true, c => [Reply.Done(c)] },
        { "without the bytes at offset 500", true, c => [Reply.Data(c, 0, Content[..500]), Reply.Data(c, 501, Content[501..1000], isLast: true)] },
        { "without the bytes at offset 999", true, c => [Reply.Data(c, 0, Content[..999], isLast: true)] },
        { "twice with the bytes at offset 499", true, c => [Reply.Data(c, 0, Content[..500]), Reply.Data(c, 499, Content[499..1000], isLast: true)] },
        { "twice with the bytes at offset 400", true, c => [Reply.Data(c, 400, Content[400..500]), Reply.Hole(c, 300, 300)] },
        { "with 1001 bytes at offset 0", true, c => [Reply.Data(c, 0, Content[..1001], isLast: true)] },
        { "with 1 bytes at offset 1000", true, c => [Reply.Hole(c, 1000, 1)] },
        { "with 1 bytes at offset 18446744073709551615", true, c => [Reply.Hole(c, -1, 1)] },
        { "with 4294967295 bytes at offset 0", true, c => [Reply.Hole(c, 0, -1)] },
        { "with 0 bytes at offset 0", true, c => [Reply.Hole(c, 0, 0)] },
        { "OffsetData that has 8 bytes", true, c => [Reply.Data(c, 0, [])] },
        { "OffsetHole that has 8 bytes", true, c => [Reply.Chunk(c, 0, NbdChunk.OffsetHole, new byte[8])] },
        { "with 4294967287 bytes", true, c => [Reply.Bytes(NbdProtocol.StructuredReplyMagic, (ushort)0, (ushort)1, c, uint.MaxValue, 0UL)] },
        { "BlockStatus that has 12 bytes", true, c => [Reply.Chunk(c, 1, NbdChunk.BlockStatus, new byte[12])] },
        { "number 77 that has 0 bytes", true, c => [Reply.Chunk(c, 1, (NbdChunk)77, [])] },
        { "and is not the last", true, c => [Reply.Chunk(c, 0, NbdChunk.None, [])] },
        { "has 1 bytes", true, c => [Reply.Chunk(c, 1, NbdChunk.None, [0])] },
        { "an error chunk of 5 bytes", true, c => [Reply.Chunk(c, 1, NbdChunk.Error, new byte[5])] },
        { "an error chunk of 100000 bytes", true, c => [Reply.Chunk(c, 1, NbdChunk.Error, new byte[100_000])] },
        { "of no error", true, c => [Reply.Error(c, 0, "")] },
        { "claims a message of 9", true, c => [Reply.Chunk(c, 1, NbdChunk.Error, Reply.Bytes(5U, (ushort)9, "8 bytes."))] },
        { "in 7 bytes instead of 8", true, c => [Reply.Chunk(c, 1, NbdChunk.ErrorOffset, Reply.Bytes(5U, (ushort)0, "7 bytes"))] },
        { "an error at offset 1000, which is outside", true, c => [Reply.ErrorAt(c, 5, "", 1000)] },
        { "more than 16384 chunks", true, c => [.. Enumerable.Repeat(Reply.Error(c, 5, "", isLast: false), 16_385)] },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public void What_breaks_the_protocol_is_told_with_what_came(string told, bool structured, Func<ulong, byte[][]> answer)
    {
        var export = new ExportDouble(Content) { HasStructuredReplies = structured, Answer = asked => asked.Command == NbdCommand.Read ? answer(asked.Cookie) : null };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        EvidenceException error = Assert.Throws<EvidenceException>(() =>
        {
            // What comes after a reply is only seen by the next request.
            source.Read(0, new byte[1000]);
            source.Read(0, new byte[1000]);
        });
        Assert.Equal(ErrorCode.SourceFailed, error.Code);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(server.Address(), error.Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever byte of a reply's header is wrong: there is an error, or the bytes are right.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_wrong_byte_of_a_header_gives_wrong_bytes(bool structured)
    {
        int header = structured ? 28 : 16;
        for (int place = 0; place < header; place++)
        {
            foreach (byte bits in (byte[])[0x01, 0x80])
            {
                var export = new ExportDouble(Content) { HasStructuredReplies = structured };
                using var server = new ScriptedServer((wire, _) =>
                {
                    export.Greet(wire);
                    // Whoever waits for more than this reply waits in vain.
                    wire.Flip = (wire.Sent + place, bits);
                    wire.HangsUpAfter = wire.Sent + header + Content.Length;
                    export.Transmit(wire);
                });
                using NbdSource source = server.Open(Once);
                var bytes = new byte[Content.Length];
                try
                {
                    source.Read(0, bytes);
                    Assert.Equal(Content, bytes);
                    // The flags of a structured reply have bits that nobody knows yet.
                    Assert.True(structured && place is 4 or 5);
                }
                catch (EvidenceException)
                {
                    // Told.
                }
            }
        }
    }

    [Fact]
    public void A_source_that_is_disposed_says_goodbye()
    {
        var export = new ExportDouble(Content);
        using (var server = new ScriptedServer(export))
        {
            NbdSource source = server.Open();
            source.Dispose();
            source.Dispose();
            Assert.Throws<ObjectDisposedException>(() => source.Read(0, new byte[1]));
        }

        Assert.Equal(NbdCommand.Disconnect, Assert.Single(export.Requests).Command);
    }

    [Fact]
    public async Task Disposing_ends_a_read_that_waits()
    {
        using var asked = new ManualResetEventSlim();
        var export = new ExportDouble(Content)
        {
            Answer = _ =>
            {
                asked.Set();
                return [];
            },
        };
        using var server = new ScriptedServer(export);
        NbdSource source = server.Open();
        Task<int> reading = Task.Run(() => source.Read(0, new byte[10]), TestContext.Current.CancellationToken);
        asked.Wait(TestContext.Current.CancellationToken);
        source.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading);
    }

    private static IEnumerable<byte[]> Interleaved(byte[] content, List<Asked> waiting)
    {
        foreach (Asked asked in waiting.AsEnumerable().Reverse())
        {
            int half = asked.Length / 2;
            yield return Reply.Data(asked.Cookie, asked.Offset + half, content[(int)(asked.Offset + half)..(int)(asked.Offset + asked.Length)]);
        }

        foreach (Asked asked in waiting)
        {
            yield return Reply.Data(asked.Cookie, asked.Offset, content[(int)asked.Offset..(int)(asked.Offset + (asked.Length / 2))]);
            yield return Reply.Done(asked.Cookie);
        }
    }

    private static byte[][] Shuffled(ExportDouble export, Asked asked, Random random)
    {
        var chunks = new List<byte[]>();
        long end = asked.Offset + asked.Length;
        for (long at = asked.Offset; at < end;)
        {
            int length = (int)Math.Min(end - at, random.Next(1, 700));
            byte[] part = export.Content[(int)at..(int)(at + length)];
            chunks.Add(part.All(b => b == 0) ? Reply.Hole(asked.Cookie, at, length) : Reply.Data(asked.Cookie, at, part));
            at += length;
        }

        byte[][] shuffled = [.. chunks];
        random.Shuffle(shuffled);
        return [.. shuffled, Reply.Done(asked.Cookie)];
    }
}
