using Evidence.Hashing;

namespace Evidence.Tests.Hashing;

/// <summary>A tree of up to 2^63 - 1 leaves that are all the same but a few, so that every subtree's root is soon computed.</summary>
internal sealed class SparseTree(params long[] others)
{
    private static readonly Sha256Digest[] Common = MakeCommon();

    internal Sha256Digest Leaf(long index) => Subtree(0, index);

    internal Sha256Digest Subtree(int height, long index)
    {
        long first = checked(index << height);
        if (!others.Any(other => other >= first && other >> height == index))
            return Common[height];
        return height == 0
            ? MerkleTree.LeafHash(BitConverter.GetBytes(index))
            : MerkleTree.NodeHash(Subtree(height - 1, index * 2), Subtree(height - 1, (index * 2) + 1));
    }

    private static Sha256Digest[] MakeCommon()
    {
        var hashes = new Sha256Digest[63];
        hashes[0] = MerkleTree.LeafHash("common"u8);
        for (int height = 1; height < hashes.Length; height++)
            hashes[height] = MerkleTree.NodeHash(hashes[height - 1], hashes[height - 1]);
        return hashes;
    }
}
