using System.IO.Pipes;
using Evidence.Sources;
using Xunit;

namespace Evidence.Tests.Sources;

public sealed class StreamSourceTests
{
    public static TheoryData<int> Lengths => SourceAssert.Lengths;

    [Theory]
    [MemberData(nameof(Lengths))]
    public void A_seekable_stream_is_read_at_any_offset(int length)
    {
        byte[] content = TemporaryDirectory.Content(length);
        using var source = new StreamSource(new MemoryStream(content), "memory");
        SourceAssert.Reads(content, source);
        SourceAssert.Tile(source);
        Assert.False(source.IsSequential);
        Assert.Equal(SourceKind.Stream, source.Identity.Kind);
    }

    [Theory]
    [MemberData(nameof(Lengths))]
    public async Task A_pipe_is_read_in_order_to_its_end(int length)
    {
        byte[] content = TemporaryDirectory.Content(length);
        await using var writer = new AnonymousPipeServerStream(PipeDirection.Out);
        using var source = new StreamSource(new AnonymousPipeClientStream(PipeDirection.In, writer.ClientSafePipeHandle), "pipe");
        Task writing = Task.Run(
            () =>
            {
                // In pieces, so that one read of the pipe gives less than was asked for.
                foreach (byte[] piece in content.Chunk(100))
                    writer.Write(piece);
                writer.Dispose();
            },
            TestContext.Current.CancellationToken);

        Assert.True(source.IsSequential);
        Assert.Null(source.Length);
        Assert.Empty(source.Extents());
        var buffer = new byte[1_000];
        var read = new List<byte>();
        int count;
        do
        {
            count = source.Read(read.Count, buffer);
            read.AddRange(buffer.AsSpan(0, count));
        }
        while (count == buffer.Length);
        await writing;
        Assert.Equal(content, read);
        Assert.Equal(0, source.Read(read.Count, buffer));
        source.EnsureUnchanged();
    }

    [Fact]
    public void A_sequential_source_refuses_to_go_back()
    {
        using var source = new StreamSource(new SequentialStream(new byte[100]), "pipe");
        Assert.Equal(10, source.Read(0, new byte[10]));
        Assert.Throws<InvalidOperationException>(() => source.Read(0, new byte[10]));
        Assert.Throws<InvalidOperationException>(() => source.Read(20, new byte[10]));
        Assert.Equal(90, source.Read(10, new byte[200]));
    }

    [Fact]
    public void Extents_of_the_caller_are_kept_and_must_tile()
    {
        SourceExtent[] extents = [new(0, 60, SourceExtentKind.Data), new(60, 40, SourceExtentKind.Hole)];
        using var source = new StreamSource(new MemoryStream(new byte[100]), "virtual disk", extents, sectorSize: 4096);
        Assert.Equal(extents, SourceAssert.Tile(source));
        Assert.Equal(4096, source.SectorSize);

        SourceExtent[][] wrong =
        [
            [],
            [new(0, 99, SourceExtentKind.Data)],
            [new(0, 60, SourceExtentKind.Data), new(61, 39, SourceExtentKind.Data)],
            [new(0, 60, SourceExtentKind.Data), new(60, 0, SourceExtentKind.Hole), new(60, 40, SourceExtentKind.Data)],
            [new(0, 60, SourceExtentKind.Data), new(59, 41, SourceExtentKind.Data)],
        ];
        Assert.All(wrong, list => Assert.Throws<ArgumentException>(() => new StreamSource(new MemoryStream(new byte[100]), "s", list)));
        Assert.Throws<ArgumentException>(() => new StreamSource(new SequentialStream([]), "s", extents));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StreamSource(new MemoryStream(), "s", sectorSize: 0));
    }

    [Fact]
    public void A_stream_that_fails_gives_a_typed_error_with_the_place()
    {
        using var source = new StreamSource(new SequentialStream(new byte[100]) { FailsAt = 60 }, "pipe");
        var buffer = new byte[100];
        SourceReadException error = Assert.Throws<SourceReadException>(() => source.Read(0, buffer));
        Assert.Equal((ErrorCode.SourceFailed, "pipe", 60, 40, 5), (error.Code, error.SourceName, error.Offset, error.Length, error.Errno));
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public void A_stream_cut_short_is_a_changed_source()
    {
        var stream = new MemoryStream();
        stream.SetLength(100);
        using var source = new StreamSource(stream, "memory");
        stream.SetLength(50);
        Assert.Throws<SourceChangedException>(() => source.Read(0, new byte[100]));
        Assert.Equal(SourceChange.Shorter, Assert.Throws<SourceChangedException>(source.EnsureUnchanged).Change);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Disposes_the_stream_unless_told_not_to(bool leaveOpen)
    {
        var stream = new MemoryStream(new byte[1]);
        new StreamSource(stream, "memory", leaveOpen: leaveOpen).Dispose();
        Assert.Equal(leaveOpen, stream.CanRead);
    }

    private sealed class SequentialStream(byte[] content) : MemoryStream(content)
    {
        public long? FailsAt { get; init; }

        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer)
        {
            int room = (int)Math.Min(buffer.Length, (FailsAt ?? long.MaxValue) - Position);
            return room == 0 ? throw new IOException("Broken.", 5) : base.Read(buffer[..room]);
        }
    }
}
