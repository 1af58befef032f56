using Evidence.Ledger;
using Evidence.Replication;
using Evidence.Tests.Vaults;
using Xunit;

namespace Evidence.Tests.Replication;

/// <summary>A sender whose log goes back, or takes another way, between two replications.</summary>
public sealed class ForkTests : IDisposable
{
    private readonly ReplicaPlace place = new();
    private int files;

    public void Dispose() => place.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    public async Task Another_history_is_refused_and_the_proof_of_it_holds_for_anybody(int longer)
    {
        (string honest, string forked) = await TwoHistoriesAsync(2, 2 + longer);
        place.Replica = honest;
        await ReceiveAsync();
        place.Replica = forked;
        EvidenceException refused = await Assert.ThrowsAsync<EvidenceException>(() => ReceiveAsync());
        Assert.Equal(ErrorCode.LedgerFork, refused.Code);
        string path = place.Origin.At($"receipt-{files - 1}.fork");
        Assert.Contains(path, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(place.Origin.At($"receipt-{files - 1}")));
        // By the log's public keys alone.
        var proof = ForkProof.Parse(File.ReadAllBytes(path));
        Assert.Null(proof.Check(place.Origin.Keys.Pinned("vault.example/test")));
        Assert.Equal(longer == 0, proof.OtherRoot is null);
        // What was accepted stays accepted.
        place.Replica = honest;
        await ReceiveAsync();
    }

    [Fact]
    public async Task A_log_that_was_set_back_is_refused_and_proves_nothing()
    {
        (string honest, string forked) = await TwoHistoriesAsync(5, 2);
        place.Replica = honest;
        await ReceiveAsync();
        foreach (string older in (string[])[forked, place.Origin.At("beginning")])
        {
            place.Replica = older;
            Assert.Equal(ErrorCode.LedgerRollback, (await Assert.ThrowsAsync<EvidenceException>(() => ReceiveAsync())).Code);
        }

        Assert.Empty(Directory.GetFiles(place.Origin.At(""), "*.fork"));
    }

    [Fact]
    public async Task Other_keys_for_the_same_log_are_refused()
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        await ReceiveAsync();
        // Somebody else begins a log of that name.
        using var other = new ReplicaPlace();
        await other.AcquireAsync();
        await other.ReplicateAsync();
        place.Replica = other.Replica;
        Assert.Equal(ErrorCode.LedgerDamaged, (await Assert.ThrowsAsync<EvidenceException>(() => ReceiveAsync())).Code);
        EvidenceException pinned = await Assert.ThrowsAsync<EvidenceException>(() => ReceiveAsync(other.Origin.Keys.Pinned("vault.example/test")));
        Assert.Equal(ErrorCode.LedgerFork, pinned.Code);
    }

    [Fact]
    public async Task Keys_that_the_recipient_brings_are_pinned_and_the_receipt_says_that_they_were_known()
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        ReceivedReplica received = await ReceiveAsync(place.Origin.Keys.Pinned("vault.example/test"));
        Assert.True(received.Receipt.KeysPinned);
        Assert.Equal(2, place.CustodianKeys.Pinned("vault.example/test").Count);
    }

    [Fact]
    public async Task Damaged_tiles_are_no_second_history()
    {
        await place.AcquireAsync();
        place.AddNotes(300);
        await place.ReplicateAsync();
        await ReceiveAsync();
        place.AddNotes(20);
        await place.ReplicateAsync();
        foreach (string tile in (string[])["ledger/tile/0/000", "ledger/tile/1/000.p/1"])
        {
            string path = Path.Combine(place.Replica, tile);
            TestVault.Flip(path, 5);
            Assert.Equal(ErrorCode.LedgerDamaged, (await Assert.ThrowsAsync<EvidenceException>(() => ReceiveAsync())).Code);
            TestVault.Flip(path, 5);
        }

        Assert.Empty(Directory.GetFiles(place.Origin.At(""), "*.fork"));
    }

    private Task<ReceivedReplica> ReceiveAsync(IReadOnlyList<VerifierKey>? keys = null) => new ReplicaReceiver(place.Replica, place.Custodian).ReceiveAsync(
        new ReceiveOptions { Output = place.Origin.At($"receipt-{files++}"), Keys = keys ?? [] }, cancellation: TestVault.Stop);

    /// <summary>Two replicas of one origin: from one beginning each has notes of its own.</summary>
    private async Task<(string Honest, string Forked)> TwoHistoriesAsync(int honest, int forked)
    {
        await place.AcquireAsync();
        await place.ReplicateAsync();
        Directory.Move(place.Replica, place.Origin.At("beginning"));
        TestVault.Copy(place.Origin.Folder, place.Origin.At("kept"));
        place.AddNotes(honest);
        place.Replica = place.Origin.At("honest");
        await place.ReplicateAsync();
        // The keeper sets the vault back, with whatever remembers it.
        Directory.Delete(place.Origin.Folder, recursive: true);
        TestVault.Copy(place.Origin.At("kept"), place.Origin.Folder);
        File.Delete(Assert.Single(Directory.GetFiles(place.Origin.At("keys"), "seen", SearchOption.AllDirectories)));
        place.AddNotes(forked);
        place.Replica = place.Origin.At("forked");
        await place.ReplicateAsync();
        return (place.Origin.At("honest"), place.Replica);
    }
}
