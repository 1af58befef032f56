using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Timestamping;
using Evidence.Ledger;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Interop.Tests.Reader;

/// <summary>Keys over time and time stamps, as the reader that was written from the pages reads them.</summary>
public sealed class ReaderKeysTests : IDisposable
{
    private const string Origin = "vault.example/reader-keys";

    private readonly EvidenceCommand evidence = new();

    [Fact]
    public void Replaced_and_revoked_keys_and_time_stamps_are_read_from_the_pages_alone()
    {
        ReaderVault.Require();
        Harness.Peer.Require("openssl");
        using var authority = new OpenSslAuthority(evidence.PathOf("tsa"), rsa: false);
        evidence.Run("--actor", "keeper", "init").Succeeds();
        evidence.Run("--actor", "keeper", "identity", "rotate").Succeeds();
        evidence.Run("--actor", "keeper", "note", "by the new key").Succeeds();
        string old = evidence.Json("identity", "list").Succeeds().Json.GetProperty("declared")[0].GetProperty("key").GetString()!;
        evidence.Run("--actor", "keeper", "identity", "revoke", old, "--compromised-since", "2026-01-01T00:00:00Z").Succeeds();
        evidence.Run("--actor", "field", "note", "before").Succeeds();
        evidence.Run("--actor", "field", "identity", "revoke").Succeeds();
        string file = evidence.Json("--actor", "keeper", "timestamp", "ask", "--url", authority.Address).Succeeds()
            .Json.GetProperty("timestamp").GetProperty("file").GetString()!;

        (int exitCode, JsonNode result) = Check();
        Assert.Equal("[]", result["findings"]!.ToJsonString());
        Assert.Equal(0, exitCode);
        string notes = result["notes"]!.ToJsonString();
        Assert.Contains($"ledger entry 4: the key {old} is revoked; compromised since 2026-01-01T00:00:00.000000000Z", notes, StringComparison.Ordinal);
        Assert.Contains($"goes back, through entry 2, to {old}, which entry 4 says was compromised: NOT CHECKED whether that was there before", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("not declared", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("was ended", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("revokes nothing", notes, StringComparison.Ordinal);
        Assert.DoesNotContain("foreign", notes, StringComparison.Ordinal);

        // What an entry says of it is held against what stands in it.
        var store = new KeyStore(evidence.Home);
        string origin = evidence.Json("log").Succeeds().Json.GetProperty("origin").GetString()!;
        using (ActorKey keeper = store.LoadActor("keeper"))
        using (LogKeys log = store.LoadLog(origin))
        {
            var body = new JsonObject { ["document"] = Path.GetFileNameWithoutExtension(file), ["size"] = "1" };
            LedgerWriter.Open(new LedgerDirectory(Path.Combine(evidence.Vault, "ledger")), log, store, TestContext.Current.CancellationToken)
                .Append([Sign(EntryKind.Timestamp, body, keeper).ToBytes()], TestContext.Current.CancellationToken);
        }

        Assert.Contains($"ledger entry 9: it says another size or root of {file} than stand in that", Check().Result["notes"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("ledger entry 8: it says another", Check().Result["notes"]!.ToJsonString(), StringComparison.Ordinal);

        string path = Path.Combine(evidence.Vault, file);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 1;
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, bytes);
        Assert.Contains("not the file that its name says", Check().Result["findings"]!.ToJsonString(), StringComparison.Ordinal);
        File.Delete(path);
        Assert.Contains("It is missing, although entry 8 names it", Check().Result["findings"]!.ToJsonString(), StringComparison.Ordinal);
    }

    /// <summary>What our own fold of the log says of keys and of what is said twice, the reader says too.</summary>
    [Fact]
    public void Keys_that_were_declared_before_their_rotation_and_payloads_that_stand_twice_are_read_from_the_pages_alone()
    {
        ReaderVault.Require();
        Harness.Peer.Require("openssl");
        evidence.Run("--actor", "keeper", "init", "--origin", Origin).Succeeds();
        var store = new KeyStore(evidence.Home);
        using ActorKey keeper = store.LoadActor("keeper");
        using ActorKey alice = ActorKey.Create();
        using ActorKey second = ActorKey.Create();
        using ActorKey third = ActorKey.Create();
        LedgerEntry note = Sign(EntryKind.Note, new JsonObject { ["text"] = "said once" }, third);
        JsonNode again = CanonicalJson.Parse(note.ToBytes());
        again["signatures"]!.AsArray().Add(new JsonObject { ["keyid"] = keeper.Id, ["sig"] = Convert.ToBase64String(keeper.Sign(note.SignedBytes.Span)) });
        byte[][] entries =
        [
            Identity(new ActorIdentity("Alice", null, alice.PublicKey), alice), // 2
            Identity(new ActorIdentity("Nobody", null, second.PublicKey), keeper), // 3
            Identity(new KeyRotation(alice.Id, second.PublicKey), alice, second), // 4
            Identity(new ActorIdentity("Alice elsewhere", null, third.PublicKey) { Revokers = [keeper.Id] }, third), // 5
            Identity(new KeyRotation(second.Id, third.PublicKey), second, third), // 6
            note.ToBytes(), CanonicalJson.Serialize(again), // 7, 8
            Identity(new KeyRotation(third.Id, second.PublicKey), third, second), // 9: of a key that has ended
            Identity(new KeyRevocation(third.Id, null, null), keeper), // 10
            Sign(EntryKind.Note, new JsonObject { ["text"] = "too late" }, third).ToBytes(), // 11
            Identity(new KeyRevocation(alice.Id, Instant.FromUnixTimeSeconds(0), null), alice), // 12
        ];
        using (LogKeys log = store.LoadLog(Origin))
        {
            var storage = new LedgerDirectory(Path.Combine(evidence.Vault, "ledger"));
            LedgerWriter.Open(storage, log, store, TestContext.Current.CancellationToken).Append(entries, TestContext.Current.CancellationToken);
        }

        (int exitCode, JsonNode result) = Check();
        Assert.Equal((0, "[]"), (exitCode, result["findings"]!.ToJsonString()));
        string[] notes = [.. result["notes"]!.AsArray().Select(n => (string)n!).Where(n => n.StartsWith("ledger entry", StringComparison.Ordinal) || n.StartsWith("the key", StringComparison.Ordinal))];
        Assert.Equal(
            [
                "ledger entry 8: it has the payload of entry 7, and counts once with it",
                "ledger entry 9: it puts no key in the place of another",
                $"ledger entry 10: the key {third.Id} is revoked; compromised since no instant that is told",
                $"ledger entry 11: its signer {third.Id} was ended by entry 10",
                $"ledger entry 12: the key {alice.Id} is revoked; compromised since 1970-01-01T00:00:00.000000000Z",
                $"the key {second.Id} goes back, through entry 4, to {alice.Id}, which entry 12 says was compromised: NOT CHECKED whether that was there before",
                $"the key {third.Id} goes back, through entry 4, to {alice.Id}, which entry 12 says was compromised: NOT CHECKED whether that was there before",
            ],
            notes, StringComparer.Ordinal);
        // And so does ours.
        string ours = evidence.Run("verify", "--no-record").Ends(4).Text;
        foreach (string expected in (string[])["Entry 8 says what entry 7 says", "Entry 9 declares no identity", "Entry 11 (note) is signed by a key of Alice that signs no more", "goes back, through entry 4"])
            Assert.Contains(expected, ours, StringComparison.Ordinal);
    }

    public void Dispose() => evidence.Dispose();

    private static byte[] Identity(IdentityBody body, params IReadOnlyList<ActorKey> signers) => Sign(EntryKind.Identity, body.ToJson(), signers).ToBytes();

    private static LedgerEntry Sign(string kind, JsonObject body, params IReadOnlyList<ActorKey> signers) =>
        LedgerEntry.Create(new EntryPayload(kind, Instant.FromUtc(2026, 1, 2, 3, 4), null, [], body, signers[0].Id), signers);

    private (int ExitCode, JsonNode Result) Check()
    {
        (int exitCode, string output, _) = ReaderVault.Read(evidence.Vault, "check", "--json", "--openssl");
        return (exitCode, JsonNode.Parse(output)!);
    }
}
