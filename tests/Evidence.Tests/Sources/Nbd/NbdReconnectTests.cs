using Evidence.Sources;
using Evidence.Sources.Nbd;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Evidence.Tests.Sources.Nbd;

public sealed class NbdReconnectTests
{
    private static readonly byte[] Content = TemporaryDirectory.Content(3_000);

    private static SourceOptions Patient(double timeoutSeconds = 30, ILogger? logger = null) => new()
    {
        Nbd = new NbdOptions { Timeout = TimeSpan.FromSeconds(timeoutSeconds), ReconnectTime = TimeSpan.FromMinutes(1) },
        Logger = logger ?? new Listening(),
    };

    private static SourceOptions Impatient => new() { Nbd = new NbdOptions { ReconnectTime = TimeSpan.FromMilliseconds(150) } };

    /// <summary>Cut off at every byte of a reply, and of the negotiation that follows: what is read is right in the end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_may_be_lost_at_every_byte(bool structured)
    {
        byte[] content = Content[..100];
        var export = new ExportDouble(content) { HasStructuredReplies = structured };
        int reply = structured ? 28 + 100 : 16 + 100;
        for (int length = 0; length < reply; length++)
        {
            using var server = new ScriptedServer((wire, number) =>
            {
                export.Greet(wire);
                if (number == 0)
                    wire.HangsUpAfter = wire.Sent + length;
                export.Transmit(wire);
            });
            using NbdSource source = server.Open(Patient());
            var bytes = new byte[100];
            Assert.Equal(100, source.Read(0, bytes));
            Assert.Equal(content, bytes);
            Assert.Equal(2, server.Connections);
        }
    }

    [Fact]
    public void What_was_answered_is_not_asked_again()
    {
        byte[] large = TemporaryDirectory.Content(4 * NbdSource.LargestRequest);
        var export = new ExportDouble(large);
        int answered = 0;
        export = export with
        {
            // Two requests are answered, the third in part; then the line goes dead.
            Answer = asked => ++answered switch
            {
                3 => [Reply.Data(asked.Cookie, asked.Offset, export.Part(asked)[..1000]), new byte[10]],
                _ => null,
            },
        };
        using var server = new ScriptedServer((wire, number) =>
        {
            export.Greet(wire);
            if (number == 0)
                wire.HangsUpAfter = wire.Sent + (2 * (28 + NbdSource.LargestRequest)) + 1028;
            export.Transmit(wire);
        });
        var log = new Listening();
        using NbdSource source = server.Open(Patient(logger: log));
        var bytes = new byte[large.Length];
        Assert.Equal(large.Length, source.Read(0, bytes));
        Assert.Equal(large, bytes);
        long[] after = [.. export.Requests.Select(r => r.Offset).Skip(3)];
        Assert.Equal([2L * NbdSource.LargestRequest, 3L * NbdSource.LargestRequest], after[^2..]);
        Assert.DoesNotContain(0, after);
        Assert.Equal([55, 57], log.Events);
        Assert.Contains("2 requests from offset 524288 on are asked again", log.Messages[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_falls_silent_is_left_for_a_new_connection()
    {
        var export = new ExportDouble(Content);
        using var server = new ScriptedServer((wire, number) =>
        {
            export.Greet(wire);
            if (number == 0)
                wire.Receive(1_000_000);
            export.Transmit(wire);
        });
        var log = new Listening();
        using NbdSource source = server.Open(Patient(timeoutSeconds: 2, log));
        var bytes = new byte[3_000];
        Assert.Equal(3_000, source.Read(0, bytes));
        Assert.Equal(Content, bytes);
        Assert.Contains("no byte came for 2 s", log.Messages[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_is_shutting_down_is_left_and_asked_again_when_it_is_back()
    {
        int number = -1;
        var export = new ExportDouble(Content);
        export = export with { Answer = asked => number == 0 ? [Reply.Error(asked.Cookie, 108, "maintenance")] : null };
        var connections = new List<Asked>[] { [], [] };
        using (var server = new ScriptedServer((wire, n) =>
        {
            number = n;
            (export with { Requests = connections[n] }).Serve(wire);
        }))
        {
            using NbdSource source = server.Open(Patient());
            var bytes = new byte[3_000];
            Assert.Equal(3_000, source.Read(0, bytes));
            Assert.Equal(Content, bytes);
        }

        // Each connection is served on its own: what came first of two is not known.
        Assert.Equal([NbdCommand.Read, NbdCommand.Disconnect], connections[0].Select(r => r.Command));
        Assert.Equal([NbdCommand.Read, NbdCommand.Disconnect], connections[1].Select(r => r.Command));
    }

    [Fact]
    public void Attempts_that_fail_are_followed_by_others()
    {
        var export = new ExportDouble(Content);
        using var server = new ScriptedServer((wire, number) =>
        {
            switch (number)
            {
                case 0:
                    export.Greet(wire);
                    break;
                case 1:
                    break;
                case 2:
                    wire.Send("what?"u8);
                    break;
                case 3:
                    (export with { Exports = [] }).Serve(wire);
                    break;
                default:
                    export.Serve(wire);
                    break;
            }
        });
        using NbdSource source = server.Open(Patient());
        var bytes = new byte[3_000];
        Assert.Equal(3_000, source.Read(0, bytes));
        Assert.Equal(Content, bytes);
        Assert.Equal(5, server.Connections);
    }

    /// <summary>A server that lets itself be asked and never answers does not keep us for ever, nor does one that is gone.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_its_time_the_source_is_gone(bool comesBack)
    {
        byte[] large = TemporaryDirectory.Content(3 * NbdSource.LargestRequest);
        var export = new ExportDouble(large);
        using var server = new ScriptedServer((wire, number) =>
        {
            if (number > 0 && !comesBack)
                return;
            export.Greet(wire);
            if (number == 0)
                wire.HangsUpAfter = wire.Sent + 28 + NbdSource.LargestRequest;
            else
                wire.HangsUpAfter = wire.Sent;
            export.Transmit(wire);
        });
        using NbdSource source = server.Open(Impatient);
        var bytes = new byte[large.Length];
        SourceReadException error = Assert.Throws<SourceReadException>(() => source.Read(0, bytes));
        Assert.True(error.IsSourceGone);
        Assert.Equal((NbdSource.LargestRequest, 2 * NbdSource.LargestRequest), (error.Offset, error.Length));
        Assert.Contains("the server closed the connection", error.Message, StringComparison.Ordinal);
        Assert.Equal(large.AsSpan(0, NbdSource.LargestRequest), bytes.AsSpan(0, NbdSource.LargestRequest));
    }

    [Fact]
    public void Without_patience_the_first_loss_is_the_last()
    {
        var export = new ExportDouble(Content);
        using var server = new ScriptedServer((wire, _) => export.Greet(wire));
        using NbdSource source = server.Open(new SourceOptions { Nbd = new NbdOptions { ReconnectTime = TimeSpan.Zero } });
        Assert.True(Assert.Throws<SourceReadException>(() => source.Read(0, new byte[1])).IsSourceGone);
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData(2_999, SourceChange.Shorter)]
    [InlineData(3_001, SourceChange.Longer)]
    public void Another_length_after_a_reconnection_is_a_changed_source(int length, SourceChange change)
    {
        SourceChangedException error = AfterReconnection(export => export with { ToldSize = (ulong)length });
        Assert.Equal((change, 3_000, length), (error.Change, error.ExpectedLength, error.ActualLength));
    }

    [Fact]
    public void Another_export_after_a_reconnection_is_a_changed_source()
    {
        foreach ((string told, Func<ExportDouble, ExportDouble> change) in ((string, Func<ExportDouble, ExportDouble>)[])
        [
            ("another name", e => e with { Name = "other" }),
            ("another description", e => e with { Description = "other" }),
            ("other block sizes", e => e with { Sizes = (512, 4096, 1 << 20) }),
            ("other features", e => e with { HasStructuredReplies = false }),
            ("other features", e => e with { Allocation = null }),
        ])
        {
            SourceChangedException error = AfterReconnection(change);
            Assert.Equal((SourceChange.Replaced, ErrorCode.SourceFailed), (error.Change, error.Code));
            Assert.Contains(told, error.Message, StringComparison.Ordinal);
        }

        // The server numbers its contexts as it likes.
        Assert.Throws<InvalidOperationException>(() => AfterReconnection(export => export with { Allocation = 5 }));
    }

    [Fact]
    public void A_question_about_holes_survives_a_lost_connection_too()
    {
        var export = new ExportDouble(Content) { Answer = asked => asked.Command == NbdCommand.BlockStatus ? [Reply.Status(asked.Cookie, 9, [(3_000, 3)])] : null, Allocation = 9 };
        using var server = new ScriptedServer((wire, number) =>
        {
            // The first connection's number of the context is not the second's.
            ExportDouble now = export with { Allocation = number == 0 ? 4U : 9U };
            now.Greet(wire);
            if (number > 0)
                now.Transmit(wire);
        });
        using NbdSource source = server.Open(Patient());
        Assert.Equal(new SourceExtent(0, 3_000, SourceExtentKind.Hole), Assert.Single(source.Extents()));
    }

    [Fact]
    public async Task Disposing_ends_the_wait_for_a_server()
    {
        var export = new ExportDouble(Content);
        using var tried = new ManualResetEventSlim();
        var server = new ScriptedServer((wire, number) =>
        {
            if (number == 0)
                export.Greet(wire);
            else if (number == 3)
                tried.Set();
        });
        NbdSource source = server.Open(new SourceOptions { Nbd = new NbdOptions { ReconnectTime = TimeSpan.FromHours(1) } });
        Task<int> reading = Task.Run(() => source.Read(0, new byte[10]), TestContext.Current.CancellationToken);
        tried.Wait(TestContext.Current.CancellationToken);
        source.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading);
        server.Dispose();
    }

    /// <summary>What a read ends with when the server comes back changed; a read that succeeds is an error here.</summary>
    private static SourceChangedException AfterReconnection(Func<ExportDouble, ExportDouble> change)
    {
        var export = new ExportDouble(Content) { Name = "disk", Description = "d" };
        using var server = new ScriptedServer((wire, number) =>
        {
            if (number == 0)
                export.Greet(wire);
            else
                change(export).Serve(wire);
        });
        using NbdSource source = server.Open(Patient());
        try
        {
            source.Read(0, new byte[3_000]);
        }
        catch (SourceChangedException e)
        {
            Assert.Equal(2, server.Connections);
            return e;
        }

        throw new InvalidOperationException("The source was read as if it were the same.");
    }

    private sealed class Listening : ILogger
    {
        public List<int> Events { get; } = [];

        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Events.Add(eventId.Id);
            Messages.Add(formatter(state, exception));
        }
    }
}
