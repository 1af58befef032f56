using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// Recomputes the tree from the entries up, tile by tile, and compares. Where a recomputed tile and the stored one differ, the hash above
/// decides which of the two is wrong: in the end the checkpoint's root.
/// </summary>
internal sealed class TreeCheck(ILedgerStorage storage, Checkpoint checkpoint, PresentTiles present, List<LedgerFinding> findings)
{
    private const int MissingBundlesGoneThrough = 256;

    /// <summary>For how many wrong entries it is looked whether they are others of the log: each time all leaf hashes are gone through.</summary>
    private const int MostSearches = 16;

    private readonly CheckedTiles tiles = new(storage, present, findings);

    // The open tile of each level, of hashes that are held to be right.
    private readonly List<List<Sha256Digest>> open = [];

    // Tiles on the right edge that differ from what is recomputed: which side is wrong, only the root can say.
    private readonly List<Difference> edge = [];

    // Tiles for which something was reported, in them or below them.
    private readonly HashSet<(int Level, long Index)> blamed = [];

    private int searches;

    /// <summary>Checks the tree.</summary>
    /// <returns>The number of entries that were gone through.</returns>
    internal long Run(CancellationToken cancellation)
    {
        long size = checkpoint.Size;
        long bundles = (size / TileName.FullWidth) + (size % TileName.FullWidth == 0 ? 0 : 1);
        if (bundles > checked((2L * present.BundleCount) + MissingBundlesGoneThrough))
        {
            // The size may be any number in a forged checkpoint. A check must end, so it does not count up to what is not there.
            tiles.Report(
                LedgerFindingKind.Missing,
                TileName.At(TileName.Entries, bundles - 1, size),
                null,
                string.Create(
                    CultureInfo.InvariantCulture, $"{size} entries have {bundles} bundles; only {present.BundleCount} are there."));
            return 0;
        }

        for (long index = 0; index < bundles; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            CheckLeaves(TileName.At(0, index, size));
        }

        for (int level = 1; TileName.HashCount(level, size) is > 0 and var count; level++)
        {
            TileName tile = TileName.At(level, count / TileName.FullWidth, size);
            if (tile.IsPartial && tile.Width > 0)
                CheckNodes(tile, [.. open[level]]);
        }

        IReadOnlyCollection<Difference> rightAsStored = DecideEdge();
        for (int level = 0; level < open.Count; level++)
        {
            if (open[level] is { Count: > 0 } computed)
            {
                CheckSuperseded(
                    TileName.At(level, TileName.HashCount(level, size) / TileName.FullWidth, size),
                    rightAsStored.FirstOrDefault(difference => difference.Tile.Level == level)?.Stored ?? [.. computed]);
            }
        }

        foreach ((int level, long index) in present.Places)
            ReportAhead(level, index);
        return size;
    }

    private void CheckLeaves(TileName tile)
    {
        TileName bundle = tile with { Level = TileName.Entries };
        Sha256Digest[]? stored = tiles.Hashes(tile);
        Conclude(tile, Decide(tile, tiles.LeafHashes(bundle, stored), stored));
    }

    private void CheckNodes(TileName tile, Sha256Digest[] computed) => Conclude(tile, Decide(tile, computed, tiles.Hashes(tile)));

    /// <summary>Hands a tile's hashes up, and checks the tile above once it is full.</summary>
    private void Conclude(TileName tile, Sha256Digest[] right)
    {
        while (open.Count <= tile.Level + 1)
            open.Add([]);
        open[tile.Level].Clear();
        if (tile.IsPartial)
        {
            open[tile.Level].AddRange(right);
            return;
        }

        CheckSuperseded(tile, right);
        List<Sha256Digest> above = open[tile.Level + 1];
        above.Add(MerkleTree.Root(right));
        if (above.Count == TileName.FullWidth)
            CheckNodes(new TileName(tile.Level + 1, tile.Index / TileName.FullWidth, TileName.FullWidth), [.. above]);
    }

    /// <summary>Chooses between the hashes computed from below and those in the tile, and reports the wrong side.</summary>
    private Sha256Digest[] Decide(TileName tile, Sha256Digest[]? computed, Sha256Digest[]? stored)
    {
        // A side that could not be read is reported already. The other stands in for it, so that the rest can be checked.
        if (computed is null || stored is null)
        {
            Blame(tile);
            return computed ?? stored ?? new Sha256Digest[tile.Width];
        }

        int place = FirstDifferent(computed, stored);
        if (place == tile.Width)
            return computed;
        if (tile.IsPartial)
        {
            edge.Add(new Difference(tile, computed, stored, place));
            return computed;
        }

        Sha256Digest? above = HashAbove(tile);
        bool storedIsRight = above == MerkleTree.Root(stored);
        if (!storedIsRight)
            ReportTile(tile, place);
        if (tile.Level == 0 && above != MerkleTree.Root(computed))
            ReportEntry(tile, place, computed[place]);
        if (storedIsRight)
            ReportBelow(tile, computed, stored);
        return storedIsRight ? stored : computed;
    }

    /// <summary>
    /// Of a stored tile that is right, reports what is below the hashes that differ, unless that is reported already: entries and all tiles above them, up to here, were
    /// changed so that they agree with each other.
    /// </summary>
    private void ReportBelow(TileName tile, Sha256Digest[] computed, Sha256Digest[] stored)
    {
        for (int i = 0; i < tile.Width && tile.Level > 0; i++)
        {
            var below = new TileName(tile.Level - 1, (tile.Index * TileName.FullWidth) + i, TileName.FullWidth);
            if (computed[i] == stored[i] || blamed.Contains((below.Level, below.Index)))
                continue;
            if (below.Level == 0)
                ReportForged(below with { Level = TileName.Entries });
            ReportForged(below);
            Blame(below);
        }
    }

    private void ReportForged(TileName tile) => tiles.Report(
        LedgerFindingKind.Damaged, tiles.FileOf(tile), 0, "It agrees with what is recomputed from the entries, and is not what the tree holds: these entries and all tiles up to it were changed together.");

    /// <summary>Takes note that something was reported for a tile.</summary>
    private void Blame(TileName tile)
    {
        (int level, long index) = (tile.Level, tile.Index);
        while (level <= TileName.MaximumLevel && blamed.Add((level, index)))
        {
            level++;
            index /= TileName.FullWidth;
        }
    }

    /// <summary>Decides between recomputed and stored tiles on the right edge by the root that each choice leads to.</summary>
    /// <returns>Those where the stored tile is right.</returns>
    private IReadOnlyCollection<Difference> DecideEdge()
    {
        Difference[] leaves = [.. edge.Where(difference => difference.Tile.Level == 0)];
        if (Root([]) == checkpoint.Root)
        {
            ReportTiles(edge);
            return [];
        }

        if (Root(edge) == checkpoint.Root)
        {
            ReportEntries(leaves);
            foreach (Difference difference in edge)
                ReportBelow(difference.Tile, difference.Computed, difference.Stored);
            return edge;
        }

        ReportEntries(leaves);
        if (leaves.Length > 0 && Root(leaves) == checkpoint.Root)
        {
            ReportTiles(edge.Except(leaves));
            return leaves;
        }

        ReportTiles(edge);
        if (edge.Count == 0 && !findings.Any(finding => finding.Refutes || finding.Kind == LedgerFindingKind.Unreadable))
        {
            findings.Add(new LedgerFinding(
                LedgerFindingKind.Damaged,
                CheckpointFile.Name,
                null,
                $"The entries and tiles agree on the root {Root([])}; the checkpoint's is {checkpoint.Root}."));
        }

        return [];
    }

    /// <summary>The root over the right edge, with some of its tiles as they are stored.</summary>
    private Sha256Digest Root(IEnumerable<Difference> asStored)
    {
        var stored = asStored.ToDictionary(difference => difference.Tile.Level, difference => difference.Stored);
        IEnumerable<IEnumerable<Sha256Digest>> levels = open.Select(
            (hashes, level) => stored.TryGetValue(level, out Sha256Digest[]? tile) ? tile : (IEnumerable<Sha256Digest>)hashes);
        return TreeEdge.Of(checkpoint.Size, levels).Root;
    }

    private Sha256Digest? HashAbove(TileName tile) =>
        tiles.Hashes(TileName.At(tile.Level + 1, tile.Index / TileName.FullWidth, checkpoint.Size)) is { } hashes
            ? hashes[(int)(tile.Index % TileName.FullWidth)]
            : null;

    /// <summary>Checks the partial tiles, and at the leaves the partial bundles, that a tile superseded: each is its beginning.</summary>
    private void CheckSuperseded(TileName tile, Sha256Digest[] right)
    {
        foreach (TileName partial in tiles.Superseded(tile))
        {
            if (tiles.Hashes(partial) is { } hashes)
                CompareSuperseded(partial, hashes, right);
        }

        if (tile.Level > 0)
            return;
        foreach (TileName partial in tiles.Superseded(tile with { Level = TileName.Entries }))
        {
            if (tiles.LeafHashes(partial, right) is { } hashes)
                CompareSuperseded(partial, hashes, right);
        }
    }

    private void CompareSuperseded(TileName partial, Sha256Digest[] hashes, Sha256Digest[] right)
    {
        int place = FirstDifferent(hashes, right);
        if (place < hashes.Length)
            tiles.ReportWrong(partial, place, "This superseded partial tile is not the beginning of the tile that replaced it.");
    }

    private void ReportAhead(int level, long index)
    {
        int width = TileName.At(level, index, checkpoint.Size).Width;
        foreach (int ahead in present.Widths(level, index).Where(present => present > width))
        {
            tiles.Report(
                LedgerFindingKind.Ahead,
                new TileName(level, index, ahead),
                null,
                "It lies past the checkpoint's size: an append was interrupted, or the checkpoint was set back.");
        }
    }

    private void ReportTiles(IEnumerable<Difference> differences)
    {
        foreach (Difference difference in differences)
            ReportTile(difference.Tile, difference.Place);
    }

    private void ReportEntries(IEnumerable<Difference> differences)
    {
        foreach (Difference difference in differences)
            ReportEntry(difference.Tile, difference.Place, difference.Computed[difference.Place]);
    }

    private void ReportTile(TileName tile, int place)
    {
        Blame(tile);
        tiles.ReportWrong(tile, place, string.Create(CultureInfo.InvariantCulture, $"Hash {place} is not what is recomputed from below."));
    }

    private void ReportEntry(TileName leaves, int place, Sha256Digest found)
    {
        Blame(leaves);
        long entry = (leaves.Index * TileName.FullWidth) + place;
        string instead = FindLeaf(found) is { } other && other != entry ? string.Create(CultureInfo.InvariantCulture, $": entry {other} stands in its place") : "";
        tiles.ReportWrong(
            leaves with { Level = TileName.Entries },
            place,
            string.Create(CultureInfo.InvariantCulture, $"Entry {entry} is not the one that the tree holds{instead}."));
    }

    /// <summary>Where the tiles have a leaf hash; null where they do not, or where it was looked often enough.</summary>
    private long? FindLeaf(Sha256Digest leaf)
    {
        if (searches++ >= MostSearches)
            return null;
        foreach ((_, long index) in present.Places.Where(place => place.Level == 0))
        {
            TileName tile = TileName.At(0, index, checkpoint.Size);
            int place = tile.Width > 0 && tiles.Exists(tile) && tiles.Hashes(tile) is { } hashes ? Array.IndexOf(hashes, leaf) : -1;
            if (place >= 0)
                return (index * TileName.FullWidth) + place;
        }

        return null;
    }

    private static int FirstDifferent(Sha256Digest[] left, Sha256Digest[] right) =>
        left.AsSpan().CommonPrefixLength(right.AsSpan(0, left.Length));

    private sealed record Difference(TileName Tile, Sha256Digest[] Computed, Sha256Digest[] Stored, int Place);
}
