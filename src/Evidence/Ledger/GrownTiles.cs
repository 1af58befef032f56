using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// The files that a log needs at one size beyond those of a smaller one, each recomputed before it is given: entries against leaf hashes, tiles against the hashes
/// above them. The root at both sizes must have been held against a signed checkpoint before.
/// </summary>
/// <param name="storage">The ledger's files.</param>
/// <param name="size">The log's size.</param>
internal sealed class GrownTiles(ILedgerStorage storage, long size)
{
    private readonly TileReader tiles = new(storage, size);

    /// <summary>The root over the first entries.</summary>
    internal Sha256Digest RootAt(long count) => tiles.RootAt(count);

    /// <summary>Goes through the files, bundles of entries first, then the tiles from the lowest level up.</summary>
    /// <param name="since">The smaller size, whose files are there.</param>
    /// <exception cref="EvidenceException">A file is missing or damaged.</exception>
    internal IEnumerable<(TileName Tile, byte[] Content)> Since(long since)
    {
        for (int level = TileName.Entries; level <= TileName.MaximumLevel; level++)
        {
            long before = TileName.HashCount(level, since);
            long count = TileName.HashCount(level, size);
            if (count == before)
                continue;
            for (long index = before / TileName.FullWidth; index * TileName.FullWidth < count; index++)
            {
                var tile = TileName.At(level, index, size);
                yield return (tile, Content(tile));
            }
        }
    }

    /// <summary>The bytes of one file, of the widest that there is now or of one that it superseded.</summary>
    internal byte[] Content(TileName tile)
    {
        if (tile.Level == TileName.Entries)
            return Bundle(tile);
        Sha256Digest[] hashes = tiles.Hashes(tile.Level, tile.Index)[..tile.Width];
        for (int i = 0; i < hashes.Length; i++)
        {
            // A leaf's entry is checked with its bundle, which is a file of its own.
            if (tile.Level > 0 && MerkleTree.Root(tiles.Hashes(tile.Level - 1, (tile.Index * TileName.FullWidth) + i)) != hashes[i])
                throw TileReader.Damaged(tile.ToString(), string.Create(CultureInfo.InvariantCulture, $"its hash {i} is not the tree hash of its tile below"));
        }

        return TreeEdge.Encode(hashes);
    }

    private byte[] Bundle(TileName tile)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> entries = tiles.Entries(tile.Index);
        Sha256Digest[] hashes = tiles.Hashes(0, tile.Index);
        var bundle = new List<byte>();
        for (int i = 0; i < tile.Width; i++)
        {
            if (MerkleTree.LeafHash(entries[i].Span) != hashes[i])
                throw TileReader.Damaged(tile.ToString(), string.Create(CultureInfo.InvariantCulture, $"its entry {i} is not the one that the tree holds"));
            EntryBundle.Append(bundle, entries[i].Span);
        }

        return [.. bundle];
    }
}
