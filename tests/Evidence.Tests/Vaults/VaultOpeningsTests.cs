using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Replication;
using Evidence.Vaults;
using Evidence.Verification;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class VaultOpeningsTests : IDisposable
{
    private readonly TestVault place = new();

    public void Dispose() => place.Dispose();

    private static JsonObject Contact => new() { ["name"] = "A. Turing", ["email"] = "alan@example.net" };

    [Fact]
    public void A_commitment_is_opened_by_its_keeper()
    {
        using Vault vault = place.Create();
        Sha256Digest commitment = vault.Openings.Commit(Contact);
        Assert.True(JsonNode.DeepEquals(Contact, vault.Openings.TryOpen(commitment)));
        Assert.Equal([commitment], vault.Openings.List());
        string path = PathOf(commitment);
        byte[] bytes = File.ReadAllBytes(path);
        Assert.Equal(commitment, Sha256Digest.Compute(bytes));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead, File.GetUnixFileMode(path));
        // As the page of the format has it.
        JsonObject fields = CanonicalJson.Parse(bytes)!.AsObject();
        Assert.Equal(["format", "salt", "value", "version"], fields.Select(f => f.Key), StringComparer.Ordinal);
        Assert.Equal(32, Convert.FromBase64String((string)fields["salt"]!).Length);
        // By Python's json and hashlib, with a salt of zeros.
        Assert.Equal("2f83e95ec66a8e38d44ec1d9956c58dec407d8d631771024be392d5a6b2d6df3", Sha256Digest.Compute(Opening.Encode(Contact, new byte[32])).ToString());
        Assert.Null(vault.Openings.TryOpen(Sha256Digest.Compute([1])));
    }

    /// <summary>Who sees two commitments learns not even whether they are to the same.</summary>
    [Fact]
    public void The_same_value_has_another_commitment_each_time()
    {
        using Vault vault = place.Create();
        Sha256Digest[] commitments = [.. Enumerable.Range(0, 5).Select(_ => vault.Openings.Commit(Contact))];
        Assert.Equal(5, commitments.Distinct().Count());
        Assert.Equal(commitments.Order(), vault.Openings.List());
        Assert.Equal(5, commitments.Select(c => (string)JsonNode.Parse(File.ReadAllText(PathOf(c)))!["salt"]!).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void What_is_committed_to_is_what_is_opened()
    {
        using Vault vault = place.Create();
        Prop.ForAll(
            (from name in ArbMap.Default.GeneratorFor<NonNull<string>>() from number in Gen.Choose(int.MinValue, int.MaxValue) from flag in Gen.Elements(true, false) select (name.Get, number, flag)).ToArbitrary(),
            given =>
            {
                var value = new JsonObject { ["a"] = given.Get, ["list"] = new JsonArray((long)given.number, given.flag, null), [""] = new JsonObject { ["b"] = given.Get } };
                bool hasForm = !given.Get.Any(char.IsSurrogate);
                if (hasForm)
                    Assert.Equal(CanonicalJson.Serialize(value), CanonicalJson.Serialize(vault.Openings.TryOpen(vault.Openings.Commit(value))!));
            }).Check(Config.QuickThrowOnFailure.WithMaxTest(30));
    }

    [Fact]
    public void What_has_no_one_form_or_is_too_long_is_refused()
    {
        using Vault vault = place.Create();
        foreach (JsonObject value in (JsonObject[])[new() { ["x"] = 1.5 }, new() { ["x"] = "\ud800" }, new() { ["x"] = new string('x', 1 << 15) }])
            Assert.Equal(ErrorCode.Usage, Assert.Throws<EvidenceException>(() => vault.Openings.Commit(value)).Code);
        Assert.Empty(vault.Openings.List());
    }

    [Fact]
    public void Every_changed_bit_of_an_opening_is_found()
    {
        using Vault vault = place.Create();
        Sha256Digest commitment = vault.Openings.Commit(Contact);
        string path = PathOf(commitment);
        long length = new FileInfo(path).Length;
        for (long bit = 0; bit < length * 8; bit += 5)
        {
            TestVault.Flip(path, bit / 8, (int)(bit % 8));
            Assert.Equal(ErrorCode.ContentRefuted, Assert.Throws<EvidenceException>(() => vault.Openings.TryOpen(commitment)).Code);
            TestVault.Flip(path, bit / 8, (int)(bit % 8));
        }

        Assert.NotNull(vault.Openings.TryOpen(commitment));
    }

    [Fact]
    public async Task A_destroyed_opening_is_told_of_and_refutes_nothing()
    {
        using Vault vault = place.Create();
        Sha256Digest commitment = Record(vault, Contact);
        Sha256Digest other = Record(vault, new JsonObject { ["name"] = "another" });
        Assert.Empty((await place.VerifyAsync()).Findings);
        byte[] before = vault.Ledger.Open().ReadEntry(2);
        string path = PathOf(commitment);
        using var held = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

        long? entry = vault.Openings.Destroy(commitment, "asked for it on 2026-03-01");
        Assert.Equal(4, entry);
        Assert.False(File.Exists(path));
        Assert.Null(vault.Openings.TryOpen(commitment));
        // Whoever still has it open finds nothing in it.
        var rest = new byte[held.Length];
        held.ReadExactly(rest);
        Assert.NotEmpty(rest);
        Assert.All(rest, b => Assert.Equal(0, b));

        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Finding told = Assert.Single(report.Findings);
        Assert.Equal(("destroyed", $"openings/{commitment}.json"), (told.What, told.File!));
        Assert.Contains("destroyed, by entry 4. Entry 2, which commits to it, stands", told.Detail, StringComparison.Ordinal);
        // The proof of the entry is what it was.
        Assert.Equal(before, vault.Ledger.Open().ReadEntry(2));
        Assert.Contains(commitment.ToString(), LedgerEntry.Parse(before).Payload.Body.ToJsonString(), StringComparison.Ordinal);
        Assert.NotNull(vault.Openings.TryOpen(other));

        // Once more: nothing is said twice.
        Assert.Equal(entry, vault.Openings.Destroy(commitment, "again"));
        Assert.Equal(5, vault.Ledger.Open().Size);
    }

    /// <summary>The entry first; then the file is overwritten; then it is removed. Stopped between any two, it is told of, and the next call ends it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_destruction_that_was_stopped_is_told_of_and_ended_by_the_next(bool isOverwritten)
    {
        using Vault vault = place.Create();
        Sha256Digest commitment = Record(vault, Contact);
        vault.Ledger.Record(EntryKind.Erasure, [], null, ErasureRecord.Encode(commitment, null));
        if (isOverwritten)
            TestVault.Overwrite(PathOf(commitment), new byte[new FileInfo(PathOf(commitment)).Length]);
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Contains("still here", report.Findings[0].Detail, StringComparison.Ordinal);
        long size = vault.Ledger.Open().Size;
        Assert.Equal(size - 1, vault.Openings.Destroy(commitment));
        Assert.Equal(size, vault.Ledger.Open().Size);
        Assert.Equal("destroyed", Assert.Single((await place.VerifyAsync()).Findings).What);
    }

    [Fact]
    public async Task An_opening_that_is_gone_without_an_entry_is_missed()
    {
        using Vault vault = place.Create();
        Sha256Digest commitment = Record(vault, Contact);
        File.Delete(PathOf(commitment));
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Unverifiable, report.Content);
        Assert.Contains("none says that it was destroyed", Assert.Single(report.Findings).Detail, StringComparison.Ordinal);
        EvidenceException refused = Assert.Throws<EvidenceException>(() => vault.Openings.Destroy(commitment));
        Assert.Equal(ErrorCode.DocumentNotFound, refused.Code);
    }

    [Fact]
    public async Task A_damaged_opening_is_refuted_where_an_entry_commits_to_it()
    {
        using Vault vault = place.Create();
        Sha256Digest named = Record(vault, Contact);
        Sha256Digest unnamed = vault.Openings.Commit(Contact);
        TestVault.Flip(PathOf(unnamed), 3);
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(["unrecorded", "opening"], report.Findings.Select(f => f.What), StringComparer.Ordinal);
        TestVault.Flip(PathOf(named), 3);
        Assert.Equal(ContentVerdict.Refuted, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public void Who_may_not_read_openings_is_told_that_they_were_not_checked()
    {
        using Vault vault = place.Create();
        Sha256Digest commitment = Record(vault, Contact);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(PathOf(commitment), UnixFileMode.None);
        Nobody.Run(() =>
        {
            Assert.Equal(ErrorCode.PermissionDenied, Assert.Throws<EvidenceException>(() => vault.Openings.TryOpen(commitment)).Code);
            Finding told = Assert.Single(new OpeningCheck(place.Layout, new Dictionary<Sha256Digest, long> { [commitment] = 2 }, new Dictionary<Sha256Digest, long>(), false).Run([commitment]));
            Assert.Equal(ContentVerdict.Incomplete, told.Verdict);
            Assert.Contains("not checked", told.Detail, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Nothing_is_destroyed_where_that_cannot_be_said()
    {
        Sha256Digest commitment;
        using (Vault vault = place.Create())
            commitment = Record(vault, Contact);
        using (var keyless = Vault.Open(place.Folder, new VaultAccess()))
            Assert.Equal(ErrorCode.KeyMissing, Assert.Throws<EvidenceException>(() => keyless.Openings.Destroy(commitment)).Code);
        TestVault.Copy(place.Folder, place.At("copy"));
        using (var copy = Vault.Open(place.At("copy"), place.Access))
        {
            Assert.Equal(ErrorCode.VaultReadOnly, Assert.Throws<EvidenceException>(() => copy.Openings.Destroy(commitment)).Code);
            Assert.Equal(ErrorCode.VaultReadOnly, Assert.Throws<EvidenceException>(() => copy.Openings.Commit(Contact)).Code);
        }

        Assert.True(File.Exists(new VaultLayout(place.At("copy")).Opening(commitment)));
        Assert.True(File.Exists(PathOf(commitment)));
    }

    /// <summary>Who destroys without the log's keys leaves the entry in staging, durable, and then destroys.</summary>
    [Fact]
    public void An_actor_without_the_logs_keys_can_destroy()
    {
        Sha256Digest commitment;
        using (Vault vault = place.Create())
            commitment = Record(vault, Contact);
        using (var other = Vault.Open(place.Folder, new VaultAccess { Keys = new KeyStore(place.At("other-keys")), Actor = "other" }))
            Assert.Null(other.Openings.Destroy(commitment));
        Assert.False(File.Exists(PathOf(commitment)));
        using Vault sequencer = place.Open();
        sequencer.Ledger.RecordNote("takes it in", [], null);
        Assert.Contains(sequencer.Ledger.Entries(), e => e.Entry is { } entry && ErasureRecord.OpeningOf(entry.Payload) == commitment);
    }

    [Fact]
    public async Task Replicas_get_no_openings()
    {
        using Vault vault = place.Create();
        Sha256Digest[] commitments = [Record(vault, Contact), Record(vault, Contact), Record(vault, Contact)];
        vault.Openings.Destroy(commitments[0]);
        await new Replicator(vault).ReplicateAsync(place.At("replica"), cancellation: TestVault.Stop);
        Assert.False(Directory.Exists(new VaultLayout(place.At("replica")).Openings));
        VerificationReport report = await VaultVerifier.VerifyAsync(place.At("replica"), cancellation: TestVault.Stop);
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(["destroyed", "absent"], report.Findings.Select(f => f.What), StringComparer.Ordinal);
        Assert.Contains("Of 2 commitments", report.Findings[1].Detail, StringComparison.Ordinal);
        using var replica = Vault.Open(place.At("replica"), new VaultAccess());
        Assert.Null(replica.Openings.TryOpen(commitments[1]));
    }

    private static Sha256Digest Record(Vault vault, JsonObject contact)
    {
        Sha256Digest commitment = vault.Openings.Commit(contact);
        vault.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["party"] = "guests", ["contact"] = commitment.ToString() });
        return commitment;
    }

    private string PathOf(Sha256Digest commitment) => place.Layout.Opening(commitment);
}
