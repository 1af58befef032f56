using System.Diagnostics;
using Evidence.Platform;
using Microsoft.Extensions.Logging;

namespace Evidence.Sources.Nbd;

/// <summary>
/// One connection at a time, and another one in its place when it is lost, for as long as patience allows. What was answered before is not
/// asked again; the rest is. Threads take turns.
/// </summary>
internal sealed class NbdSession : IDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly NbdUri uri;
    private readonly string name;
    private readonly NbdOptions options;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private NbdConnection? connection;

    private NbdSession(NbdUri uri, NbdOptions options, ILogger logger)
    {
        this.uri = uri;
        this.options = options;
        this.logger = logger;
        name = uri.ToString();
        connection = NbdConnection.Open(uri, options.Timeout, stop.Token);
        Export = connection.Export;
    }

    /// <summary>The export as it was when the session began.</summary>
    internal NbdExport Export { get; }

    /// <exception cref="EvidenceException">Nobody is there, the server refuses, or it breaks the protocol.</exception>
    internal static NbdSession Open(NbdUri uri, NbdOptions options, ILogger logger) => new(uri, options, logger);

    /// <summary>Has requests answered, whatever becomes of the connection meanwhile.</summary>
    /// <exception cref="SourceReadException">The connection was lost for good; its offset is that of the first request without an answer.</exception>
    /// <exception cref="SourceChangedException">After a reconnection the export is another one.</exception>
    /// <exception cref="EvidenceException">The server broke the protocol.</exception>
    internal void Run(IReadOnlyList<NbdRequest> requests, Span<byte> buffer)
    {
        lock (gate)
        {
            Outage? outage = null;
            while (true)
            {
                int answered = requests.Count(r => r.IsAnswered);
                try
                {
                    Connected(ref outage, requests).Exchange(requests, buffer);
                    return;
                }
                catch (IOException e)
                {
                    Drop();
                    ObjectDisposedException.ThrowIf(stop.IsCancellationRequested, typeof(Source));
                    // An answer is a sign of life: the patience begins anew. A server that lives just long enough to be asked gives none.
                    if (outage is null || requests.Count(r => r.IsAnswered) > answered)
                        outage = new Outage();
                    outage.Reason = e.Message;
                    Log.NbdConnectionLost(logger, name, e.Message, options.ReconnectTime.TotalSeconds);
                }
                catch
                {
                    // Whatever is still on its way belongs to nobody now.
                    Drop();
                    throw;
                }
            }
        }
    }

    public void Dispose()
    {
        // A read that waits would hold the gate for as long as it likes: first it is ended.
        bool isIdle = gate.TryEnter();
        if (isIdle)
        {
            try
            {
                connection?.Leave();
                stop.Cancel();
                Drop();
            }
            finally
            {
                gate.Exit();
            }
        }
        else
        {
            stop.Cancel();
        }
    }

    private NbdConnection Connected(ref Outage? outage, IReadOnlyList<NbdRequest> requests)
    {
        ObjectDisposedException.ThrowIf(stop.IsCancellationRequested, typeof(Source));
        if (connection is null)
        {
            outage ??= new Outage();
            connection = Reconnect(outage, requests);
        }

        // The number of the context is the connection's own.
        foreach (NbdStatusRequest status in requests.OfType<NbdStatusRequest>())
            status.Context = connection.Export.AllocationContext!.Value;
        return connection;
    }

    private NbdConnection Reconnect(Outage outage, IReadOnlyList<NbdRequest> requests)
    {
        while (true)
        {
            TimeSpan left = options.ReconnectTime - outage.Watch.Elapsed;
            if (left <= TimeSpan.Zero)
                throw Gone(outage, requests);
            if (outage.Pause > TimeSpan.Zero)
                stop.Token.WaitHandle.WaitOne(outage.Pause < left ? outage.Pause : left);
            ObjectDisposedException.ThrowIf(stop.IsCancellationRequested, typeof(Source));
            outage.Attempts++;
            outage.Pause = outage.Pause == TimeSpan.Zero ? FirstPause : outage.Pause * 2 < LongestPause ? outage.Pause * 2 : LongestPause;
            try
            {
                NbdConnection opened = NbdConnection.Open(uri, options.Timeout, stop.Token);
                CheckSame(opened);
                Log.NbdReconnected(logger, name, outage.Attempts, requests.Count(r => !r.IsAnswered), requests.First(r => !r.IsAnswered).Offset);
                return opened;
            }
            catch (EvidenceException e) when (e is not SourceChangedException)
            {
                outage.Reason = e.Message;
                Log.NbdReconnectFailed(logger, name, e.Message);
            }
        }
    }

    private void CheckSame(NbdConnection opened)
    {
        NbdExport now = opened.Export;
        if (now.Size == Export.Size && now.DifferenceFrom(Export) is null)
            return;
        opened.Dispose();
        if (now.Size == Export.Size)
            throw Changed(now.DifferenceFrom(Export)!);
        throw new SourceChangedException(name, now.Size < Export.Size ? SourceChange.Shorter : SourceChange.Longer, Export.Size, now.Size);
    }

    private SourceChangedException Changed(string how) => new(name, how, Export.Size);

    private SourceReadException Gone(Outage outage, IReadOnlyList<NbdRequest> requests)
    {
        NbdRequest first = requests.First(r => !r.IsAnswered);
        long end = requests[^1].Offset + requests[^1].Length;
        return new SourceReadException(
            name, first.Offset, end - first.Offset, Posix.ENOTCONN,
            string.Create(null, $"the connection was lost, and {outage.Attempts} attempts in {options.ReconnectTime.TotalSeconds:0.###} s brought none that lasted: {outage.Reason}"));
    }

    private void Drop()
    {
        connection?.Dispose();
        connection = null;
    }

    /// <summary>A time without answers.</summary>
    private sealed class Outage
    {
        internal Stopwatch Watch { get; } = Stopwatch.StartNew();

        internal TimeSpan Pause { get; set; }

        internal int Attempts { get; set; }

        internal string Reason { get; set; } = "";
    }
}
