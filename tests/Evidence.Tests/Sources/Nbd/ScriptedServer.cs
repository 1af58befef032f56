using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Evidence.Sources;
using Evidence.Sources.Nbd;

namespace Evidence.Tests.Sources.Nbd;

/// <summary>A server in this process that does what a test tells it, for each connection in turn.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task accepting;
    private readonly List<Task> serving = [];
    private int connections;

    /// <param name="serve">Serves a connection; its number counts from 0. What the client's leaving breaks in it is of no account.</param>
    internal ScriptedServer(Action<Wire, int> serve)
    {
        listener.Bind(new UnixDomainSocketEndPoint(directory.At("socket")));
        listener.Listen();
        accepting = Task.Run(() => Accept(serve));
    }

    internal ScriptedServer(ExportDouble export)
        : this((wire, _) => export.Serve(wire))
    {
    }

    /// <summary>How many connections there were.</summary>
    internal int Connections => Volatile.Read(ref connections);

    internal string Address(string export = "disk") => $"nbd+unix:///{export}?socket={directory.At("socket")}";

    internal string TlsAddress(string parameters) => $"nbds+unix:///disk?socket={directory.At("socket")}&{parameters}";

    internal NbdSource Open(SourceOptions? options = null) => NbdSource.Open(Address(), options);

    public void Dispose()
    {
        listener.Dispose();
        accepting.GetAwaiter().GetResult();
        // A mistake in a script is the test's failure.
        Task.WaitAll([.. serving]);
        directory.Dispose();
    }

    private void Accept(Action<Wire, int> serve)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = listener.Accept();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            int number = Interlocked.Increment(ref connections) - 1;
            serving.Add(Task.Factory.StartNew(
                () =>
                {
                    using var wire = new Wire(socket);
                    try
                    {
                        serve(wire, number);
                    }
                    catch (Exception e) when (e is IOException or AuthenticationException)
                    {
                        // The client left, or the script had the server leave.
                    }
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default));
        }
    }
}

/// <summary>The server's end of a connection.</summary>
internal sealed class Wire(Socket socket) : IDisposable
{
    private Stream stream = new NetworkStream(socket, ownsSocket: true);

    /// <summary>After how many bytes the server hangs up.</summary>
    internal long HangsUpAfter { get; set; } = long.MaxValue;

    /// <summary>A byte that is sent wrongly, and with which bits flipped.</summary>
    internal (long Place, byte Bits)? Flip { get; set; }

    internal long Sent { get; private set; }

    internal void Send(params ReadOnlySpan<byte> bytes)
    {
        byte[] part = bytes[..(int)Math.Min(bytes.Length, HangsUpAfter - Sent)].ToArray();
        if (Flip is { } flip && flip.Place >= Sent && flip.Place < Sent + part.Length)
            part[flip.Place - Sent] ^= flip.Bits;
        stream.Write(part);
        Sent += part.Length;
        if (Sent == HangsUpAfter)
            throw new IOException("The script has the server hang up here.");
    }

    internal byte[] Receive(int length)
    {
        byte[] bytes = new byte[length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    internal uint Receive32() => BinaryPrimitives.ReadUInt32BigEndian(Receive(4));

    internal ulong Receive64() => BinaryPrimitives.ReadUInt64BigEndian(Receive(8));

    internal void StartTls(SslServerAuthenticationOptions options)
    {
        var tls = new SslStream(stream);
        tls.AuthenticateAsServer(options);
        stream = tls;
    }

    public void Dispose() => stream.Dispose();
}

/// <summary>A request as the server sees it.</summary>
internal readonly record struct Asked(ushort Flags, NbdCommand Command, ulong Cookie, long Offset, int Length);

/// <summary>A server that keeps to the protocol, but for what is told otherwise.</summary>
internal sealed record ExportDouble(byte[] Content)
{
    internal ushort HandshakeFlags { get; init; } = 3;

    internal bool HasStructuredReplies { get; init; } = true;

    /// <summary>The number of the context base:allocation; null where there is none.</summary>
    internal uint? Allocation { get; init; } = 0xA110C;

    internal bool KnowsGo { get; init; } = true;

    internal (uint Minimum, uint Preferred, uint Maximum)? Sizes { get; init; }

    internal string? Name { get; init; }

    internal string? Description { get; init; }

    internal ushort TransmissionFlags { get; init; } = 3;

    /// <summary>The length that is told, where it is not the content's.</summary>
    internal ulong? ToldSize { get; init; }

    internal SslServerAuthenticationOptions? Tls { get; init; }

    internal string[] Exports { get; init; } = ["disk"];

    /// <summary>Replies to an option instead of the usual ones; null for the usual ones.</summary>
    internal Func<NbdOption, byte[], byte[][]?> Haggle { get; init; } = (_, _) => null;

    /// <summary>Replies to a request instead of the usual one; null for the usual one.</summary>
    internal Func<Asked, byte[][]?> Answer { get; init; } = _ => null;

    /// <summary>Every request that came, over all connections.</summary>
    internal List<Asked> Requests { get; init; } = [];

    internal void Serve(Wire wire)
    {
        if (Greet(wire))
            Transmit(wire);
    }

    /// <summary>Negotiates; false where the client gave up.</summary>
    internal bool Greet(Wire wire)
    {
        wire.Send(Reply.Bytes(NbdProtocol.ServerMagic, NbdProtocol.OptionMagic, HandshakeFlags));
        uint clientFlags = wire.Receive32();
        if ((clientFlags & ~(uint)HandshakeFlags) != 0)
            throw new InvalidOperationException($"The client sent the flags {clientFlags}.");
        bool isEncrypted = false;
        while (true)
        {
            if (wire.Receive64() != NbdProtocol.OptionMagic)
                throw new InvalidOperationException("The client sent no option.");
            var option = (NbdOption)wire.Receive32();
            byte[] data = wire.Receive((int)wire.Receive32());
            if (Haggle(option, data) is { } special)
            {
                foreach (byte[] reply in special)
                    wire.Send(reply);
                continue;
            }

            switch (option)
            {
                case NbdOption.Abort:
                    return false;
                case NbdOption.StartTls when Tls is not null:
                    wire.Send(Reply.Option(option, NbdOptionReply.Ack));
                    wire.StartTls(Tls);
                    isEncrypted = true;
                    break;
                case not NbdOption.StartTls when Tls is not null && !isEncrypted:
                    wire.Send(Reply.Option(option, NbdOptionReply.TlsRequired));
                    break;
                case NbdOption.StructuredReply when HasStructuredReplies:
                    wire.Send(Reply.Option(option, NbdOptionReply.Ack));
                    break;
                case NbdOption.SetMetaContext when Allocation is { } context:
                    wire.Send(Reply.Option(option, NbdOptionReply.MetaContext, Reply.Bytes(context, "base:allocation")));
                    wire.Send(Reply.Option(option, NbdOptionReply.Ack));
                    break;
                case NbdOption.List:
                    foreach (string name in Exports)
                        wire.Send(Reply.Option(option, NbdOptionReply.Server, Reply.Bytes((uint)Encoding.UTF8.GetByteCount(name), name)));
                    wire.Send(Reply.Option(option, NbdOptionReply.Ack));
                    break;
                case NbdOption.Go when KnowsGo:
                    uint length = BinaryPrimitives.ReadUInt32BigEndian(data);
                    if (!Exports.Contains(Encoding.UTF8.GetString(data, 4, (int)length), StringComparer.Ordinal))
                    {
                        wire.Send(Reply.Option(option, NbdOptionReply.Unknown, Reply.Bytes("no such export")));
                        break;
                    }

                    Inform(wire);
                    return true;
                case NbdOption.ExportName:
                    wire.Send(Reply.Bytes(ToldSize ?? (ulong)Content.Length, TransmissionFlags));
                    if ((HandshakeFlags & 2) == 0)
                        wire.Send(new byte[124]);
                    return true;
                default:
                    wire.Send(Reply.Option(option, NbdOptionReply.Unsupported));
                    break;
            }
        }
    }

    internal void Transmit(Wire wire)
    {
        while (true)
        {
            if (wire.Receive32() != NbdProtocol.RequestMagic)
                throw new InvalidOperationException("The client sent no request.");
            byte[] rest = wire.Receive(24);
            var asked = new Asked(
                BinaryPrimitives.ReadUInt16BigEndian(rest), (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(rest.AsSpan(2)),
                BinaryPrimitives.ReadUInt64BigEndian(rest.AsSpan(4)), BinaryPrimitives.ReadInt64BigEndian(rest.AsSpan(12)),
                BinaryPrimitives.ReadInt32BigEndian(rest.AsSpan(20)));
            lock (Requests)
                Requests.Add(asked);
            if (asked.Command == NbdCommand.Disconnect)
                return;
            foreach (byte[] reply in Answer(asked) ?? Usual(asked))
                wire.Send(reply);
        }
    }

    /// <summary>The bytes that a request asks for.</summary>
    internal byte[] Part(Asked asked) => Content.AsSpan((int)asked.Offset, asked.Length).ToArray();

    internal byte[][] Usual(Asked asked)
    {
        if (asked.Command == NbdCommand.BlockStatus)
            return [Reply.Status(asked.Cookie, Allocation!.Value, [((uint)asked.Length, 0)])];
        if (asked.Command != NbdCommand.Read)
            throw new InvalidOperationException($"The client sent the command {asked.Command}.");
        return HasStructuredReplies
            ? [Reply.Data(asked.Cookie, asked.Offset, Part(asked), isLast: true)]
            : [Reply.Simple(asked.Cookie, 0, Part(asked))];
    }

    private void Inform(Wire wire)
    {
        wire.Send(Reply.Information(NbdInformation.Export, Reply.Bytes(ToldSize ?? (ulong)Content.Length, TransmissionFlags)));
        // What the client does not know it passes over.
        wire.Send(Reply.Information((NbdInformation)77, Reply.Bytes("of no use")));
        if (Name is not null)
            wire.Send(Reply.Information(NbdInformation.Name, Reply.Bytes(Name)));
        if (Description is not null)
            wire.Send(Reply.Information(NbdInformation.Description, Reply.Bytes(Description)));
        if (Sizes is { } sizes)
            wire.Send(Reply.Information(NbdInformation.BlockSize, Reply.Bytes(sizes.Minimum, sizes.Preferred, sizes.Maximum)));
        wire.Send(Reply.Option(NbdOption.Go, NbdOptionReply.Ack));
    }
}

/// <summary>What servers send, byte by byte.</summary>
internal static class Reply
{
    /// <summary>Numbers in network order, each as long as its type, and strings.</summary>
    internal static byte[] Bytes(params object[] values)
    {
        var bytes = new List<byte>();
        Span<byte> number = stackalloc byte[8];
        foreach (object value in values)
        {
            switch (value)
            {
                case ushort n:
                    BinaryPrimitives.WriteUInt16BigEndian(number, n);
                    bytes.AddRange(number[..2]);
                    break;
                case uint n:
                    BinaryPrimitives.WriteUInt32BigEndian(number, n);
                    bytes.AddRange(number[..4]);
                    break;
                case ulong n:
                    BinaryPrimitives.WriteUInt64BigEndian(number, n);
                    bytes.AddRange(number);
                    break;
                case string text:
                    bytes.AddRange(Encoding.UTF8.GetBytes(text));
                    break;
                case byte[] raw:
                    bytes.AddRange(raw);
                    break;
                default:
                    throw new ArgumentException($"{value.GetType()} has no form.", nameof(values));
            }
        }

        return [.. bytes];
    }

    internal static byte[] Option(NbdOption option, NbdOptionReply kind, byte[]? data = null) =>
        Bytes(NbdProtocol.OptionReplyMagic, (uint)option, (uint)kind, (uint)(data?.Length ?? 0), data ?? []);

    internal static byte[] Information(NbdInformation kind, byte[] data) => Option(NbdOption.Go, NbdOptionReply.Info, Bytes((ushort)kind, data));

    internal static byte[] Simple(ulong cookie, uint error, byte[] data) => Bytes(NbdProtocol.SimpleReplyMagic, error, cookie, data);

    internal static byte[] Chunk(ulong cookie, ushort flags, NbdChunk kind, byte[] payload) =>
        Bytes(NbdProtocol.StructuredReplyMagic, flags, (ushort)kind, cookie, (uint)payload.Length, payload);

    internal static byte[] Data(ulong cookie, long offset, byte[] data, bool isLast = false) =>
        Chunk(cookie, isLast ? (ushort)1 : (ushort)0, NbdChunk.OffsetData, Bytes((ulong)offset, data));

    internal static byte[] Hole(ulong cookie, long offset, int length, bool isLast = false) =>
        Chunk(cookie, isLast ? (ushort)1 : (ushort)0, NbdChunk.OffsetHole, Bytes(unchecked((ulong)offset), unchecked((uint)length)));

    internal static byte[] Done(ulong cookie) => Chunk(cookie, 1, NbdChunk.None, []);

    internal static byte[] Error(ulong cookie, uint error, string words, bool isLast = true) =>
        Chunk(cookie, isLast ? (ushort)1 : (ushort)0, NbdChunk.Error, Bytes(error, (ushort)Encoding.UTF8.GetByteCount(words), words));

    internal static byte[] ErrorAt(ulong cookie, uint error, string words, long offset, bool isLast = true) => Chunk(
        cookie, isLast ? (ushort)1 : (ushort)0, NbdChunk.ErrorOffset, Bytes(error, (ushort)Encoding.UTF8.GetByteCount(words), words, (ulong)offset));

    internal static byte[] Status(ulong cookie, uint context, (uint Length, uint State)[] extents, bool isLast = true) => Chunk(
        cookie, isLast ? (ushort)1 : (ushort)0, NbdChunk.BlockStatus, Bytes([context, .. extents.SelectMany(e => new object[] { e.Length, e.State })]));
}
