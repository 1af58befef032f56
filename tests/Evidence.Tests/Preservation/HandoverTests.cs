using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>Two parties, each with keys of their own on a machine of their own, and files between them.</summary>
public sealed class HandoverTests : IDisposable
{
    private static readonly string[] Items = ["server-7", "box 3"];

    private readonly TestVault place = new();
    private readonly KeyStore others;
    private readonly Vault vault;

    public HandoverTests()
    {
        vault = place.Create();
        others = new KeyStore(place.At("other"));
        others.CreateActor("prosecutor").Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_answer_goes_into_the_ledger_under_the_recipients_own_signature(bool accept)
    {
        Transfer open = Offer(keyOf: "prosecutor");
        Assert.Equal((TransferState.Unanswered, "2026-117"), (open.State, open.Case));
        string answer = Answer(Write(open), accept, "seal 0042 whole");
        (Transfer taken, long? entry) = Handover.Take(vault, answer);
        Transfer transfer = Assert.Single(Book().Transfers);
        Assert.Equal((accept ? TransferState.Accepted : TransferState.Refused, entry), (transfer.State, transfer.Outcome!.Entry));
        Assert.Equal("prosecutor", transfer.Outcome.Signer.Name);
        Assert.Equal("seal 0042 whole", ((TransferAnswer)transfer.Outcome.Statement).Text);
        Assert.True(transfer.IsRecipientProved);
        Assert.Equal(taken.Outcome!.LeafHash, transfer.Outcome.LeafHash);
        // Taken in once more, it changes nothing.
        long size = vault.Ledger.Open().Size;
        Assert.Equal(entry, Handover.Take(vault, answer).Entry);
        Assert.Equal(size, vault.Ledger.Open().Size);
    }

    [Fact]
    public void The_first_answer_stands()
    {
        string offer = Write(Offer(null));
        Handover.Take(vault, Answer(offer, accept: false, "no room"));
        Refused(() => Handover.Take(vault, Answer(offer, accept: true)), "refused already");
        // Where one gets in all the same, it says nothing.
        vault.Ledger.TakeIn(CarriedTransfer.Read(Answer(offer, accept: true)).Entries);
        Assert.Equal(TransferState.Refused, Assert.Single(Book().Transfers).State);
        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => Handover.Withdraw(vault, Assert.Single(Book().Transfers).Entry, null)).Code);
    }

    [Fact]
    public void Only_the_key_that_the_offer_names_answers_it()
    {
        others.CreateActor("someone").Dispose();
        string offer = Write(Offer(keyOf: "prosecutor"));
        Assert.Equal(ErrorCode.KeyMissing, Assert.Throws<EvidenceException>(() => Answer(offer, accept: true, actor: "someone")).Code);
        // Signed all the same, as another program may.
        CarriedTransfer carried = CarriedTransfer.Read(offer);
        IReadOnlyList<LedgerEntry> forged = Handover.Answer(
            others, "someone", SystemClock.Instance, carried with { Body = (TransferOffer)carried.Body with { RecipientKey = null } }, accept: true, null, []);
        string path = place.At("forged");
        Handover.WriteAnswer(path, forged);
        Refused(() => Handover.Take(vault, path), "another signed");
        vault.Ledger.TakeIn(forged);
        Assert.Equal(TransferState.Unanswered, Assert.Single(Book().Transfers).State);
    }

    [Fact]
    public void A_key_that_came_in_the_place_of_the_one_that_the_offer_names_answers_it()
    {
        Transfer open = Offer(keyOf: "prosecutor");
        others.RotateActor("prosecutor").Dispose();
        Handover.Take(vault, Answer(Write(open), accept: true));
        Transfer transfer = Assert.Single(Book().Transfers);
        Assert.Equal(TransferState.Accepted, transfer.State);
        Assert.False(string.Equals(open.Offer.RecipientKey, transfer.Outcome!.Signer.KeyId, StringComparison.Ordinal));
    }

    [Fact]
    public void Who_makes_an_offer_cannot_answer_it_and_nobody_else_takes_it_back()
    {
        Transfer open = Offer(null);
        string own = place.At("own");
        Handover.WriteAnswer(own, Handover.Answer(place.Keys, "examiner", SystemClock.Instance, CarriedTransfer.Read(Write(open)), accept: true, null, []));
        Refused(() => Handover.Take(vault, own), "cannot answer it");

        place.Keys.CreateActor("colleague").Dispose();
        using (Vault asOther = Vault.Open(place.Folder, place.Access with { Actor = "colleague" }))
            Assert.Equal(ErrorCode.KeyMissing, Assert.Throws<EvidenceException>(() => Handover.Withdraw(asOther, open.Entry, null)).Code);
        Assert.NotNull(Handover.Withdraw(vault, open.Entry, "a mistake"));
        Assert.Equal(TransferState.Withdrawn, Assert.Single(Book().Transfers).State);
        Refused(() => Handover.Take(vault, Answer(Write(open), accept: true)), "withdrawn already");
    }

    [Fact]
    public void An_answer_to_an_offer_of_another_ledger_is_refused_here_and_kept_there()
    {
        using Vault own = Vault.Create(
            place.At("own"), VaultSettings.CreateNew("vault.example/other", Evidence.Segments.SegmentParameters.ForAverage(4096), Evidence.Segments.Compression.Fast),
            new VaultAccess { Keys = others, Actor = "prosecutor" });
        CarriedTransfer offer = CarriedTransfer.Read(Write(Offer(keyOf: "prosecutor")));
        IReadOnlyList<LedgerEntry> answer = Handover.Answer(others, "prosecutor", SystemClock.Instance, offer, accept: true, null, []);
        Handover.Keep(own, offer, answer);
        Transfer kept = Assert.Single(TransferBook.Read(own.Ledger.Open()).Transfers);
        Assert.Equal((TransferState.Accepted, "vault.example/test"), (kept.State, kept.Offer.Origin));

        string path = place.At("answer");
        Handover.WriteAnswer(path, answer);
        Refused(() => Handover.Take(own, path), "has no such offer");
        Handover.Take(vault, path);
        Assert.Equal(kept.Outcome!.LeafHash, Assert.Single(Book().Transfers).Outcome!.LeafHash);
    }

    /// <summary>Whatever byte is changed on the way, it is refused, or it says the same.</summary>
    [Fact]
    public void A_carried_file_with_a_wrong_byte_is_refused()
    {
        string offer = Write(Offer(keyOf: "prosecutor"));
        byte[] good = File.ReadAllBytes(offer);
        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= 1;
            string path = place.At("bad");
            File.WriteAllBytes(path, bad);
            Assert.Equal(ErrorCode.EntriesInvalid, Assert.Throws<EvidenceException>(() => CarriedTransfer.Read(path)).Code);
        }
    }

    [Fact]
    public void Other_entries_are_not_taken_in_as_an_answer()
    {
        Transfer open = Offer(null);
        IReadOnlyList<LedgerEntry> answer = CarriedTransfer.Read(Answer(Write(open), accept: true)).Entries;
        using ActorKey key = others.LoadActor("prosecutor");
        var note = LedgerEntry.Create(new EntryPayload(EntryKind.Note, SystemClock.Instance.GetCurrentInstant(), null, [], new() { ["text"] = "slipped in" }, key.Id), key);
        Refused(() => Take("first", [note, .. answer]), "does not count");
        Refused(() => Take("between", [answer[0], note, answer[1]]), "of the kind 'note'");
        Refused(() => Take("last", [.. answer, note]), "of the kind 'transfer'");
        Refused(() => Take("only", [answer[0], note]), "not a transfer");
        Refused(() => Handover.Take(vault, Write(open)), "no answer");
    }

    [Fact]
    public void Other_keys_are_not_declared_with_an_answer()
    {
        Transfer open = Offer(null);
        IReadOnlyList<LedgerEntry> answer = CarriedTransfer.Read(Answer(Write(open), accept: true)).Entries;
        using ActorKey key = others.LoadActor("prosecutor");
        using var victim = ActorKey.Create();
        using var second = ActorKey.Create();
        LedgerEntry other = Identity(new ActorIdentity("not who it says", null, victim.PublicKey), key);
        LedgerEntry own = Identity(new ActorIdentity("slipped in", null, second.PublicKey), second);
        Refused(() => Take("another", [answer[0], other, answer[1]]), "only the signer's key");
        Refused(() => Take("second", [own, .. answer]), "only the signer's key");
        Refused(() => Take("revoked", [own, Identity(new KeyRevocation(second.Id, null, null), second), .. answer]), "only the signer's key");
        Assert.False(vault.Ledger.Open().FoldIdentities().Keys.ContainsKey(victim.Id));
    }

    /// <summary>Bytes that were signed once can be put into the log again by whoever writes it.</summary>
    [Fact]
    public void An_offer_that_is_repeated_is_not_made_anew()
    {
        Transfer open = Offer(null);
        string offer = Write(open);
        Handover.Withdraw(vault, open.Entry, "a mistake");
        LedgerEntry made = CarriedTransfer.Read(offer).Entry;
        // Signatures are not under a signature: with one more, by a key that nobody knows, it is another leaf.
        JsonNode envelope = CanonicalJson.Parse(made.ToBytes());
        using var stranger = ActorKey.Create();
        envelope["signatures"]!.AsArray().Add(new JsonObject { ["keyid"] = stranger.Id, ["sig"] = Convert.ToBase64String(stranger.Sign(made.SignedBytes.Span)) });
        vault.Ledger.TakeIn([made, LedgerEntry.Parse(CanonicalJson.Serialize(envelope))]);
        Assert.Equal((open.Entry, TransferState.Withdrawn), (Assert.Single(Book().Transfers).Entry, Book().Transfers[0].State));
        Refused(() => Handover.Take(vault, Answer(offer, accept: true)), "withdrawn already");
    }

    [Fact]
    public void What_no_entry_has_room_for_is_refused_before_anything_is_signed()
    {
        long size = vault.Ledger.Open().Size;
        var offer = new TransferOffer("vault.example/test", "prosecutor", null);
        foreach (TransferOffer bad in (TransferOffer[])
            [offer with { Terms = "" }, offer with { Terms = new string('x', 2001) }, offer with { Seals = [.. Enumerable.Range(0, 41).Select(i => $"{i}")] },
             offer with { Seals = [.. Enumerable.Repeat(new string('x', 2000), 9)] }, offer with { RecipientKey = "sha256:00" }])
        {
            Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => Handover.Offer(vault, Items, null, bad)).Code);
        }

        Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => Handover.Offer(vault, [], null, offer)).Code);
        Assert.Equal(size, vault.Ledger.Open().Size);
    }

    public void Dispose()
    {
        vault.Dispose();
        place.Dispose();
    }

    private static void Refused(Action action, string why)
    {
        EvidenceException error = Assert.Throws<EvidenceException>(action);
        Assert.Equal(ErrorCode.EntriesInvalid, error.Code);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    private static LedgerEntry Identity(IdentityBody body, ActorKey key) =>
        LedgerEntry.Create(new EntryPayload(EntryKind.Identity, SystemClock.Instance.GetCurrentInstant(), null, [], body.ToJson(), key.Id), key);

    private TransferBook Book() => TransferBook.Read(vault.Ledger.Open());

    private Transfer Offer(string? keyOf)
    {
        string? keyId = null;
        if (keyOf is not null)
        {
            using ActorKey key = others.LoadActor(keyOf);
            keyId = key.Id;
        }

        long? entry = Handover.Offer(vault, Items, "2026-117", new TransferOffer("vault.example/test", "the prosecutor", keyId)
        {
            Seals = ["0042"],
            Containers = ["disk WX3"],
            Terms = "by order of the court",
            AnswerBy = Instant.FromUtc(2026, 12, 1, 0, 0),
        });
        return Book().Transfers.Single(t => t.Entry == entry);
    }

    private string Write(Transfer transfer)
    {
        string path = place.At($"offer-{Guid.NewGuid():n}");
        Handover.WriteOffer(vault.Ledger.Open(), transfer.Entry, path);
        return path;
    }

    private string Answer(string offer, bool accept, string? text = null, string actor = "prosecutor")
    {
        string path = place.At($"answer-{Guid.NewGuid():n}");
        Handover.WriteAnswer(path, Handover.Answer(others, actor, SystemClock.Instance, CarriedTransfer.Read(offer), accept, text, []));
        return path;
    }

    private void Take(string name, IReadOnlyList<LedgerEntry> entries)
    {
        string path = place.At(name);
        EntryFile.Write(path, entries);
        Handover.Take(vault, path);
    }
}
