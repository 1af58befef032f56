using System.Buffers;
using System.Numerics;

namespace Evidence.Hashing;

/// <summary>The Merkle tree of RFC 6962, section 2.1 (the same in RFC 9162, section 2.1), over SHA-256.</summary>
public static class MerkleTree
{
    private const byte LeafPrefix = 0;
    private const byte NodePrefix = 1;
    private const int NodeSize = 1 + (2 * Sha256Digest.Size);
    private const int ShortEntry = 1 << 10;

    /// <summary>The root of the empty tree: the SHA-256 of no bytes.</summary>
    public static Sha256Digest EmptyRoot { get; } = Sha256Digest.Compute([]);

    /// <summary>The hash of a leaf: <c>SHA-256(00 || entry)</c>.</summary>
    public static Sha256Digest LeafHash(ReadOnlySpan<byte> entry)
    {
        byte[]? rented = entry.Length < ShortEntry ? null : ArrayPool<byte>.Shared.Rent(1 + entry.Length);
        Span<byte> leaf = rented is null ? stackalloc byte[ShortEntry] : rented;
        leaf[0] = LeafPrefix;
        entry.CopyTo(leaf[1..]);
        Sha256Digest hash = Sha256Digest.Compute(leaf[..(1 + entry.Length)]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }

    /// <summary>The hashes of leaves that lie one behind the other, all of one length: many side by side.</summary>
    /// <param name="entries">The leaves.</param>
    /// <param name="length">The length of each, at least 1.</param>
    internal static Sha256Digest[] LeafHashes(ReadOnlySpan<byte> entries, int length)
    {
        var hashes = new Sha256Digest[entries.Length / length];
        var leaves = new byte[hashes.Length * (1 + length)];
        for (int i = 0; i < hashes.Length; i++)
        {
            Span<byte> leaf = leaves.AsSpan(i * (1 + length), 1 + length);
            leaf[0] = LeafPrefix;
            entries.Slice(i * length, length).CopyTo(leaf[1..]);
        }

        Sha256Digest.Compute(leaves, 1 + length, hashes);
        return hashes;
    }

    /// <summary>The hash of an inner node: <c>SHA-256(01 || left || right)</c>.</summary>
    public static Sha256Digest NodeHash(Sha256Digest left, Sha256Digest right)
    {
        Span<byte> node = stackalloc byte[NodeSize];
        WriteNode(left, right, node);
        return Sha256Digest.Compute(node);
    }

    /// <summary>The hashes of the inner nodes over pairs of nodes: many side by side.</summary>
    /// <param name="below">The nodes, left and right in turn; where their number is odd the last is left out.</param>
    internal static Sha256Digest[] NodeHashes(ReadOnlySpan<Sha256Digest> below)
    {
        var hashes = new Sha256Digest[below.Length / 2];
        var nodes = new byte[hashes.Length * NodeSize];
        for (int i = 0; i < hashes.Length; i++)
            WriteNode(below[2 * i], below[(2 * i) + 1], nodes.AsSpan(i * NodeSize, NodeSize));
        Sha256Digest.Compute(nodes, NodeSize, hashes);
        return hashes;
    }

    /// <summary>The root over leaf hashes in order. (Over the hashes of complete, equal subtrees it is the root of the whole as well.)</summary>
    public static Sha256Digest Root(ReadOnlySpan<Sha256Digest> leafHashes)
    {
        if (leafHashes.IsEmpty)
            return EmptyRoot;
        ReadOnlySpan<Sha256Digest> level = leafHashes;
        while (level.Length > 1)
        {
            Sha256Digest[] above = NodeHashes(level);
            // A node without a partner goes up as it is: the left part of every tree is then the largest complete one, as the RFC has it.
            level = level.Length % 2 == 0 ? above : [.. above, level[^1]];
        }

        return level[0];
    }

    private static void WriteNode(Sha256Digest left, Sha256Digest right, Span<byte> node)
    {
        node[0] = NodePrefix;
        left.CopyTo(node[1..]);
        right.CopyTo(node[(1 + Sha256Digest.Size)..]);
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
