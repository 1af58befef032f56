using System.Net;
using System.Net.Sockets;
using System.Text;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Evidence.Ledger.Witnesses.Http;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class WitnessServerTests : IDisposable
{
    private const string Name = "witness.example/w";

    private readonly TemporaryFolder folder = new();

    /// <summary>What a client sent before it was accepted is there at once: to serve it must not be a part of accepting the next one.</summary>
    [Fact]
    public async Task While_one_client_is_served_others_are()
    {
        CancellationToken test = TestContext.Current.CancellationToken;
        var keys = new KeyStore(Path.Combine(folder.Path, "keys"));
        keys.CreateWitness(Name).Dispose();
        var log = new LedgerFixture();
        log.Append(LedgerFixture.Entries(1));
        using var clock = new StandingClock();
        using var witness = Witness.Open(keys, Name, Path.Combine(folder.Path, "state"), LedgerFixture.Keys.VerifierKeys, clock);
        using var server = WitnessServer.Listen(witness, new IPEndPoint(IPAddress.Loopback, 0));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(test);
        using Socket first = await ConnectAsync(server, test);
        byte[] body = AddCheckpointRequest.Write(0, [], log.Reader().SignedNote.Span);
        await first.SendAsync((byte[])[.. Encoding.ASCII.GetBytes($"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {body.Length}\r\n\r\n"), .. body], test);
        using Socket second = await ConnectAsync(server, test);
        await second.SendAsync("GET /nothing HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n"u8.ToArray(), test);

        Task running = Task.Run(() => server.RunAsync(stop.Token), test);

        Assert.StartsWith("HTTP/1.1 404", await AnswerAsync(second, test), StringComparison.Ordinal);
        clock.Go();
        Assert.StartsWith("HTTP/1.1 200", await AnswerAsync(first, test), StringComparison.Ordinal);
        await stop.CancelAsync();
        await running;
    }

    public void Dispose() => folder.Dispose();

    private static async Task<Socket> ConnectAsync(WitnessServer server, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.EndPoint, cancellation);
        return socket;
    }

    private static async Task<string> AnswerAsync(Socket socket, CancellationToken cancellation)
    {
        var answer = new byte[1 << 12];
        int read = await socket.ReceiveAsync(answer, cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(30), cancellation);
        return Encoding.ASCII.GetString(answer, 0, read);
    }

    /// <summary>A clock that does not answer until it is told to.</summary>
    private sealed class StandingClock : IClock, IDisposable
    {
        private readonly ManualResetEventSlim told = new();

        public void Go() => told.Set();

        public Instant GetCurrentInstant()
        {
            told.Wait(TimeSpan.FromSeconds(60));
            return Instant.FromUtc(2026, 1, 1, 0, 0);
        }

        public void Dispose() => told.Dispose();
    }
}
