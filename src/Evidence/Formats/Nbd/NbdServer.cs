using System.Net;
using System.Net.Sockets;
using Evidence.Platform;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Formats.Nbd;

/// <summary>
/// Serves an image over the NBD protocol (the NetworkBlockDevice project's <c>doc/proto.md</c>): fixed newstyle, structured replies, <c>base:allocation</c>, read-only, any number
/// of connections within bounds. It listens on this machine only: the protocol has no word for who asks.
/// </summary>
public sealed class NbdServer : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly NbdServedImage image;
    private readonly NbdLimits limits;
    private readonly ILogger logger;
    private readonly Socket listener;
    private readonly string? path;
    private readonly ConnectionLoop connections;
    private readonly string name;

    private NbdServer(ImageReader reader, AbsentBytes absent, string name, Socket listener, string? path, NbdLimits limits, ILogger logger)
    {
        this.name = name;
        this.listener = listener;
        this.path = path;
        this.limits = limits;
        this.logger = logger;
        image = new NbdServedImage(reader, absent, name, $"image sha256:{reader.Image.Id}");
        connections = new ConnectionLoop(listener, limits.Connections, ServeAsync, e => Log.NbdClientEnded(logger, name, e.Message));
    }

    /// <summary>The export's address, as NBD clients take it.</summary>
    public string Address => path is null
        ? $"nbd://{listener.LocalEndPoint}/{Uri.EscapeDataString(name)}"
        : $"nbd+unix:///{Uri.EscapeDataString(name)}?socket={Uri.EscapeDataString(path).Replace("%2F", "/", StringComparison.Ordinal)}";

    /// <summary>Begins to listen on a Unix domain socket, which only the user may connect to.</summary>
    /// <param name="image">The image.</param>
    /// <param name="name">The export's name, at most 4096 bytes in UTF-8; the empty name means it as well.</param>
    /// <param name="path">The socket's path, at most 107 bytes. A socket that nobody listens on any more is taken away; anything else at that place is an error.</param>
    /// <param name="options">How the image is read.</param>
    /// <param name="limits">What is borne from clients; null for the usual.</param>
    /// <param name="logger">Hears of failures.</param>
    /// <exception cref="EvidenceException">The place cannot be had.</exception>
    public static NbdServer Listen(VaultImage image, string name, string path, ImageReadOptions? options = null, NbdLimits? limits = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(path);
        string full = Path.GetFullPath(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            RemoveDead(full);
            socket.Bind(new UnixDomainSocketEndPoint(full));
            // Nobody can connect before it listens.
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(full, OwnerOnly);
            socket.Listen();
            return Create(image, name, socket, full, options, limits, logger);
        }
        catch (Exception e) when (e is SocketException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"Cannot listen on {full}: {e.Message}. Name a path that is free, in a folder of your own, of at most 107 bytes.", e);
        }
    }

    /// <summary>Begins to listen on a TCP port of this machine's own.</summary>
    /// <param name="image">The image.</param>
    /// <param name="name">The export's name, at most 4096 bytes in UTF-8; the empty name means it as well.</param>
    /// <param name="address">A loopback address, and a port; 0 for any that is free.</param>
    /// <param name="options">How the image is read.</param>
    /// <param name="limits">What is borne from clients; null for the usual.</param>
    /// <param name="logger">Hears of failures.</param>
    /// <exception cref="EvidenceException">The address is not loopback, or cannot be had.</exception>
    public static NbdServer Listen(VaultImage image, string name, IPEndPoint address, ImageReadOptions? options = null, NbdLimits? limits = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(address);
        if (!IPAddress.IsLoopback(address.Address))
        {
            throw new EvidenceException(
                ErrorCode.Usage, $"{address} can be reached from other machines, and the NBD protocol asks nobody who they are. Listen on 127.0.0.1, and carry it further with 'ssh -L'.");
        }

        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(address);
            socket.Listen();
            return Create(image, name, socket, null, options, limits, logger);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new EvidenceException(ErrorCode.InputOutput, $"Cannot listen on {address}: {e.Message}. Name another port with --listen.", e);
        }
    }

    /// <summary>Serves until it is stopped. What was asked for then is answered; whoever does not take that is not waited for.</summary>
    /// <param name="stop">Stops it.</param>
    public Task RunAsync(CancellationToken stop) => connections.RunAsync(stop);

    /// <inheritdoc/>
    public void Dispose()
    {
        connections.Dispose();
        if (path is not null)
            File.Delete(path);
        image.Reader.Dispose();
    }

    private static NbdServer Create(VaultImage image, string name, Socket socket, string? path, ImageReadOptions? options, NbdLimits? limits, ILogger? logger)
    {
        options ??= new ImageReadOptions();
        return new NbdServer(image.OpenReader(options), options.Absent, name, socket, path, limits ?? new NbdLimits(), logger ?? NullLogger.Instance);
    }

    /// <summary>A server that was killed leaves its socket behind.</summary>
    private static void RemoveDead(string path)
    {
        if (!File.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && FileStatus.TryGet(path) is { Type: FileType.Socket })
        {
            File.Delete(path);
        }
        catch (SocketException)
        {
            // It is none, or another's: to bind there will say so.
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        try
        {
            if (path is null)
                client.NoDelay = true;
            var stream = new NetworkStream(client, ownsSocket: true);
            await using (stream.ConfigureAwait(false))
                await NbdConversation.RunAsync(stream, image, limits, logger, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Log.NbdClientEnded(logger, name, e.Message);
        }
    }
}
