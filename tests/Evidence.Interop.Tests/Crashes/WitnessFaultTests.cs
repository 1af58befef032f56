using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Evidence.Hashing;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Ledger;
using Evidence.Interop.Tests.Witnesses;
using Evidence.Ledger;
using Evidence.Ledger.Witnesses;
using Xunit;

namespace Evidence.Interop.Tests.Crashes;

/// <summary>
/// At every system call with which a serving witness changes files or takes locks it is killed once, and once the call fails. Whatever happens: what it signed
/// is what it remembers, and no two of its cosignatures are on two histories.
/// </summary>
/// <remarks>With EVIDENCE_LONG=1 every occurrence of every call, with every fault; else every call site, by one of its occurrences and one fault.</remarks>
public sealed class WitnessFaultTests : IDisposable
{
    private const int SIGINT = 2;

    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    /// <summary>The sizes that the witness is asked for, one after another.</summary>
    private static readonly int[] Sizes = [3, 5, 9];

    private readonly EvidenceCommand evidence = new();
    private readonly WrittenLog log = new();
    private readonly VerifierKey key;
    private readonly CustodyLedger ledger;

    public WitnessFaultTests()
    {
        log.Append(9, "entry");
        ledger = CustodyLedger.Open(log.Storage, WrittenLog.Origin, log.Keys.VerifierKeys);
        key = VerifierKey.Parse(evidence.Json("witness", "key", "--create", "--name", "witness.example/w").Succeeds().Json.GetProperty("key").GetString()!);
    }

    private static CancellationToken Stopped => TestContext.Current.CancellationToken;

    private string State => evidence.PathOf("state");

    private string[] LogKeys => [.. log.Keys.VerifierKeys.Select(k => k.ToString())];

    [Fact]
    public async Task Killed_or_failing_at_any_call_it_never_signs_two_histories()
    {
        var calls = new List<SystemCall>();
        IReadOnlyList<SignedNote> all = await ServeAsync(_ => Fault.None, calls.Add);
        Assert.Equal(Sizes.Length, all.Count);
        await CheckAsync(all);

        Experiment[] chosen = [.. Choose(calls)];
        Assert.Contains(chosen, e => e.Site.StartsWith("rename ", StringComparison.Ordinal));
        Assert.Contains(chosen, e => e.Site.StartsWith("fsync ", StringComparison.Ordinal));
        int injected = 0;
        int unanswered = 0;
        foreach (Experiment experiment in chosen)
        {
            int seen = 0;
            bool met = false;
            IReadOnlyList<SignedNote> signed = await ServeAsync(call =>
            {
                if (!call.IsWriteSide || call.Site != experiment.Site || ++seen != experiment.Occurrence)
                    return Fault.None;
                met = true;
                return experiment.Fault;
            });
            injected += met ? 1 : 0;
            unanswered += signed.Count < Sizes.Length ? 1 : 0;
            try
            {
                await CheckAsync(signed);
            }
            catch (Exception e)
            {
                Assert.Fail($"{experiment}: {e}");
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{chosen.Select(e => e.Site).Distinct(StringComparer.Ordinal).Count()} call sites: {injected} of {chosen.Length} faults injected, {unanswered} of which left a request without a cosignature.");
        // The runtime's threads take turns, so that a call may come less often than when it was counted; but not many.
        Assert.True(injected >= chosen.Length * 9 / 10, $"Only {injected} of {chosen.Length} faults were met.");
        Assert.True(unanswered > 0);
    }

    /// <summary>Runs a witness from nothing, and asks it to follow the log, until that is done or it is no more.</summary>
    /// <returns>The checkpoints that it cosigned.</returns>
    private async Task<IReadOnlyList<SignedNote>> ServeAsync(Func<SystemCall, Fault> entering, Action<SystemCall>? left = null)
    {
        if (Directory.Exists(State))
            Directory.Delete(State, recursive: true);
        foreach (string place in Directory.GetFiles(evidence.Home, "state", SearchOption.AllDirectories))
            File.Delete(place);
        int port = FreePort();
        string[] arguments =
            ["--json", "witness", "serve", "--listen", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), "--state", State, .. LogKeys.SelectMany(k => (string[])["--log", k])];
        int process = 0;
        var run = Task.Run(() => SystemCallTracer.Run(evidence.StartInfo(arguments), evidence.Folder, entering, left, started => process = started), Stopped);
        var signed = new List<SignedNote>();
        using (var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}/") })
        {
            await WaitUntilListeningAsync(port, run);
            foreach (int size in Sizes)
            {
                // A request without an answer is repeated once: what failed may have been on the way.
                if ((await AskAsync(client, size) ?? await AskAsync(client, size)) is { } note)
                    signed.Add(note);
            }
        }

        if (!run.IsCompleted)
            _ = Tracing.Kill(process, SIGINT);
        await run;
        return signed;
    }

    /// <summary>Asks for a checkpoint of the log, from whatever size the witness remembers.</summary>
    private async Task<SignedNote?> AskAsync(HttpClient client, int size)
    {
        byte[] note = log.Keys.Sign(new Checkpoint(WrittenLog.Origin, size, ledger.RootAt(size)));
        long old = 0;
        for (int tries = 0; tries < 3; tries++)
        {
            try
            {
                HttpResponseMessage answer = await client.PostAsync("add-checkpoint", new ByteArrayContent(AddCheckpointRequest.Write(old, ledger.ProveConsistency(old, size), note)), Stopped);
                byte[] body = await answer.Content.ReadAsByteArrayAsync(Stopped);
                if (answer.StatusCode == HttpStatusCode.OK)
                    return SignedNote.Parse([.. note, .. body]);
                Assert.True(answer.StatusCode is HttpStatusCode.Conflict or HttpStatusCode.InternalServerError, $"{answer.StatusCode}");
                if (answer.StatusCode == HttpStatusCode.InternalServerError)
                    return null;
                old = long.Parse(System.Text.Encoding.ASCII.GetString(body), CultureInfo.InvariantCulture);
                if (old > size)
                    return null;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
            {
                // The framework does not wrap every error of a connection whose server is gone.
                return null;
            }
        }

        return null;
    }

    /// <summary>The witness, begun anew, remembers what it signed, and signs no other history.</summary>
    private async Task CheckAsync(IReadOnlyList<SignedNote> signed)
    {
        foreach (SignedNote note in signed)
        {
            Assert.Equal([key], NoteVerifier.Verify(note, [key]).Verified);
            AssertOfTheLog(Checkpoint.Parse(note.Text));
        }

        long newest = signed.Select(note => Checkpoint.Parse(note.Text).Size).DefaultIfEmpty().Max();
        using var witness = RunningWitness.Start(evidence, State, LogKeys);
        long remembered = 0;
        if (await witness.LastAsync(WrittenLog.Origin, Stopped) is { } last)
        {
            var checkpoint = Checkpoint.Parse(SignedNote.Parse(last).Text);
            AssertOfTheLog(checkpoint);
            remembered = checkpoint.Size;
        }

        Assert.True(remembered >= newest, $"It signed {newest}, and remembers {remembered}.");
        Sha256Digest other = MerkleTree.LeafHash("another history"u8);
        foreach (long size in (long[])[Math.Max(remembered, 1), remembered + 1])
        {
            byte[] fork = log.Keys.Sign(new Checkpoint(WrittenLog.Origin, size, other));
            HttpResponseMessage answer = await witness.AddAsync(AddCheckpointRequest.Write(remembered, [], fork), Stopped);
            // Who never signed anything may begin with any history; whoever did, with none but that.
            Assert.Equal(remembered == 0 && size == 1 ? HttpStatusCode.OK : HttpStatusCode.UnprocessableEntity, answer.StatusCode);
            if (answer.IsSuccessStatusCode)
            {
                Assert.Empty(signed);
                break;
            }
        }

        witness.Stop().Succeeds();
    }

    private void AssertOfTheLog(Checkpoint checkpoint) => Assert.Equal(ledger.RootAt(checkpoint.Size), checkpoint.Root);

    private static IEnumerable<Experiment> Choose(IEnumerable<SystemCall> calls)
    {
        int turn = 0;
        foreach (IGrouping<string, SystemCall> site in calls.Where(c => c.IsWriteSide).GroupBy(c => c.Site, StringComparer.Ordinal))
        {
            Fault[] faults = [Fault.Kill, Fault.InputOutput, Fault.NoSpace];
            int count = site.Count();
            if (Long)
            {
                foreach (int occurrence in Enumerable.Range(1, count))
                {
                    foreach (Fault fault in faults)
                        yield return new Experiment(site.Key, occurrence, fault);
                }
            }
            else
            {
                // A kill at each, and at every third something else as well.
                yield return new Experiment(site.Key, 1 + (turn % count), Fault.Kill);
                if (turn % 3 == 0)
                    yield return new Experiment(site.Key, count, faults[1 + (turn / 3 % 2)]);
                turn++;
            }
        }
    }

    private static async Task WaitUntilListeningAsync(int port, Task run)
    {
        while (!run.IsCompleted)
        {
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, port, Stopped);
                return;
            }
            catch (SocketException)
            {
                await Task.WhenAny(run, Task.Delay(20, Stopped));
            }
        }
    }

    private static int FreePort()
    {
        using var any = new TcpListener(IPAddress.Loopback, 0);
        any.Start();
        return ((IPEndPoint)any.LocalEndpoint).Port;
    }

    public void Dispose()
    {
        evidence.Dispose();
        log.Dispose();
    }

    private sealed record Experiment(string Site, int Occurrence, Fault Fault)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Fault} at {Site}, occurrence {Occurrence}");
    }
}
