using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Segments;
using Evidence.Tests.Ledger;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>What a report says of what it found.</summary>
public sealed class FindingTests
{
    [Fact]
    public async Task A_sound_vault_has_no_findings_and_says_how_far_that_reaches()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Empty(SmallVault.FindingsOf(report));
        Assert.Equal(AnchorVerdict.None, report.Anchor);
        Assert.True(report.Ledger.KeysPinned);
        Assert.Equal(5, report.Ledger.Size);
        Assert.Equal([vault.First.Image, vault.Second.Image], report.Images.Select(i => i.Image));
        Assert.Equal(["first", "second"], report.Images.Select(i => i.Item).ToArray());
        Assert.True(report.BytesChecked > 20_000);
    }

    /// <summary>For every segment: when it rots, exactly the images and ranges are named that hold it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Requirement", "OUT-1")]
    public async Task A_rotten_segment_names_every_image_and_range_that_it_touches(bool scrub)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        var ranges = new Dictionary<Sha256Digest, List<(Sha256Digest Image, long Offset, long Length)>>();
        using (Vault open = vault.Place.Open())
        {
            foreach (var result in (Evidence.Acquisition.AcquisitionResult[])[vault.First, vault.Second])
            {
                foreach (MapRun run in open.OpenImage(result.Image).Runs().Where(r => r.Kind == RunKind.Data))
                {
                    ranges.TryAdd(run.Segment, []);
                    ranges[run.Segment].Add((result.Image, run.Offset, run.Length));
                }
            }
        }

        Assert.Contains(ranges.Values, r => r.Select(x => x.Image).Distinct().Count() == 2);
        foreach (string file in vault.Place.PublishedFiles())
        {
            foreach (PackEntry entry in PackMap.Read(vault.Place.Folder, file).Where(e => ranges.ContainsKey(e.Header.Id)))
            {
                long middle = entry.Offset + PackFormat.RecordHeaderSize + (entry.Header.StoredLength / 2);
                TestVault.Flip(Path.Combine(vault.Place.Folder, file), middle);
                VerificationReport report = await vault.VerifyAsync(options: new VerificationOptions { StoredBytesOnly = scrub });
                Assert.Equal(
                    ranges[entry.Header.Id],
                    report.Images.SelectMany(i => i.Findings.Select(f => (i.Image, f.Offset!.Value, f.Length!.Value))));
                Finding inPack = Assert.Single(report.Findings);
                Assert.Equal(("segment", file, entry.Offset), (inPack.What, inPack.File, inPack.Offset!.Value));
                Assert.Equal(scrub, report.StoredBytesOnly);
                TestVault.Flip(Path.Combine(vault.Place.Folder, file), middle);
            }
        }
    }

    [Fact]
    public async Task A_rotten_segment_is_found_where_only_its_image_is_asked_for()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        (string file, PackEntry entry) = OnlyInSecond(vault);
        TestVault.Flip(Path.Combine(vault.Place.Folder, file), entry.Offset + PackFormat.RecordHeaderSize);
        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync(options: new VerificationOptions { Images = ["first"] })).Content);
        VerificationReport report = await vault.VerifyAsync(options: new VerificationOptions { Images = ["second"] });
        Assert.Equal(ContentVerdict.Refuted, report.Content);
        Assert.Equal(["segment"], report.Images[0].Findings.Select(f => f.What).Distinct(StringComparer.Ordinal).ToArray());
    }

    [Fact]
    public async Task An_image_that_is_not_there_cannot_be_verified()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(() => vault.VerifyAsync(options: new VerificationOptions { Images = ["fourth"] }));
        Assert.Equal(ErrorCode.ImageNotFound, error.Code);
    }

    [Fact]
    public async Task Where_the_ledger_is_refuted_that_is_the_answer_whatever_name_is_asked_for()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string bundle = vault.Place.PublishedFiles().Last(f => f.StartsWith("ledger/tile/entries/", StringComparison.Ordinal));
        TestVault.Overwrite(Path.Combine(vault.Place.Folder, bundle), [0]);
        VerificationReport report = await vault.VerifyAsync(options: new VerificationOptions { Images = ["second"] });
        Assert.Equal(ContentVerdict.Refuted, report.Content);
        Assert.Contains(report.Findings, f => f.What == "image" && f.Detail.Contains("'second'", StringComparison.Ordinal));

        // Nothing names the images any more; they and what rots in them are listed all the same.
        (string file, PackEntry entry) = OnlyInSecond(vault);
        TestVault.Flip(Path.Combine(vault.Place.Folder, file), entry.Offset + PackFormat.RecordHeaderSize);
        report = await vault.VerifyAsync();
        Assert.Equal(2, report.Images.Count);
        Assert.Contains(report.Images, i => i.Image == vault.Second.Image && i.Findings.Any(f => f is { What: "segment", Verdict: ContentVerdict.Refuted }));
    }

    [Theory]
    [InlineData("serial", "\"WX31A\"")]
    [InlineData("live", "false")]
    [InlineData("hiddenSectors", "{\"hpa\":\"0\"}")]
    public async Task An_entry_that_says_another_thing_of_the_source_than_the_manifest_is_refuted(string field, string value)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        using Vault open = vault.Place.Open();
        JsonObject body = open.Ledger.Entries().First(e => e.Entry?.Payload.Kind == EntryKind.Acquisition).Entry!.Payload.Body.DeepClone().AsObject();
        Assert.False(body.ContainsKey(field));
        body[field] = JsonNode.Parse(value);
        open.Ledger.Record(EntryKind.Acquisition, ["lied"], null, body);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Contains(Assert.Single(report.Images, image => image.Content == ContentVerdict.Refuted).Findings, finding => finding.Detail.Contains("its source", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_image_counts_only_by_an_entry_of_a_declared_key_that_says_what_its_manifest_says()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        using Vault open = vault.Place.Open();
        string image = vault.First.Image.ToString();
        JsonObject body = open.Ledger.Entries().First(e => e.Entry?.Payload.Kind == EntryKind.Acquisition).Entry!.Payload.Body.DeepClone().AsObject();
        // Signed by the keeper, with other digests.
        body["digests"]!["sha256"] = new string('0', 64);
        open.Ledger.Record(EntryKind.Acquisition, ["lied"], null, body.DeepClone().AsObject());
        // Signed by a key that nobody declared.
        using (ActorKey stranger = new KeyStore(vault.Place.At("stranger")).CreateActor("stranger"))
        using (LogKeys log = vault.Place.Keys.LoadLog(open.Settings.Origin))
        {
            var payload = new EntryPayload(EntryKind.Acquisition, vault.Place.Access.Clock.GetCurrentInstant(), null, ["strange"], body.DeepClone().AsObject(), stranger.Id);
            LedgerWriter.Open(open.Ledger.Storage, log, vault.Place.Keys, TestVault.Stop).Append([LedgerEntry.Create(payload, stranger).ToBytes()], TestVault.Stop);
        }

        Assert.Equal(["first", "second", "lied"], open.Images().Select(i => i.Item).ToArray());
        Assert.Equal(ErrorCode.ImageNotFound, Assert.Throws<EvidenceException>(() => open.FindImage("strange")).Code);
        Assert.Equal("first", open.FindImage($"sha256:{image[..12]}").Item);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(
            [ContentVerdict.Verified, ContentVerdict.Verified, ContentVerdict.Refuted, ContentVerdict.Refuted], report.Images.Select(i => i.Content));
        Assert.Contains(report.Images[3].Findings, f => f.What == "entry" && f.Verdict == ContentVerdict.Unverifiable);
    }

    [Fact]
    public async Task A_scrub_takes_no_names()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(
            () => vault.VerifyAsync(options: new VerificationOptions { Images = ["first"], StoredBytesOnly = true }));
        Assert.Equal(ErrorCode.Usage, error.Code);
    }

    /// <summary>What a run leaves that was stopped between its manifest and its entry.</summary>
    /// <summary>Whoever writes the log can put what somebody said into it again, valid, without that one's key.</summary>
    [Fact]
    public async Task What_is_said_twice_in_the_log_is_told_and_counts_once()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        LedgerEntry[] entries;
        using (Vault open = vault.Place.Open())
            entries = [.. open.Ledger.Entries().Select(e => e.Entry!)];
        int first = Array.FindIndex(entries, e => e.Payload.Kind == EntryKind.Acquisition);
        using (LogKeys log = vault.Place.Keys.LoadLog("vault.example/test"))
        {
            LedgerWriter writer = LedgerWriter.Open(new LedgerDirectory(vault.Place.Layout.Ledger), log, vault.Place.Keys, TestVault.Stop);
            writer.Append([LedgerFixture.Repeat(entries[first]).ToBytes(), entries[first].ToBytes(), LedgerFixture.Repeat(entries[0]).ToBytes()], TestVault.Stop);
        }

        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Ledger.Content);
        string[] told = [.. report.Ledger.Findings.Select(f => f.Detail)];
        Assert.Equal(2, told.Length);
        Assert.StartsWith($"Entry {entries.Length + 2} says what entry 0 says", told[0], StringComparison.Ordinal);
        Assert.StartsWith($"2 entries, up to {entries.Length + 1}, say what entry {first} says", told[1], StringComparison.Ordinal);
        using Vault vaults = vault.Place.Open();
        Assert.Equal(entries.Count(e => e.Payload.Kind == EntryKind.Acquisition), vaults.Images().Count);
        JudgedEntry[] judged = [.. vaults.Ledger.Open().JudgeEntries(ProvedTimes.None)];
        Assert.Equal([first, first, 0L], judged.Skip(entries.Length).Select(e => e.Repeats!.Value));
        Assert.All(judged.Take(entries.Length), e => Assert.Null(e.Repeats));
    }

    [Fact]
    public async Task A_manifest_that_no_entry_names_is_a_remark_and_its_damage_is_said()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string other = vault.Place.At("other");
        TestVault.Copy(vault.Place.Folder, other);
        List<Sha256Digest> before = vault.Place.Layout.ListPacks();
        using (Vault open = vault.Place.Open())
            await TestVault.AcquireAsync(open, TestBytes.Random(40_000, 8), new() { Item = "stopped" });
        foreach (string file in Directory.GetFiles(vault.Place.Folder, "*", SearchOption.AllDirectories).Where(f => f.EndsWith(".pack", StringComparison.Ordinal) || f.EndsWith(".json", StringComparison.Ordinal)))
        {
            string copy = Path.Combine(other, Path.GetRelativePath(vault.Place.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (!File.Exists(copy))
                File.Copy(file, copy);
        }

        VerificationReport report = await vault.VerifyAsync(other, new VerificationOptions());
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(("unrecorded", ContentVerdict.Verified), (Assert.Single(SmallVault.FindingsOf(report)).What, report.Images[2].Content));

        foreach (Sha256Digest pack in new VaultLayout(other).ListPacks().Except(before))
            File.Delete(new VaultLayout(other).Pack(pack));
        report = await vault.VerifyAsync(other, new VerificationOptions());
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.True(report.Images[2].Findings.Count > 1);
    }

    [Fact]
    public async Task The_digests_of_whole_images_are_computed_anew_where_asked_for()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        var options = new VerificationOptions { Digests = true, Keys = vault.Place.Keys };
        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync(options: options)).Content);
        using (Vault open = vault.Place.Open())
            await TestVault.AcquireAsync(open, SmallVault.FirstContent, new() { Item = "without", Digests = [] });
        VerificationReport report = await vault.VerifyAsync(options: options);
        Assert.Equal(ContentVerdict.Unverifiable, report.Content);
        Assert.Equal("digest", Assert.Single(SmallVault.FindingsOf(report)).What);
        Assert.Equal(ContentVerdict.Verified, (await vault.VerifyAsync()).Content);
    }

    [Fact]
    [Trait("Requirement", "OUT-6")]
    public async Task Unreadable_ranges_make_an_image_incomplete_and_are_named()
    {
        await using SmallVault vault = await SmallVault.CreateAsync(third: TestBytes.Random(20_000, 9), thirdBadSectors: [3, 4, 39]);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Incomplete, report.Content);
        Assert.Equal(
            [(1536L, 1024L), (19968L, 32L)],
            SmallVault.FindingsOf(report).Select(f => (f.Offset!.Value, f.Length!.Value)));
        Assert.All(SmallVault.FindingsOf(report), f => Assert.Equal("unread", f.What));
    }

    /// <summary>A disk can have more bad places than a report lists. That is no reason to call its image wrong, nor to drop what is.</summary>
    [Fact]
    public async Task Many_unreadable_ranges_refute_nothing_and_hide_nothing()
    {
        await using SmallVault vault = await SmallVault.CreateAsync(
            third: TestBytes.Random(300_000, 9), thirdBadSectors: [.. Enumerable.Range(0, 250).Select(i => 2L * i)]);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Incomplete, report.Content);
        Finding[] findings = [.. report.Images[2].Findings];
        Assert.Equal(201, findings.Length);
        Assert.All(findings, f => Assert.Equal(("unread", ContentVerdict.Incomplete), (f.What, f.Verdict)));
        Assert.Contains("50 more ranges", findings[^1].Detail, StringComparison.Ordinal);

        foreach (Sha256Digest pack in vault.Place.Layout.ListPacks())
            File.Delete(vault.Place.Layout.Pack(pack));
        report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Refuted, report.Images[2].Content);
        Assert.Equal(201, report.Images[2].Findings.Count(f => f.What == "unread"));
        Assert.Contains(report.Images[2].Findings, f => f.What == "map" && f.Verdict == ContentVerdict.Refuted);
    }

    [Theory]
    [InlineData("readme.txt")]
    [InlineData("packs/00/readme.pack")]
    [InlineData("packs/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.pack")]
    [InlineData("packs/00/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.pack")]
    [InlineData("packs/e3/E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.pack")]
    [InlineData("images/readme.json")]
    [InlineData("images/a/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.json")]
    [InlineData("ledger/readme")]
    [InlineData("ledger/tile/0/000.p/2.tmp")]
    [InlineData("vault.json.tmp")]
    public async Task A_foreign_file_is_reported_and_harms_nothing(string name)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string path = Path.Combine(vault.Place.Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, "not mine", TestVault.Stop);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Finding finding = Assert.Single(SmallVault.FindingsOf(report));
        Assert.Equal(("foreign", name), (finding.What, finding.File));
    }

    [Fact]
    public async Task A_pack_that_no_image_needs_is_still_verified()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string path = Path.Combine(vault.Place.Folder, "packs/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.pack");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, "no pack", TestVault.Stop);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Refuted, report.Content);
        Assert.All(report.Images, i => Assert.Equal(ContentVerdict.Verified, i.Content));
    }

    private static (string File, PackEntry Entry) OnlyInSecond(SmallVault vault)
    {
        using Vault open = vault.Place.Open();
        HashSet<Sha256Digest> first = [.. open.OpenImage(vault.First.Image).Runs().Select(r => r.Segment)];
        HashSet<Sha256Digest> only = [.. open.OpenImage(vault.Second.Image).Runs().Where(r => r.Kind == RunKind.Data && !first.Contains(r.Segment)).Select(r => r.Segment)];
        return vault.Place.PublishedFiles()
            .SelectMany(f => PackMap.Read(vault.Place.Folder, f).Select(e => (f, e)))
            .First(x => only.Contains(x.e.Header.Id));
    }
}
