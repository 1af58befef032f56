using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Replication;
using Evidence.Tests.Ledger;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Replication;

/// <summary>Receipts, from the replica to both ledgers.</summary>
public sealed class ReceiptTests : IDisposable
{
    private readonly ReplicaPlace place = new();
    private int files;

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task A_receipt_lands_in_both_ledgers_and_says_of_each_image_who_holds_it()
    {
        AcquisitionResult first = await place.AcquireAsync();
        AcquisitionResult second = await place.AcquireAsync();
        await place.ReplicateAsync();
        using Vault own = place.Origin.Create(folder: place.Origin.At("own"), origin: "custodian.example/own", access: place.Custodian);
        (ReceivedReplica received, string path) = await ReceiveAsync(own);
        Assert.Equal(("verified", false, 2L, place.ReplicaId), (received.Receipt.Content, received.Receipt.KeysPinned, received.Receipt.ImageCount, received.Receipt.Replica));

        AcceptedReceipt accepted = Accept(path);
        Assert.Equal("custodian", accepted.Signer.Name);
        Assert.Empty(accepted.Lost);
        using Vault vault = place.Origin.Open();
        // The very same entry stands in both.
        Assert.Equal(vault.Ledger.Open().ReadEntry(accepted.Entry!.Value), own.Ledger.Open().ReadEntry(received.Entry!.Value));
        var book = ReceiptBook.Read(vault.Ledger.Open());
        foreach (AcquisitionResult image in (AcquisitionResult[])[first, second])
        {
            ImageReceipt receipt = Assert.Single(book.Of(image.Image));
            Assert.Equal(("verified", "custodian", 4L, accepted.Entry), (receipt.Content, receipt.Receipt.Signer.Name, receipt.Receipt.Receipt.Size, receipt.Receipt.Entry));
        }

        // In the recipient's ledger it is about another log.
        Assert.Empty(ReceiptBook.Read(own.Ledger.Open()).Receipts);
        VerificationReport report = await place.Origin.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.All(report.Images, i => Assert.Single(i.Receipts));
        // Taken in once more, it changes nothing.
        long size = vault.Ledger.Open().Size;
        Assert.Equal(accepted.Entry, Accept(path).Entry);
        Assert.Equal(size, vault.Ledger.Open().Size);
        // Nor does it with another signature, which anybody can make of it; where the log has that all the same, it is one receipt.
        IReadOnlyList<LedgerEntry> carried = EntryFile.Read(path);
        LedgerEntry again = LedgerFixture.Repeat(carried[^1]);
        EntryFile.Write(path + ".again", [.. carried.SkipLast(1), again]);
        Assert.Equal(accepted.Entry, Accept(path + ".again").Entry);
        Assert.Equal(size, vault.Ledger.Open().Size);
        using (LogKeys log = place.Origin.Keys.LoadLog("vault.example/test"))
            LedgerWriter.Open(vault.Ledger.Storage, log, place.Origin.Keys, TestVault.Stop).Append([again.ToBytes()], TestVault.Stop);
        Assert.Equal(accepted.Entry, Assert.Single(ReceiptBook.Read(vault.Ledger.Open()).Receipts).Entry);
        // An image that came later is in no receipt.
        AcquisitionResult third = await place.AcquireAsync();
        Assert.Empty(ReceiptBook.Read(vault.Ledger.Open()).Of(third.Image));
    }

    [Fact]
    public async Task The_log_only_grows_from_receipt_to_receipt()
    {
        for (int round = 0; round < 3; round++)
        {
            await place.AcquireAsync();
            place.AddNotes(200);
            await place.ReplicateAsync();
            (ReceivedReplica received, string path) = await ReceiveAsync();
            Assert.Equal(round > 0, received.Receipt.KeysPinned);
            Accept(path);
        }

        using Vault vault = place.Origin.Open();
        var book = ReceiptBook.Read(vault.Ledger.Open());
        Assert.Equal([3, 2, 1], vault.Images().Select(i => book.Of(i.Image).Count));
        // One declaration of the custodian's key, and three receipts.
        Assert.Equal(4, vault.Ledger.Entries().Count(e => e.Verdict!.Signer!.Name == "custodian"));
    }

    [Fact]
    public async Task Damage_at_the_replica_is_in_the_receipt_and_told_to_the_sender()
    {
        AcquisitionResult good = await place.AcquireAsync();
        AcquisitionResult bad = await place.AcquireAsync();
        AcquisitionResult gone = await place.AcquireAsync();
        await place.ReplicateAsync();
        TestVault.Flip(Path.Combine(place.Replica, place.PackOf(bad)), 400);
        File.Delete(new VaultLayout(place.Replica).Manifest(gone.Image));
        (ReceivedReplica received, string path) = await ReceiveAsync();
        Assert.Equal("refuted", received.Receipt.Content);
        Assert.Equal([place.PackOf(bad)], received.Receipt.Damaged);
        Assert.Equal(
            [(good.Image, "verified"), (bad.Image, "refuted"), (gone.Image, "absent")],
            ((AcquisitionResult[])[good, bad, gone]).Select(i => (i.Image, received.Receipt.ContentOf(i.Image)!)));
        AcceptedReceipt accepted = Accept(path);
        Assert.Equal([bad.Image, gone.Image], accepted.Lost);
        using Vault vault = place.Origin.Open();
        var book = ReceiptBook.Read(vault.Ledger.Open());
        Assert.Equal(["verified", "refuted"], ((AcquisitionResult[])[good, bad]).Select(i => Assert.Single(book.Of(i.Image)).Content).ToArray());
        Assert.Empty(book.Of(gone.Image));

        await place.ReplicateAsync(new ReplicationOptions { Resend = true });
        Accept((await ReceiveAsync()).Path);
        Assert.Equal("verified", ReceiptBook.Read(vault.Ledger.Open()).Of(bad.Image)[^1].Content);
    }

    [Fact]
    public async Task No_receipt_is_signed_for_a_ledger_that_is_damaged()
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        foreach (string name in (string[])["vault.json", "ledger/tile/0/000.p/3", "ledger/tile/entries/000.p/3", "ledger/checkpoint"])
        {
            string file = Path.Combine(place.Replica, name);
            TestVault.Flip(file, new FileInfo(file).Length / 2);
            await Assert.ThrowsAsync<EvidenceException>(() => ReceiveAsync());
            TestVault.Flip(file, new FileInfo(file).Length / 2);
        }

        Assert.Empty(Directory.GetFiles(place.Origin.At(""), "receipt-*"));
        Assert.Empty(place.CustodianKeys.Pinned("vault.example/test"));
        await ReceiveAsync();
    }

    [Fact]
    public async Task A_recipient_whose_key_was_replaced_is_the_same_party()
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        string first = (await ReceiveAsync()).Path;
        Accept(first);
        await place.ReplicateAsync();
        place.CustodianKeys.RotateActor("custodian").Dispose();
        Accept((await ReceiveAsync()).Path);
        using Vault vault = place.Origin.Open();
        KeyRegistry registry = vault.Ledger.Open().FoldIdentities();
        Assert.Single(ReceiptBook.Read(vault.Ledger.Open()).Receipts.Select(r => registry.Keys[r.Signer.KeyId].FirstKey).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_no_receipt_for_this_history_is_refused_with_its_reason()
    {
        AcquisitionResult image = await place.AcquireAsync();
        await place.ReplicateAsync();
        (ReceivedReplica received, string path) = await ReceiveAsync();
        Receipt right = received.Receipt;
        using var other = new ReplicaPlace();
        Refuse(path, "the ledger has 2", other);
        Refuse(Forge(right with { Origin = "other.example/log" }), "it is for the log other.example/log");
        Refuse(Forge(right with { Size = right.Size + 1 }), "the ledger has 3");
        Refuse(Forge(right with { Root = Sha256Digest.Compute("another history"u8) }), "proves two histories");
        Refuse(Forge(right with { Size = right.Size - 1 }), "proves two histories");
        Refuse(Forge(right with { ImageCount = 2 }), "is about 2 images");
        Refuse(Forge(right with { ImageDigest = default }), "digest over the images");
        Refuse(Forge(right with { Images = [right.Images[0] with { Content = "refuted" }] }), "digest over the images");
        Refuse(Forge(right with { Images = [right.Images[0] with { Root = default }] }), "do not name");
        Refuse(Forge(right with { Images = [new ReceiptImage(Sha256Digest.Compute("no image"u8), right.Root, "verified")] }), "do not name");
        Refuse(Forge(right.ToJson(), body => body["content"] = "splendid"), "no receipt of a form");
        Refuse(Forge(right.ToJson(), body => body.Remove("root")), "no receipt of a form");
        Refuse(Forge(right.ToJson(), _ => { }, EntryKind.Note), "no receipt of a form");

        // The signature, and what stands beside it.
        string[] lines = await File.ReadAllLinesAsync(path, TestVault.Stop);
        Refuse(Write(lines[1]), "no entry before it declares");
        Refuse(Write(lines[0]), "no receipt of a form");
        Refuse(Write(lines[1], lines[0]), "does not count");
        Refuse(Write(lines[0], lines[1].Replace(Payload(lines[1]), Changed(Payload(lines[1])), StringComparison.Ordinal)), "does not count");
        using (ActorKey stranger = ActorKey.Create())
            Refuse(Write(System.Text.Encoding.UTF8.GetString(Identity(stranger, "stranger").ToBytes()), lines[0], lines[1]), "declares others than its signer");
        using (Vault vault = place.Origin.Open())
        {
            Assert.Equal(3, vault.Ledger.Open().Size);
            Assert.Empty(ReceiptBook.Read(vault.Ledger.Open()).Of(image.Image));
        }

        Assert.Equal(4, Accept(path).Entry);
    }

    [Fact]
    public async Task A_receipt_that_is_forged_into_the_ledger_says_nothing()
    {
        AcquisitionResult image = await place.AcquireAsync();
        await place.ReplicateAsync();
        Receipt right = (await ReceiveAsync()).Received.Receipt;
        using Vault vault = place.Origin.Open();
        foreach (Receipt wrong in (Receipt[])[right with { Root = default }, right with { Origin = "other.example/log" }, right with { ImageDigest = default }, right with { Size = 900 }])
            vault.Ledger.Record(EntryKind.Receipt, [], null, wrong.ToJson());
        Assert.Empty(ReceiptBook.Read(vault.Ledger.Open()).Of(image.Image));
        vault.Ledger.Record(EntryKind.Receipt, [], null, right.ToJson());
        Assert.Single(ReceiptBook.Read(vault.Ledger.Open()).Of(image.Image));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(41, 0)]
    [InlineData(300, 39)]
    [InlineData(300, 40)]
    [InlineData(300, 41)]
    [InlineData(630, 629)]
    public void A_receipt_speaks_of_any_number_of_images_as_long_as_few_are_otherwise(int count, int absent)
    {
        ReceiptImage[] images = [.. Enumerable.Range(0, count).Select(i => new ReceiptImage(
            Sha256Digest.Compute(BitConverter.GetBytes(i)), Sha256Digest.Compute(BitConverter.GetBytes(-i)), i < absent ? "absent" : "verified"))];
        Receipt receipt = Empty().With(images);
        JsonObject body = receipt.ToJson();
        Assert.InRange(CanonicalJson.Serialize(body).Length, 1, EntryPayload.MaximumBodyLength - 1);
        var read = Receipt.Parse(body);
        Assert.Equal(CanonicalJson.Serialize(body), CanonicalJson.Serialize(read.ToJson()));
        bool isWhole = Math.Min(absent, count - absent) <= 40;
        Assert.Equal(isWhole, images.All(i => read.ContentOf(i.Image) == i.Content));
        // What is not known is not guessed.
        Assert.All(images, i => Assert.True(read.ContentOf(i.Image) is null || read.ContentOf(i.Image) == i.Content));
    }

    private static Receipt Empty() => new()
    {
        Origin = "vault.example/test",
        Size = 9,
        Root = default,
        Replica = new string('a', 32),
        Content = "verified",
        Images = [],
        Others = null,
        ImageCount = 0,
        ImageDigest = default,
        Bytes = 1,
        Ended = Instant.FromUnixTimeSeconds(1),
        KeysPinned = true,
        Medium = new JsonObject { ["source"] = new string('x', 200), ["model"] = new string('x', 200), ["serial"] = new string('x', 200), ["vendor"] = new string('x', 200) },
        Damaged = [.. Enumerable.Range(0, 100).Select(i => $"packs/00/{i:d64}.pack")],
        DamagedCount = 100,
    };

    private async Task<(ReceivedReplica Received, string Path)> ReceiveAsync(Vault? own = null)
    {
        string path = place.Origin.At($"receipt-{files++}");
        return (await new ReplicaReceiver(place.Replica, place.Custodian).ReceiveAsync(new ReceiveOptions { Output = path, Into = own }, cancellation: TestVault.Stop), path);
    }

    private AcceptedReceipt Accept(string path, ReplicaPlace? at = null)
    {
        using Vault vault = (at ?? place).Origin.Open();
        return ReceiptAcceptance.Accept(vault, path);
    }

    private void Refuse(string path, string reason, ReplicaPlace? at = null)
    {
        EvidenceException refused = Assert.Throws<EvidenceException>(() => Accept(path, at));
        Assert.Equal(ErrorCode.EntriesInvalid, refused.Code);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>Signed by a real key, as a custodian who lies would.</summary>
    private string Forge(Receipt receipt) => Forge(receipt.ToJson(), _ => { });

    private string Forge(JsonObject body, Action<JsonObject> change, string kind = EntryKind.Receipt)
    {
        change(body);
        using ActorKey key = place.CustodianKeys.LoadActor("custodian");
        string path = place.Origin.At($"forged-{files++}");
        EntryFile.Write(path, [Identity(key, "custodian"), LedgerEntry.Create(new EntryPayload(kind, SystemClock.Instance.GetCurrentInstant(), null, [], body, key.Id), key)]);
        return path;
    }

    private static LedgerEntry Identity(ActorKey key, string name) => LedgerEntry.Create(
        new EntryPayload(EntryKind.Identity, SystemClock.Instance.GetCurrentInstant(), null, [], new ActorIdentity(name, null, key.PublicKey).ToJson(), key.Id), key);

    private string Write(params string[] lines)
    {
        string path = place.Origin.At($"written-{files++}");
        File.WriteAllText(path, string.Concat(lines.Select(l => l + "\n")));
        return path;
    }

    private static string Payload(string line) => JsonNode.Parse(line)!["payload"]!.GetValue<string>();

    private static string Changed(string payload) =>
        Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(payload)).Replace("\"pinned\"", "\"declared\"", StringComparison.Ordinal).Replace("declared", "pinned", StringComparison.Ordinal)));
}
