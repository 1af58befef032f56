using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Evidence.Sources.Nbd;

/// <summary>
/// The bytes of one connection. Whatever breaks it is an <see cref="IOException"/> whose message says how: closed, timed out, reset. It is
/// used by one thread at a time; only a request to stop comes from others.
/// </summary>
internal sealed class NbdTransport : IDisposable
{
    private readonly Socket socket;
    private readonly CancellationTokenRegistration stopping;
    private readonly TimeSpan timeout;

    /// <summary>Where bytes go.</summary>
    private Stream stream;

    /// <summary>
    /// Where bytes come from. Without a buffer during the negotiation, so that nothing that came before TLS is taken for a part of it.
    /// </summary>
    private Stream input;

    private NbdTransport(Socket socket, string server, TimeSpan timeout, CancellationToken stop)
    {
        this.socket = socket;
        this.timeout = timeout;
        Server = server;
        socket.SendTimeout = socket.ReceiveTimeout = (int)timeout.TotalMilliseconds;
        stream = input = new NetworkStream(socket, ownsSocket: true);
        stopping = stop.UnsafeRegister(static state => ((NbdTransport)state!).Abort(), this);
    }

    /// <summary>Where the connection ends: an address and a port, or a path (with @ for the zero of an abstract one).</summary>
    internal string Server { get; }

    /// <exception cref="EvidenceException">Nobody is there, or nobody answers.</exception>
    internal static NbdTransport Connect(NbdUri uri, TimeSpan timeout, CancellationToken stop)
    {
        Socket connecting = uri.Socket is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            EndPoint end = uri.Socket is { } path ? new UnixDomainSocketEndPoint(path) : new DnsEndPoint(uri.Host, uri.Port);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
            patience.CancelAfter(timeout);
            connecting.ConnectAsync(end, patience.Token).AsTask().GetAwaiter().GetResult();
            if (uri.Socket is null)
                connecting.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
            return new NbdTransport(connecting, uri.Socket is { } local ? local.Replace('\0', '@') : Show(connecting.RemoteEndPoint), timeout, stop);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ArgumentException)
        {
            connecting.Dispose();
            throw NotConnected(uri, timeout, e);
        }
        catch
        {
            connecting.Dispose();
            throw;
        }
    }

    /// <summary>From here on everything is encrypted.</summary>
    internal NbdTlsIdentity StartTls(NbdUri uri)
    {
        (stream, NbdTlsIdentity identity) = NbdTls.Authenticate(stream, uri);
        input = stream;
        return identity;
    }

    /// <summary>From here on small reads are answered from a buffer.</summary>
    internal void BufferInput() => input = new BufferedStream(stream, 16 << 10);

    internal void ReadExactly(Span<byte> buffer)
    {
        try
        {
            input.ReadExactly(buffer);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw Broken(e);
        }
    }

    internal ushort ReadUInt16()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ushort)];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt16BigEndian(bytes);
    }

    internal uint ReadUInt32()
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    internal ulong ReadUInt64()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ReadExactly(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    internal void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            stream.Write(bytes);
            stream.Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            throw Broken(e);
        }
    }

    /// <summary>Ends the connection under whoever waits for it.</summary>
    private void Abort()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It had ended already.
        }
    }

    public void Dispose()
    {
        stopping.Dispose();
        stream.Dispose();
        socket.Dispose();
    }

    /// <summary>Whether it was the server who ended the connection: with an end, or, where something of ours was unread, with a reset.</summary>
    internal static bool IsHangUp(Exception? e) => e is EndOfStreamException
        or { InnerException: SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown } };

    private IOException Broken(Exception e) => new(
        e switch
        {
            _ when IsHangUp(e) => "the server closed the connection",
            { InnerException: SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock } } =>
                string.Create(null, $"no byte came for {timeout.TotalSeconds:0.###} s"),
            { InnerException: SocketException inner } => inner.Message,
            _ => e.Message,
        },
        e);

    private static EvidenceException NotConnected(NbdUri uri, TimeSpan timeout, Exception e)
    {
        string reason = e switch
        {
            OperationCanceledException => string.Create(null, $"no answer within {timeout.TotalSeconds:0.###} s"),
            // .NET has no word of its own for a path that does not exist.
            SocketException { SocketErrorCode: SocketError.AddressNotAvailable } when uri.Socket is not null => "there is no such socket",
            _ => e.Message,
        };
        string code = e switch
        {
            SocketException { SocketErrorCode: SocketError.AccessDenied } => ErrorCode.PermissionDenied,
            ArgumentException => ErrorCode.Usage,
            _ => ErrorCode.SourceNotFound,
        };
        return new EvidenceException(code, $"Cannot connect to {uri}: {reason}. Is the server running, and is it reached from here?", e);
    }

    private static string Show(EndPoint? end) => end is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped
        ? new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port).ToString()
        : end?.ToString() ?? "";
}
