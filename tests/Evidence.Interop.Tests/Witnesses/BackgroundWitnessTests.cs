using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Evidence.Canonical;
using Evidence.Interop.Tests.Harness;
using NodaTime;
using Xunit;

namespace Evidence.Interop.Tests.Witnesses;

/// <summary>A keeper with a policy of their own at its place, and witnesses that are there, or are not: what each command that writes an entry says and does.</summary>
public sealed class BackgroundWitnessTests : IDisposable
{
    private readonly EvidenceCommand keeper = new();
    private readonly EvidenceCommand other = new();
    private readonly string witnessKey;
    private readonly string[] logKeys;

    public BackgroundWitnessTests()
    {
        keeper.Json("init", "--origin", "vault.example/background").Succeeds();
        logKeys = [.. keeper.Json("identity", "list").Succeeds().Json.GetProperty("log").EnumerateArray().Select(k => k.GetString()!)];
        witnessKey = other.Json("witness", "key", "--create", "--name", "witness.example/w").Succeeds().Json.GetProperty("key").GetString()!;
    }

    [Fact]
    public void What_is_recorded_is_cosigned_at_once()
    {
        using RunningWitness witness = RunningWitness.Start(other, other.PathOf("state"), logKeys);
        Policy($"witness W {witnessKey} {witness.Address}\nquorum W\n");
        CommandResult noted = keeper.Json("note", "one").Succeeds();
        Assert.Equal("2", noted.Json.GetProperty("entry").GetString());
        Assert.Equal("evidence: W cosigned the ledger's 3 entries.\n", noted.Errors);
        Assert.Equal("3", WitnessedSize());

        File.WriteAllBytes(keeper.PathOf("disk"), new byte[4096]);
        Assert.Contains("W cosigned the ledger's 4 entries", keeper.Json("acquire", keeper.PathOf("disk")).Succeeds().Errors, StringComparison.Ordinal);
        Assert.Equal("4", WitnessedSize());
        // Nothing is recorded, so nobody is asked.
        Assert.Equal("", keeper.Json("images").Succeeds().Errors);
        Assert.Equal("", keeper.Json("--quiet", "note", "two").Succeeds().Errors);
        Assert.Equal("5", WitnessedSize());
        Assert.Equal("", keeper.Json("--offline", "note", "three").Succeeds().Errors);
        Assert.Equal("5", WitnessedSize());
    }

    /// <summary>It takes connections and never answers: the first command gives up on it, the second one does not come near it.</summary>
    [Fact]
    public void One_that_does_not_answer_holds_up_one_command_and_not_the_next()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        Policy($"witness W {witnessKey} http://{silent.LocalEndpoint}/\nquorum W\n");
        CommandResult noted = keeper.Json("note", "one").Succeeds();
        Assert.Contains("W did not cosign the ledger's 3 entries", noted.Errors, StringComparison.Ordinal);
        Assert.Contains("'evidence witness ask' asks again", noted.Errors, StringComparison.Ordinal);
        int connections = Connections(silent);
        Assert.InRange(connections, 1, 3);
        Assert.Equal("", keeper.Json("note", "two").Succeeds().Errors);
        Assert.Equal(0, Connections(silent));
        // Who is told to ask does so.
        keeper.Json("witness", "ask", "--longest", "2", "--policy", Path.Combine(keeper.Home, "policy")).Ends(1);
        Assert.InRange(Connections(silent), 1, 4);
    }

    [Fact]
    public void One_that_could_not_be_reached_is_left_alone_for_a_while_and_then_asked_again()
    {
        using RunningWitness witness = RunningWitness.Start(other, other.PathOf("state"), logKeys);
        Policy($"witness W {witnessKey} {witness.Address}\nquorum W\n");
        string mark = Path.Combine(keeper.Cache, "evidence", "unreached", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(witness.Address.ToString()))));
        Directory.CreateDirectory(Path.GetDirectoryName(mark)!);
        Instant now = SystemClock.Instance.GetCurrentInstant();
        File.WriteAllText(mark, Timestamps.Format(now));
        Assert.Equal("", keeper.Json("note", "one").Succeeds().Errors);
        // Of an hour ago, of a clock that was set back since, and what is no mark.
        foreach (string text in (string[])[Timestamps.Format(now - Duration.FromHours(1)), Timestamps.Format(now + Duration.FromHours(1)), "soon"])
        {
            File.WriteAllText(mark, text);
            Assert.Contains("W cosigned", keeper.Json("note", "two").Succeeds().Errors, StringComparison.Ordinal);
            Assert.False(File.Exists(mark));
        }
    }

    [Fact]
    public void A_witness_that_saw_another_history_is_told_of_even_where_quiet()
    {
        using RunningWitness witness = RunningWitness.Start(other, other.PathOf("state"), logKeys);
        Policy($"witness W {witnessKey} {witness.Address}\nquorum W\n");
        string kept = keeper.PathOf("kept");
        Peer.Run("cp", "--archive", keeper.Vault, kept);
        keeper.Json("note", "one").Succeeds();
        Directory.Delete(keeper.Vault, recursive: true);
        Directory.Move(kept, keeper.Vault);
        foreach (string seen in Directory.GetFiles(keeper.Home, "seen", SearchOption.AllDirectories))
            File.Delete(seen);
        CommandResult noted = keeper.Json("--quiet", "note", "another").Succeeds();
        Assert.Contains("another history", noted.Errors, StringComparison.Ordinal);
        Assert.Equal("0", WitnessedSize());
    }

    [Fact]
    public void Without_a_policy_for_this_log_or_a_URL_in_it_nobody_is_asked()
    {
        Assert.Equal("", keeper.Json("note", "one").Succeeds().Errors);
        using var listening = new TcpListener(IPAddress.Loopback, 0);
        listening.Start();
        using var another = Evidence.Ledger.LogKeys.Create("another.example/log");
        Policy($"log {another.Ed25519Key}\nwitness W {witnessKey} http://{listening.LocalEndpoint}/\nquorum W\n");
        Assert.Equal("", keeper.Json("note", "two").Succeeds().Errors);
        Policy($"witness W {witnessKey}\nquorum W\n");
        Assert.Equal("", keeper.Json("note", "three").Succeeds().Errors);
        Assert.Equal(0, Connections(listening));
        // One that cannot be read is told of, and undoes nothing.
        Policy("quorum nobody\n");
        CommandResult noted = keeper.Json("note", "four").Succeeds();
        Assert.Equal("5", noted.Json.GetProperty("entry").GetString());
        Assert.Contains("The witnesses were not asked", noted.Errors, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        keeper.Dispose();
        other.Dispose();
    }

    private void Policy(string text)
    {
        Directory.CreateDirectory(keeper.Home);
        File.WriteAllText(Path.Combine(keeper.Home, "policy"), text);
    }

    private string? WitnessedSize() => keeper.Json("log").Succeeds().Json.GetProperty("witnessedSize").GetString();

    /// <summary>How many connections came since the last time.</summary>
    private static int Connections(TcpListener listener)
    {
        int count = 0;
        for (; listener.Pending(); count++)
            listener.AcceptTcpClient().Dispose();
        return count;
    }
}
