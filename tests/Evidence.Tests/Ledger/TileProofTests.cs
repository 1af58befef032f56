using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Tests.Hashing;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>Proofs from a log's tiles.</summary>
public sealed class TileProofTests
{
    public static TheoryData<long, long> Places
    {
        get
        {
            var places = new TheoryData<long, long>();
            foreach (long size in (long[])[1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537, 70_000, 16_777_217, 1L << 40, (1L << 56) - 1, (1L << 62) + 1, long.MaxValue - 1, long.MaxValue])
            {
                foreach (long index in ((long[])[0, size / 3, size / 2, size - 2, size - 1]).Where(index => index >= 0).Distinct())
                    places.Add(index, size);
            }

            return places;
        }
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void A_proof_for_a_log_of_any_size_is_made_of_few_tiles(long index, long size)
    {
        var tree = new SparseTree(index, size - 1);
        var log = new VirtualLog(tree);
        var tiles = new TileReader(log, size);
        Sha256Digest[] proof = MerkleProof.ProveInclusion(index, size, tiles.Subtree);
        AssertFew(log, size);
        Sha256Digest root = MerkleProof.Root(size, tree.Subtree);
        Assert.Equal(root, tiles.RootAt(size));
        Assert.True(MerkleProof.VerifyInclusion(index, size, tree.Leaf(index), proof, root));

        log.Read.Clear();
        proof = MerkleProof.ProveConsistency(index + 1, size, new TileReader(log, size).Subtree);
        AssertFew(log, size);
        Assert.True(MerkleProof.VerifyConsistency(index + 1, MerkleProof.Root(index + 1, tree.Subtree), size, root, proof));
    }

    [Fact]
    public void A_ledger_proves_each_of_its_entries_at_each_size_and_that_it_only_grew()
    {
        var fixture = new LedgerFixture();
        foreach (int count in (int[])[1, 254, 2, 43])
            fixture.Append(LedgerFixture.Entries(count));
        CustodyLedger ledger = fixture.Reader();
        Sha256Digest[] leaves = [.. ledger.ReadEntries(0, ledger.Size).Select(entry => MerkleTree.LeafHash(entry))];
        for (int size = 1; size <= leaves.Length; size += size is > 250 and < 260 ? 1 : 13)
        {
            for (int index = 0; index < size; index += 17)
                Assert.True(MerkleProof.VerifyInclusion(index, size, leaves[index], ledger.ProveInclusion(index, size), ledger.RootAt(size)));
            Assert.True(MerkleProof.VerifyConsistency(size, ledger.RootAt(size), ledger.Size, ledger.Root, ledger.ProveConsistency(size)));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => ledger.ProveInclusion(300));
        Assert.Throws<ArgumentOutOfRangeException>(() => ledger.ProveInclusion(0, 301));
        Assert.Throws<ArgumentOutOfRangeException>(() => ledger.ProveConsistency(5, 4));
    }

    [Fact]
    public void A_damaged_tile_gives_an_error_and_no_proof()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(300));
        CustodyLedger ledger = fixture.Reader();
        fixture.Storage.Files["tile/0/000"][32 * 9] ^= 1;
        var error = Assert.Throws<EvidenceException>(() => ledger.ProveInclusion(9));
        Assert.Equal(ErrorCode.LedgerDamaged, error.Code);
        Assert.Throws<EvidenceException>(() => fixture.Reader().ProveConsistency(9));
    }

    /// <summary>On each level at most the tile on the way up and the last one.</summary>
    private static void AssertFew(VirtualLog log, long size)
    {
        int levels = 1;
        while (TileName.HashCount(levels, size) > 0)
            levels++;
        Assert.True(log.Read.Count <= 2 * levels, string.Join(' ', log.Read));
        Assert.Distinct(log.Read, StringComparer.Ordinal);
    }
}
