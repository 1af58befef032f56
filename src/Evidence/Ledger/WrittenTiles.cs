using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// The second path to the root: what an append wrote is read back from the medium and recomputed from the entries up, apart from the
/// code that wrote it. A single flipped bit after signing has ended a public log; this is before signing.
/// </summary>
internal static class WrittenTiles
{
    /// <exception cref="EvidenceException">What is on disk is not what was meant.</exception>
    internal static void Check(ILedgerStorage storage, long start, long end, Sha256Digest expectedRoot)
    {
        // Each tile is held against the one above here, with what it was for said.
        var tiles = new TileReader(storage, end) { HoldsAgainstAbove = false };
        for (long index = start / TileName.FullWidth; index * TileName.FullWidth < end; index++)
            CheckLeaves(tiles, index);
        for (int level = 1; TileName.HashCount(level, end) is > 0 and var count; level++)
        {
            for (long index = TileName.HashCount(level, start); index < count; index++)
                CheckParent(tiles, level, index);
        }

        Sha256Digest root = tiles.RootAt(end);
        if (root != expectedRoot)
            throw TileReader.Damaged("tile/", $"read back, the tiles give the root {root}, not {expectedRoot}. Nothing was signed");
    }

    private static void CheckLeaves(TileReader tiles, long index)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> entries = tiles.Entries(index);
        Sha256Digest[] hashes = tiles.Hashes(0, index);
        for (int i = 0; i < hashes.Length; i++)
        {
            if (MerkleTree.LeafHash(entries[i].Span) != hashes[i])
                throw Differs(new TileName(0, index, hashes.Length), i, "the leaf hash of its entry");
        }
    }

    private static void CheckParent(TileReader tiles, int level, long index)
    {
        Sha256Digest below = MerkleTree.Root(tiles.Hashes(level - 1, index));
        Sha256Digest[] hashes = tiles.Hashes(level, index / TileName.FullWidth);
        int place = (int)(index % TileName.FullWidth);
        if (below != hashes[place])
            throw Differs(new TileName(level, index / TileName.FullWidth, hashes.Length), place, "the tree hash of its tile below");
    }

    private static EvidenceException Differs(TileName tile, int place, string what) => TileReader.Damaged(
        tile.ToString(), string.Create(CultureInfo.InvariantCulture, $"read back, its hash {place} is not {what}. Nothing was signed"));
}
