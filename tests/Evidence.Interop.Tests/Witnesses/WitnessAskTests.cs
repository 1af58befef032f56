using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Interop.Tests.Witnesses;

/// <summary>A vault, its keeper, two witnesses on machines of their own and a verifier on another: all by the command.</summary>
public sealed class WitnessAskTests : IDisposable
{
    private readonly EvidenceCommand keeper = new();
    private readonly EvidenceCommand[] others = [new(), new()];
    private readonly EvidenceCommand verifier = new();
    private readonly string[] witnessKeys;
    private readonly string[] logKeys;

    public WitnessAskTests()
    {
        keeper.Json("init", "--origin", "vault.example/asked").Succeeds();
        verifier.Vault = keeper.Vault;
        logKeys = [.. keeper.Json("identity", "list").Succeeds().Json.GetProperty("log").EnumerateArray().Select(k => k.GetString()!)];
        witnessKeys = [.. others.Select((other, n) => other.Json("witness", "key", "--create", "--name", $"witness.example/{n}").Succeeds().Json.GetProperty("key").GetString()!)];
    }

    private static CancellationToken Stopped => TestContext.Current.CancellationToken;

    [Fact]
    public void A_quorum_witnesses_the_ledger_and_the_verifier_says_so_by_a_policy_of_their_own()
    {
        using RunningWitness one = Serve(0);
        using RunningWitness two = Serve(1);
        string policy = WritePolicy(keeper, $"witness A {witnessKeys[0]} {one.Address}\nwitness B {witnessKeys[1]} {two.Address}\ngroup both all A B\nquorum both\n");
        JsonElement asked = keeper.Json("witness", "ask", "--policy", policy).Succeeds().Json;
        Assert.True(asked.GetProperty("quorum").GetBoolean());
        Assert.Equal("2", asked.GetProperty("size").GetString());

        keeper.Json("note", "past the witnesses").Succeeds();
        JsonElement log = keeper.Json("log", "--policy", policy).Succeeds().Json;
        Assert.Equal(("2", "1"), (log.GetProperty("witnessedSize").GetString(), log.GetProperty("unwitnessedTail").GetString()));
        Assert.Contains("anchor: witnessed, up to 2 of 3 entries. The unwitnessed tail has 1", keeper.Run("log", "--policy", policy).Succeeds().Text, StringComparison.Ordinal);

        // Somebody else, who knows the witnesses and has never seen the vault: with the policy at its place, nothing need be named.
        Assert.Equal(("none", "0"), Anchor(verifier.Json("verify")));
        Directory.CreateDirectory(verifier.Home);
        File.Copy(policy, Path.Combine(verifier.Home, "policy"));
        Assert.Equal(("witnessed", "2"), Anchor(verifier.Json("verify")));
        // The keeper's machine has no policy at its place, so there nothing counts that is not named; nor does a witness of his own in another's policy.
        Assert.Equal(("none", "0"), Anchor(keeper.Json("verify", "--no-record")));
        keeper.Json("witness", "key", "--create", "--name", "vault.example/own").Succeeds();
        Assert.Equal(("witnessed", "2"), Anchor(verifier.Json("verify")));

        // From the known size on, and then all is witnessed.
        keeper.Json("witness", "ask", "--policy", policy).Succeeds();
        JsonElement after = verifier.Json("verify").Succeeds().Json.GetProperty("ledger");
        Assert.Equal(after.GetProperty("size").GetString(), after.GetProperty("witnessedSize").GetString());
        Assert.Equal(0, after.GetProperty("findings").GetArrayLength());
    }

    [Fact]
    public void Without_a_quorum_the_answers_are_kept_and_count_later()
    {
        using RunningWitness one = Serve(0);
        string nobody = $"http://127.0.0.1:{FreePort()}/";
        string policy = WritePolicy(keeper, $"witness A {witnessKeys[0]} {one.Address}\nwitness B {witnessKeys[1]}\nwitness C {Key("c")} {nobody}\ngroup G 2 A B C\nquorum G\n");
        JsonElement asked = keeper.Json("witness", "ask", "--policy", policy).Ends(1).Json;
        Assert.False(asked.GetProperty("quorum").GetBoolean());
        JsonElement[] replies = [.. asked.GetProperty("replies").EnumerateArray()];
        Assert.Equal([true, false, false], replies.Select(r => r.GetProperty("cosigned").GetBoolean()));
        Assert.Contains("by file", replies[1].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(nobody, replies[2].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("0", keeper.Json("log", "--policy", policy).Succeeds().Json.GetProperty("witnessedSize").GetString());

        // B has no network: by files.
        string request = keeper.PathOf("request");
        string answer = keeper.PathOf("answer");
        keeper.Json("witness", "request", "--output", request, "--policy", policy).FailsWith("usage", 2);
        keeper.Json("witness", "request", "--output", request, "--policy", policy, "--witness", "B").Succeeds();
        others[1].Json(["witness", "answer", request, "--output", answer, "--state", others[1].PathOf("state"), .. Logs()]).Succeeds();
        keeper.Json("note", "meanwhile").Succeeds();
        JsonElement accepted = keeper.Json("witness", "accept", answer, "--policy", policy).Succeeds().Json;
        Assert.True(accepted.GetProperty("quorum").GetBoolean());
        Assert.Equal("B", Assert.Single(accepted.GetProperty("witnesses").EnumerateArray()).GetString());
        JsonElement log = keeper.Json("log", "--policy", policy).Succeeds().Json;
        Assert.Equal(("2", "1"), (log.GetProperty("witnessedSize").GetString(), log.GetProperty("unwitnessedTail").GetString()));
        // Once more it is not what was given out.
        keeper.Json("witness", "accept", request, "--policy", policy).FailsWith("witness-failed");
    }

    [Fact]
    public async Task Each_refusal_is_told_with_the_way_out_and_nothing_of_it_is_kept()
    {
        foreach ((string answer, string expected) in ((string, string)[])[
            (Http(403, "no\n"), "Give its keeper the log's keys"), (Http(404, "no\n"), "does not know this log"), (Http(400, "no\n"), "malformed"),
            (Http(422, "no\n"), "another history. It says: no Its last checkpoint is not to be had"), (Http(422, "no\n"), "answers 422), so nothing proves that"),
            (Http(409, "1000\n", "text/x.tlog.size"), "This ledger has only 2"), (Http(409, "1000\n", "text/x.tlog.size"), "so nothing proves that"), (Http(409, "x\n", "text/x.tlog.size"), "Try later"), (Http(409, "1\n"), "Try later"),
            (Http(302, ""), "status 302"), (Http(200, "nonsense"), "no cosignature"),
            (Http(200, "— witness.example/0 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), "without a valid cosignature")])
        {
            using var liar = new TcpListener(IPAddress.Loopback, 0);
            liar.Start();
            Task serving = AnswerAsync(liar, answer);
            string policy = WritePolicy(keeper, $"witness A {witnessKeys[0]} http://{liar.LocalEndpoint}/prefix/\nquorum A\n");
            JsonElement asked = keeper.Json("witness", "ask", "--policy", policy).Ends(1).Json;
            JsonElement reply = Assert.Single(asked.GetProperty("replies").EnumerateArray());
            Assert.Contains(expected, reply.GetProperty("detail").GetString(), StringComparison.Ordinal);
            Assert.Equal(JsonValueKind.Null, reply.GetProperty("conflict").ValueKind);
            liar.Stop();
            await serving;
        }

        Assert.False(File.Exists(Path.Combine(keeper.Vault, "ledger", "witnessed")));
        Assert.False(Directory.Exists(Path.Combine(keeper.Vault, "ledger", "staging", "witness")));
    }

    [Fact]
    public async Task A_witness_that_fails_for_a_moment_is_asked_again()
    {
        using var flaky = new TcpListener(IPAddress.Loopback, 0);
        flaky.Start();
        Task<int> serving = AnswerAsync(flaky, Http(503, "later\n"), Http(429, "later\n"), "", Http(404, "no\n"));
        string policy = WritePolicy(keeper, $"witness A {witnessKeys[0]} http://{flaky.LocalEndpoint}\nquorum A\n");
        JsonElement asked = keeper.Json("witness", "ask", "--policy", policy).Ends(1).Json;
        Assert.Equal(404, Assert.Single(asked.GetProperty("replies").EnumerateArray()).GetProperty("status").GetInt32());
        flaky.Stop();
        Assert.Equal(4, await serving);
    }

    [Fact]
    public void A_vault_that_is_set_back_behind_its_witnesses_is_found_out_by_whoever_never_saw_it()
    {
        using RunningWitness one = Serve(0);
        string policy = WritePolicy(keeper, $"log {logKeys[0]}\nwitness A {witnessKeys[0]} {one.Address}\nquorum A\n");
        string kept = keeper.PathOf("kept");
        Peer.Run("cp", "-a", Path.Combine(keeper.Vault, "ledger"), kept);
        keeper.Json("note", "soon gone").Succeeds();
        keeper.Json("witness", "ask", "--policy", policy).Succeeds();
        string witnessed = Path.Combine(keeper.Vault, "ledger", "witnessed");
        File.Copy(witnessed, Path.Combine(kept, "witnessed"));
        Directory.Delete(Path.Combine(keeper.Vault, "ledger"), recursive: true);
        Directory.Move(kept, Path.Combine(keeper.Vault, "ledger"));
        JsonElement report = verifier.Json("verify", "--policy", policy).Ends(3).Json;
        Assert.Equal("none", report.GetProperty("anchor").GetString());
        Assert.Contains(report.GetProperty("ledger").GetProperty("findings").EnumerateArray(), f => f.GetProperty("detail").GetString()!.Contains("set back", StringComparison.Ordinal));

        // Without the file the verifier cannot know; the witness does, and tells whoever asks it.
        File.Delete(witnessed);
        verifier.Json("verify", "--policy", policy).Succeeds();
        JsonElement reply = Assert.Single(verifier.Json("witness", "ask", "--policy", policy).Ends(3).Json.GetProperty("replies").EnumerateArray());
        Assert.Contains("It cosigned 3 entries of this log. This ledger has only 2", reply.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(("ahead", "3"), (reply.GetProperty("conflict").GetProperty("kind").GetString(), reply.GetProperty("conflict").GetProperty("size").GetString()));
        // What the log's own keys signed is kept, where nobody who writes to the vault reaches it; and the same by file.
        string proof = reply.GetProperty("conflict").GetProperty("file").GetString()!;
        Assert.StartsWith(verifier.Home, proof, StringComparison.Ordinal);
        Assert.Contains("— vault.example/asked", File.ReadAllText(proof), StringComparison.Ordinal);
        string carried = verifier.PathOf("carried");
        File.Copy(proof, carried);
        Assert.Contains(proof, verifier.Json("witness", "accept", carried, "--policy", policy).FailsWith("ledger-rollback", 3), StringComparison.Ordinal);
    }

    /// <summary>The keeper shows the witness one history and the opponent another.</summary>
    [Fact]
    public void A_fork_that_a_witness_tells_of_is_proved_to_anybody_who_has_the_logs_keys()
    {
        using RunningWitness one = Serve(0);
        string policy = WritePolicy(keeper, $"log {logKeys[0]}\nlog {logKeys[1]}\nwitness A {witnessKeys[0]} {one.Address}\nquorum A\n");
        using var forked = new EvidenceCommand();
        Peer.Run("cp", "-a", keeper.Vault, forked.Vault);
        Peer.Run("cp", "-a", keeper.Home, forked.Home);
        File.Delete(Directory.GetFiles(forked.Home, "place", SearchOption.AllDirectories).Single());
        keeper.Json("note", "as it was").Succeeds();
        keeper.Json("witness", "ask", "--policy", policy).Succeeds();
        forked.Json("note", "as it was not").Succeeds();
        forked.Json("note", "and more").Succeeds();

        verifier.Vault = forked.Vault;
        JsonElement reply = Assert.Single(verifier.Json("witness", "ask", "--policy", policy).Ends(3).Json.GetProperty("replies").EnumerateArray());
        Assert.Equal((422, "fork"), (reply.GetProperty("status").GetInt32(), reply.GetProperty("conflict").GetProperty("kind").GetString()));
        string proof = reply.GetProperty("conflict").GetProperty("file").GetString()!;
        Assert.Contains(proof, reply.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("proved", verifier.Json("check", proof, "--policy", policy).Succeeds().Json.GetProperty("proofs")[0].GetProperty("standing").GetString());
        // Asked again, it is the same proof.
        verifier.Json("witness", "ask", "--policy", policy).Ends(3);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(proof)!));
    }

    [Fact]
    public void A_line_in_staging_that_was_tampered_with_is_told_of_and_passed_over()
    {
        using RunningWitness one = Serve(0);
        using RunningWitness two = Serve(1);
        string policy = WritePolicy(keeper, $"witness A {witnessKeys[0]} {one.Address}\nwitness B {witnessKeys[1]}\ngroup both all A B\nquorum both\n");
        keeper.Json("witness", "ask", "--policy", policy).Ends(1);
        string pending = Path.Combine(keeper.Vault, "ledger", "staging", "witness", "2");
        string[] lines = File.ReadAllLines(pending);
        string line = lines.Single(l => l.Contains("witness.example/0", StringComparison.Ordinal));
        File.WriteAllText(pending, File.ReadAllText(pending).Replace(line, line[..^10] + (line[^10] == 'A' ? 'B' : 'A') + line[^9..], StringComparison.Ordinal));
        policy = WritePolicy(keeper, $"witness A {witnessKeys[0]} {one.Address}\nwitness B {witnessKeys[1]} {two.Address}\ngroup both all A B\nquorum both\n");
        CommandResult asked = keeper.Json("witness", "ask", "--policy", policy).Succeeds();
        Assert.Contains("staging/witness/2 is not as it was written: its line of witness.example/0", asked.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_policy_that_cannot_be_read_is_told_by_its_line_and_one_of_another_log_does_not_ask()
    {
        keeper.Json("witness", "ask").FailsWith("policy-invalid");
        string policy = WritePolicy(keeper, "\nquorum nobody\n");
        foreach (string[] command in (string[][])[["witness", "ask"], ["log"], ["verify"]])
            Assert.Contains("Line 2 of the policy", keeper.Json([.. command, "--policy", policy]).FailsWith("policy-invalid"), StringComparison.Ordinal);
        using var other = LogKeys.Create("another.example/log");
        policy = WritePolicy(keeper, $"log {other.Ed25519Key}\nwitness A {witnessKeys[0]}\nquorum A\n");
        keeper.Json("witness", "ask", "--policy", policy).FailsWith("policy-invalid");
    }

    public void Dispose()
    {
        keeper.Dispose();
        verifier.Dispose();
        foreach (EvidenceCommand other in others)
            other.Dispose();
    }

    private RunningWitness Serve(int n) => RunningWitness.Start(others[n], others[n].PathOf("state"), logKeys);

    private string[] Logs() => [.. logKeys.SelectMany(key => (string[])["--log", key])];

    private static string WritePolicy(EvidenceCommand on, string text)
    {
        string path = on.PathOf("witnesses.policy");
        File.WriteAllText(path, text);
        return path;
    }

    private static (string?, string?) Anchor(CommandResult verified)
    {
        JsonElement report = verified.Succeeds().Json;
        return (report.GetProperty("anchor").GetString(), report.GetProperty("ledger").GetProperty("witnessedSize").GetString());
    }

    private static string Key(string name)
    {
        using var key = Evidence.Ledger.Witnesses.WitnessKey.Create($"witness.example/{name}");
        return key.VerifierKey.ToString();
    }

    private static string Http(int status, string body, string type = "text/plain") => string.Create(
        CultureInfo.InvariantCulture, $"HTTP/1.1 {status} X\r\nContent-Type: {type}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\nConnection: close\r\n\r\n{body}");

    /// <summary>Gives these answers, one a connection, the last one again and again; an empty one is a connection that ends. Returns how many it gave.</summary>
    private static async Task<int> AnswerAsync(TcpListener listener, params string[] answers)
    {
        for (int given = 0; ; given++)
        {
            TcpClient client;
            try
            {
                client = await listener.AcceptTcpClientAsync(Stopped);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return given;
            }

            using (client)
            {
                NetworkStream stream = client.GetStream();
                var request = new byte[1 << 16];
                int length = 0;
                // The whole request is small; its blank line after the proof and the checkpoint's end come with it. One for the last checkpoint has no body.
                while (!Encoding.UTF8.GetString(request, 0, length).Contains("— vault.example/asked", StringComparison.Ordinal) &&
                    !(request.AsSpan(0, length).StartsWith("GET "u8) && request.AsSpan(0, length).EndsWith("\r\n\r\n"u8)))
                    length += await stream.ReadAsync(request.AsMemory(length), Stopped) is > 0 and var read ? read : throw new EndOfStreamException();
                await stream.WriteAsync(Encoding.UTF8.GetBytes(answers[Math.Min(given, answers.Length - 1)]), Stopped);
                client.Client.Shutdown(SocketShutdown.Send);
                while (await stream.ReadAsync(request, Stopped) > 0)
                {
                    // To close while something is unread would take the answer from the client.
                }
            }
        }
    }

    private static int FreePort()
    {
        using var any = new TcpListener(IPAddress.Loopback, 0);
        any.Start();
        return ((IPEndPoint)any.LocalEndpoint).Port;
    }
}
