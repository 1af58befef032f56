using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>A vault that is in order by itself, and is not the one that was seen before.</summary>
public sealed class HistoryTests
{
    [Fact]
    public async Task A_vault_set_back_to_an_older_copy_is_refuted_where_the_newer_one_was_seen()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string older = vault.Place.At("older");
        TestVault.Copy(vault.Place.Folder, older);
        using (Vault open = vault.Place.Open())
            open.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["text"] = "later" });
        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync()).Content);

        VerificationReport report = await vault.VerifyAsync(older);
        Assert.Equal(ContentVerdict.Refuted, report.Ledger.Content);
        Assert.Contains(report.Ledger.Findings, f => f.Detail.Contains("set back", StringComparison.Ordinal) && f.File == "ledger/checkpoint");
        Assert.Equal(ErrorCode.LedgerRollback, Assert.Throws<EvidenceException>(() => Vault.Open(older, vault.Place.Access).Images()).Code);
        // Whoever saw neither has nothing to compare with.
        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync(older, new VerificationOptions())).Content);
    }

    /// <summary>Nobody saw the newer checkpoint, but the tiles that it stood for are still there.</summary>
    [Fact]
    public async Task A_checkpoint_set_back_alone_shows_by_the_tiles_past_it_unless_an_append_explains_them()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string checkpoint = Path.Combine(vault.Place.Folder, "ledger/checkpoint");
        byte[] older = await File.ReadAllBytesAsync(checkpoint, TestVault.Stop);
        string olderFolder = vault.Place.At("older");
        TestVault.Copy(vault.Place.Folder, olderFolder);
        ReadOnlyMemory<byte> entry;
        using (Vault open = vault.Place.Open())
        {
            open.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["text"] = "later" });
            entry = open.Ledger.Entries().Last().Entry!.ToBytes();
        }

        // Partial tiles that the append superseded are put back, as whoever sets a checkpoint back would.
        foreach (string file in Directory.GetFiles(Path.Combine(olderFolder, "ledger/tile"), "*", SearchOption.AllDirectories))
        {
            string place = Path.Combine(vault.Place.Folder, Path.GetRelativePath(olderFolder, file));
            if (!File.Exists(place))
                File.Copy(file, place);
        }

        TestVault.Overwrite(checkpoint, older);
        VerificationReport report = await vault.VerifyAsync(options: new VerificationOptions());
        Assert.Equal(ContentVerdict.Unverifiable, report.Content);
        Assert.All(report.Ledger.Findings, f => Assert.Contains("set back", f.Detail, StringComparison.Ordinal));

        var batch = new StagedBatch("vault.example/test", 5, [entry]);
        await File.WriteAllBytesAsync(Path.Combine(vault.Place.Folder, "ledger", StagedBatch.Name), batch.ToBytes(), TestVault.Stop);
        report = await vault.VerifyAsync(options: new VerificationOptions());
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.NotEmpty(report.Ledger.Findings);
    }

    [Fact]
    public async Task Two_histories_that_part_are_a_fork()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string other = vault.Place.At("other");
        string otherKeys = vault.Place.At("other-keys");
        TestVault.Copy(vault.Place.Folder, other);
        TestVault.Copy(vault.Place.At("keys"), otherKeys);
        // By itself a copy is only read.
        File.Delete(Directory.GetFiles(otherKeys, "place", SearchOption.AllDirectories).Single());
        using (Vault open = vault.Place.Open())
            open.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["text"] = "one" });
        using (Vault open = Vault.Open(other, vault.Place.Access with { Keys = new KeyStore(otherKeys) }))
            open.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["text"] = "two" });

        VerificationReport report = await vault.VerifyAsync(other);
        Assert.Equal(ContentVerdict.Refuted, report.Ledger.Content);
        Assert.Contains(report.Ledger.Findings, f => f.Detail.Contains("two histories", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_vault_met_for_the_first_time_is_verified_against_the_keys_that_it_declares_and_says_so()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        VerificationReport report = await vault.VerifyAsync(options: new VerificationOptions { Keys = new KeyStore(vault.Place.At("elsewhere")) });
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.False(report.Ledger.KeysPinned);
        Assert.False((await vault.VerifyAsync(options: new VerificationOptions())).Ledger.KeysPinned);
    }

    [Fact]
    public async Task A_vault_made_anew_under_the_same_origin_is_refuted_where_the_old_keys_are_pinned()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string forged = vault.Place.At("forged");
        VaultAccess forger = vault.Place.Access with { Keys = new KeyStore(vault.Place.At("forger")), CacheFolder = null };
        using (Vault open = Vault.Create(forged, VaultSettings.CreateNew("vault.example/test"), forger))
            await TestVault.AcquireAsync(open, SmallVault.FirstContent, new() { Item = "first" });

        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync(forged, new VerificationOptions())).Content);
        VerificationReport report = await vault.VerifyAsync(forged);
        Assert.Equal(ContentVerdict.Refuted, report.Ledger.Content);
        Assert.True(report.Ledger.KeysPinned);
    }

    [Fact]
    public async Task Who_verifies_changes_nothing_in_the_vault()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string[] before = Snapshot(vault.Place.Folder);
        await vault.VerifyAsync(options: new VerificationOptions { Keys = vault.Place.Keys, Digests = true });
        Assert.Equal(before, Snapshot(vault.Place.Folder));
    }

    private static string[] Snapshot(string folder) =>
    [
        .. Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Select(p => $"{p} {File.GetLastWriteTimeUtc(p):O} {(File.Exists(p) ? new FileInfo(p).Length : 0)}"),
    ];
}
