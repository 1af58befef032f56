using System.Buffers.Binary;
using System.Text;

namespace Evidence.Sources.Nbd;

/// <summary>
/// The newstyle negotiation, fixed and not: from the first byte to the export. Everything that the server sends has a bound, and what it
/// must not send is an error that says what came.
/// </summary>
internal sealed class NbdNegotiation
{
    /// <summary>The most bytes of one reply to an option: two strings, and the numbers before them.</summary>
    private const int LongestReply = (2 * NbdProtocol.LongestString) + 64;

    /// <summary>The most replies to one option: a server may have that many exports.</summary>
    private const int MostReplies = 1 << 16;

    /// <summary>How many exports a message names.</summary>
    private const int MostNamed = 20;

    private readonly NbdTransport transport;
    private readonly NbdUri uri;
    private readonly byte[] export;

    private NbdNegotiation(NbdTransport transport, NbdUri uri)
    {
        this.transport = transport;
        this.uri = uri;
        export = Encoding.UTF8.GetBytes(uri.Export);
    }

    /// <summary>A refusal: the kind of error, and the server's words.</summary>
    private readonly record struct Refusal(NbdOptionReply Kind, string Words);

    /// <exception cref="EvidenceException">The server refuses, or breaks the protocol.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    internal static NbdExport Run(NbdTransport transport, NbdUri uri) => new NbdNegotiation(transport, uri).Run();

    private NbdExport Run()
    {
        NbdHandshakeFlags flags = Greet();
        NbdTlsIdentity? tls = uri.IsTls ? StartTls(flags) : null;
        // Before the protocol was fixed a server knew one option, and hung up on every other one.
        NbdExport negotiated = (flags.HasFlag(NbdHandshakeFlags.FixedNewstyle) ? Go() : null) ?? EnterByName(flags);
        return negotiated with { Tls = tls };
    }

    private NbdHandshakeFlags Greet()
    {
        ulong magic = transport.ReadUInt64();
        if (magic != NbdProtocol.ServerMagic)
            throw NbdError.Violation(uri, $"it began with {NbdError.Show(magic)} and not with NBDMAGIC, so this may be no NBD server at all");
        ulong style = transport.ReadUInt64();
        if (style == NbdProtocol.OldstyleMagic)
        {
            throw new EvidenceException(
                ErrorCode.SourceUnsupported,
                $"{uri}: the server speaks the oldstyle negotiation, which names no export and has no TLS. Start it in the newstyle (nbdkit without -o, nbd-server 3.10 or newer).");
        }

        if (style != NbdProtocol.OptionMagic)
            throw NbdError.Violation(uri, $"after its first magic it sent {NbdError.Show(style)} and not IHAVEOPT");
        var flags = (NbdHandshakeFlags)transport.ReadUInt16() & (NbdHandshakeFlags.FixedNewstyle | NbdHandshakeFlags.NoZeroes);
        Span<byte> answer = stackalloc byte[sizeof(uint)];
        // The client's flags have the bits of the server's.
        BinaryPrimitives.WriteUInt32BigEndian(answer, (ushort)flags);
        transport.Send(answer);
        return flags;
    }

    private NbdTlsIdentity StartTls(NbdHandshakeFlags flags)
    {
        bool fixedNewstyle = flags.HasFlag(NbdHandshakeFlags.FixedNewstyle);
        if (!fixedNewstyle || Ask(NbdOption.StartTls, []) is not null)
        {
            if (fixedNewstyle)
                Leave();
            throw new EvidenceException(
                ErrorCode.SourceFailed,
                $"{uri}: the server offers no TLS, so nothing was read. Turn TLS on there, or use nbd:// where whoever is on the way may see and change what is read.");
        }

        return transport.StartTls(uri);
    }

    /// <summary>Enters the transmission by <c>NBD_OPT_GO</c>; null where the server does not know that.</summary>
    private NbdExport? Go()
    {
        bool structured = AskFor(NbdOption.StructuredReply, []);
        uint? allocation = structured ? ChooseAllocation() : null;
        byte[] data = new byte[sizeof(uint) + export.Length + (4 * sizeof(ushort))];
        BinaryPrimitives.WriteInt32BigEndian(data, export.Length);
        export.CopyTo(data, sizeof(uint));
        Span<byte> requests = data.AsSpan(sizeof(uint) + export.Length);
        BinaryPrimitives.WriteUInt16BigEndian(requests, 3);
        BinaryPrimitives.WriteUInt16BigEndian(requests[2..], (ushort)NbdInformation.Name);
        BinaryPrimitives.WriteUInt16BigEndian(requests[4..], (ushort)NbdInformation.Description);
        BinaryPrimitives.WriteUInt16BigEndian(requests[6..], (ushort)NbdInformation.BlockSize);

        NbdExport? told = null;
        var information = new NbdExport
        {
            Server = transport.Server,
            Size = 0,
            Flags = NbdTransmissionFlags.None,
            HasStructuredReplies = structured,
            AllocationContext = allocation,
        };
        Refusal? refusal = Ask(NbdOption.Go, data, (kind, reply) =>
        {
            if (kind != NbdOptionReply.Info || reply.Length < sizeof(ushort))
                throw Unexpected(NbdOption.Go, kind, reply.Length);
            ReadOnlySpan<byte> payload = reply.AsSpan(sizeof(ushort));
            switch ((NbdInformation)BinaryPrimitives.ReadUInt16BigEndian(reply))
            {
                case NbdInformation.Export:
                    if (payload.Length != sizeof(ulong) + sizeof(ushort))
                        throw NbdError.Violation(uri, $"it described the export in {payload.Length} bytes instead of 10");
                    information = information with
                    {
                        Size = SizeOf(BinaryPrimitives.ReadUInt64BigEndian(payload)),
                        Flags = (NbdTransmissionFlags)BinaryPrimitives.ReadUInt16BigEndian(payload[sizeof(ulong)..]),
                    };
                    told = information;
                    break;
                case NbdInformation.Name:
                    information = information with { Name = Text(payload) };
                    break;
                case NbdInformation.Description:
                    information = information with { Description = Text(payload) };
                    break;
                case NbdInformation.BlockSize:
                    information = information with { BlockSizes = BlockSizesOf(payload) };
                    break;
            }
        });
        if (refusal is { } no)
            return no.Kind == NbdOptionReply.Unsupported ? null : throw Refused(no);
        return told is null ? throw NbdError.Violation(uri, "it let the export be entered without a word about its size") : information;
    }

    /// <summary>Enters the transmission in the older way, in which a server that refuses can only hang up.</summary>
    private NbdExport EnterByName(NbdHandshakeFlags flags)
    {
        SendOption(NbdOption.ExportName, export);
        try
        {
            ulong size = transport.ReadUInt64();
            var transmission = (NbdTransmissionFlags)transport.ReadUInt16();
            if (!flags.HasFlag(NbdHandshakeFlags.NoZeroes))
                transport.ReadExactly(stackalloc byte[NbdProtocol.ReservedZeros]);
            return new NbdExport { Server = transport.Server, Size = SizeOf(size), Flags = transmission };
        }
        catch (IOException e) when (NbdTransport.IsHangUp(e.InnerException))
        {
            throw new EvidenceException(
                ErrorCode.SourceNotFound,
                $"{uri}: the server hung up when it was asked for the export '{uri.Export}', which is how an old server says that it has none of that name.", e);
        }
    }

    private uint? ChooseAllocation()
    {
        byte[] context = Encoding.UTF8.GetBytes(NbdProtocol.AllocationContext);
        byte[] data = new byte[(3 * sizeof(uint)) + export.Length + context.Length];
        BinaryPrimitives.WriteInt32BigEndian(data, export.Length);
        export.CopyTo(data, sizeof(uint));
        Span<byte> query = data.AsSpan(sizeof(uint) + export.Length);
        BinaryPrimitives.WriteUInt32BigEndian(query, 1);
        BinaryPrimitives.WriteInt32BigEndian(query[4..], context.Length);
        context.CopyTo(query[8..]);

        uint? chosen = null;
        bool accepted = AskFor(NbdOption.SetMetaContext, data, (kind, reply) =>
        {
            if (kind != NbdOptionReply.MetaContext || reply.Length < sizeof(uint))
                throw Unexpected(NbdOption.SetMetaContext, kind, reply.Length);
            if (!reply.AsSpan(sizeof(uint)).SequenceEqual(context))
                throw NbdError.Violation(uri, $"asked for {NbdProtocol.AllocationContext}, it chose {Text(reply.AsSpan(sizeof(uint)))}");
            chosen = BinaryPrimitives.ReadUInt32BigEndian(reply);
        });
        return accepted ? chosen : null;
    }

    /// <summary>Asks for what can be done without: false where the server has it not.</summary>
    private bool AskFor(NbdOption option, ReadOnlySpan<byte> data, Action<NbdOptionReply, byte[]>? each = null)
    {
        Refusal? refusal = Ask(option, data, each);
        return refusal is { Kind: NbdOptionReply.TlsRequired or NbdOptionReply.Shutdown } no ? throw Refused(no) : refusal is null;
    }

    /// <summary>Sends an option and takes every reply to it; null where the last one says yes.</summary>
    private Refusal? Ask(NbdOption option, ReadOnlySpan<byte> data, Action<NbdOptionReply, byte[]>? each = null)
    {
        SendOption(option, data);
        for (int replies = 0; replies < MostReplies; replies++)
        {
            ulong magic = transport.ReadUInt64();
            if (magic != NbdProtocol.OptionReplyMagic)
                throw NbdError.Violation(uri, $"its reply to {NbdError.Name(option)} began with {NbdError.Show(magic)}");
            var replied = (NbdOption)transport.ReadUInt32();
            if (replied != option)
                throw NbdError.Violation(uri, $"asked for {NbdError.Name(option)}, it replied to {NbdError.Name(replied)}");
            var kind = (NbdOptionReply)transport.ReadUInt32();
            uint length = transport.ReadUInt32();
            if (length > LongestReply)
                throw NbdError.Violation(uri, $"its reply to {NbdError.Name(option)} has {length} bytes, and none has more than {LongestReply}");
            byte[] reply = new byte[(int)length];
            transport.ReadExactly(reply);
            if (((uint)kind & NbdProtocol.OptionErrorBit) != 0)
                return new Refusal(kind, Text(reply));
            if (kind == NbdOptionReply.Ack)
                return length == 0 ? null : throw Unexpected(option, kind, reply.Length);
            (each ?? throw Unexpected(option, kind, reply.Length))(kind, reply);
        }

        throw NbdError.Violation(uri, $"it has more than {MostReplies} replies to {NbdError.Name(option)}");
    }

    private void SendOption(NbdOption option, ReadOnlySpan<byte> data)
    {
        byte[] message = new byte[sizeof(ulong) + (2 * sizeof(uint)) + data.Length];
        BinaryPrimitives.WriteUInt64BigEndian(message, NbdProtocol.OptionMagic);
        BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(8), (uint)option);
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(12), data.Length);
        data.CopyTo(message.AsSpan(16));
        transport.Send(message);
    }

    /// <summary>Why the export cannot be entered, in words.</summary>
    private EvidenceException Refused(Refusal refusal)
    {
        (string code, string what) = refusal.Kind switch
        {
            NbdOptionReply.TlsRequired => (
                ErrorCode.SourceFailed,
                "the server demands TLS. Use nbds instead of nbd, with tls-certificates=DIR where its certificate is not one that the system trusts."),
            NbdOptionReply.Unknown => (ErrorCode.SourceNotFound, $"the server has no export '{uri.Export}'. {ListExports()}"),
            NbdOptionReply.Policy => (ErrorCode.PermissionDenied, $"the server does not allow this client to use the export '{uri.Export}'."),
            NbdOptionReply.Shutdown => (ErrorCode.SourceFailed, "the server is shutting down. Try again when it is back."),
            _ => (ErrorCode.SourceFailed, $"the server refused the export '{uri.Export}' with the error {NbdError.Name(refusal.Kind)}."),
        };
        Leave();
        return new EvidenceException(code, $"{uri}: {what}{(refusal.Words.Length > 0 ? $" It says: {refusal.Words}" : "")}");
    }

    /// <summary>Says goodbye, as the protocol wants it. Whether the server still listens makes no difference.</summary>
    private void Leave()
    {
        try
        {
            SendOption(NbdOption.Abort, []);
        }
        catch (IOException)
        {
            // It left first.
        }
    }

    private string ListExports()
    {
        var names = new List<string>();
        int count = 0;
        Refusal? refusal = Ask(NbdOption.List, [], (kind, reply) =>
        {
            uint length = reply.Length < sizeof(uint) ? uint.MaxValue : BinaryPrimitives.ReadUInt32BigEndian(reply);
            if (kind != NbdOptionReply.Server || length > reply.Length - sizeof(uint))
                throw Unexpected(NbdOption.List, kind, reply.Length);
            if (++count <= MostNamed)
                names.Add($"'{Text(reply.AsSpan(sizeof(uint), (int)length))}'");
        });
        if (refusal is not null)
            return "It does not tell which ones it has.";
        string more = count > names.Count ? string.Create(null, $", and {count - names.Count} more") : "";
        return count == 0 ? "It lists none." : $"It exports: {string.Join(", ", names)}{more}.";
    }

    private long SizeOf(ulong size) => size <= long.MaxValue
        ? (long)size
        : throw NbdError.Violation(uri, $"it says that the export has {size} bytes, which is more than 2^63 - 1");

    private NbdBlockSizes BlockSizesOf(ReadOnlySpan<byte> payload)
    {
        if (payload.Length != 3 * sizeof(uint))
            throw NbdError.Violation(uri, $"it described its block sizes in {payload.Length} bytes instead of 12");
        uint minimum = BinaryPrimitives.ReadUInt32BigEndian(payload);
        uint preferred = BinaryPrimitives.ReadUInt32BigEndian(payload[4..]);
        uint maximum = BinaryPrimitives.ReadUInt32BigEndian(payload[8..]);
        if (minimum is 0 or > NbdProtocol.LargestMinimumBlock || (minimum & (minimum - 1)) != 0)
            throw NbdError.Violation(uri, $"its minimum block size is {minimum}, which is no power of two from 1 to {NbdProtocol.LargestMinimumBlock}");
        if (maximum < minimum)
            throw NbdError.Violation(uri, $"its maximum payload of {maximum} bytes is below its minimum block size of {minimum}");
        return new NbdBlockSizes((int)minimum, preferred, maximum);
    }

    private EvidenceException Unexpected(NbdOption option, NbdOptionReply kind, int length) =>
        NbdError.Violation(uri, $"to {NbdError.Name(option)} it replied {NbdError.Name(kind)} with {length} bytes");

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
