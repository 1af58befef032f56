using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Evidence.Hashing;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Ledger;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Xunit;

namespace Evidence.Interop.Tests.Witnesses;

/// <summary>The command as a witness, asked by the framework's HTTP client, which knows nothing of it.</summary>
public sealed class WitnessHttpTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();
    private readonly WrittenLog log = new();
    private readonly VerifierKey key;

    public WitnessHttpTests()
    {
        log.Append(5, "first");
        key = VerifierKey.Parse(evidence.Json("witness", "key", "--create", "--name", "witness.example/w").Succeeds().Json.GetProperty("key").GetString()!);
    }

    private static CancellationToken Stopped => TestContext.Current.CancellationToken;

    private string State => evidence.PathOf("state");

    private string[] LogKeys => [.. log.Keys.VerifierKeys.Select(k => k.ToString())];

    [Fact]
    public async Task A_log_is_cosigned_and_every_wrong_request_has_the_protocols_answer()
    {
        using var witness = RunningWitness.Start(evidence, State, LogKeys);
        Assert.Null(await witness.LastAsync(WrittenLog.Origin, Stopped));
        byte[] note = Ledger().SignedNote.ToArray();
        string cosigned = await ExpectAsync(witness, HttpStatusCode.OK, Request(0));
        Assert.StartsWith("— witness.example/w ", cosigned, StringComparison.Ordinal);
        byte[] whole = [.. note, .. Encoding.UTF8.GetBytes(cosigned)];
        byte[] last = (await witness.LastAsync(WrittenLog.Origin, Stopped))!;
        Assert.Equal(whole, last);
        Assert.Equal([key], NoteVerifier.Verify(SignedNote.Parse(whole), [key]).Verified);

        // A fork at the same size.
        byte[] fork = log.Keys.Sign(new Checkpoint(WrittenLog.Origin, 5, MerkleTree.LeafHash("another history"u8)));
        await ExpectAsync(witness, HttpStatusCode.UnprocessableEntity, AddCheckpointRequest.Write(5, [], fork));
        // A stale old size.
        HttpResponseMessage conflict = await witness.AddAsync(Request(0), Stopped);
        Assert.Equal((HttpStatusCode.Conflict, "text/x.tlog.size"), (conflict.StatusCode, conflict.Content.Headers.ContentType!.ToString()));
        Assert.Equal("5\n", await conflict.Content.ReadAsStringAsync(Stopped));
        // An unknown origin.
        using (var other = Evidence.Ledger.LogKeys.Create("evidence.example/vault/unknown"))
            await ExpectAsync(witness, HttpStatusCode.NotFound, AddCheckpointRequest.Write(0, [], other.Sign(new Checkpoint(other.Origin, 0, MerkleTree.EmptyRoot))));
        // A bad signature.
        byte[] bad = [.. note];
        int digit = bad.AsSpan().LastIndexOf((byte)' ') + 20;
        bad[digit] = bad[digit] == (byte)'A' ? (byte)'B' : (byte)'A';
        await ExpectAsync(witness, HttpStatusCode.Forbidden, AddCheckpointRequest.Write(5, [], bad));
        // An old size above the new one.
        await ExpectAsync(witness, HttpStatusCode.BadRequest, AddCheckpointRequest.Write(6, [], note));
        // A wrong proof.
        log.Append(4, "more");
        Sha256Digest[] proof = Ledger().ProveConsistency(5);
        proof[0] = MerkleTree.EmptyRoot;
        await ExpectAsync(witness, HttpStatusCode.UnprocessableEntity, AddCheckpointRequest.Write(5, proof, Ledger().SignedNote.Span));
        Assert.Equal(5, await LastSizeAsync(witness));
        // And the right one.
        await ExpectAsync(witness, HttpStatusCode.OK, Request(5));
        Assert.Equal(9, await LastSizeAsync(witness));

        // The fork is kept, beside what was cosigned.
        string[] kept = Directory.GetFiles(Path.Combine(State, "logs", WitnessState.HashOf(WrittenLog.Origin), "conflicts"));
        Assert.Equal(fork, await File.ReadAllBytesAsync(Assert.Single(kept), Stopped));
        witness.Stop().Succeeds();
    }

    [Fact]
    public async Task Nothing_else_is_served_and_nothing_too_large_is_taken()
    {
        using var witness = RunningWitness.Start(evidence, State, LogKeys);
        Assert.Equal(HttpStatusCode.NotFound, (await witness.Client.GetAsync("", Stopped)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await witness.Client.GetAsync("checkpoint", Stopped)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await witness.Client.GetAsync($"{new string('0', 64)}/checkpoint", Stopped)).StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await witness.Client.GetAsync("add-checkpoint", Stopped)).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await witness.AddAsync(new byte[AddCheckpointRequest.MaximumLength + 1], Stopped)).StatusCode);
        Assert.Equal(HttpStatusCode.LengthRequired, (await SendChunkedAsync(witness)).StatusCode);
        await ExpectAsync(witness, HttpStatusCode.OK, Request(0));
    }

    [Theory]
    [InlineData("nonsense\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400")]
    [InlineData("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400")]
    [InlineData("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "400")]
    [InlineData("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nxx", "411")]
    [InlineData("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", "400")]
    [InlineData("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", "413")]
    [InlineData("POST /add-checkpoint HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nold", "400")]
    [InlineData("POST /add-checkpoint HTTP/1.0\r\nContent-Length: 3\r\n\r\nold", "400")]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\nx: \u0001\r\n\r\n", "400")]
    public async Task Malformed_requests_are_refused(string request, string status)
    {
        using var witness = RunningWitness.Start(evidence, State, LogKeys);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, witness.Address.Port, Stopped);
        NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), Stopped);
        client.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        Assert.StartsWith($"HTTP/1.1 {status} ", await reader.ReadToEndAsync(Stopped), StringComparison.Ordinal);
        await ExpectAsync(witness, HttpStatusCode.OK, Request(0));
    }

    [Fact]
    public async Task Two_requests_in_one_piece_have_two_answers_on_one_connection()
    {
        using var witness = RunningWitness.Start(evidence, State, LogKeys);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, witness.Address.Port, Stopped);
        NetworkStream stream = client.GetStream();
        byte[] body = Request(0);
        byte[] first = [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {body.Length}\r\n\r\n")), .. body];
        byte[] second = Encoding.ASCII.GetBytes($"GET /{WitnessState.HashOf(WrittenLog.Origin)}/checkpoint HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n");
        await stream.WriteAsync((byte[])[.. first, .. second], Stopped);
        using var reader = new StreamReader(stream);
        string answers = await reader.ReadToEndAsync(Stopped);
        Assert.Equal(2, answers.Split("HTTP/1.1 200 OK\r\n").Length - 1);
        Assert.Contains(Ledger().Checkpoint.ToText(), answers, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sixty_four_clients_at_once_never_set_it_back()
    {
        log.Append(35, "more");
        CustodyLedger ledger = Ledger();
        byte[][] notes = [.. Enumerable.Range(0, 41).Select(size => log.Keys.Sign(new Checkpoint(WrittenLog.Origin, size, ledger.RootAt(size))))];
        using var witness = RunningWitness.Start(evidence, State, LogKeys);
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async n =>
        {
            using var client = new HttpClient { BaseAddress = witness.Address };
            long old = 0;
            while (old < 40)
            {
                int next = (int)Math.Min(old + 1 + (n % 4), 40);
                byte[] request = AddCheckpointRequest.Write(old, ledger.ProveConsistency(old, next), notes[next]);
                HttpResponseMessage answer = await client.PostAsync("add-checkpoint", new ByteArrayContent(request), Stopped);
                string text = await answer.Content.ReadAsStringAsync(Stopped);
                Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict, text);
                long known = answer.StatusCode == HttpStatusCode.OK ? next : long.Parse(text, CultureInfo.InvariantCulture);
                // It never remembers less than it said before.
                Assert.True(known >= old, $"{known} after {old}");
                Assert.True(await LastSizeAsync(witness) >= known);
                old = known;
            }
        }));
        Assert.Equal(40, await LastSizeAsync(witness));
    }

    [Fact]
    public async Task What_it_signed_outlives_a_kill_and_a_second_process_is_kept_out()
    {
        using (var witness = RunningWitness.Start(evidence, State, LogKeys))
        {
            await ExpectAsync(witness, HttpStatusCode.OK, Request(0));
            evidence.Json(["witness", "serve", "--listen", "127.0.0.1:0", "--state", State, "--log", LogKeys[0]]).FailsWith("witness-busy");
            // By the same key, another state would be a second memory.
            evidence.Json(["witness", "serve", "--listen", "127.0.0.1:0", "--state", State + "2", "--log", LogKeys[0]]).FailsWith("witness-state-invalid");
            witness.Kill();
        }

        using var again = RunningWitness.Start(evidence, State, LogKeys);
        Assert.Equal(5, await LastSizeAsync(again));
        await ExpectAsync(again, HttpStatusCode.Conflict, Request(0));
        again.Stop().Succeeds();
    }

    [Fact]
    public async Task Slow_clients_do_not_keep_others_out_and_a_stop_does_not_wait_for_them()
    {
        using var witness = RunningWitness.Start(evidence, State, LogKeys);
        var slow = new List<TcpClient>();
        for (int i = 0; i < 60; i++)
        {
            var client = new TcpClient();
            slow.Add(client);
            await client.ConnectAsync(IPAddress.Loopback, witness.Address.Port, Stopped);
            await client.GetStream().WriteAsync("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold"u8.ToArray(), Stopped);
        }

        await ExpectAsync(witness, HttpStatusCode.OK, Request(0));
        witness.Stop().Succeeds();
        slow.ForEach(client => client.Dispose());
    }

    [Fact]
    public void By_files_it_answers_the_same()
    {
        string request = evidence.PathOf("request");
        string answer = evidence.PathOf("answer");
        string[] command = ["witness", "answer", request, "--state", State, "--log", LogKeys[0], "--log", LogKeys[1], "--output", answer];
        File.WriteAllBytes(request, Request(0));
        evidence.Json(command).Succeeds();
        Assert.Equal([key], NoteVerifier.Verify(SignedNote.Parse([.. Ledger().SignedNote.Span, .. File.ReadAllBytes(answer)]), [key]).Verified);
        evidence.Json(command).Ends(1);
        Assert.Equal("5\n", File.ReadAllText(answer));
        File.WriteAllText(request, "nonsense");
        Assert.Contains(request, evidence.Json(command).FailsWith("witness-failed"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("nonsense:80")]
    [InlineData("localhost:80")]
    public void An_address_that_is_none_is_refused(string address) =>
        evidence.Json("witness", "serve", "--listen", address, "--state", State, "--log", LogKeys[0]).FailsWith("usage", 2);

    public void Dispose()
    {
        evidence.Dispose();
        log.Dispose();
    }

    private CustodyLedger Ledger() => CustodyLedger.Open(log.Storage, WrittenLog.Origin, log.Keys.VerifierKeys);

    private byte[] Request(long old) => AddCheckpointRequest.Write(old, Ledger().ProveConsistency(old), Ledger().SignedNote.Span);

    private static async Task<string> ExpectAsync(RunningWitness witness, HttpStatusCode status, byte[] request)
    {
        HttpResponseMessage answer = await witness.AddAsync(request, Stopped);
        string text = await answer.Content.ReadAsStringAsync(Stopped);
        Assert.True(status == answer.StatusCode, $"{answer.StatusCode}, not {status}: {text}");
        return text;
    }

    private static async Task<HttpResponseMessage> SendChunkedAsync(RunningWitness witness)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "add-checkpoint") { Content = new ByteArrayContent([1, 2, 3]) };
        request.Headers.TransferEncodingChunked = true;
        return await witness.Client.SendAsync(request, Stopped);
    }

    private static async Task<long> LastSizeAsync(RunningWitness witness) =>
        Checkpoint.Parse(SignedNote.Parse(await witness.LastAsync(WrittenLog.Origin, Stopped)).Text).Size;
}
