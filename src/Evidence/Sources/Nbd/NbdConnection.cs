using System.Buffers.Binary;

namespace Evidence.Sources.Nbd;

/// <summary>A connection after the negotiation: sends requests, and takes the replies in whatever order they come.</summary>
internal sealed class NbdConnection : IDisposable
{
    private readonly NbdTransport transport;
    private readonly NbdUri uri;

    /// <summary>The cookie of the next request. None is used twice on a connection, so that a late reply is never another one's.</summary>
    private ulong nextCookie = 1;

    private NbdConnection(NbdTransport transport, NbdUri uri, NbdExport export)
    {
        this.transport = transport;
        this.uri = uri;
        Export = export;
    }

    internal NbdExport Export { get; }

    /// <exception cref="EvidenceException">Nobody is there, the server refuses, or it breaks the protocol.</exception>
    internal static NbdConnection Open(NbdUri place, TimeSpan timeout, CancellationToken stop)
    {
        NbdTransport connected = NbdTransport.Connect(place, timeout, stop);
        try
        {
            NbdExport export = NbdNegotiation.Run(connected, place);
            connected.BufferInput();
            return new NbdConnection(connected, place, export);
        }
        catch (IOException e)
        {
            connected.Dispose();
            throw new EvidenceException(
                ErrorCode.SourceFailed, $"{place}: the negotiation with the server was cut short: {e.Message}. See what it says of that on its side.", e);
        }
        catch
        {
            connected.Dispose();
            throw;
        }
    }

    /// <summary>Sends every request that is not answered yet, and waits for all answers.</summary>
    /// <param name="requests">The requests, of one kind.</param>
    /// <param name="buffer">Where the bytes of reads go.</param>
    /// <exception cref="IOException">The connection broke; requests that are answered stay so.</exception>
    /// <exception cref="EvidenceException">The server broke the protocol.</exception>
    internal void Exchange(IReadOnlyList<NbdRequest> requests, Span<byte> buffer)
    {
        var waiting = new Dictionary<ulong, NbdRequest>();
        byte[] message = new byte[requests.Count * NbdProtocol.RequestLength];
        int length = 0;
        foreach (NbdRequest request in requests.Where(r => !r.IsAnswered))
        {
            request.Reset();
            waiting.Add(nextCookie, request);
            Encode(message.AsSpan(length), request.Command, nextCookie++, request.Offset, request.Length);
            length += NbdProtocol.RequestLength;
        }

        transport.Send(message.AsSpan(0, length));
        while (waiting.Count > 0)
            Receive(waiting, buffer);
    }

    /// <summary>Says goodbye. Whether the server still listens makes no difference.</summary>
    internal void Leave()
    {
        Span<byte> message = stackalloc byte[NbdProtocol.RequestLength];
        Encode(message, NbdCommand.Disconnect, nextCookie, 0, 0);
        try
        {
            transport.Send(message);
        }
        catch (IOException)
        {
            // It left first.
        }
    }

    public void Dispose() => transport.Dispose();

    private static void Encode(Span<byte> message, NbdCommand command, ulong cookie, long offset, int length)
    {
        BinaryPrimitives.WriteUInt32BigEndian(message, NbdProtocol.RequestMagic);
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], (ushort)command);
        BinaryPrimitives.WriteUInt64BigEndian(message[8..], cookie);
        BinaryPrimitives.WriteInt64BigEndian(message[16..], offset);
        BinaryPrimitives.WriteInt32BigEndian(message[24..], length);
    }

    private void Receive(Dictionary<ulong, NbdRequest> waiting, Span<byte> buffer)
    {
        NbdRequest request;
        ulong cookie;
        switch (transport.ReadUInt32())
        {
            case NbdProtocol.SimpleReplyMagic:
                uint error = transport.ReadUInt32();
                (cookie, request) = Find(waiting);
                if (Export.HasStructuredReplies && request.Command == NbdCommand.Read)
                    throw NbdError.Violation(uri, "it answered a read with a simple reply, after it had agreed to structured ones");
                request.TakeSimple(error, transport, buffer);
                break;
            case NbdProtocol.StructuredReplyMagic when Export.HasStructuredReplies:
                ushort flags = transport.ReadUInt16();
                var kind = (NbdChunk)transport.ReadUInt16();
                (cookie, request) = Find(waiting);
                request.TakeChunk(flags, kind, transport.ReadUInt32(), transport, buffer);
                break;
            case var magic:
                throw NbdError.Violation(uri, $"where a reply should begin it sent 0x{magic:x8}");
        }

        if (!request.IsAnswered)
            return;
        waiting.Remove(cookie);
        if (request.Failure is { Errno: NbdProtocol.EShutdown })
        {
            // It asks to be left alone; whoever comes after it may have the answer.
            request.Reset();
            Leave();
            throw new IOException("the server is shutting down");
        }
    }

    private (ulong Cookie, NbdRequest Request) Find(Dictionary<ulong, NbdRequest> waiting)
    {
        ulong cookie = transport.ReadUInt64();
        return waiting.TryGetValue(cookie, out NbdRequest? request)
            ? (cookie, request)
            : throw NbdError.Violation(uri, $"it answered a request with the cookie 0x{cookie:x16}, which none that is open has");
    }
}
