using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>What a verification says of documents. That it finds each changed byte, <see cref="EveryByteTests"/> shows.</summary>
public sealed class DocumentTests : IDisposable
{
    private static readonly byte[] Order = TestBytes.Text(5000, 1);

    private readonly TestVault place = new();

    private Sha256Digest document;

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Documents_that_entries_name_are_recomputed_and_counted()
    {
        Begin(named: true);
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Empty(report.Findings);
        Assert.Equal(Order.Length, report.BytesChecked);
        Assert.Equal(Order.Length, (await place.VerifyAsync(new VerificationOptions { Keys = place.Keys, StoredBytesOnly = true, FromMedium = true })).BytesChecked);
    }

    [Fact]
    public async Task A_document_that_no_entry_names_claims_nothing()
    {
        Begin(named: false);
        Finding unrecorded = Assert.Single((await place.VerifyAsync()).Findings);
        Assert.Equal(("unrecorded", ContentVerdict.Verified), (unrecorded.What, unrecorded.Verdict));
        TestVault.Flip(place.Layout.Document(document), 7);
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(["unrecorded", "document"], report.Findings.Select(f => f.What), StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_document_that_is_missing_is_told_with_the_entry_that_names_it()
    {
        Begin(named: true);
        using (Vault vault = place.Open())
            vault.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["policy"] = document.ToString() });
        File.Delete(place.Layout.Document(document));
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Refuted, report.Content);
        Finding missing = Assert.Single(report.Findings);
        Assert.Equal(("document", $"documents/{document.ToString()[..2]}/{document}"), (missing.What, missing.File));
        Assert.Contains("entry 2 names it", missing.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_in_the_place_of_a_document_is_damage()
    {
        Begin(named: true);
        string path = place.Layout.Document(document);
        File.Move(path, place.At("elsewhere"));
        File.CreateSymbolicLink(path, place.At("elsewhere"));
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Refuted, report.Content);
        Assert.Contains(report.Findings, f => f.What == "document" && f.Verdict == ContentVerdict.Refuted);
    }

    [Fact]
    public async Task A_document_in_another_folder_is_foreign_and_the_one_set_aside_is_told_of()
    {
        Begin(named: true);
        string wrong = Path.Combine(place.Layout.Documents, "00", document.ToString());
        Directory.CreateDirectory(Path.GetDirectoryName(wrong)!);
        await File.WriteAllBytesAsync(wrong, Order, TestVault.Stop);
        TestVault.Flip(place.Layout.Document(document), 0);
        using (Vault vault = place.Open())
            vault.Documents.Add(new MemoryStream(Order));
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(
            [("set-aside", $"damaged/{document}.document"), ("foreign", $"documents/00/{document}")], report.Findings.Select(f => (f.What, f.File!)).OrderBy(f => f.Item2, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Where_the_ledger_is_damaged_nothing_is_taken_for_unnamed()
    {
        Begin(named: true);
        string bundle = Directory.GetFiles(Path.Combine(place.Layout.Ledger, "tile", "entries"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last();
        TestVault.Flip(bundle, 40);
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Refuted, report.Ledger.Content);
        Assert.Equal(ContentVerdict.Unverifiable, Assert.Single(report.Findings, f => f.What == "unrecorded").Verdict);
    }

    /// <summary>An entry whose signature is worth nothing calls for nothing.</summary>
    [Fact]
    public async Task What_a_stranger_names_is_not_missed()
    {
        Begin(named: true);
        using (Vault vault = place.Open())
        using (LogKeys log = place.Keys.LoadLog(vault.Settings.Origin))
        using (var stranger = ActorKey.Create())
        {
            var body = new JsonObject { ["document"] = Sha256Digest.Compute([1]).ToString() };
            LedgerWriter.Open(vault.Ledger.Storage, log, place.Keys, TestVault.Stop).Append(
                [LedgerEntry.Create(new EntryPayload(EntryKind.Note, NodaTime.SystemClock.Instance.GetCurrentInstant(), null, [], body, stranger.Id), stranger).ToBytes()], TestVault.Stop);
        }

        VerificationReport report = await place.VerifyAsync();
        Assert.Empty(report.Findings);
        Assert.Equal(ContentVerdict.Unverifiable, report.Content);
    }

    private void Begin(bool named)
    {
        using Vault vault = place.Create();
        document = vault.Documents.Add(new MemoryStream(Order));
        if (named)
            vault.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["text"] = "an order came", ["document"] = document.ToString() });
    }
}
