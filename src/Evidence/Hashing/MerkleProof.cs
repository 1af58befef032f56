using System.Numerics;

namespace Evidence.Hashing;

/// <summary>Gives the root of a complete subtree: of the 2^<paramref name="height"/> leaves that are number <paramref name="index"/> of that height.</summary>
/// <param name="height">0 for a leaf, up to 62.</param>
/// <param name="index">The subtree's number among those of its height, from the left, from 0.</param>
public delegate Sha256Digest SubtreeHash(int height, long index);

/// <summary>
/// Inclusion and consistency proofs of RFC 6962, sections 2.1.1 and 2.1.2 (the same in RFC 9162, sections 2.1.3 and 2.1.4), for trees of up to 2^63 - 1
/// leaves. What verifies them is apart from what makes them, and takes nothing on trust: whatever it is given, it ends with yes or no.
/// </summary>
public static class MerkleProof
{
    /// <summary>The most hashes of an inclusion proof: one for each level above the leaves.</summary>
    public const int LongestInclusion = 63;

    /// <summary>The most hashes of a consistency proof: one for each level, and the one that it begins with.</summary>
    public const int LongestConsistency = 64;

    /// <summary>
    /// The root of the tree that an inclusion proof leads to (RFC 9162, section 2.1.3.2): whoever knows that root from a signed checkpoint, and finds it equal,
    /// knows that the leaf is in that tree, at that place.
    /// </summary>
    /// <param name="index">The leaf's place, from 0.</param>
    /// <param name="size">The number of the tree's leaves.</param>
    /// <param name="leafHash">The leaf's hash; see <see cref="MerkleTree.LeafHash"/>.</param>
    /// <param name="proof">The hashes, from the leaf's sibling up.</param>
    /// <returns>Null where no proof for that place has that many hashes, or there is no such place.</returns>
    public static Sha256Digest? RootOfInclusion(long index, long size, Sha256Digest leafHash, ReadOnlySpan<Sha256Digest> proof)
    {
        if (index < 0 || index >= size)
            return null;
        return Climb(index, size - 1, leafHash, proof)?.All;
    }

    /// <summary>Whether a proof shows that a leaf is in a tree, at its place.</summary>
    /// <inheritdoc cref="RootOfInclusion"/>
    /// <param name="root">The tree's root.</param>
    /// <param name="index"/>
    /// <param name="size"/>
    /// <param name="leafHash"/>
    /// <param name="proof"/>
    /// <returns>False also where the proof is malformed: too short, too long, or for a place that the tree has not.</returns>
    public static bool VerifyInclusion(long index, long size, Sha256Digest leafHash, ReadOnlySpan<Sha256Digest> proof, Sha256Digest root) =>
        RootOfInclusion(index, size, leafHash, proof) == root;

    /// <summary>Whether a proof shows that a tree is the beginning of another (RFC 9162, section 2.1.4.2). The empty tree is the beginning of every tree.</summary>
    /// <param name="oldSize">The number of leaves of the one.</param>
    /// <param name="oldRoot">Its root.</param>
    /// <param name="newSize">The number of leaves of the other.</param>
    /// <param name="newRoot">Its root.</param>
    /// <param name="proof">The hashes; none where the sizes are equal, or the one is empty.</param>
    /// <returns>False also where the proof is malformed: too short, too long, or for sizes in the wrong order.</returns>
    public static bool VerifyConsistency(long oldSize, Sha256Digest oldRoot, long newSize, Sha256Digest newRoot, ReadOnlySpan<Sha256Digest> proof)
    {
        if (oldSize < 0 || oldSize > newSize)
            return false;
        if ((oldSize == 0 && oldRoot != MerkleTree.EmptyRoot) || (newSize == 0 && newRoot != MerkleTree.EmptyRoot))
            return false;
        if (oldSize == newSize)
            return proof.IsEmpty && oldRoot == newRoot;
        if (oldSize == 0)
            return proof.IsEmpty;
        // The proof goes up from the last complete subtree of the old tree. Where that is all of it, its hash is known, and is left out.
        int height = BitOperations.TrailingZeroCount(oldSize);
        long node = (oldSize >> height) - 1;
        long last = (newSize - 1) >> height;
        Sha256Digest start = oldRoot;
        if (node != 0)
        {
            if (proof.IsEmpty)
                return false;
            start = proof[0];
            proof = proof[1..];
        }

        return Climb(node, last, start, proof) is { } reached && reached.Left == oldRoot && reached.All == newRoot;
    }

    /// <summary>The root of a tree, from the fewest hashes that give it.</summary>
    /// <param name="size">The number of its leaves, at least 0.</param>
    /// <param name="subtrees">Gives the roots of its complete subtrees.</param>
    public static Sha256Digest Root(long size, SubtreeHash subtrees)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentNullException.ThrowIfNull(subtrees);
        return size == 0 ? MerkleTree.EmptyRoot : Fold(size, 63, subtrees);
    }

    /// <summary>Proves that a leaf is in a tree.</summary>
    /// <param name="index">The leaf's place, from 0.</param>
    /// <param name="size">The number of the tree's leaves.</param>
    /// <param name="subtrees">Gives the roots of its complete subtrees; asked only for those that the proof is made of.</param>
    /// <returns>The hashes, from the leaf's sibling up.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The tree has no such leaf.</exception>
    public static Sha256Digest[] ProveInclusion(long index, long size, SubtreeHash subtrees)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        ArgumentNullException.ThrowIfNull(subtrees);
        return [.. Siblings(0, index, size, subtrees)];
    }

    /// <summary>Proves that the tree over the first leaves is the beginning of the tree over more of them.</summary>
    /// <param name="oldSize">The number of leaves of the one.</param>
    /// <param name="newSize">The number of leaves of the other.</param>
    /// <param name="subtrees">Gives the roots of its complete subtrees; asked only for those that the proof is made of.</param>
    /// <returns>The hashes; none where the sizes are equal, or the one is 0.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The old size is below 0, or above the new one.</exception>
    public static Sha256Digest[] ProveConsistency(long oldSize, long newSize, SubtreeHash subtrees)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oldSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, newSize);
        ArgumentNullException.ThrowIfNull(subtrees);
        if (oldSize == 0 || oldSize == newSize)
            return [];
        int height = BitOperations.TrailingZeroCount(oldSize);
        long node = (oldSize >> height) - 1;
        IEnumerable<Sha256Digest> siblings = Siblings(height, node, newSize, subtrees);
        return node == 0 ? [.. siblings] : [subtrees(height, node), .. siblings];
    }

    /// <summary>Goes from a node up to the root, beside the last node of each level: on the right edge, levels without a sibling have no hash in the proof.</summary>
    /// <returns>
    /// The hash over what is left of the way's beginning, with that, and the hash over all; null where the proof has too few or too many hashes.
    /// </returns>
    private static (Sha256Digest Left, Sha256Digest All)? Climb(long node, long last, Sha256Digest start, ReadOnlySpan<Sha256Digest> proof)
    {
        Sha256Digest left = start;
        Sha256Digest all = start;
        foreach (Sha256Digest sibling in proof)
        {
            if (last == 0)
                return null;
            if ((node & 1) == 1 || node == last)
            {
                left = MerkleTree.NodeHash(sibling, left);
                all = MerkleTree.NodeHash(sibling, all);
                // A last node with an even number has no sibling: the hash belongs to the first level on which it has one.
                int alone = BitOperations.TrailingZeroCount(node);
                node >>= alone;
                last >>= alone;
            }
            else
            {
                all = MerkleTree.NodeHash(all, sibling);
            }

            node >>= 1;
            last >>= 1;
        }

        return last == 0 ? (left, all) : null;
    }

    /// <summary>What stands beside the way from a node up to the root.</summary>
    private static IEnumerable<Sha256Digest> Siblings(int height, long node, long size, SubtreeHash subtrees)
    {
        for (long last = (size - 1) >> height; last > 0; height++, node >>= 1, last >>= 1)
        {
            if ((node & 1) == 1)
                yield return subtrees(height, node - 1);
            else if (node + 1 < last)
                yield return subtrees(height, node + 1);
            else if (node + 1 == last)
                yield return LastNode(height, size, subtrees);
        }
    }

    /// <summary>The last node of a level, which need not be complete.</summary>
    private static Sha256Digest LastNode(int height, long size, SubtreeHash subtrees)
    {
        long beyond = size & ((1L << height) - 1);
        return beyond == 0 ? subtrees(height, (size >> height) - 1) : Fold(size, height, subtrees);
    }

    /// <summary>Folds the complete subtrees below a height that a tree ends with, from the smallest, rightmost one up.</summary>
    private static Sha256Digest Fold(long size, int height, SubtreeHash subtrees)
    {
        Sha256Digest? root = null;
        for (int h = 0; h < height; h++)
        {
            if ((size >> h & 1) == 0)
                continue;
            Sha256Digest subtree = subtrees(h, (size >> h) - 1);
            root = root is { } right ? MerkleTree.NodeHash(subtree, right) : subtree;
        }

        return root!.Value;
    }
}
