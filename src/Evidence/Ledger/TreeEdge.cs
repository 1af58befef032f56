using System.Runtime.InteropServices;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// The right edge of a growing tree: on every level the hashes of the tile that is not full yet. That is all that appending needs, and
/// at most 255 hashes a level, whatever the log's size.
/// </summary>
internal sealed class TreeEdge
{
    private readonly List<List<Sha256Digest>> levels = [];

    /// <summary>The number of leaves.</summary>
    internal long Size { get; private set; }

    /// <summary>The tree's root: the complete subtrees of the edge, folded from the smallest, rightmost one up.</summary>
    internal Sha256Digest Root
    {
        get
        {
            if (Size == 0)
                return MerkleTree.EmptyRoot;
            Sha256Digest? root = null;
            foreach (List<Sha256Digest> level in levels)
            {
                int end = level.Count;
                for (int bit = 1; bit <= level.Count; bit <<= 1)
                {
                    if ((level.Count & bit) == 0)
                        continue;
                    Sha256Digest subtree = MerkleTree.Root(CollectionsMarshal.AsSpan(level)[(end - bit)..end]);
                    root = root is { } right ? MerkleTree.NodeHash(subtree, right) : subtree;
                    end -= bit;
                }
            }

            return root!.Value;
        }
    }

    /// <summary>The hashes of a level's open tile.</summary>
    internal IReadOnlyList<Sha256Digest> Level(int level) => levels[level];

    /// <summary>Reads the edge of a log from its tiles. The caller compares <see cref="Root"/> with a root that is signed.</summary>
    internal static TreeEdge Load(TileReader tiles)
    {
        var edge = new TreeEdge { Size = tiles.Size };
        for (int level = 0; TileName.HashCount(level, tiles.Size) is > 0 and var count; level++)
            edge.levels.Add(count % TileName.FullWidth == 0 ? [] : [.. tiles.Hashes(level, count / TileName.FullWidth)]);
        return edge;
    }

    /// <summary>An edge from the hashes of each level's open tile.</summary>
    internal static TreeEdge Of(long size, IEnumerable<IEnumerable<Sha256Digest>> levels)
    {
        var edge = new TreeEdge { Size = size };
        edge.levels.AddRange(levels.Select(level => new List<Sha256Digest>(level)));
        return edge;
    }

    /// <summary>Adds a leaf, and hands out every tile that it fills, from level 0 up.</summary>
    internal void Append(Sha256Digest leafHash, Action<TileName, IReadOnlyList<Sha256Digest>> full)
    {
        Sha256Digest hash = leafHash;
        Size++;
        for (int level = 0; ; level++)
        {
            if (level == levels.Count)
                levels.Add([]);
            List<Sha256Digest> open = levels[level];
            open.Add(hash);
            if (open.Count < TileName.FullWidth)
                return;
            full(new TileName(level, (TileName.HashCount(level, Size) / TileName.FullWidth) - 1, TileName.FullWidth), open);
            hash = MerkleTree.Root(CollectionsMarshal.AsSpan(open));
            open.Clear();
        }
    }

    /// <summary>The open tiles that are not empty.</summary>
    internal IEnumerable<(TileName Tile, IReadOnlyList<Sha256Digest> Hashes)> PartialTiles() =>
        levels.Select((hashes, level) => (new TileName(level, TileName.HashCount(level, Size) / TileName.FullWidth, hashes.Count), hashes))
            .Where(open => open.hashes.Count > 0)
            .Select(open => (open.Item1, (IReadOnlyList<Sha256Digest>)open.hashes));

    /// <summary>A tile's bytes.</summary>
    internal static byte[] Encode(IReadOnlyList<Sha256Digest> hashes)
    {
        var bytes = new byte[hashes.Count * Sha256Digest.Size];
        for (int i = 0; i < hashes.Count; i++)
            hashes[i].CopyTo(bytes.AsSpan(i * Sha256Digest.Size));
        return bytes;
    }
}
