using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Evidence.Platform;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Ledger.Witnesses.Http;

/// <summary>
/// Serves a witness over HTTP/1.1: <c>POST /add-checkpoint</c> and <c>GET /HASH/checkpoint</c>. Requests, connections and times are bounded; TLS, where it is
/// wanted, is the business of a proxy before it.
/// </summary>
public sealed class WitnessServer : IDisposable
{
    private const int LongestDrain = 1 << 20;

    private readonly Witness witness;
    private readonly HttpLimits limits;
    private readonly ILogger logger;
    private readonly TcpListener listener;
    private readonly ConnectionLoop connections;

    private WitnessServer(Witness witness, TcpListener listener, HttpLimits limits, ILogger logger)
    {
        this.witness = witness;
        this.listener = listener;
        this.limits = limits;
        this.logger = logger;
        connections = new ConnectionLoop(listener.Server, limits.Connections, ServeAsync, e => Log.WitnessConnectionEnded(logger, "a client", e.Message));
    }

    /// <summary>Where it listens; the port is a real one, also where any was asked for.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndpoint;

    /// <summary>Begins to listen.</summary>
    /// <param name="witness">Who answers.</param>
    /// <param name="address">The address and port; port 0 for any that is free.</param>
    /// <param name="limits">What is borne from clients; null for the usual.</param>
    /// <param name="logger">Hears of failures.</param>
    /// <exception cref="EvidenceException">The address cannot be had.</exception>
    public static WitnessServer Listen(Witness witness, IPEndPoint address, HttpLimits? limits = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(witness);
        ArgumentNullException.ThrowIfNull(address);
        var bound = new TcpListener(address);
        try
        {
            bound.Start();
            return new WitnessServer(witness, bound, limits ?? new HttpLimits(), logger ?? NullLogger.Instance);
        }
        catch (SocketException e)
        {
            bound.Dispose();
            throw new EvidenceException(ErrorCode.InputOutput, $"Cannot listen on {address}: {e.Message}. Name another address or port with --listen.", e);
        }
    }

    /// <summary>Serves until it is stopped. What was begun then is answered; whoever has not asked yet is not waited for.</summary>
    /// <param name="stop">Stops it.</param>
    public Task RunAsync(CancellationToken stop) => connections.RunAsync(stop);

    /// <inheritdoc/>
    public void Dispose()
    {
        connections.Dispose();
        listener.Dispose();
    }

    /// <summary>Serves one connection to its end, whatever comes over it.</summary>
    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        string who = client.RemoteEndPoint?.ToString() ?? "a client";
        try
        {
            client.NoDelay = true;
            var stream = new NetworkStream(client, ownsSocket: true);
            await using (stream.ConfigureAwait(false))
            {
                var reader = new HttpRequestReader(stream, limits, AddCheckpointRequest.MaximumLength);
                while (await ServeRequestAsync(reader, stream, stop).ConfigureAwait(false))
                {
                    // Another one may follow.
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            Log.WitnessConnectionEnded(logger, who, e.Message);
        }
    }

    /// <returns>Whether another request may follow.</returns>
    private async Task<bool> ServeRequestAsync(HttpRequestReader reader, NetworkStream stream, CancellationToken stop)
    {
        HttpRequest? request;
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(stop))
        {
            patience.CancelAfter(limits.Request);
            try
            {
                request = await reader.ReadAsync(patience.Token).ConfigureAwait(false);
            }
            catch (HttpRefusedException e)
            {
                await AnswerAsync(stream, WitnessAnswer.Refused(e.Status, e.Message), keepsOpen: false).ConfigureAwait(false);
                await DrainAsync(stream, patience.Token).ConfigureAwait(false);
                return false;
            }
        }

        if (request is null)
            return false;
        // What was asked is answered, also where the server is told to stop meanwhile.
        bool keepsOpen = request.KeepsOpen && !stop.IsCancellationRequested;
        await AnswerAsync(stream, Answer(request), keepsOpen, withBody: request.Method is not "HEAD").ConfigureAwait(false);
        return keepsOpen;
    }

    private WitnessAnswer Answer(HttpRequest request)
    {
        try
        {
            return (request.Method, request.Path.Split('/')) switch
            {
                ("POST", ["", "add-checkpoint"]) => witness.AddCheckpoint(request.Body),
                (_, ["", "add-checkpoint"]) => WitnessAnswer.Refused(405, "Checkpoints are added by POST."),
                ("GET" or "HEAD", ["", { Length: 64 } hash, "checkpoint"]) => witness.GetCheckpoint(hash),
                (_, ["", { Length: 64 }, "checkpoint"]) => WitnessAnswer.Refused(405, "Checkpoints are read by GET."),
                _ => WitnessAnswer.Refused(404, "There is only POST /add-checkpoint and GET /<hex SHA-256 of a log's origin>/checkpoint."),
            };
        }
        catch (EvidenceException e)
        {
            Log.WitnessFailed(logger, e);
            return WitnessAnswer.Refused(500, "The witness cannot sign now.");
        }
    }

    private async Task AnswerAsync(NetworkStream stream, WitnessAnswer answer, bool keepsOpen, bool withBody = true)
    {
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"HTTP/1.1 {answer.Status} {ReasonOf(answer.Status)}\r\nContent-Type: {answer.ContentType}\r\nContent-Length: {answer.Body.Length}\r\n") +
            (answer.Status == 405 ? "Allow: GET, HEAD, POST\r\n" : "") +
            $"Connection: {(keepsOpen ? "keep-alive" : "close")}\r\n\r\n";
        using var patience = new CancellationTokenSource(limits.Answer);
        // In one piece: a client never sees a head whose body does not come.
        byte[] bytes = [.. Encoding.ASCII.GetBytes(head), .. withBody ? answer.Body.Span : []];
        await stream.WriteAsync(bytes, patience.Token).ConfigureAwait(false);
    }

    /// <summary>Takes what a refused client still sends, within bounds: to close before it is done would take the answer from it (RFC 9112, section 9.6).</summary>
    private static async Task DrainAsync(NetworkStream stream, CancellationToken cancellation)
    {
        stream.Socket.Shutdown(SocketShutdown.Send);
        var rest = new byte[8 << 10];
        for (int taken = 0; taken < LongestDrain;)
        {
            int read = await stream.ReadAsync(rest, cancellation).ConfigureAwait(false);
            if (read == 0)
                return;
            taken += read;
        }
    }

    private static string ReasonOf(int status) => status switch
    {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        505 => "HTTP Version Not Supported",
        _ => "Error",
    };
}
