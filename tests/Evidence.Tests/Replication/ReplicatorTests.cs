using Evidence.Acquisition;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;
using Evidence.Replication;
using Evidence.Tests.Ledger.Timestamping;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Replication;

public sealed class ReplicatorTests : IDisposable
{
    private readonly ReplicaPlace place = new();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_replica_verifies_without_the_senders_keys_and_gives_the_same_bytes_back()
    {
        byte[] content = [.. TestBytes.Random(30_000, 1), .. new byte[9000], .. TestBytes.Text(9000, 2)];
        AcquisitionResult image = await place.AcquireAsync(content);
        ReplicationResult result = await place.ReplicateAsync();
        Assert.True(result.IsNew && result.IsWhole);
        Assert.Equal([image.Image], result.Images);
        await place.IsVerifiedAsync();
        using Vault replica = Vault.Open(place.Replica, place.Custodian);
        Assert.Equal(content, await TestVault.ExportAsync(replica, image));
        Assert.Equal([image.Image], replica.Images().Select(i => i.Image));
        place.RecordIsWhatIsThere();
        Assert.Empty(await place.CheckAsync());
    }

    [Fact]
    public async Task Nobody_appends_to_a_replica()
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        string[] before = ReplicaPlace.Files(place.Replica);
        foreach (VaultAccess access in (VaultAccess[])[place.Origin.Access, place.Custodian])
        {
            using Vault replica = Vault.Open(place.Replica, access);
            Assert.False(replica.Ledger.IsSequencer);
            Assert.Equal(ErrorCode.VaultReadOnly, Assert.Throws<EvidenceException>(() => replica.Ledger.RecordNote("text", [], null)).Code);
            Assert.Equal(ErrorCode.VaultReadOnly, (await Assert.ThrowsAsync<EvidenceException>(() => TestVault.AcquireAsync(replica, TestBytes.Random(5000, 9)))).Code);
        }

        Assert.Equal(before, ReplicaPlace.Files(place.Replica));
        await place.IsVerifiedAsync();
    }

    [Fact]
    public async Task A_replica_grows_with_its_origin_and_what_was_sent_is_what_is_there()
    {
        foreach (int notes in (int[])[0, 3, 250, 300, 0, 1])
        {
            await place.AcquireAsync();
            place.AddNotes(notes);
            Assert.Equal(1, (await place.ReplicateAsync()).Packs);
            place.RecordIsWhatIsThere();
            await place.IsVerifiedAsync();
        }

        FileStatus?[] before = [.. ReplicaPlace.Files(place.Replica).Select(f => FileStatus.TryGet(Path.Combine(place.Replica, f)))];
        ReplicationResult again = await place.ReplicateAsync();
        Assert.Equal((0, 6), (again.Packs, again.EarlierPacks));
        // Not even the checkpoint is written anew.
        Assert.Equal(before, ReplicaPlace.Files(place.Replica).Select(f => FileStatus.TryGet(Path.Combine(place.Replica, f))));
    }

    [Theory]
    [InlineData("packs")]
    [InlineData("images")]
    [InlineData("vault.json")]
    [InlineData("ledger/checkpoint")]
    [InlineData("ledger/tile/entries/000.p")]
    [InlineData("ledger/tile/0/000.p")]
    public async Task What_is_lost_or_changed_at_the_replica_is_not_looked_for_until_it_is_asked_for(string what)
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        place.AddNotes(1);
        await place.ReplicateAsync();
        foreach (string name in ReplicaPlace.Files(place.Replica).Where(f => f.StartsWith(what, StringComparison.Ordinal)))
        {
            string path = Path.Combine(place.Replica, name);
            byte[] right = await File.ReadAllBytesAsync(path, TestVault.Stop);
            foreach (bool isMissing in (bool[])[true, false])
            {
                if (isMissing)
                    File.Delete(path);
                else
                    TestVault.Flip(path, right.Length / 2);
                if (what is "packs")
                    Assert.Equal(ContentVerdict.Refuted, (await place.VerifyAsync()).Content);
                Assert.Equal(0, (await place.ReplicateAsync()).Packs);
                Assert.Equal((name, isMissing), Assert.Single(await place.CheckAsync()) is var found ? (found.File, found.IsMissing) : default);
                ReplicationResult result = await place.ReplicateAsync(new ReplicationOptions { Resend = true });
                Assert.Equal(name, Assert.Single(result.Resent).File);
                Assert.Equal(right, await File.ReadAllBytesAsync(path, TestVault.Stop));
                Assert.Empty(await place.CheckAsync());
                VerificationReport report = await place.VerifyAsync();
                Assert.Equal(ContentVerdict.Verified, report.Content);
                // What lay there is kept as evidence of the damage.
                Assert.Equal(!isMissing && what is "packs" or "images" ? 1 : 0, report.Findings.Count(f => f.What == "set-aside"));
            }
        }
    }

    [Fact]
    public async Task A_pack_that_is_damaged_here_is_refused_by_name_and_the_rest_goes_on()
    {
        AcquisitionResult good = await place.AcquireAsync();
        AcquisitionResult bad = await place.AcquireAsync();
        string pack = place.PackOf(bad);
        long length = new FileInfo(Path.Combine(place.Origin.Folder, pack)).Length;
        foreach (long offset in (long[])[0, 70, 500, length / 2, length - 70, length - 1])
        {
            place.Replica = place.Origin.At($"replica-{offset}");
            TestVault.Flip(Path.Combine(place.Origin.Folder, pack), offset);
            ReplicationResult result = await place.ReplicateAsync();
            Assert.False(result.IsWhole);
            Assert.Equal(pack, Assert.Single(result.Damaged).File);
            Assert.Equal(bad.Image, Assert.Single(result.HeldBack).Image);
            Assert.Equal([good.Image], result.Images);
            place.RecordIsWhatIsThere();
            VerificationReport report = await place.VerifyAsync();
            Assert.Equal(ContentVerdict.Incomplete, report.Content);
            Assert.Equal("absent", Assert.Single(Assert.Single(report.Images, i => i.Image == bad.Image).Findings).What);
            Assert.Equal(ContentVerdict.Verified, Assert.Single(report.Images, i => i.Image == good.Image).Content);

            TestVault.Flip(Path.Combine(place.Origin.Folder, pack), offset);
            Assert.Equal([bad.Image], (await place.ReplicateAsync()).Images);
            await place.IsVerifiedAsync();
        }
    }

    [Fact]
    public async Task An_image_whose_pack_is_gone_is_not_sent()
    {
        AcquisitionResult good = await place.AcquireAsync();
        AcquisitionResult bad = await place.AcquireAsync();
        File.Delete(Path.Combine(place.Origin.Folder, place.PackOf(bad)));
        ReplicationResult result = await place.ReplicateAsync();
        Assert.Equal([good.Image], result.Images);
        Assert.Equal(bad.Image, Assert.Single(result.HeldBack).Image);
        Assert.False(result.IsWhole);
        Assert.Equal(ContentVerdict.Incomplete, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public async Task A_damaged_manifest_is_refused_by_name()
    {
        AcquisitionResult bad = await place.AcquireAsync();
        AcquisitionResult good = await place.AcquireAsync();
        TestVault.Flip(place.Origin.Layout.Manifest(bad.Image), 100);
        ReplicationResult result = await place.ReplicateAsync();
        Assert.Equal(($"images/{bad.Image}.json", bad.Image), (Assert.Single(result.Damaged).File, Assert.Single(result.HeldBack).Image));
        Assert.Equal([good.Image], result.Images);
    }

    [Fact]
    public async Task A_damaged_ledger_is_not_sent()
    {
        await place.AcquireAsync();
        place.AddNotes(300);
        TestVault.Flip(Path.Combine(place.Origin.Folder, "ledger/tile/entries/000"), 5000);
        await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync());
        Assert.False(File.Exists(Path.Combine(place.Replica, "ledger/checkpoint")));
    }

    [Fact]
    public async Task Of_named_images_only_their_packs_go_and_what_comes_along_is_said()
    {
        byte[] shared = TestBytes.Random(40_000, 7);
        byte[] content = [.. shared, .. TestBytes.Random(4_000, 9)];
        AcquisitionResult first = await place.AcquireAsync([.. shared, .. TestBytes.Random(20_000, 8)], "first");
        AcquisitionResult second = await place.AcquireAsync(content, "second");
        AcquisitionResult third = await place.AcquireAsync(item: "third");
        ReplicationResult result = await place.ReplicateAsync("second");
        Assert.Equal([second.Image], result.Images);
        Assert.Equal(2, result.Packs);
        // Of the first image: the last segments, its page, its table.
        Assert.InRange(result.OtherBytes, 15_000, 35_000);
        Assert.DoesNotContain(place.PackOf(third), ReplicaPlace.Files(place.Replica), StringComparer.Ordinal);
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Incomplete, report.Content);
        Assert.Equal(
            [(first.Image, ContentVerdict.Incomplete), (second.Image, ContentVerdict.Verified), (third.Image, ContentVerdict.Incomplete)],
            report.Images.Select(i => (i.Image, i.Content)));
        using (Vault replica = Vault.Open(place.Replica, place.Custodian))
            Assert.Equal(content, await TestVault.ExportAsync(replica, second));
        Assert.Equal((2, 1, 2), await place.ReplicateAsync() is var all ? (all.EarlierPacks, all.Packs, all.Images.Count) : default);
        place.RecordIsWhatIsThere();
        await place.IsVerifiedAsync();
    }

    [Fact]
    public async Task Two_disks_at_one_path_are_two_replicas()
    {
        await place.AcquireAsync();
        ReplicationResult first = await place.ReplicateAsync();
        Directory.Move(place.Replica, place.Origin.At("other-disk"));
        ReplicationResult second = await place.ReplicateAsync();
        Assert.True(second.IsNew);
        Assert.False(string.Equals(first.Replica, second.Replica, StringComparison.Ordinal));
        await place.IsVerifiedAsync();
        place.Replica = place.Origin.At("other-disk");
        Assert.Equal((0, first.Replica), await place.ReplicateAsync() is var third ? (third.Packs, third.Replica) : default);
    }

    [Fact]
    public async Task A_sender_whose_record_is_lost_sends_again_and_finds_it_there()
    {
        AcquisitionResult image = await place.AcquireAsync();
        await place.ReplicateAsync();
        string record = Assert.Single(Directory.GetFiles(place.Origin.At("keys"), "*.record", SearchOption.AllDirectories));
        string[] lines = await File.ReadAllLinesAsync(record, TestVault.Stop);
        foreach (string text in (string[])["", string.Join('\n', lines[..3]) + '\n', string.Join('\n', lines[..2]) + "\ntorn", "not a record\n"])
        {
            await File.WriteAllTextAsync(record, text, TestVault.Stop);
            await place.ReplicateAsync();
            place.RecordIsWhatIsThere();
        }

        File.Delete(record);
        TestVault.Flip(Path.Combine(place.Replica, place.PackOf(image)), 300);
        EvidenceException other = await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync());
        Assert.Equal(ErrorCode.DestinationInvalid, other.Code);
        Assert.Contains(place.PackOf(image), other.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_vault_that_was_set_back_or_is_another_one_is_not_sent(bool isRecordLost)
    {
        await place.AcquireAsync();
        string older = place.Origin.At("older");
        TestVault.Copy(place.Origin.Folder, older);
        place.AddNotes(2);
        await place.ReplicateAsync();
        string[] before = ReplicaPlace.Files(place.Replica);
        // Whoever sets a vault back sets back what was seen of it as well.
        File.Delete(Assert.Single(Directory.GetFiles(place.Origin.At("keys"), "seen", SearchOption.AllDirectories)));
        if (isRecordLost)
            File.Delete(Assert.Single(Directory.GetFiles(place.Origin.At("keys"), "*.record", SearchOption.AllDirectories)));
        Directory.Delete(place.Origin.Folder, recursive: true);
        TestVault.Copy(older, place.Origin.Folder);
        Assert.Equal(ErrorCode.LedgerRollback, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
        using (Vault vault = place.Origin.Open())
        {
            for (int i = 0; i < 3; i++)
                vault.Ledger.RecordNote("another history", [], null);
        }

        Assert.Equal(ErrorCode.LedgerFork, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
        Assert.Equal(before, ReplicaPlace.Files(place.Replica));
        await place.IsVerifiedAsync();
    }

    [Fact]
    public async Task What_is_no_replica_of_this_vault_is_left_alone()
    {
        await place.AcquireAsync();
        place.Replica = place.Origin.Folder;
        Assert.Equal(ErrorCode.Usage, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
        place.Replica = place.Origin.At("somebody's");
        Directory.CreateDirectory(place.Replica);
        await File.WriteAllTextAsync(Path.Combine(place.Replica, "letter.txt"), "Dear", TestVault.Stop);
        Assert.Equal(ErrorCode.DestinationInvalid, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
        using var other = new ReplicaPlace();
        await other.ReplicateAsync();
        place.Replica = other.Replica;
        Assert.Equal(ErrorCode.DestinationInvalid, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
        Assert.Equal(ErrorCode.DestinationInvalid, (await Assert.ThrowsAsync<EvidenceException>(() => place.CheckAsync())).Code);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("")]
    [InlineData("""{"format":"evidence-replica","id":"../../../../../../../../tmp/escaped","vault":"0123456789abcdef0123456789abcdef","version":1}""")]
    public async Task A_replica_that_lies_about_what_it_is_is_refused(string identity)
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        TestVault.Overwrite(Path.Combine(place.Replica, "replica.json"), System.Text.Encoding.UTF8.GetBytes(identity));
        Assert.Equal(ErrorCode.DestinationInvalid, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
    }

    [Theory]
    [InlineData("packs")]
    [InlineData("ledger")]
    [InlineData("ledger/tile")]
    [InlineData("images")]
    public async Task A_link_in_a_replica_leads_the_sender_nowhere(string folder)
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        string elsewhere = place.Origin.At("elsewhere");
        Directory.Move(Path.Combine(place.Replica, folder), elsewhere);
        File.CreateSymbolicLink(Path.Combine(place.Replica, folder), elsewhere);
        string[] before = ReplicaPlace.Files(elsewhere);
        await place.AcquireAsync();
        Assert.Equal(ErrorCode.DestinationInvalid, (await Assert.ThrowsAsync<EvidenceException>(() => place.ReplicateAsync())).Code);
        Assert.Equal(before, ReplicaPlace.Files(elsewhere));
    }

    [Fact]
    public async Task Time_stamps_go_along_each_at_the_size_that_it_is_over()
    {
        using var authority = new TestAuthority();
        await place.AcquireAsync();
        await place.ReplicateAsync();
        for (int i = 0; i < 3; i++)
        {
            using Vault vault = place.Origin.Open();
            byte[] request = vault.Timestamps.Request();
            vault.Ledger.RecordNote("meanwhile", [], null);
            await vault.Timestamps.AcceptAsync(authority.Reply(request), [], TestVault.Stop);
        }

        await place.ReplicateAsync();
        place.RecordIsWhatIsThere();
        VerificationReport report = await place.VerifyAsync();
        Assert.Equal((ContentVerdict.Verified, 3), (report.Content, report.Ledger.Timestamps.Count));
        string[] stamps = Directory.GetFiles(Path.Combine(place.Replica, "ledger/timestamps"));
        File.Delete(stamps[1]);
        Assert.Equal(ContentVerdict.Refuted, (await place.VerifyAsync()).Content);
        Assert.Single((await place.ReplicateAsync(new ReplicationOptions { Resend = true })).Resent);
        Assert.True(File.Exists(stamps[1]));
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public async Task The_newest_witnessed_checkpoint_goes_along_as_long_as_it_is_of_this_history()
    {
        string witnessed = Path.Combine(place.Origin.Folder, "ledger/witnessed");
        string sent = Path.Combine(place.Replica, "ledger/witnessed");
        await place.AcquireAsync();
        foreach (bool isNewer in (bool[])[true, false, true])
        {
            if (isNewer)
                File.Copy(Path.Combine(place.Origin.Folder, "ledger/checkpoint"), witnessed, overwrite: true);
            place.AddNotes(1);
            Assert.True((await place.ReplicateAsync()).IsWhole);
            Assert.Equal(await File.ReadAllBytesAsync(witnessed, TestVault.Stop), await File.ReadAllBytesAsync(sent, TestVault.Stop));
            place.RecordIsWhatIsThere();
            await place.IsVerifiedAsync();
        }

        using LogKeys log = place.Origin.Keys.LoadLog("vault.example/test");
        await File.WriteAllBytesAsync(witnessed, log.Sign(new Checkpoint("vault.example/test", 2, default)), TestVault.Stop);
        Assert.Equal("ledger/witnessed", Assert.Single((await place.ReplicateAsync()).Damaged).File);
        await place.IsVerifiedAsync();
    }

    [Fact]
    public async Task An_image_that_no_entry_names_is_not_sent()
    {
        await place.AcquireAsync();
        byte[] stray = CanonicalJson.Serialize(new System.Text.Json.Nodes.JsonObject { ["format"] = "stray" });
        await File.WriteAllBytesAsync(place.Origin.Layout.Manifest(Sha256Digest.Compute(stray)), stray, TestVault.Stop);
        Assert.Single((await place.ReplicateAsync()).Images);
        Assert.Single(Directory.GetFiles(Path.Combine(place.Replica, "images")));
    }
}
