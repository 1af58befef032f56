using System.Text;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Proofs;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Proofs;

/// <summary>A proof of two histories, checked as other proofs are.</summary>
public sealed class ForkCheckTests : IDisposable
{
    private readonly TestVault place = new();
    private readonly IReadOnlyList<VerifierKey> keys;
    private readonly byte[] proof;

    public ForkCheckTests()
    {
        using Vault vault = place.Create();
        keys = vault.Ledger.Keys();
        vault.Ledger.RecordNote("one history", [], null);
        byte[] seen = vault.Ledger.Open().SignedNote.ToArray();
        // The same log, begun anew with the same keys in another place.
        using LogKeys log = place.Keys.LoadLog(vault.Settings.Origin);
        using var actor = ActorKey.Create();
        var storage = new Evidence.Tests.Ledger.MemoryStorage();
        byte[] Other(int n) => LedgerEntry.Create(new EntryPayload(EntryKind.Note, NodaTime.SystemClock.Instance.GetCurrentInstant(), null, [], new() { ["text"] = $"other {n}" }, actor.Id), actor).ToBytes();
        LedgerWriter.Open(storage, log, new Evidence.Tests.Ledger.MemorySeen()).Append([.. Enumerable.Range(0, 5).Select(Other)]);
        proof = ForkProof.Create(seen, CustodyLedger.Open(storage, vault.Settings.Origin, keys)).ToBytes();
    }

    [Fact]
    public void It_is_proved_to_whom_the_log_is_known()
    {
        ProofVerdict verdict = Check(proof, PolicyOf(keys));
        Assert.Equal((ProofStanding.Proved, null), (verdict.Standing, verdict.Refutation));
        Assert.Equal((3L, 5L), (verdict.Fork!.OlderCheckpoint.Size, verdict.Fork.NewerCheckpoint.Size));
        Assert.Contains("signed two histories, with keys that your policy names", verdict.Statements[0], StringComparison.Ordinal);
        Assert.Null(verdict.Subject);
    }

    [Fact]
    public void To_whom_it_is_not_known_it_only_agrees_with_itself()
    {
        using var others = LogKeys.Create("vault.example/test");
        foreach (WitnessPolicy? policy in (WitnessPolicy?[])[null, PolicyOf([]), PolicyOf(others.VerifierKeys)])
        {
            ProofVerdict verdict = Check(proof, policy);
            Assert.Equal(ProofStanding.Consistent, verdict.Standing);
            Assert.Contains(verdict.Statements, s => s.StartsWith("Consistent, signer unknown", StringComparison.Ordinal));
            Assert.DoesNotContain(verdict.Statements, s => s.Contains("your policy names", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void What_contradicts_nothing_is_refuted_whoever_signed_it()
    {
        using Vault vault = Vault.Open(place.Folder, place.Access);
        byte[] seen = vault.Ledger.Open().SignedNote.ToArray();
        vault.Ledger.RecordNote("goes on", [], null);
        byte[] none = ForkProof.Create(seen, vault.Ledger.Open()).ToBytes();
        foreach (WitnessPolicy? policy in (WitnessPolicy?[])[null, PolicyOf(keys)])
        {
            ProofVerdict verdict = Check(none, policy);
            Assert.Equal(ProofStanding.Refuted, verdict.Standing);
            Assert.Empty(verdict.Statements);
            Assert.Contains("the beginning of the newer", verdict.Refutation, StringComparison.Ordinal);
        }
    }

    /// <summary>A proof of something else, or the very same statements.</summary>
    [Fact]
    public void A_wrong_byte_never_makes_a_wrong_sentence()
    {
        WitnessPolicy policy = PolicyOf(keys);
        IReadOnlyList<string> said = Check(proof, policy).Statements;
        int refuted = 0;
        for (int i = 0; i < proof.Length; i++)
        {
            byte[] bad = [.. proof];
            bad[i] ^= (byte)(1 << (i % 7));
            ProofVerdict verdict = Check(bad, policy);
            if (verdict.Standing == ProofStanding.Proved)
                Assert.Equal(said, verdict.Statements);
            else
                Assert.Empty(verdict.Statements);
            refuted += verdict.Standing == ProofStanding.Refuted ? 1 : 0;
        }

        Assert.InRange(refuted, proof.Length / 2, proof.Length);
    }

    public void Dispose() => place.Dispose();

    private static ProofVerdict Check(byte[] bytes, WitnessPolicy? policy) => ProofCheck.Run(bytes, policy, TrustedAuthorities.None);

    private static WitnessPolicy PolicyOf(IEnumerable<VerifierKey> logs) => WitnessPolicy.Parse(Encoding.UTF8.GetBytes(string.Concat(logs.Select(key => $"log {key}\n")) + "quorum none\n"));
}
