using Evidence.Sources;
using Evidence.Sources.Nbd;
using Xunit;

namespace Evidence.Tests.Sources.Nbd;

public sealed class NbdNegotiationTests
{
    private static readonly byte[] Content = TemporaryDirectory.Content(3_000);

    private static readonly SourceOptions Hasty = new() { Nbd = new NbdOptions { Timeout = TimeSpan.FromMilliseconds(200), ReconnectTime = TimeSpan.Zero } };

    /// <summary>Every kind of server that there is: fixed or not, with its zeros or without, old and new features.</summary>
    public static TheoryData<int, bool, bool, bool> Servers =>
        [
            .. from flags in Enumerable.Range(0, 4)
            from go in (bool[])[true, false]
            from structured in (bool[])[true, false]
            from allocation in (bool[])[true, false]
            select new TheoryDataRow<int, bool, bool, bool>(flags, go, structured, allocation),
        ];

    [Theory]
    [MemberData(nameof(Servers))]
    public void Servers_of_every_age_are_read(int flags, bool knowsGo, bool structured, bool allocation)
    {
        var export = new ExportDouble(Content)
        {
            HandshakeFlags = (ushort)flags,
            KnowsGo = knowsGo,
            HasStructuredReplies = structured,
            Allocation = allocation ? 7 : null,
        };
        // Without GO, and unfixed, structured replies cannot have been agreed to; a server that knows them knows GO.
        if (structured && (!knowsGo || (flags & 1) == 0))
            export = export with { HasStructuredReplies = false, Allocation = null };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        SourceAssert.Reads(Content, source);
        SourceAssert.Tile(source);
        Assert.Equal(SourceKind.Nbd, source.Identity.Kind);
        Assert.All(export.Requests, asked => Assert.Contains(asked.Command, (NbdCommand[])[NbdCommand.Read, NbdCommand.BlockStatus]));
    }

    [Fact]
    public void What_the_server_says_of_itself_is_in_the_identity()
    {
        var export = new ExportDouble(Content) { Name = "canonical", Description = "A disk, ü", Sizes = (4096, 65536, 1 << 20), TransmissionFlags = 3 };
        using var server = new ScriptedServer(export);
        using NbdSource source = server.Open();
        NbdIdentity nbd = source.Identity.Nbd!;
        Assert.Equal(server.Address(), source.Identity.Name);
        Assert.Equal(
            ("disk", "canonical", "A disk, ü", new NbdBlockSizes(4096, 65536, 1 << 20), true, true, true, null),
            (nbd.Export, nbd.CanonicalName, nbd.Description, nbd.BlockSizes, nbd.IsReadOnly, nbd.HasStructuredReplies, nbd.TellsHoles, nbd.Tls));
        Assert.EndsWith("/socket", nbd.Server, StringComparison.Ordinal);
        Assert.Equal((4096, 4096, Content.Length), (source.SectorSize, source.Identity.LogicalSectorSize, source.Identity.Length));
    }

    [Fact]
    public void A_server_that_says_little_is_known_by_little()
    {
        using var server = new ScriptedServer(new ExportDouble(Content) { HasStructuredReplies = false, TransmissionFlags = 1, Sizes = (1, 512, uint.MaxValue) });
        using NbdSource source = server.Open();
        NbdIdentity nbd = source.Identity.Nbd!;
        Assert.Equal((null, null, false, false, false), (nbd.CanonicalName, nbd.Description, nbd.IsReadOnly, nbd.HasStructuredReplies, nbd.TellsHoles));
        Assert.Equal((512, null), (source.SectorSize, source.Identity.LogicalSectorSize));
        using NbdSource told = server.Open(new SourceOptions { SectorSize = 4096 });
        Assert.Equal(4096, told.SectorSize);
    }

    [Fact]
    public void An_unknown_export_is_told_with_those_that_there_are()
    {
        using var server = new ScriptedServer(new ExportDouble(Content) { Exports = ["one", "two", ""] });
        EvidenceException error = Assert.Throws<EvidenceException>(() => server.Open());
        Assert.Equal(ErrorCode.SourceNotFound, error.Code);
        Assert.Contains("no export 'disk'. It exports: 'one', 'two', ''.", error.Message, StringComparison.Ordinal);
        Assert.Contains("no such export", error.Message, StringComparison.Ordinal);

        using var many = new ScriptedServer(new ExportDouble(Content) { Exports = [.. Enumerable.Range(0, 25).Select(i => $"e{i}")] });
        Assert.Contains("'e19', and 5 more.", Assert.Throws<EvidenceException>(() => many.Open()).Message, StringComparison.Ordinal);

        using var silent = new ScriptedServer(new ExportDouble(Content)
        {
            Exports = [],
            Haggle = (option, _) => option == NbdOption.List ? [Reply.Option(option, NbdOptionReply.Policy)] : null,
        });
        Assert.Contains("does not tell", Assert.Throws<EvidenceException>(() => silent.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_old_server_that_hangs_up_is_understood()
    {
        using var server = new ScriptedServer((wire, _) =>
        {
            wire.Send(Reply.Bytes(NbdProtocol.ServerMagic, NbdProtocol.OptionMagic, (ushort)0));
            wire.Receive(4 + 16 + 4);
        });
        EvidenceException error = Assert.Throws<EvidenceException>(() => server.Open());
        Assert.Equal(ErrorCode.SourceNotFound, error.Code);
        Assert.Contains("has none of that name", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData((uint)NbdOptionReply.Policy, ErrorCode.PermissionDenied, "does not allow")]
    [InlineData((uint)NbdOptionReply.Shutdown, ErrorCode.SourceFailed, "shutting down")]
    [InlineData((uint)NbdOptionReply.TlsRequired, ErrorCode.SourceFailed, "nbds instead of nbd")]
    [InlineData((uint)NbdOptionReply.BlockSizeRequired, ErrorCode.SourceFailed, "BlockSizeRequired")]
    [InlineData(0x80001234, ErrorCode.SourceFailed, "2147488308")]
    public void A_refusal_is_told_with_the_servers_words(uint kind, string code, string reason)
    {
        bool left = false;
        using (var server = new ScriptedServer(new ExportDouble(Content)
        {
            Haggle = (option, _) =>
            {
                left |= option == NbdOption.Abort;
                return option == NbdOption.Go ? [Reply.Option(option, (NbdOptionReply)kind, Reply.Bytes("because"))] : null;
            },
        }))
        {
            EvidenceException error = Assert.Throws<EvidenceException>(() => server.Open());
            Assert.Equal(code, error.Code);
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            Assert.Contains("It says: because", error.Message, StringComparison.Ordinal);
        }

        Assert.True(left, "the client did not say goodbye");
    }

    [Fact]
    public void TLS_is_not_gone_without()
    {
        using var server = new ScriptedServer(new ExportDouble(Content));
        EvidenceException error = Assert.Throws<EvidenceException>(() => NbdSource.Open(server.TlsAddress("tls-verify-peer=false")));
        Assert.Contains("offers no TLS", error.Message, StringComparison.Ordinal);
        using var unfixed = new ScriptedServer(new ExportDouble(Content) { HandshakeFlags = 0 });
        Assert.Contains(
            "offers no TLS", Assert.Throws<EvidenceException>(() => NbdSource.Open(unfixed.TlsAddress("tls-verify-peer=false"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_such_server_is_told_apart()
    {
        using var ssh = new ScriptedServer((wire, _) => wire.Send("SSH-2.0-OpenSSH_9.2\r\n"u8));
        Assert.Contains("'SSH-2.0-'", Assert.Throws<EvidenceException>(() => ssh.Open()).Message, StringComparison.Ordinal);

        using var oldstyle = new ScriptedServer((wire, _) => wire.Send(Reply.Bytes(NbdProtocol.ServerMagic, NbdProtocol.OldstyleMagic, 0UL, 0U, new byte[124])));
        EvidenceException error = Assert.Throws<EvidenceException>(() => oldstyle.Open());
        Assert.Equal(ErrorCode.SourceUnsupported, error.Code);
        Assert.Contains("oldstyle", error.Message, StringComparison.Ordinal);

        using var other = new ScriptedServer((wire, _) => wire.Send(Reply.Bytes(NbdProtocol.ServerMagic, 5UL)));
        Assert.Contains("0x0000000000000005", Assert.Throws<EvidenceException>(() => other.Open()).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, object[]> Violations => new()
    {
        { "began with 0x0000000000000001", [1UL, (uint)NbdOption.Go, 1U, 0U] },
        { "replied to List", [NbdProtocol.OptionReplyMagic, (uint)NbdOption.List, 1U, 0U] },
        { "4294967295 bytes", [NbdProtocol.OptionReplyMagic, (uint)NbdOption.Go, 3U, uint.MaxValue] },
        { "4294967295 bytes", [NbdProtocol.OptionReplyMagic, (uint)NbdOption.Go, (uint)NbdOptionReply.Unknown, uint.MaxValue] },
        { "without a word about its size", [Reply.Option(NbdOption.Go, NbdOptionReply.Ack)] },
        { "replied Ack with 1 bytes", [Reply.Option(NbdOption.Go, NbdOptionReply.Ack, [1])] },
        { "replied Server with 4 bytes", [Reply.Option(NbdOption.Go, NbdOptionReply.Server, [0, 0, 0, 0])] },
        { "replied number 9 with 0 bytes", [Reply.Option(NbdOption.Go, (NbdOptionReply)9)] },
        { "replied Info with 1 bytes", [Reply.Option(NbdOption.Go, NbdOptionReply.Info, [0])] },
        { "in 11 bytes instead of 10", [Reply.Information(NbdInformation.Export, new byte[11])] },
        { "more than 2^63", [Reply.Information(NbdInformation.Export, Reply.Bytes(1UL << 63, (ushort)1))] },
        { "in 11 bytes instead of 12", [Reply.Information(NbdInformation.BlockSize, new byte[11])] },
        { "minimum block size is 0", [Reply.Information(NbdInformation.BlockSize, Reply.Bytes(0U, 512U, 512U))] },
        { "minimum block size is 3", [Reply.Information(NbdInformation.BlockSize, Reply.Bytes(3U, 512U, 512U))] },
        { "minimum block size is 131072", [Reply.Information(NbdInformation.BlockSize, Reply.Bytes(1U << 17, 1U << 17, 1U << 20))] },
        { "below its minimum block size", [Reply.Information(NbdInformation.BlockSize, Reply.Bytes(4096U, 4096U, 4095U))] },
    };

    [Theory]
    [MemberData(nameof(Violations))]
    public void What_breaks_the_protocol_is_told_with_what_came(string told, object[] sent)
    {
        using var server = new ScriptedServer(new ExportDouble(Content)
        {
            Haggle = (option, _) => option == NbdOption.Go ? [Reply.Bytes(sent)] : null,
        });
        EvidenceException error = Assert.Throws<EvidenceException>(() => server.Open());
        Assert.Equal(ErrorCode.SourceFailed, error.Code);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(server.Address(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Endless_replies_come_to_an_end()
    {
        byte[] information = Reply.Information(NbdInformation.Name, Reply.Bytes("x"));
        using var server = new ScriptedServer(new ExportDouble(Content)
        {
            Haggle = (option, _) => option == NbdOption.Go ? [Reply.Bytes([.. Enumerable.Repeat(information, 70_000)])] : null,
        });
        Assert.Contains("more than 65536 replies", Assert.Throws<EvidenceException>(() => server.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_context_that_was_not_asked_for_is_a_violation()
    {
        using var server = new ScriptedServer(new ExportDouble(Content)
        {
            Haggle = (option, _) => option == NbdOption.SetMetaContext
                ? [Reply.Option(option, NbdOptionReply.MetaContext, Reply.Bytes(1U, "base:other"))] : null,
        });
        Assert.Contains("it chose base:other", Assert.Throws<EvidenceException>(() => server.Open()).Message, StringComparison.Ordinal);
    }

    /// <summary>Cut off anywhere, the negotiation ends in an error in words, and never in anything half known.</summary>
    [Fact]
    public void A_server_may_hang_up_at_every_byte()
    {
        var export = new ExportDouble(Content) { Name = "n", Description = "d", Sizes = (512, 4096, 1 << 20) };
        long whole = LengthOfNegotiation(export);
        for (long length = 0; length < whole; length++)
        {
            using var server = new ScriptedServer((wire, _) =>
            {
                wire.HangsUpAfter = length;
                export.Serve(wire);
            });
            EvidenceException error = Assert.Throws<EvidenceException>(() => server.Open().Dispose());
            Assert.Equal(ErrorCode.SourceFailed, error.Code);
            Assert.Contains("the server closed the connection", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Whatever byte of it is wrong: either it makes no difference to what is read, or there is an error in words.</summary>
    [Fact]
    public void Every_byte_of_the_negotiation_may_be_wrong()
    {
        var export = new ExportDouble(Content) { Name = "n", Description = "d", Sizes = (512, 4096, 1 << 20) };
        long whole = LengthOfNegotiation(export);
        int refused = 0;
        for (long place = 0; place < whole; place++)
        {
            using var server = new ScriptedServer((wire, _) =>
            {
                wire.Flip = (place, 0x81);
                try
                {
                    export.Serve(wire);
                }
                catch (Exception e) when (e is InvalidOperationException or ArgumentException or OverflowException)
                {
                    // Led astray, the client asks for what this server has not.
                }
            });
            try
            {
                using NbdSource source = server.Open(Hasty);
                var bytes = new byte[Content.Length];
                Assert.Equal((int)Math.Min(source.Length!.Value, bytes.Length), source.Read(0, bytes));
                Assert.Equal(Content[..(int)Math.Min(source.Length!.Value, bytes.Length)], bytes[..(int)Math.Min(source.Length!.Value, bytes.Length)]);
            }
            catch (EvidenceException e)
            {
                Assert.False(e.Code is ErrorCode.Internal or ErrorCode.Usage, e.Message);
                refused++;
            }
        }

        Assert.InRange(refused, whole / 2, whole);
    }

    private static long LengthOfNegotiation(ExportDouble export)
    {
        long length = 0;
        using (var server = new ScriptedServer((wire, _) =>
        {
            export.Greet(wire);
            length = wire.Sent;
        }))
        {
            server.Open().Dispose();
        }

        return length;
    }
}
