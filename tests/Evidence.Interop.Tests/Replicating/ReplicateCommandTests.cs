using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Replicating;

/// <summary>The sender and the custodian, each with the command, on machines of their own.</summary>
public sealed class ReplicateCommandTests : IDisposable
{
    private readonly EvidenceCommand sender = new();
    private readonly EvidenceCommand custodian = new();
    private readonly string replica;
    private readonly string own;

    public ReplicateCommandTests()
    {
        custodian.Environment["EVIDENCE_ACTOR"] = "custodian";
        replica = custodian.PathOf("replica");
        Acquire("first");
        custodian.Json("init").Succeeds();
        own = custodian.Vault;
    }

    [Fact]
    public void A_replica_is_sent_received_and_its_receipt_stands_in_both_ledgers()
    {
        JsonElement sent = sender.Json("replicate", "--to", replica).Succeeds().Json;
        Assert.Equal((true, "1", "3"), (sent.GetProperty("new").GetBoolean(), sent.GetProperty("packs").GetString(), sent.GetProperty("size").GetString()));
        Assert.Equal("0", sender.Json("replicate", "--to", replica).Succeeds().Json.GetProperty("packs").GetString());

        custodian.Vault = replica;
        string[] keys = [.. LogKeys().SelectMany(key => new[] { "--key", key })];
        string receipt = custodian.PathOf("lab.receipt");
        JsonElement received = custodian.Json(["replicate", "receive", "--into", own, "--output", receipt, .. keys]).Succeeds().Json;
        Assert.Equal(("verified", "pinned"), (received.GetProperty("receipt").GetProperty("content").GetString(), received.GetProperty("receipt").GetProperty("keys").GetString()));
        Assert.Equal(sent.GetProperty("replica").GetString(), received.GetProperty("receipt").GetProperty("replica").GetString());
        custodian.Json("replicate", "receive", "--output", receipt).FailsWith(ErrorCode.DestinationInvalid);
        custodian.Json("note", "text").FailsWith(ErrorCode.VaultReadOnly);
        string vault = sender.Vault;
        sender.Vault = replica;
        sender.Json("note", "text").FailsWith(ErrorCode.VaultReadOnly);
        sender.Vault = vault;
        custodian.Json("export", "first", "--no-record", "--output", custodian.PathOf("export.img")).Succeeds();
        Peer.Compare(sender.PathOf("first"), custodian.PathOf("export.img"));

        JsonElement accepted = sender.Json("replicate", "accept", receipt).Succeeds().Json;
        Assert.Equal(("custodian", 0), (accepted.GetProperty("signer").GetString(), accepted.GetProperty("lost").GetArrayLength()));
        foreach (JsonElement image in (JsonElement[])[sender.Json("show", "first").Succeeds().Json, sender.Json("verify", "--no-record").Succeeds().Json.GetProperty("images")[0]])
            Assert.Equal("custodian", Assert.Single(image.GetProperty("receipts").EnumerateArray()).GetProperty("signer").GetString());
        Assert.Contains("1 receipt, by custodian (verified, ledger up to 3 entries, entry 4)", sender.Run("show", "first").Succeeds().Text, StringComparison.Ordinal);
        Assert.Contains("1 receipt, by custodian", sender.Run("verify", "--no-record").Succeeds().Text, StringComparison.Ordinal);
        Assert.Contains("1 receipt, by custodian", sender.Run("log").Succeeds().Text, StringComparison.Ordinal);
        Assert.Contains("verified the replica", sender.Run("log", "--kind", "receipt").Succeeds().Text, StringComparison.Ordinal);
        Assert.Single(sender.Json("log").Succeeds().Json.GetProperty("receipts").EnumerateObject());
        custodian.Vault = own;
        Assert.Contains("verified the replica", custodian.Run("log").Succeeds().Text, StringComparison.Ordinal);
        sender.Json("replicate", "accept", receipt).Succeeds();
        custodian.Json("replicate", "accept", receipt).FailsWith(ErrorCode.EntriesInvalid);
    }

    [Fact]
    public void Damage_ends_in_the_exit_code_and_is_mended_by_sending_again()
    {
        sender.Json("replicate", "--to", replica).Succeeds();
        string pack = Directory.GetFiles(Path.Combine(replica, "packs"), "*", SearchOption.AllDirectories)[0];
        byte[] bytes = File.ReadAllBytes(pack);
        bytes[bytes.Length / 2] ^= 1;
        File.SetUnixFileMode(pack, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(pack, bytes);
        Assert.Single(sender.Json("replicate", "--to", replica, "--check").Ends(3).Json.GetProperty("differences").EnumerateArray());
        custodian.Vault = replica;
        string receipt = custodian.PathOf("damaged.receipt");
        custodian.Json("replicate", "receive", "--output", receipt).Ends(3);
        Assert.Single(sender.Json("replicate", "accept", receipt).Ends(3).Json.GetProperty("lost").EnumerateArray());
        Assert.Single(sender.Json("replicate", "--to", replica, "--resend").Succeeds().Json.GetProperty("resent").EnumerateArray());
        Assert.Contains("verified", custodian.Run("replicate", "receive", "--output", custodian.PathOf("mended.receipt")).Succeeds().Text, StringComparison.Ordinal);

        // Damaged at the sender: named, and the exit code says so.
        string damaged = Directory.GetFiles(Path.Combine(sender.Vault, "packs"), "*", SearchOption.AllDirectories)[0];
        File.SetUnixFileMode(damaged, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(damaged, bytes);
        JsonElement refused = sender.Json("replicate", "--to", custodian.PathOf("second")).Ends(3).Json;
        Assert.Equal(Path.GetRelativePath(sender.Vault, damaged), Assert.Single(refused.GetProperty("damaged").EnumerateArray()).GetProperty("file").GetString());
        Assert.Equal("first", Assert.Single(refused.GetProperty("heldBack").EnumerateArray()).GetProperty("item").GetString());
    }

    [Fact]
    public void A_fork_is_refused_and_its_proof_is_checked_by_anybody()
    {
        string kept = sender.PathOf("kept");
        Peer.Run("cp", "--archive", sender.Vault, kept);
        sender.Json("note", "one history").Succeeds();
        sender.Json("replicate", "--to", replica).Succeeds();
        custodian.Vault = replica;
        custodian.Json("replicate", "receive", "--output", custodian.PathOf("one.receipt")).Succeeds();

        Directory.Delete(sender.Vault, recursive: true);
        Directory.Move(kept, sender.Vault);
        foreach (string seen in Directory.GetFiles(sender.Home, "seen", SearchOption.AllDirectories))
            File.Delete(seen);
        sender.Json("note", "another history").Succeeds();
        sender.Json("note", "and more of it").Succeeds();
        sender.Json("replicate", "--to", replica).FailsWith(ErrorCode.LedgerFork, 3);
        custodian.Vault = custodian.PathOf("other");
        sender.Json("replicate", "--to", custodian.Vault).Succeeds();
        string proof = custodian.PathOf("fork.proof");
        custodian.Json("replicate", "receive", "--output", custodian.PathOf("other.receipt"), "--fork", proof).FailsWith(ErrorCode.LedgerFork, 3);
        Assert.False(File.Exists(custodian.PathOf("other.receipt")));

        using var anybody = new EvidenceCommand();
        JsonElement unknown = Assert.Single(anybody.Json("check", proof).Ends(4).Json.GetProperty("proofs").EnumerateArray());
        Assert.Equal("consistent", unknown.GetProperty("standing").GetString());
        Assert.Contains("signer unknown", unknown.GetProperty("statements")[3].GetString(), StringComparison.Ordinal);
        string policy = anybody.PathOf("policy");
        foreach (string key in LogKeys())
        {
            File.WriteAllText(policy, $"log {key}\nquorum none\n");
            JsonElement proved = Assert.Single(anybody.Json("check", proof, "--policy", policy).Succeeds().Json.GetProperty("proofs").EnumerateArray());
            Assert.Equal(("proved", "4", "5"), (
                proved.GetProperty("standing").GetString(), proved.GetProperty("fork").GetProperty("older").GetProperty("size").GetString(), proved.GetProperty("fork").GetProperty("newer").GetProperty("size").GetString()));
        }

        Assert.Contains("signed two histories", anybody.Run("check", proof, "--policy", policy).Succeeds().Text, StringComparison.Ordinal);
        // A log of that name with other keys is not the one that is blamed.
        anybody.Json("init", "--origin", LogKeys()[0].Split('+')[0]).Succeeds();
        string strange = anybody.Json("identity", "list").Succeeds().Json.GetProperty("log")[0].GetString()!;
        File.WriteAllText(policy, $"log {strange}\nquorum none\n");
        anybody.Json("check", proof, "--policy", policy).Ends(4);
        anybody.Json("check", custodian.PathOf("one.receipt")).Ends(3);
    }

    public void Dispose()
    {
        sender.Dispose();
        custodian.Dispose();
    }

    private string[] LogKeys() => [.. sender.Json("identity", "list").Succeeds().Json.GetProperty("log").EnumerateArray().Select(key => key.GetString()!)];

    private void Acquire(string item)
    {
        File.WriteAllBytes(sender.PathOf(item), RandomNumberGenerator.GetBytes(300_000));
        sender.Json("acquire", sender.PathOf(item), "--item", item).Succeeds();
    }
}
