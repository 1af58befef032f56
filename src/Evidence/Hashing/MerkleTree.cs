using System.Numerics;
using System.Security.Cryptography;

namespace Evidence.Hashing;

/// <summary>The Merkle tree of RFC 6962, section 2.1 (the same in RFC 9162, section 2.1), over SHA-256.</summary>
public static class MerkleTree
{
    /// <summary>The root of the empty tree: the SHA-256 of no bytes.</summary>
    public static Sha256Digest EmptyRoot { get; } = Sha256Digest.Compute([]);

    /// <summary>The hash of a leaf: <c>SHA-256(00 || entry)</c>.</summary>
    public static Sha256Digest LeafHash(ReadOnlySpan<byte> entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([0]);
        hash.AppendData(entry);
        Span<byte> result = stackalloc byte[Sha256Digest.Size];
        hash.GetHashAndReset(result);
        return new Sha256Digest(result);
    }

    /// <summary>The hash of an inner node: <c>SHA-256(01 || left || right)</c>.</summary>
    public static Sha256Digest NodeHash(Sha256Digest left, Sha256Digest right)
    {
        Span<byte> node = stackalloc byte[1 + (2 * Sha256Digest.Size)];
        node[0] = 1;
        left.CopyTo(node[1..]);
        right.CopyTo(node[(1 + Sha256Digest.Size)..]);
        return Sha256Digest.Compute(node);
    }

    /// <summary>The root over leaf hashes in order. (Over the hashes of complete, equal subtrees it is the root of the whole as well.)</summary>
    public static Sha256Digest Root(ReadOnlySpan<Sha256Digest> leafHashes)
    {
        var accumulator = new MerkleAccumulator();
        foreach (Sha256Digest leaf in leafHashes)
            accumulator.Append(leaf);
        return accumulator.Root;
    }
}

/// <summary>
/// A Merkle tree that grows leaf by leaf and keeps only the roots of its complete subtrees: at most 63 hashes, whatever its size.
/// </summary>
public sealed class MerkleAccumulator
{
    private readonly List<Sha256Digest> subtrees = [];

    /// <summary>The number of leaves so far.</summary>
    public long Count { get; private set; }

    /// <summary>The root of the tree over the leaves so far.</summary>
    public Sha256Digest Root
    {
        get
        {
            if (Count == 0)
                return MerkleTree.EmptyRoot;
            Sha256Digest root = subtrees[^1];
            for (int i = subtrees.Count - 2; i >= 0; i--)
                root = MerkleTree.NodeHash(subtrees[i], root);
            return root;
        }
    }

    /// <summary>Adds a leaf by its hash.</summary>
    public void Append(Sha256Digest leafHash)
    {
        // Each trailing one bit of the count is a complete subtree that the new one closes a pair with.
        for (int pairs = BitOperations.TrailingZeroCount(~Count); pairs > 0; pairs--)
        {
            leafHash = MerkleTree.NodeHash(subtrees[^1], leafHash);
            subtrees.RemoveAt(subtrees.Count - 1);
        }

        subtrees.Add(leafHash);
        Count++;
    }
}
