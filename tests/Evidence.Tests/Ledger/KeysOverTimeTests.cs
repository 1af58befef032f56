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
        // Another's key taken over without its word, a key in its own place, or another's place.
        Assert.Contains("did not sign it", Add(Sign(new KeyRotation(alice.Id, bob.PublicKey).ToJson(), alice)).RefusedIdentity, StringComparison.Ordinal);
        Assert.Contains("in its own place", Add(Rotate(alice, alice)).RefusedIdentity, StringComparison.Ordinal);
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

        LaterKnowledge?[] later = [.. verdicts.Select((verdict, index) => Later(index, verdict, times))];

        Assert.All(verdicts, verdict => Assert.Equal(EntrySignatureStatus.Valid, verdict.Status));
        Assert.Equal([true, true, false, false], later.Take(4).Select(told => told!.IsProvedBefore).ToArray());
        Assert.All(later.Take(4), told => Assert.Equal(LaterSubject.Signature, told!.Subject));
        Assert.Contains("proved no later than 2026-02-09T00:00:00.000000000Z by an authority, so before that", later[1]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("which is not before that", later[2]!.ToString(), StringComparison.Ordinal);
        Assert.Contains("nothing at hand from outside the vault proves that this entry", later[3]!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_proof_for_the_very_instant_of_the_compromise_is_none_before_it()
    {
        var verdict = Add(Declare(alice, "Alice"));
        Add(Revoke(alice, alice, Start));
        Assert.False(Later(0, verdict, new ProvedTimes([new ProvedTime(1, Start, "x")]))!.IsProvedBefore);
        Assert.True(Later(0, verdict, new ProvedTimes([new ProvedTime(1, Start - Duration.Epsilon, "x")]))!.IsProvedBefore);
    }

    [Fact]
    public void Of_several_revocations_the_earliest_instant_counts_of_those_that_came_later()
    {
        EntryVerdict first = Add(Declare(alice, "Alice"));
        Add(Revoke(alice, alice, Start + Duration.FromDays(9)));
        Add(Revoke(alice, alice, Start + Duration.FromDays(5)));
        Add(Revoke(alice, alice, Start + Duration.FromDays(7)));
        Assert.Equal(2, Later(0, first, ProvedTimes.None)!.Revocation.Entry);
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

    /// <summary>A thief who has a key puts one of his own in its place; the owner learns of it later, and revokes the stolen one.</summary>
    [Fact]
    public void What_rests_on_a_key_that_a_thief_may_have_put_in_the_place_of_a_stolen_one_is_told()
    {
        Add(Declare(alice, "Alice"));
        EntryVerdict rotation = Add(Rotate(alice, second));
        EntryVerdict before = Add(Note(second));
        Add(Rotate(second, third));
        Instant since = Start + Duration.FromDays(10);
        Assert.Null(Later(2, before));
        Assert.Null(Add(Revoke(alice, alice, since)).RefusedIdentity);
        EntryVerdict after = Add(Note(third));

        Assert.Equal((EntrySignatureStatus.Valid, EntrySignatureStatus.Valid), (before.Status, after.Status));
        Assert.Equal(LaterSubject.Signature, Later(1, rotation)!.Subject);
        // Of all keys that came from it, through the first such entry, and whether or not the revocation came before the entry.
        foreach (LaterKnowledge? told in (LaterKnowledge?[])[Later(2, before), Later(5, after)])
        {
            Assert.Equal((LaterSubject.Key, 1L, 4L, false), (told!.Subject, told.Place, told.Revocation.Entry, told.IsProvedBefore));
            Assert.Contains(
                "goes back, through entry 1, to one that Alice declared compromised as of 2026-01-11T00:00:00.000000000Z, later, in entry 4; nothing at hand from outside the vault proves " +
                "that entry 1 was at its place before that, so whoever else had that one may have brought this one in",
                told.ToString(), StringComparison.Ordinal);
        }

        // That others saw the first entry before does not help; that they saw the rotation does, and then of its successors nothing is to be said.
        Assert.NotNull(Later(5, after, Proved(1, since - Duration.Epsilon)));
        Assert.Contains("entry 1's place is proved no later than 2026-01-11T00:00:00.000000000Z by x, which is not before that", Later(5, after, Proved(2, since))!.ToString(), StringComparison.Ordinal);
        Assert.Null(Later(5, after, Proved(2, since - Duration.Epsilon)));
        Assert.True(Later(1, rotation, Proved(2, since - Duration.Epsilon))!.IsProvedBefore);
    }

    [Fact]
    public void Of_what_is_told_of_a_key_and_of_those_before_it_the_graver_is_said()
    {
        Add(Declare(alice, "Alice"));
        Add(Rotate(alice, second));
        EntryVerdict note = Add(Note(second));
        Add(Revoke(alice, alice, Start + Duration.FromDays(10)));
        Add(Revoke(second, second, Start + Duration.FromDays(20)));
        Assert.Equal((LaterSubject.Key, 3L), (Later(2, note)!.Subject, Later(2, note)!.Revocation.Entry));
        // The rotation is proved to be older than the first, the note not to be older than the second.
        ProvedTimes times = new([new ProvedTime(2, Start + Duration.FromDays(9), "x"), new ProvedTime(3, Start + Duration.FromDays(21), "x")]);
        Assert.Equal((LaterSubject.Signature, 4L), (Later(2, note, times)!.Subject, Later(2, note, times)!.Revocation.Entry));
        // The other way round, what is in order of the key itself does not cover what is not of the one before it.
        registry.Fold(5, Revoke(alice, alice, Start));
        times = new([new ProvedTime(3, Start + Duration.FromDays(5), "x")]);
        Assert.Equal((LaterSubject.Key, 5L), (Later(2, note, times)!.Subject, Later(2, note, times)!.Revocation.Entry));
    }

    [Fact]
    public void A_key_that_only_a_compromised_one_declared_rests_on_it_until_it_declares_itself()
    {
        Add(Declare(keeper, "Keeper"));
        Add(Declare(bob, "Bob", keeper));
        EntryVerdict before = Add(Note(bob));
        Add(Revoke(keeper, keeper, Start));
        EntryVerdict after = Add(Note(bob));
        Assert.Equal((LaterSubject.Key, 1L), (Later(2, before)!.Subject, Later(4, after)!.Place));
        Add(Declare(bob, "Bob"));
        Assert.Null(Later(6, Add(Note(bob))));
        Assert.Null(registry.Keys[bob.Id].IntroducedBy);
    }

    [Fact]
    public void That_a_thief_may_have_ended_a_key_is_told_of_what_it_signs_after_that()
    {
        Add(Declare(keeper, "Keeper"));
        Add(Sign(new ActorIdentity("Alice", null, alice.PublicKey) { Revokers = [keeper.Id] }.ToJson(), alice));
        Add(Declare(bob, "Bob"));
        Add(Revoke(keeper, alice, Start));
        EntryVerdict silenced = Add(Note(alice));
        Assert.Null(Later(4, silenced));
        // Entry 5: the thief of Bob's key takes his place. Bob, who does not know, signs on.
        Add(Rotate(bob, second));
        EntryVerdict displaced = Add(Note(bob));
        Add(Revoke(keeper, keeper, Start + Duration.FromDays(1)));
        Add(Revoke(bob, bob, Start + Duration.FromDays(2)));

        Assert.Equal((EntrySignatureStatus.Ended, EntrySignatureStatus.Ended), (silenced.Status, displaced.Status));
        LaterKnowledge told = Later(4, silenced)!;
        Assert.Equal((LaterSubject.End, 3L, 3L, 7L), (told.Subject, told.EndedBy!.Value, told.Place, told.Revocation.Entry));
        Assert.StartsWith("What ended the key, entry 3, is signed by a key that Keeper declared compromised", told.ToString(), StringComparison.Ordinal);
        told = Later(6, displaced)!;
        Assert.Equal((LaterSubject.End, 5L, 8L), (told.Subject, told.EndedBy!.Value, told.Revocation.Entry));
        Assert.Null(Later(4, silenced, Proved(4, Start)));
        // What a key says of its own end is right, whoever said it.
        EntryVerdict own = Add(Note(keeper));
        Assert.Equal((EntrySignatureStatus.Ended, null), (own.Status, Later(9, own)));
    }

    /// <summary>The rule as ledger.md has it, by looking at everything again and again.</summary>
    [Fact]
    public void What_is_told_later_is_what_the_rule_says_in_any_log() => Prop.ForAll<(byte What, byte By, byte Of, byte Day)[], (byte Size, byte Day)[]>((steps, proofs) =>
    {
        ActorKey[] keys = [alice, bob, second, third, keeper];
        var folded = new KeyRegistry();
        var verdicts = new List<(EntryVerdict Verdict, string Key)>();
        foreach ((byte what, byte by, byte of, byte day) in steps ?? [])
        {
            ActorKey signer = keys[by % 5];
            ActorKey other = keys[of % 5];
            LedgerEntry entry = (what % 5) switch
            {
                0 => Declare(other, "x", signer),
                1 => Sign(new ActorIdentity("x", null, signer.PublicKey) { Revokers = [other.Id] }.ToJson(), signer),
                2 => Rotate(signer, other),
                3 => Revoke(signer, other, day % 4 == 3 ? null : Start + Duration.FromDays(day % 6)),
                _ => Note(signer),
            };
            verdicts.Add((folded.Fold(verdicts.Count, entry), signer.Id));
        }

        var times = new ProvedTimes((proofs ?? []).Select(proof => new ProvedTime(proof.Size % 12, Start + Duration.FromDays(proof.Day % 6), "x")));
        var hindsight = new Hindsight(folded, times);
        for (int i = 0; i < verdicts.Count; i++)
        {
            (EntryVerdict verdict, string key) = verdicts[i];
            LaterKnowledge? told = hindsight.AddTo(i, verdict).Later;
            Claim? expected = verdict.Status switch
            {
                EntrySignatureStatus.Valid => Graver(Claims(folded, times, i, key, LaterSubject.Signature)),
                EntrySignatureStatus.Ended => Graver(EndClaims(folded, times, key)),
                _ => null,
            };
            Claim? found = told is null ? null : new Claim(told.Subject, told.Place, told.CompromisedSince, told.IsProvedBefore);
            // Several claims can be as grave; that one of these is said is enough.
            Assert.Equal((expected?.Since, expected?.IsProved, expected is null), (found?.Since, found?.IsProved, found is null));
            if (found is { } claim)
                Assert.Contains(claim, verdict.Status == EntrySignatureStatus.Valid ? Claims(folded, times, i, key, LaterSubject.Signature) : EndClaims(folded, times, key));
        }
    }).QuickCheckThrowOnFailure();

    private readonly record struct Claim(LaterSubject Subject, long Place, Instant Since, bool IsProved);

    private static Claim? Graver(IEnumerable<Claim> claims) =>
        claims.OrderBy(claim => claim.IsProved).ThenBy(claim => claim.Since).Select(claim => (Claim?)claim).FirstOrDefault();

    private static IEnumerable<Claim> Claims(KeyRegistry registry, ProvedTimes times, long index, string keyId, LaterSubject subject)
    {
        DeclaredKey key = registry.Keys[keyId];
        foreach (RecordedRevocation revocation in key.Revocations.Where(r => r.Entry > index && r.Statement.CompromisedSince is not null))
            yield return new Claim(subject, index, revocation.Statement.CompromisedSince!.Value, times.Find(index)?.NoLaterThan < revocation.Statement.CompromisedSince);
        if (key.IntroducedBy is not { } introducer || index <= key.DeclaredBy)
            yield break;
        foreach (Claim claim in Claims(registry, times, key.DeclaredBy, introducer, LaterSubject.Key).Where(claim => !claim.IsProved))
            yield return claim with { Subject = subject == LaterSubject.Signature ? LaterSubject.Key : subject };
    }

    private static IEnumerable<Claim> EndClaims(KeyRegistry registry, ProvedTimes times, string keyId)
    {
        DeclaredKey key = registry.Keys[keyId];
        bool isRotation = key.Successor?.Entry == key.EndedBy;
        string by = isRotation ? keyId : key.Revocations[0].Revoker.KeyId;
        return !isRotation && by == keyId ? [] : Claims(registry, times, key.EndedBy!.Value, by, LaterSubject.End).Where(claim => !claim.IsProved);
    }

    [Fact]
    public void A_chain_of_thousands_of_keys_is_gone_through()
    {
        Add(Declare(alice, "Alice"));
        ActorKey last = alice;
        var made = new List<ActorKey>();
        for (int i = 0; i < 3000; i++)
        {
            made.Add(ActorKey.Create());
            Add(Rotate(last, made[^1]));
            last = made[^1];
        }

        Add(Revoke(alice, alice, Start));
        Assert.Equal(1, Later(log.Count, Add(Note(last)))!.Place);
        made.ForEach(key => key.Dispose());
    }

    /// <summary>Whoever sees a new key first, the keeper of a log in which its rotation is still to come, could keep its owner on the old one.</summary>
    [Fact]
    public void Who_declares_a_new_key_first_does_not_keep_it_from_its_place()
    {
        Add(Declare(keeper, "Keeper"));
        Add(Sign(new ActorIdentity("Alice", null, alice.PublicKey) { Revokers = [bob.Id] }.ToJson(), alice));
        Add(Declare(second, "Nobody in particular", keeper));
        LedgerEntry rotation = Rotate(alice, second);
        Assert.False(registry.Knows(rotation));
        Assert.Null(Add(rotation).RefusedIdentity);
        Assert.True(registry.Knows(rotation));
        DeclaredKey now = registry.Keys[second.Id];
        Assert.Equal(("Alice", alice.Id, alice.Id, alice.Id, true), (now.Identity.Name, now.FirstKey, now.Replaces, now.IntroducedBy, now.IsOwn));
        Assert.Equal([bob.Id], now.Identity.Revokers);
        Assert.Equal(3, registry.Keys[alice.Id].EndedBy);
    }

    /// <summary>Or plays back what the new key declared of itself in another log.</summary>
    [Fact]
    public void A_key_that_declared_itself_can_still_come_in_anothers_place_and_loses_nobody_who_may_revoke_it()
    {
        Add(Declare(keeper, "Keeper"));
        Add(Declare(bob, "Bob"));
        Add(Sign(new ActorIdentity("Alice", null, alice.PublicKey) { Revokers = [bob.Id] }.ToJson(), alice));
        Add(Sign(new ActorIdentity("Alice elsewhere", null, second.PublicKey) { Revokers = [keeper.Id] }.ToJson(), second));
        EntryVerdict before = Add(Note(second));
        Assert.Null(Add(Rotate(alice, second)).RefusedIdentity);
        Assert.Equal("Alice elsewhere", before.Signer!.Name);
        Assert.Equal([bob.Id, keeper.Id], registry.Keys[second.Id].Identity.Revokers);
        Assert.Equal("Alice", Add(Note(second)).Signer!.Name);
        Add(Revoke(alice, alice, Start));
        // What the key signed by its own word alone does not rest on the other's.
        Assert.Null(Later(4, before));
        Assert.NotNull(Later(6, Add(Note(second))));
        Assert.Null(Add(Revoke(keeper, second)).RefusedIdentity);
        Assert.NotNull(registry.Keys[second.Id].EndedBy);
    }

    [Fact]
    public void A_key_that_ended_or_came_in_anothers_place_takes_no_other_place()
    {
        Add(Declare(alice, "Alice"));
        Add(Declare(bob, "Bob"));
        Add(Rotate(bob, second));
        Assert.Contains("came in the place of another", Add(Rotate(alice, second)).RefusedIdentity, StringComparison.Ordinal);
        Assert.Contains("signs nothing any more: entry 2 put another key", Add(Rotate(alice, bob)).RefusedIdentity, StringComparison.Ordinal);
        Add(Declare(third, "Third"));
        Add(Revoke(third, third));
        Assert.Contains("signs nothing any more: entry 6 revoked it", Add(Rotate(alice, third)).RefusedIdentity, StringComparison.Ordinal);
        Assert.Null(registry.Keys[alice.Id].EndedBy);
        Assert.Equal(bob.Id, registry.Keys[second.Id].FirstKey);
    }

    public void Dispose()
    {
        foreach (ActorKey key in (ActorKey[])[alice, second, third, bob, keeper])
            key.Dispose();
    }

    private LaterKnowledge? Later(long index, EntryVerdict verdict, ProvedTimes? times = null) =>
        new Hindsight(registry, times ?? ProvedTimes.None).AddTo(index, verdict).Later;

    private EntryVerdict Add(LedgerEntry entry)
    {
        log.Add(entry);
        return registry.Fold(log.Count - 1, LedgerEntry.Parse(entry.ToBytes()));
    }

    private static ProvedTimes Proved(long size, Instant noLaterThan) => new([new ProvedTime(size, noLaterThan, "x")]);

    private static LedgerEntry Declare(ActorKey key, string name, ActorKey? signer = null) => Sign(new ActorIdentity(name, null, key.PublicKey).ToJson(), signer ?? key);

    private static LedgerEntry Rotate(ActorKey old, ActorKey next, int days = 60) => Sign(days, EntryKind.Identity, new KeyRotation(old.Id, next.PublicKey).ToJson(), old, next);

    private static LedgerEntry Revoke(ActorKey signer, ActorKey revoked, Instant? since = null, int days = 60) =>
        Sign(days, EntryKind.Identity, new KeyRevocation(revoked.Id, since, "lost").ToJson(), signer);

    private static LedgerEntry Note(ActorKey signer, int days = 60) => Sign(days, EntryKind.Note, new JsonObject { ["text"] = "note" }, signer);

    private static LedgerEntry Sign(JsonObject body, params IReadOnlyList<ActorKey> signers) => Sign(60, EntryKind.Identity, body, signers);

    private static LedgerEntry Sign(int days, string kind, JsonObject body, params IReadOnlyList<ActorKey> signers) =>
        LedgerEntry.Create(new EntryPayload(kind, Start + Duration.FromDays(days), null, [], body, signers[0].Id), signers);
}
