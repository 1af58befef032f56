using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>What an entry is worth at its place when keys are replaced and revoked, and what is known later beside that.</summary>
public sealed class KeysOverTimeTests : IDisposable
{
    private static readonly Instant Start = Instant.FromUtc(2026, 1, 1, 0, 0);

    private readonly ActorKey alice = ActorKey.Create();
    private readonly ActorKey second = ActorKey.Create();
    private readonly ActorKey third = ActorKey.Create();
    private readonly ActorKey bob = ActorKey.Create();
    private readonly ActorKey keeper = ActorKey.Create();
    private readonly KeyRegistry registry = new();
    private readonly List<LedgerEntry> log = [];

    [Fact]
    public void After_a_rotation_the_same_actor_goes_on_with_the_new_key_and_only_with_it()
    {
        Assert.Equal(EntrySignatureStatus.Valid, Add(Declare(alice, "Alice")).Status);
        Assert.Equal(EntrySignatureStatus.UnknownSigner, Add(Note(second)).Status);
        EntryVerdict rotation = Add(Rotate(alice, second));
        Assert.Equal((EntrySignatureStatus.Valid, null), (rotation.Status, rotation.RefusedIdentity));

        EntryVerdict now = Add(Note(second));
        Assert.Equal((EntrySignatureStatus.Valid, "Alice"), (now.Status, now.Signer!.Name));
        EntryVerdict old = Add(Note(alice));
        Assert.Equal((EntrySignatureStatus.Ended, "entry 2 put another key in its place"), (old.Status, old.KeyEnd));
        Assert.Equal(alice.Id, registry.Keys[second.Id].FirstKey);
        // The old key cannot lead anywhere else.
        Assert.Equal(EntrySignatureStatus.Ended, Add(Rotate(alice, third)).Status);
        Assert.False(registry.Keys.ContainsKey(third.Id));
        Assert.Equal(EntrySignatureStatus.Valid, Add(Rotate(second, third)).Status);
        Assert.Equal(("Alice", alice.Id), (registry.Keys[third.Id].Identity.Name, registry.Keys[third.Id].FirstKey));
    }

    [Fact]
    public void A_rotation_without_the_new_keys_own_signature_declares_nothing()
    {
        Add(Declare(alice, "Alice"));
        Add(Declare(bob, "Bob"));
        // A key that the actor does not have.
        EntryVerdict verdict = Add(Sign(new KeyRotation(alice.Id, second.PublicKey).ToJson(), alice));
        Assert.Equal(EntrySignatureStatus.Valid, verdict.Status);
        Assert.Contains("did not sign it", verdict.RefusedIdentity, StringComparison.Ordinal);
        // Signed under the new key's id, by another key.
        LedgerEntry right = Rotate(alice, second);
        JsonNode envelope = CanonicalJson.Parse(right.ToBytes());
        envelope["signatures"]![1]!["sig"] = Convert.ToBase64String(bob.Sign(right.SignedBytes.Span));
        Assert.Equal(EntrySignatureStatus.Invalid, Add(LedgerEntry.Parse(CanonicalJson.Serialize(envelope))).Status);
        // Another's key taken over, or another's place.
        Assert.Contains("declared already", Add(Rotate(alice, bob)).RefusedIdentity, StringComparison.Ordinal);
        Assert.Contains("another key than the one that signs", Add(Sign(new KeyRotation(alice.Id, second.PublicKey).ToJson(), bob, second)).RefusedIdentity, StringComparison.Ordinal);

        Assert.False(registry.Keys.ContainsKey(second.Id));
        Assert.Null(registry.Keys[alice.Id].EndedBy);
    }

    [Fact]
    public void A_revoked_key_signs_nothing_more_but_revocations_of_itself()
    {
        Add(Declare(alice, "Alice"));
        EntryVerdict before = Add(Note(alice));
        Assert.Equal(EntrySignatureStatus.Valid, Add(Revoke(alice, alice)).Status);
        Assert.Equal(EntrySignatureStatus.Valid, before.Status);
        foreach (LedgerEntry late in (LedgerEntry[])[Note(alice), Rotate(alice, second), Declare(bob, "Bob", alice)])
        {
            EntryVerdict verdict = Add(late);
            Assert.Equal((EntrySignatureStatus.Ended, "entry 2 revoked it"), (verdict.Status, verdict.KeyEnd));
        }

        Assert.Equal(alice.Id, Assert.Single(registry.Keys).Key);
        // What it learns later of itself it may say.
        Assert.Equal(EntrySignatureStatus.Valid, Add(Revoke(alice, alice, Start)).Status);
        Assert.Equal(2, registry.Keys[alice.Id].Revocations.Count);
        Assert.Equal(2, registry.Keys[alice.Id].EndedBy);
    }

    [Fact]
    public void Who_may_revoke_whom()
    {
        Add(Declare(keeper, "Keeper"));
        Add(Sign(new VaultIdentity(LedgerFixture.Origin, default, LedgerFixture.Keys.VerifierKeys).ToJson(), keeper));
        Add(Declare(bob, "Bob"));
        Add(Sign(new ActorIdentity("Alice", null, alice.PublicKey) { Revokers = [bob.Id] }.ToJson(), alice));
        // The keeper has no say over another's key, nor has anybody else who is not named; nor over one that is not there.
        Assert.Contains("Keeper may not revoke", Add(Revoke(keeper, alice)).RefusedIdentity, StringComparison.Ordinal);
        Assert.Contains("Alice may not revoke", Add(Revoke(alice, bob)).RefusedIdentity, StringComparison.Ordinal);
        Assert.Contains("no entry before it declares", Add(Revoke(alice, third)).RefusedIdentity, StringComparison.Ordinal);
        Add(Rotate(alice, second));
        // A key that another one replaced speaks for itself only.
        Assert.Equal(EntrySignatureStatus.Ended, Add(Revoke(alice, second)).Status);
        Assert.Null(registry.Keys[second.Id].EndedBy);
        Assert.Null(Add(Revoke(second, alice)).RefusedIdentity);
        Assert.Null(Add(Revoke(alice, alice)).RefusedIdentity);
        // Whom the owner named may revoke the keys that came since, also with a key that came since.
        Add(Rotate(bob, third));
        Assert.Equal(EntrySignatureStatus.Ended, Add(Revoke(bob, second)).Status);
        Assert.Null(registry.Keys[second.Id].EndedBy);
        Assert.Null(Add(Revoke(third, second)).RefusedIdentity);
        Assert.NotNull(registry.Keys[second.Id].EndedBy);
    }

    [Fact]
    public void Who_declares_another_cannot_name_who_may_revoke_that_key()
    {
        Add(Declare(keeper, "Keeper"));
        Add(Sign(new ActorIdentity("Alice", null, alice.PublicKey) { Revokers = [keeper.Id] }.ToJson(), keeper));
        Assert.NotNull(Add(Revoke(keeper, alice)).RefusedIdentity);
        Assert.Empty(registry.Keys[alice.Id].Identity.Revokers);
    }

    [Fact]
    public void A_compromise_that_is_still_to_come_is_refused()
    {
        Add(Declare(alice, "Alice"));
        Assert.Contains("still to come", Add(Revoke(alice, alice, Start + Duration.FromDays(1000))).RefusedIdentity, StringComparison.Ordinal);
        Assert.Null(registry.Keys[alice.Id].EndedBy);
    }

    [Fact]
    public void What_is_said_later_changes_no_judgement_and_is_said_beside_it()
    {
        List<EntryVerdict> verdicts = [Add(Declare(alice, "Alice")), Add(Note(alice)), Add(Note(alice)), Add(Rotate(alice, second)), Add(Note(second))];
        Instant since = Start + Duration.FromDays(40);
        Add(Revoke(second, alice, since, days: 50));
        var times = new ProvedTimes(
        [
            new ProvedTime(2, since - Duration.FromDays(1), "an authority"), new ProvedTime(3, since + Duration.FromDays(1), "an authority"),
        ]);

        LaterKnowledge?[] later = [.. verdicts.Select((verdict, index) => registry.WithHindsight(index, verdict, times)).Select(verdict => verdict.Later)];

        Assert.All(verdicts, verdict => Assert.Equal(EntrySignatureStatus.Valid, verdict.Status));
        Assert.Equal([true, true, false, false], later.Take(4).Select(told => told!.IsProvedBefore).ToArray());
        Assert.Null(later[4]);
        Assert.Contains("proved no later than 2026-02-09T00:00:00.000000000Z by an authority, so before that", later[1]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("which is not before that", later[2]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("nothing outside the vault proves", later[3]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_proof_for_the_very_instant_of_the_compromise_is_none_before_it()
    {
        var verdict = Add(Declare(alice, "Alice"));
        Add(Revoke(alice, alice, Start));
        Assert.False(registry.WithHindsight(0, verdict, new ProvedTimes([new ProvedTime(1, Start, "x")])).Later!.IsProvedBefore);
        Assert.True(registry.WithHindsight(0, verdict, new ProvedTimes([new ProvedTime(1, Start - Duration.Epsilon, "x")])).Later!.IsProvedBefore);
    }

    [Fact]
    public void Of_several_revocations_the_earliest_instant_counts_of_those_that_came_later()
    {
        EntryVerdict first = Add(Declare(alice, "Alice"));
        Add(Revoke(alice, alice, Start + Duration.FromDays(9)));
        Add(Revoke(alice, alice, Start + Duration.FromDays(5)));
        Add(Revoke(alice, alice, Start + Duration.FromDays(7)));
        Assert.Equal(2, registry.WithHindsight(0, first, ProvedTimes.None).Later!.Revocation.Entry);
    }

    /// <summary>The earliest instant of all sizes that hold the entry, by looking at all of them.</summary>
    [Fact]
    public void The_earliest_proof_of_a_place_is_found() => Prop.ForAll<(byte Size, byte Day)[]>(pairs =>
    {
        ProvedTime[] all = [.. (pairs ?? []).Select(pair => new ProvedTime(pair.Size % 16, Start + Duration.FromDays(pair.Day % 16), "x"))];
        var times = new ProvedTimes(all);
        return Enumerable.Range(0, 17).All(index =>
            times.Find(index)?.NoLaterThan == all.Where(time => time.Size > index).Select(time => (Instant?)time.NoLaterThan).Min());
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void The_vault_is_declared_once()
    {
        Add(Declare(keeper, "Keeper"));
        JsonObject identity = new VaultIdentity(LedgerFixture.Origin, default, LedgerFixture.Keys.VerifierKeys).ToJson();
        Assert.Null(Add(Sign(identity, keeper)).RefusedIdentity);
        Assert.Contains("first declaration stands", Add(Sign(identity, keeper)).RefusedIdentity, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"keyId":"sha256:00","subject":"revocation"}""")]
    [InlineData("""{"keyId":"KEY","reason":"","subject":"revocation"}""")]
    [InlineData("""{"compromisedSince":null,"keyId":"KEY","subject":"revocation"}""")]
    [InlineData("""{"compromisedSince":"2026-01-01T00:00:00Z","keyId":"KEY","subject":"revocation"}""")]
    [InlineData("""{"keyId":"KEY","more":"","subject":"revocation"}""")]
    [InlineData("""{"keyId":"KEY","publicKey":"AA==","replaces":"KEY","subject":"rotation"}""")]
    public void A_body_that_is_not_exactly_of_the_format_is_refused(string body) => Assert.Throws<FormatException>(
        () => IdentityBody.Parse(JsonNode.Parse(body.Replace("KEY", alice.Id, StringComparison.Ordinal))!.AsObject()));

    [Fact]
    public void What_waits_signed_by_a_key_does_not_come_in_before_its_revocation_whatever_time_it_claims()
    {
        var fixture = new LedgerFixture();
        fixture.Append([Declare(alice, "Alice").ToBytes()]);
        LedgerWriter.Stage(fixture.Storage, Note(alice, days: -100));
        LedgerWriter.Stage(fixture.Storage, Revoke(alice, alice));

        AppendResult result = fixture.Append([]);

        Assert.Equal(2, result.Size);
        Assert.Contains("signs no more: entry 1 revoked it", Assert.Single(result.Refused).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_rotation_that_waits_comes_in_between_what_the_two_keys_signed()
    {
        for (int i = 0; i < 8; i++)
        {
            var fixture = new LedgerFixture();
            using var next = ActorKey.Create();
            fixture.Append([Declare(alice, "Alice").ToBytes()]);
            foreach (LedgerEntry entry in (LedgerEntry[])[Note(next, days: 3), Rotate(alice, next, days: 2), Note(alice, days: 2), Note(alice, days: 1)])
                LedgerWriter.Stage(fixture.Storage, entry);
            AppendResult result = fixture.Append([]);
            Assert.Empty(result.Refused);
            Assert.Equal(5, result.Size);
            Assert.All(fixture.Reader().JudgeEntries(new KeyRegistry()), judged => Assert.Equal(EntrySignatureStatus.Valid, judged.Verdict!.Status));
        }
    }

    /// <summary>Or the vault's keeper takes an owner's choice of revokers away by declaring the key first.</summary>
    [Fact]
    public void What_a_key_says_of_itself_comes_in_the_place_of_what_others_said_of_it()
    {
        Add(Declare(keeper, "Keeper"));
        Add(Declare(bob, "Bob"));
        Add(Declare(alice, "Nobody in particular", keeper));
        LedgerEntry own = Sign(new ActorIdentity("Alice", null, alice.PublicKey) { Revokers = [bob.Id] }.ToJson(), alice);
        Assert.False(registry.Knows(own));
        Add(own);
        Assert.Equal("Alice", registry.Keys[alice.Id].Identity.Name);
        // The first one that is its own stands, and others say nothing of it any more.
        Add(Sign(new ActorIdentity("Alice", null, alice.PublicKey) { Revokers = [keeper.Id] }.ToJson(), alice));
        Add(Declare(alice, "Nobody in particular", keeper));
        Assert.Equal(("Alice", 3), (registry.Keys[alice.Id].Identity.Name, registry.Keys[alice.Id].DeclaredBy));
        Assert.NotNull(Add(Revoke(keeper, alice)).RefusedIdentity);
        Assert.Null(Add(Revoke(bob, alice)).RefusedIdentity);
        Assert.NotNull(registry.Keys[alice.Id].EndedBy);
    }

    public void Dispose()
    {
        foreach (ActorKey key in (ActorKey[])[alice, second, third, bob, keeper])
            key.Dispose();
    }

    private EntryVerdict Add(LedgerEntry entry)
    {
        log.Add(entry);
        return registry.Fold(log.Count - 1, LedgerEntry.Parse(entry.ToBytes()));
    }

    private static LedgerEntry Declare(ActorKey key, string name, ActorKey? signer = null) => Sign(new ActorIdentity(name, null, key.PublicKey).ToJson(), signer ?? key);

    private static LedgerEntry Rotate(ActorKey old, ActorKey next, int days = 60) => Sign(days, EntryKind.Identity, new KeyRotation(old.Id, next.PublicKey).ToJson(), old, next);

    private static LedgerEntry Revoke(ActorKey signer, ActorKey revoked, Instant? since = null, int days = 60) =>
        Sign(days, EntryKind.Identity, new KeyRevocation(revoked.Id, since, "lost").ToJson(), signer);

    private static LedgerEntry Note(ActorKey signer, int days = 60) => Sign(days, EntryKind.Note, new JsonObject { ["text"] = "note" }, signer);

    private static LedgerEntry Sign(JsonObject body, params IReadOnlyList<ActorKey> signers) => Sign(60, EntryKind.Identity, body, signers);

    private static LedgerEntry Sign(int days, string kind, JsonObject body, params IReadOnlyList<ActorKey> signers) =>
        LedgerEntry.Create(new EntryPayload(kind, Start + Duration.FromDays(days), null, [], body, signers[0].Id), signers);
}
