using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>What is left for the sequencer, by whoever can write to the vault's folder, and what of it goes into the log.</summary>
public sealed class StagedEntriesTests
{
    private readonly LedgerFixture fixture = new();

    [Fact]
    public void A_wrong_signature_of_a_known_key_stays_in_staging_and_the_log_in_order()
    {
        fixture.Append([LedgerFixture.Declaration.ToBytes()]);
        byte[] forged = Forge(LedgerFixture.Entry("never said"));
        string name = Stage(forged);

        AppendResult result = fixture.Append(LedgerFixture.Entries(1));

        Assert.Equal(2, result.Size);
        RefusedEntry refused = Assert.Single(result.Refused);
        Assert.Equal(name, refused.Name);
        Assert.Contains("signatures is wrong", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(forged, fixture.Storage.Files[name]);
        Assert.All(Statuses(), status => Assert.Equal(EntrySignatureStatus.Valid, status));
    }

    [Fact]
    public void An_entry_of_an_unknown_key_waits_until_the_key_is_declared()
    {
        fixture.Append([LedgerFixture.Declaration.ToBytes()]);
        using var stranger = ActorKey.Create();
        LedgerWriter.Stage(fixture.Storage, Note(stranger, Instant.FromUtc(2026, 1, 1, 0, 0)));

        RefusedEntry refused = Assert.Single(fixture.Append([]).Refused);
        Assert.Contains("no entry before it declares", refused.Reason, StringComparison.Ordinal);
        LedgerWriter.Stage(fixture.Storage, LedgerFixture.Declare(stranger, "stranger", Instant.FromUtc(2026, 1, 3, 0, 0)));
        AppendResult result = fixture.Append([]);

        Assert.Empty(result.Refused);
        Assert.Equal(3, result.Size);
        Assert.All(Statuses(), status => Assert.Equal(EntrySignatureStatus.Valid, status));
        Assert.Empty(fixture.Storage.List("staging/"));
    }

    /// <summary>What an entry names and nobody has would be missed for ever, and shuts the gate for as long.</summary>
    [Fact]
    public void An_entry_that_names_a_time_stamp_waits_until_the_stamp_is_there()
    {
        fixture.Append([LedgerFixture.Declaration.ToBytes()]);
        byte[] stamp = "a stamp"u8.ToArray();
        LedgerWriter.Stage(fixture.Storage, LedgerEntry.Create(
            new EntryPayload(EntryKind.Timestamp, Instant.FromUtc(2026, 1, 3, 0, 0), null, [], new JsonObject { ["document"] = Sha256Digest.Compute(stamp).ToString() }, LedgerFixture.Actor.Id),
            LedgerFixture.Actor));
        string file = $"timestamps/{Sha256Digest.Compute(stamp)}.json";
        Assert.Contains($"{file}, which is not there", Assert.Single(fixture.Append([]).Refused).Reason, StringComparison.Ordinal);
        fixture.Storage.Files[file] = "another one"u8.ToArray();
        Assert.Single(fixture.Append([]).Refused);
        fixture.Storage.Files[file] = stamp;
        AppendResult result = fixture.Append([]);
        Assert.Empty(result.Refused);
        Assert.Equal(2, result.Size);
    }

    /// <summary>Signatures are under no signature: whoever can write to staging could have anything said again that was said once.</summary>
    [Fact]
    public void What_was_said_once_is_not_said_again_with_more_signatures()
    {
        LedgerEntry said = LedgerFixture.Entry("said once");
        fixture.Append([LedgerFixture.Declaration.ToBytes(), said.ToBytes()]);
        using var stranger = ActorKey.Create();
        JsonNode envelope = CanonicalJson.Parse(said.ToBytes());
        envelope["signatures"]!.AsArray().Add(new JsonObject { ["keyid"] = stranger.Id, ["sig"] = Convert.ToBase64String(stranger.Sign([1])) });
        Stage(CanonicalJson.Serialize(envelope));

        AppendResult result = fixture.Append([]);

        Assert.Equal(2, result.Size);
        Assert.Contains("already", Assert.Single(result.Refused).Reason, StringComparison.Ordinal);
    }

    /// <summary>Without any key, from the entry alone: it is another leaf, and valid.</summary>
    [Fact]
    public void What_was_said_once_is_not_said_again_with_the_other_form_of_its_signature()
    {
        LedgerEntry said = LedgerFixture.Entry("said once");
        LedgerEntry again = LedgerFixture.Repeat(said);
        var registry = new KeyRegistry();
        registry.Fold(0, LedgerFixture.Declaration);
        Assert.Equal((EntrySignatureStatus.Valid, said.Statement), (registry.Fold(1, again).Status, again.Statement));
        Assert.NotEqual(said.LeafHash, again.LeafHash);
        fixture.Append([LedgerFixture.Declaration.ToBytes()]);
        Stage(said.ToBytes());
        Stage(again.ToBytes());
        AppendResult result = fixture.Append([]);
        Assert.Equal(2, result.Size);
        Assert.Contains("already", Assert.Single(result.Refused).Reason, StringComparison.Ordinal);
        Assert.Equal(2, fixture.Append([]).Size);
    }

    [Fact]
    public void Declarations_go_in_first_then_by_claimed_time()
    {
        // Leaf hashes are as good as random: without an order half of these would put an entry before its declaration.
        for (int i = 0; i < 16; i++)
        {
            var log = new LedgerFixture();
            using var actor = ActorKey.Create();
            LedgerEntry declaration = LedgerFixture.Declare(actor, "expert", Instant.FromUtc(2026, 1, 2, 0, 0));
            LedgerEntry[] notes = [.. Enumerable.Range(0, 3).Select(day => Note(actor, Instant.FromUtc(2026, 1, 1 + day, 0, 0)))];
            foreach (LedgerEntry entry in notes.Reverse().Append(declaration))
                LedgerWriter.Stage(log.Storage, entry);

            Assert.Empty(log.Append([]).Refused);

            Assert.Equal([declaration.ToBytes(), .. notes.Select(note => note.ToBytes())], log.Reader().ReadEntries(0, 4));
        }
    }

    [Fact]
    public void What_is_in_the_log_already_is_not_taken_in_again()
    {
        LedgerEntry entry = LedgerFixture.Entry("once");
        fixture.Append([LedgerFixture.Declaration.ToBytes(), entry.ToBytes()]);
        LedgerWriter.Stage(fixture.Storage, entry);

        AppendResult result = fixture.Append([]);

        Assert.Equal(2, result.Size);
        Assert.Empty(result.Refused);
        Assert.Empty(fixture.Storage.List("staging/"));
    }

    [Fact]
    public void An_identity_that_declares_nothing_is_refused()
    {
        fixture.Append([LedgerFixture.Declaration.ToBytes()]);
        LedgerWriter.Stage(fixture.Storage, LedgerEntry.Create(
            new EntryPayload(EntryKind.Identity, Instant.FromUtc(2026, 1, 2, 3, 4), null, [], new JsonObject { ["subject"] = "x" }, LedgerFixture.Actor.Id),
            LedgerFixture.Actor));
        Assert.Contains("declares no identity", Assert.Single(fixture.Append([]).Refused).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_planted_batch_is_damage_and_nothing_of_it_is_signed(bool unknown)
    {
        fixture.Append([LedgerFixture.Declaration.ToBytes()]);
        using var stranger = ActorKey.Create();
        byte[] planted = unknown ? Note(stranger, Instant.FromUtc(2026, 1, 1, 0, 0)).ToBytes() : Forge(LedgerFixture.Entry("never said"));
        fixture.Storage.Files["staging/batch"] = new StagedBatch(LedgerFixture.Origin, 1, [LedgerFixture.Entry("right").ToBytes(), planted]).ToBytes();

        EvidenceException error = Assert.Throws<EvidenceException>(() => fixture.Writer());

        Assert.Equal(ErrorCode.LedgerDamaged, error.Code);
        Assert.Contains("staging/batch", error.Message, StringComparison.Ordinal);
        Assert.Contains("entry 1 ", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, fixture.Reader().Size);
        Assert.False(fixture.Storage.Files.ContainsKey("staging/checkpoint"));
    }

    [Fact]
    public void A_log_whose_entries_were_exchanged_together_with_their_tile_judges_nothing()
    {
        IReadOnlyList<byte[]> entries = [LedgerFixture.Declaration.ToBytes(), .. LedgerFixture.Entries(299)];
        fixture.Append(entries);
        // Another first bundle, and the leaf hashes to it: the right edge, from which the root is folded, is as it was.
        var other = new LedgerFixture();
        using var stranger = ActorKey.Create();
        other.Append([LedgerFixture.Declare(stranger, "stranger", Instant.FromUtc(2026, 1, 2, 3, 4)).ToBytes(), .. entries.Skip(1)]);
        foreach (string name in (string[])["tile/0/000", "tile/entries/000"])
            fixture.Storage.Files[name] = other.Storage.Files[name];
        LedgerWriter.Stage(fixture.Storage, Note(stranger, Instant.FromUtc(2026, 1, 1, 0, 0)));

        Assert.Equal(ErrorCode.LedgerDamaged, Assert.Throws<EvidenceException>(() => fixture.Append([])).Code);
        Assert.False(fixture.Storage.Files.ContainsKey("staging/batch"));
    }

    private static LedgerEntry Note(ActorKey actor, Instant time) => LedgerEntry.Create(
        new EntryPayload(EntryKind.Note, time, null, [], new JsonObject { ["text"] = "note" }, actor.Id), actor);

    /// <summary>The entry with a signature that is well-formed, and is over something else.</summary>
    private static byte[] Forge(LedgerEntry entry)
    {
        JsonNode envelope = CanonicalJson.Parse(entry.ToBytes());
        envelope["signatures"]![0]!["sig"] = Convert.ToBase64String(LedgerFixture.Actor.Sign(Encoding.UTF8.GetBytes("something else")));
        return CanonicalJson.Serialize(envelope);
    }

    private string Stage(byte[] entry)
    {
        string name = "staging/entries/" + MerkleTree.LeafHash(entry);
        fixture.Storage.Files[name] = entry;
        return name;
    }

    private IEnumerable<EntrySignatureStatus> Statuses() =>
        fixture.Reader().JudgeEntries(new KeyRegistry()).Select(judged => judged.Verdict!.Status);
}
