using System.Security.Cryptography;
using Evidence.Hashing;
using Xunit;

namespace Evidence.Tests.Hashing;

/// <summary>Against RFC 6962, section 2.1, written down here a second time, as it stands there: recursive, over whole lists.</summary>
public sealed class MerkleTreeTests
{
    [Fact]
    public void The_root_is_RFC_6962s_at_every_size()
    {
        byte[][] entries = [.. Enumerable.Range(0, 300).Select(i => TestBytes.Random(i % 70, seed: i))];
        Sha256Digest[] leaves = [.. entries.Select(e => MerkleTree.LeafHash(e))];
        var growing = new MerkleAccumulator();
        for (int n = 0; n <= entries.Length; n++)
        {
            var expected = new Sha256Digest(TreeHash(entries.AsSpan(0, n)));
            Assert.Equal(expected, MerkleTree.Root(leaves.AsSpan(0, n)));
            Assert.Equal(expected, growing.Root);
            Assert.Equal(n, growing.Count);
            if (n < leaves.Length)
                growing.Append(leaves[n]);
        }
    }

    [Fact]
    public void The_root_over_complete_subtrees_is_the_root_of_the_whole()
    {
        Sha256Digest[] leaves = [.. Enumerable.Range(0, 256).Select(i => MerkleTree.LeafHash([(byte)i]))];
        Sha256Digest[] subtrees = [.. leaves.Chunk(16).Select(part => MerkleTree.Root(part))];
        Assert.Equal(MerkleTree.Root(leaves), MerkleTree.Root(subtrees));
    }

    // The vectors of the certificate-transparency project's reference tree (its eight test leaves).
    [Theory]
    [InlineData(0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")]
    [InlineData(2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    [InlineData(3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77")]
    [InlineData(8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")]
    public void Known_vectors_hold(int size, string root)
    {
        string[] leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        Assert.Equal(root, MerkleTree.Root([.. leaves.Take(size).Select(leaf => MerkleTree.LeafHash(Convert.FromHexString(leaf)))]).ToString());
    }

    private static byte[] TreeHash(ReadOnlySpan<byte[]> entries)
    {
        if (entries.Length == 0)
            return SHA256.HashData([]);
        if (entries.Length == 1)
            return SHA256.HashData([0, .. entries[0]]);
        int k = 1;
        while (k * 2 < entries.Length)
            k *= 2;
        return SHA256.HashData([1, .. TreeHash(entries[..k]), .. TreeHash(entries[k..])]);
    }
}
