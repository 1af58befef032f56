using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class LedgerEntryTests
{
    private static readonly Instant Time = Instant.FromUtc(2026, 1, 2, 3, 4, 5);

    [Fact]
    public void The_pre_authentication_encoding_is_that_of_the_dsse_specification() =>
        Assert.Equal(
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
            Encoding.UTF8.GetString(DsseEnvelope.PreAuthenticationEncoding("http://example.com/HelloWorld", "hello world"u8)));

    [Fact]
    public void An_entry_is_read_as_it_was_built()
    {
        LedgerEntry entry = LedgerFixture.Entry("text");
        var read = LedgerEntry.Parse(entry.ToBytes());
        Assert.Equal(entry.ToBytes(), read.ToBytes());
        Assert.Equal(MerkleTree.LeafHash(entry.ToBytes()), read.LeafHash);
        Assert.Equal(("note", "case-1", LedgerFixture.Actor.Id), (read.Payload.Kind, read.Payload.Case, read.Payload.Key));
        Assert.Equal(entry.Payload.Time, read.Payload.Time);
        Assert.Equal("""{"text":"text"}""", read.Payload.Body.ToJsonString());
        using var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(LedgerFixture.Actor.PublicKey.Span, out _);
        Assert.True(key.VerifyData(
            read.SignedBytes.Span, read.Signatures[0].Signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void A_body_stays_below_16_KiB()
    {
        // {"text":"..."} has eleven bytes beside the text.
        _ = LedgerFixture.Entry(new string('x', EntryPayload.MaximumBodyLength - 12));
        Assert.Throws<InvalidOperationException>(() => LedgerFixture.Entry(new string('x', EntryPayload.MaximumBodyLength - 11)));
    }

    [Fact]
    public void An_entry_stays_below_64_KiB() =>
        Assert.Throws<ArgumentException>(() => LedgerEntry.Create(
            new EntryPayload("note", Time, null, [.. Enumerable.Repeat(new string('i', 100), 600)], [], LedgerFixture.Actor.Id), LedgerFixture.Actor));

    [Theory]
    [InlineData("\"version\":1", "\"version\":2")]
    [InlineData("\"kind\":\"note\"", "\"kind\":\"export\"")]
    [InlineData("\"kind\":\"note\"", "\"kind\":\"Note\"")]
    [InlineData("\"case\":\"case-1\",", "")]
    [InlineData("\"case\":\"case-1\"", "\"case\":1")]
    [InlineData("\"items\":[\"item-1\"]", "\"items\":[null]")]
    [InlineData(".000000000Z", "Z")]
    [InlineData("\"version\":1", "\"version\":1,\"z\":1")]
    [InlineData("{\"body\"", "{ \"body\"")]
    public void A_payload_that_is_not_exactly_of_the_format_is_refused(string from, string to)
    {
        byte[] payload = LedgerFixture.Entry("text").Payload.ToBytes();
        string changed = Encoding.UTF8.GetString(payload).Replace(from, to, StringComparison.Ordinal);
        Assert.False(payload.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(changed)));
        byte[] entry = new DsseEnvelope(
            "application/vnd.evidence.note+json", Encoding.UTF8.GetBytes(changed), [new EntrySignature(LedgerFixture.Actor.Id, new byte[70])]).ToBytes();
        Assert.Throws<FormatException>(() => LedgerEntry.Parse(entry));
    }

    [Fact]
    public void A_signature_counts_from_where_its_key_is_declared()
    {
        using var alice = ActorKey.Create();
        using var bob = ActorKey.Create();
        var registry = new KeyRegistry();
        LedgerEntry early = Entry(bob, EntryKind.Note, []);
        LedgerEntry declaresAlice = Entry(alice, EntryKind.Identity, new ActorIdentity("Alice", "examiner", alice.PublicKey).ToJson());
        LedgerEntry declaresBob = Entry(alice, EntryKind.Identity, new ActorIdentity("Bob", null, bob.PublicKey).ToJson());

        Assert.Equal(EntrySignatureStatus.UnknownSigner, registry.Fold(0, declaresBob).Status);
        Assert.Empty(registry.Keys);
        Assert.Equal(EntrySignatureStatus.Valid, registry.Fold(1, declaresAlice).Status);
        Assert.Equal(EntrySignatureStatus.UnknownSigner, registry.Fold(2, early).Status);
        Assert.Equal(EntrySignatureStatus.Valid, registry.Fold(3, declaresBob).Status);
        EntryVerdict verdict = registry.Fold(4, early);
        Assert.Equal((EntrySignatureStatus.Valid, "Bob"), (verdict.Status, verdict.Signer?.Name));

        // The same claim under Bob's key id, signed by Alice's key.
        var forged = LedgerEntry.Parse(
            new DsseEnvelope("application/vnd.evidence.note+json", early.Payload.ToBytes(), [new EntrySignature(bob.Id, alice.Sign(early.SignedBytes.Span))]).ToBytes());
        Assert.Equal(EntrySignatureStatus.Invalid, registry.Fold(5, forged).Status);
    }

    [Fact]
    public void A_self_declaration_under_anothers_key_id_declares_nothing()
    {
        using var alice = ActorKey.Create();
        using var mallory = ActorKey.Create();
        var registry = new KeyRegistry();
        var payload = new EntryPayload(EntryKind.Identity, Time, null, [], new ActorIdentity("Alice", null, alice.PublicKey).ToJson(), alice.Id);
        byte[] content = payload.ToBytes();
        const string Type = "application/vnd.evidence.identity+json";
        byte[] signature = mallory.Sign(DsseEnvelope.PreAuthenticationEncoding(Type, content));
        var entry = LedgerEntry.Parse(new DsseEnvelope(Type, content, [new EntrySignature(alice.Id, signature)]).ToBytes());

        Assert.Equal(EntrySignatureStatus.Invalid, registry.Fold(0, entry).Status);
        Assert.Empty(registry.Keys);
    }

    [Fact]
    public void Of_what_kind_an_entry_may_be_is_told_without_parsing_it()
    {
        using var alice = ActorKey.Create();
        string[] kinds = [EntryKind.Identity, EntryKind.Timestamp, EntryKind.Note, EntryKind.Acquisition];
        foreach (string kind in kinds)
        {
            // What it says does not matter, also where it says what a type looks like.
            byte[] bytes = Entry(alice, kind, new JsonObject { ["text"] = "\"application/vnd.evidence.identity+json\"" }).ToBytes();
            Assert.Equal([kind], kinds.Where(other => LedgerEntry.MayBe(other, bytes)), StringComparer.Ordinal);
        }

        // Another spelling of the same type is none that is read.
        string text = System.Text.Encoding.UTF8.GetString(Entry(alice, EntryKind.Identity, new ActorIdentity("Alice", null, alice.PublicKey).ToJson()).ToBytes());
        foreach (string spelling in (string[])["application\\/vnd.evidence.identity+json", "application/vnd.evidence.identit\\u0079+json"])
        {
            byte[] other = System.Text.Encoding.UTF8.GetBytes(text.Replace("application/vnd.evidence.identity+json", spelling, StringComparison.Ordinal));
            Assert.False(LedgerEntry.MayBe(EntryKind.Identity, other));
            Assert.Throws<FormatException>(() => LedgerEntry.Parse(other));
        }
    }

    /// <summary>More keys than are kept ready, in turn: each judges what it signed, and nothing else.</summary>
    [Fact]
    public void However_many_keys_sign_each_entry_is_judged_by_its_own()
    {
        ActorKey[] actors = [.. Enumerable.Range(0, 150).Select(_ => ActorKey.Create())];
        var registry = new KeyRegistry();
        long index = 0;
        foreach (ActorKey actor in actors)
            Assert.Equal(EntrySignatureStatus.Valid, registry.Fold(index++, Entry(actor, EntryKind.Identity, new ActorIdentity($"actor {index}", null, actor.PublicKey).ToJson())).Status);
        for (int round = 0; round < 2; round++)
        {
            for (int i = 0; i < actors.Length; i++)
            {
                LedgerEntry note = Entry(actors[i], EntryKind.Note, new JsonObject { ["text"] = $"round {round}" });
                Assert.Equal((EntrySignatureStatus.Valid, $"actor {i + 1}"), (registry.Fold(index, note).Status, registry.Fold(index++, note).Signer?.Name));
                byte[] others = actors[(i + 1) % actors.Length].Sign(note.SignedBytes.Span);
                var forged = LedgerEntry.Parse(new DsseEnvelope("application/vnd.evidence.note+json", note.Payload.ToBytes(), [new EntrySignature(actors[i].Id, others)]).ToBytes());
                Assert.Equal(EntrySignatureStatus.Invalid, registry.Fold(index++, forged).Status);
            }
        }

        foreach (ActorKey actor in actors)
            actor.Dispose();
    }

    [Fact]
    public void The_vault_declares_its_own_keys_and_they_open_it()
    {
        var fixture = new LedgerFixture();
        var identity = new VaultIdentity(LedgerFixture.Origin, Sha256Digest.Compute("{}"u8), LedgerFixture.Keys.VerifierKeys);
        ActorKey actor = LedgerFixture.Actor;
        fixture.Append(
        [
            Entry(actor, EntryKind.Identity, new ActorIdentity("Actor", null, actor.PublicKey).ToJson()).ToBytes(),
            Entry(actor, EntryKind.Identity, identity.ToJson()).ToBytes(),
            LedgerFixture.Entry("note").ToBytes(),
        ]);

        VaultIdentity declared = CustodyLedger.DeclaredIdentity(fixture.Storage)!;

        Assert.Equal(identity.Vault, declared.Vault);
        var ledger = CustodyLedger.Open(fixture.Storage, declared.Origin, [.. declared.Keys]);
        var registry = new KeyRegistry();
        Assert.All(ledger.JudgeEntries(registry), judged => Assert.Equal(EntrySignatureStatus.Valid, judged.Verdict?.Status));
        Assert.Equal(LedgerFixture.Origin, registry.Vault?.Origin);
    }

    private static LedgerEntry Entry(ActorKey signer, string kind, JsonObject body) =>
        LedgerEntry.Create(new EntryPayload(kind, Time, null, [], body, signer.Id), signer);
}
