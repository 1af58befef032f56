using Evidence.Hashing;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Hashing;

/// <summary>Against RFC 6962, sections 2.1.1 and 2.1.2, written down here a second time, as they stand there: recursive, over whole lists.</summary>
public sealed class MerkleProofTests
{
    private const int Most = 70;

    private static readonly Sha256Digest[] Leaves = [.. Enumerable.Range(0, Most).Select(i => MerkleTree.LeafHash(TestBytes.Random(i, seed: i)))];

    [Fact]
    public void Every_inclusion_proof_is_RFC_6962s_and_verifies_nowhere_else()
    {
        for (int size = 1; size <= Most; size++)
        {
            Sha256Digest root = MerkleTree.Root(Leaves.AsSpan(0, size));
            for (int index = 0; index < size; index++)
            {
                Sha256Digest[] proof = MerkleProof.ProveInclusion(index, size, Subtree);
                Assert.Equal(Path(index, Leaves.AsSpan(0, size)), proof);
                Assert.Equal(root, MerkleProof.RootOfInclusion(index, size, Leaves[index], proof));
                Assert.True(MerkleProof.VerifyInclusion(index, size, Leaves[index], proof, root));
                for (int other = 0; other < Most; other++)
                {
                    Assert.Equal(other == index, other < size && MerkleProof.VerifyInclusion(other, size, Leaves[index], proof, root));
                    Assert.Equal(other == index, MerkleProof.VerifyInclusion(index, size, Leaves[other], proof, root));
                }
            }
        }
    }

    [Fact]
    public void Every_consistency_proof_is_RFC_6962s_and_verifies_for_no_other_sizes_or_roots()
    {
        Sha256Digest[] roots = [.. Enumerable.Range(0, Most + 1).Select(size => MerkleTree.Root(Leaves.AsSpan(0, size)))];
        for (int size = 1; size <= Most; size++)
        {
            for (int old = 1; old <= size; old++)
            {
                Sha256Digest[] proof = MerkleProof.ProveConsistency(old, size, Subtree);
                Assert.Equal(old == size ? [] : SubProof(old, Leaves.AsSpan(0, size), isWhole: true), proof);
                Assert.True(MerkleProof.VerifyConsistency(old, roots[old], size, roots[size], proof));
                for (int other = 1; other <= Most; other++)
                {
                    Assert.Equal(other == old, MerkleProof.VerifyConsistency(old, roots[other], size, roots[size], proof));
                    Assert.Equal(other == size, MerkleProof.VerifyConsistency(old, roots[old], size, roots[other], proof));
                    if (other != old)
                        Assert.False(other < size && MerkleProof.VerifyConsistency(other, roots[other], size, roots[size], proof) && !IsProofOf(other, size, proof));
                }
            }
        }
    }

    [Fact]
    public void The_empty_tree_is_the_beginning_of_every_tree_and_needs_no_proof()
    {
        Sha256Digest root = MerkleTree.Root(Leaves.AsSpan(0, 5));
        Assert.Empty(MerkleProof.ProveConsistency(0, 5, Subtree));
        Assert.True(MerkleProof.VerifyConsistency(0, MerkleTree.EmptyRoot, 5, root, []));
        Assert.True(MerkleProof.VerifyConsistency(0, MerkleTree.EmptyRoot, 0, MerkleTree.EmptyRoot, []));
        Assert.False(MerkleProof.VerifyConsistency(0, MerkleTree.EmptyRoot, 5, root, [root]));
        Assert.False(MerkleProof.VerifyConsistency(0, root, 5, root, []));
        Assert.False(MerkleProof.VerifyConsistency(0, root, 0, root, []));
        Assert.Equal(MerkleTree.EmptyRoot, MerkleProof.Root(0, Subtree));
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Sha256Digest leaf = Leaves[0];
        foreach ((long index, long size) in ((long, long)[])[(0, 0), (1, 1), (-1, 1), (5, 4), (0, -1), (-2, -1), (long.MinValue, long.MaxValue), (long.MaxValue, long.MaxValue), (long.MinValue, long.MinValue)])
            Assert.Null(MerkleProof.RootOfInclusion(index, size, leaf, []));
        foreach ((long old, long size) in ((long, long)[])[(2, 1), (-1, 1), (1, 0), (1, -1), (-2, -1), (long.MinValue, long.MaxValue), (long.MaxValue, long.MinValue)])
            Assert.False(MerkleProof.VerifyConsistency(old, leaf, size, leaf, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleProof.ProveInclusion(1, 1, Subtree));
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleProof.ProveInclusion(-1, 1, Subtree));
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleProof.ProveConsistency(2, 1, Subtree));
        Assert.Throws<ArgumentOutOfRangeException>(() => MerkleProof.ProveConsistency(-1, 1, Subtree));
    }

    [Fact]
    public void A_proof_of_any_tree_of_up_to_2_to_the_63_leaves_holds_and_a_changed_one_does_not() =>
        Prop.ForAll(Sizes().Zip(Sizes()).Zip(Gen.Choose(0, int.MaxValue - 1)).ToArbitrary(), given =>
        {
            ((long one, long other), int seed) = given;
            (long old, long size) = (Math.Min(one, other), Math.Max(one, other));
            long index = old - 1;
            var tree = new SparseTree(index, size - 1, size / 2);
            Sha256Digest root = MerkleProof.Root(size, tree.Subtree);
            Sha256Digest oldRoot = MerkleProof.Root(old, tree.Subtree);

            Sha256Digest[] inclusion = MerkleProof.ProveInclusion(index, size, tree.Subtree);
            Assert.True(inclusion.Length <= MerkleProof.LongestInclusion);
            AssertExactly(inclusion, seed, proof => MerkleProof.VerifyInclusion(index, size, tree.Leaf(index), proof, root));

            Sha256Digest[] consistency = MerkleProof.ProveConsistency(old, size, tree.Subtree);
            Assert.True(consistency.Length <= MerkleProof.LongestConsistency);
            AssertExactly(consistency, seed, proof => MerkleProof.VerifyConsistency(old, oldRoot, size, root, proof));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Every_bit_of_a_proof_counts()
    {
        const long Size = long.MaxValue;
        const long Old = (1L << 62) + 3;
        var tree = new SparseTree(Old - 1, 77);
        Sha256Digest root = MerkleProof.Root(Size, tree.Subtree);
        Sha256Digest oldRoot = MerkleProof.Root(Old, tree.Subtree);
        Sha256Digest[] inclusion = MerkleProof.ProveInclusion(77, Size, tree.Subtree);
        Sha256Digest[] consistency = MerkleProof.ProveConsistency(Old, Size, tree.Subtree);
        Assert.Equal(MerkleProof.LongestInclusion, inclusion.Length);
        Assert.Equal(MerkleProof.LongestConsistency, MerkleProof.ProveConsistency(3, Size, tree.Subtree).Length);
        Assert.Equal(0, CountAccepted(inclusion, proof => MerkleProof.VerifyInclusion(77, Size, tree.Leaf(77), proof, root)));
        Assert.Equal(0, CountAccepted(consistency, proof => MerkleProof.VerifyConsistency(Old, oldRoot, Size, root, proof)));
    }

    private static int CountAccepted(Sha256Digest[] proof, Func<Sha256Digest[], bool> verify)
    {
        Assert.True(verify(proof));
        int accepted = 0;
        for (int i = 0; i < proof.Length; i++)
        {
            Sha256Digest right = proof[i];
            for (int bit = 0; bit < Sha256Digest.Size * 8; bit++)
            {
                byte[] flipped = right.ToArray();
                flipped[bit / 8] ^= (byte)(1 << (bit % 8));
                proof[i] = new Sha256Digest(flipped);
                accepted += verify(proof) ? 1 : 0;
            }

            proof[i] = right;
        }

        return accepted;
    }

    /// <summary>The proof verifies, and none that has a hash less, a hash more, another one, or two in the other order.</summary>
    private static void AssertExactly(Sha256Digest[] proof, int seed, Func<Sha256Digest[], bool> verify)
    {
        Assert.True(verify(proof));
        var random = new Random(seed);
        int at = random.Next(proof.Length + 1);
        Sha256Digest noise = MerkleTree.LeafHash(BitConverter.GetBytes(seed));
        Assert.False(verify([.. proof[..at], noise, .. proof[at..]]));
        // A hash that stands there already, once more.
        if (proof.Length > 0)
            Assert.False(verify([.. proof, proof[^1]]));
        if (at == proof.Length)
            return;
        Assert.False(verify([.. proof[..at], .. proof[(at + 1)..]]));
        Assert.False(verify([.. proof[..at], noise, .. proof[(at + 1)..]]));
        if (at + 1 < proof.Length && proof[at] != proof[at + 1])
            Assert.False(verify([.. proof[..at], proof[at + 1], proof[at], .. proof[(at + 2)..]]));
    }

    /// <summary>Sizes from 1 to 2^63 - 1, many of them at and beside powers of two.</summary>
    private static Gen<long> Sizes() =>
        from bits in Gen.Choose(0, 62)
        from low in Gen.Choose(0, int.MaxValue - 1)
        from high in Gen.Choose(0, int.MaxValue - 1)
        from shape in Gen.Choose(0, 3)
        let top = 1L << bits
        let below = (((long)high << 31) | (long)low) & (top - 1)
        select shape switch { 0 => top, 1 => top + Math.Min(below, low % 4), 2 => top + (top - 1), _ => top + below };

    private static Sha256Digest Subtree(int height, long index) => MerkleTree.Root(Leaves.AsSpan((int)(index << height), 1 << height));

    private static bool IsProofOf(int old, int size, Sha256Digest[] proof) => MerkleProof.ProveConsistency(old, size, Subtree).SequenceEqual(proof);

    private static int SplitOf(int count)
    {
        int k = 1;
        while (k * 2 < count)
            k *= 2;
        return k;
    }

    private static Sha256Digest[] Path(int m, ReadOnlySpan<Sha256Digest> leaves)
    {
        if (leaves.Length == 1)
            return [];
        int k = SplitOf(leaves.Length);
        return m < k
            ? [.. Path(m, leaves[..k]), MerkleTree.Root(leaves[k..])]
            : [.. Path(m - k, leaves[k..]), MerkleTree.Root(leaves[..k])];
    }

    private static Sha256Digest[] SubProof(int m, ReadOnlySpan<Sha256Digest> leaves, bool isWhole)
    {
        if (m == leaves.Length)
            return isWhole ? [] : [MerkleTree.Root(leaves)];
        int k = SplitOf(leaves.Length);
        return m <= k
            ? [.. SubProof(m, leaves[..k], isWhole), MerkleTree.Root(leaves[k..])]
            : [.. SubProof(m - k, leaves[k..], isWhole: false), MerkleTree.Root(leaves[..k])];
    }
}
