using System.Net.Sockets;

namespace Evidence.Platform;

/// <summary>Accepts connections, and has each served by itself, so many at a time.</summary>
/// <param name="listener">The socket; it listens. It is closed when the loop ends.</param>
/// <param name="most">How many are served at a time; who comes next waits to be accepted.</param>
/// <param name="serve">Serves a connection to its end, whatever comes over it; it throws nothing.</param>
/// <param name="failed">Hears of a connection that could not be accepted.</param>
internal sealed class ConnectionLoop(Socket listener, int most, Func<Socket, CancellationToken, Task> serve, Action<SocketException> failed) : IDisposable
{
    private readonly SemaphoreSlim places = new(most);

    /// <summary>Runs until it is stopped, and until what was begun then has ended.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        var connections = new HashSet<Task>();
        try
        {
            while (true)
            {
                await places.WaitAsync(stop).ConfigureAwait(false);
                Socket client = await AcceptAsync(stop).ConfigureAwait(false);
                Task served = ServeAsync(client, stop);
                lock (connections)
                    connections.Add(served);
                _ = served.ContinueWith(
                    done =>
                    {
                        places.Release();
                        lock (connections)
                            connections.Remove(done);
                    },
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            listener.Dispose();
        }

        Task[] open;
        lock (connections)
            open = [.. connections];
        await Task.WhenAll(open).ConfigureAwait(false);
    }

    public void Dispose()
    {
        listener.Dispose();
        places.Dispose();
    }

    private async Task<Socket> AcceptAsync(CancellationToken stop)
    {
        while (true)
        {
            try
            {
                return await listener.AcceptAsync(stop).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                // A client that went away before it was accepted, or too many open files: neither is a reason to stop.
                failed(e);
                await Task.Delay(TimeSpan.FromMilliseconds(50), stop).ConfigureAwait(false);
            }
        }
    }

    private async Task ServeAsync(Socket client, CancellationToken stop)
    {
        // What a client sent already is there at once: without this it would be served, and what it sends on, before the next one is accepted.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await serve(client, stop).ConfigureAwait(false);
    }
}
