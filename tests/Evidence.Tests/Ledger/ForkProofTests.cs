using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>Proofs that a log has two histories: those that are hold, and no forgery does.</summary>
public sealed class ForkProofTests : IDisposable
{
    private const string Origin = "vault.example/forked";

    private readonly LogKeys keys = LogKeys.Create(Origin);
    private readonly ActorKey actor = ActorKey.Create();
    private readonly Dictionary<(int Number, bool IsOther), byte[]> entries = [];

    public void Dispose()
    {
        keys.Dispose();
        actor.Dispose();
    }

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(7, 7, 6)]
    [InlineData(1, 9, 0)]
    [InlineData(5, 300, 4)]
    [InlineData(256, 257, 100)]
    [InlineData(255, 700, 0)]
    public void Two_histories_are_proved_at_any_sizes(int older, int newer, int changed)
    {
        CustodyLedger seen = Log(older);
        CustodyLedger now = Log(newer, changed);
        var proof = ForkProof.Parse(ForkProof.Create(seen.SignedNote.Span, now).ToBytes());
        Assert.Null(proof.Check(keys.VerifierKeys));
        Assert.Equal((older, newer), (proof.OlderCheckpoint.Size, proof.NewerCheckpoint.Size));
        // One known key is enough; that of another log, or of a witness, is none.
        Assert.Null(proof.Check([keys.EcdsaKey]));
        using var strangers = LogKeys.Create("other.example/log");
        Assert.Contains("No known key", proof.Check(strangers.VerifierKeys), StringComparison.Ordinal);
        Assert.Contains("No known key", proof.Check([]), StringComparison.Ordinal);
        using var same = LogKeys.Create(Origin);
        Assert.Contains("No known key", proof.Check(same.VerifierKeys), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 9)]
    [InlineData(256, 300)]
    public void One_history_is_never_proved_to_be_two(int older, int newer)
    {
        CustodyLedger seen = Log(older);
        CustodyLedger now = Log(newer);
        var honest = ForkProof.Create(seen.SignedNote.Span, now);
        Assert.NotNull(honest.Check(keys.VerifierKeys));
        // Nor by any other root or any other proof.
        CustodyLedger another = Log(newer, 0);
        Sha256Digest[] roots = [seen.Root, now.Root, another.RootAt(older), MerkleTree.EmptyRoot, default];
        Sha256Digest[][] proofs = [[], [.. honest.Hashes], another.ProveConsistency(older), now.ProveConsistency(older), [.. honest.Hashes, default], [default]];
        foreach (Sha256Digest? root in roots.Select(r => (Sha256Digest?)r).Append(null))
        {
            foreach (Sha256Digest[] hashes in proofs)
                Assert.NotNull(Forge(seen.SignedNote.Span, now.SignedNote.Span, root, hashes).Check(keys.VerifierKeys));
        }
    }

    [Fact]
    public void An_older_checkpoint_is_no_second_history()
    {
        CustodyLedger older = Log(4);
        CustodyLedger other = Log(9, 8);
        Assert.Contains("beginning", ForkProof.Create(older.SignedNote.Span, other).Check(keys.VerifierKeys), StringComparison.Ordinal);
        Assert.NotNull(Forge(other.SignedNote.Span, older.SignedNote.Span, other.RootAt(4), other.ProveConsistency(4)).Check(keys.VerifierKeys));
        // An empty log is the beginning of all.
        byte[] empty = keys.Sign(new Checkpoint(Origin, 0, MerkleTree.EmptyRoot));
        Assert.NotNull(Forge(empty, other.SignedNote.Span, MerkleTree.EmptyRoot, []).Check(keys.VerifierKeys));
        Assert.NotNull(Forge(empty, other.SignedNote.Span, default(Sha256Digest), []).Check(keys.VerifierKeys));
    }

    [Fact]
    public void Logs_of_two_origins_may_differ()
    {
        using var others = LogKeys.Create("other.example/log");
        CustodyLedger one = Log(5);
        byte[] other = others.Sign(new Checkpoint("other.example/log", 5, default));
        Assert.Contains("two logs", Forge(one.SignedNote.Span, other, null, []).Check([.. keys.VerifierKeys, .. others.VerifierKeys]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_witness_cannot_be_made_to_speak_for_the_log()
    {
        using var witness = LogKeys.Create("witness.example/w");
        // The text of another history under this log's origin, signed by a key that is known, but is not the log's.
        byte[] forged = witness.Sign(new Checkpoint(Origin, 5, default));
        Assert.Contains("No known key", Forge(Log(5).SignedNote.Span, forged, null, []).Check([.. keys.VerifierKeys, .. witness.VerifierKeys]), StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_byte_is_changed_nothing_else_is_ever_proved()
    {
        byte[] right = ForkProof.Create(Log(5).SignedNote.Span, Log(9, 2)).ToBytes();
        var proved = ForkProof.Parse(right);
        Prop.ForAll(Gen.Choose(0, right.Length - 1).Zip(Gen.Choose(1, 255)).ToArbitrary(), change =>
        {
            byte[] bytes = [.. right];
            bytes[change.Item1] ^= (byte)change.Item2;
            ForkProof parsed;
            try
            {
                parsed = ForkProof.Parse(bytes);
            }
            catch (FormatException)
            {
                return true;
            }

            // A line of a key that is not known any more is passed over: then the other line is what counts, and the checkpoints are the same.
            return parsed.Check(keys.VerifierKeys) is not null || (parsed.OlderCheckpoint == proved.OlderCheckpoint && parsed.NewerCheckpoint == proved.NewerCheckpoint);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000).WithQuietOnSuccess(true));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"consistency":[],"format":"evidence-fork-proof","newer":"","older":"","root":null,"version":1}""")]
    public void What_is_no_proof_is_no_proof(string text) =>
        Assert.Throws<FormatException>(() => ForkProof.Parse(System.Text.Encoding.UTF8.GetBytes(text)));

    private static ForkProof Forge(ReadOnlySpan<byte> older, ReadOnlySpan<byte> newer, Sha256Digest? root, Sha256Digest[] hashes) => ForkProof.Parse(CanonicalJson.Serialize(new JsonObject
    {
        ["format"] = "evidence-fork-proof",
        ["version"] = 1,
        ["older"] = System.Text.Encoding.UTF8.GetString(older),
        ["newer"] = System.Text.Encoding.UTF8.GetString(newer),
        ["root"] = root?.ToString(),
        ["consistency"] = new JsonArray([.. hashes.Select(h => JsonValue.Create(Convert.ToBase64String(h.ToArray())))]),
    }));

    /// <summary>A log of notes, of which one may say something else.</summary>
    private CustodyLedger Log(int size, int? changed = null)
    {
        var storage = new MemoryStorage();
        // Signed by the same key, with the same text: but ECDSA signatures are random, so the bytes are made once.
        LedgerWriter.Open(storage, keys, new MemorySeen()).Append([.. Enumerable.Range(0, size).Select(i => Entry(i, i == changed))]);
        return CustodyLedger.Open(storage, Origin, keys.VerifierKeys);
    }

    private byte[] Entry(int number, bool isOther)
    {
        if (!entries.TryGetValue((number, isOther), out byte[]? bytes))
        {
            var payload = new EntryPayload(EntryKind.Note, Instant.FromUnixTimeSeconds(number), null, [], new JsonObject { ["text"] = isOther ? "other" : "one" }, actor.Id);
            entries[(number, isOther)] = bytes = LedgerEntry.Create(payload, actor).ToBytes();
        }

        return bytes;
    }
}
