using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// Recomputes the tree from the entries up, tile by tile, and compares. Where a recomputed tile and the stored one differ, the hash above
/// decides which of the two is wrong: in the end the checkpoint's root.
/// </summary>
internal sealed class TreeCheck(ILedgerStorage storage, Checkpoint checkpoint, PresentTiles present, List<LedgerFinding> findings)
{
    // The open tile of each level, of hashes that are held to be right.
    private readonly List<List<Sha256Digest>> open = [];

    // Differences in tiles on the right edge, which only the root can decide.
    private readonly List<EdgeTile> edge = [];

    internal long Run(CancellationToken cancellation)
    {
        long size = checkpoint.Size;
        TileName last = TileName.At(TileName.Entries, Math.Max(size - 1, 0) / TileName.FullWidth, size);
        if (size > 0 && Stored(last) is null)
        {
            // A size that nothing on disk supports is not worth counting up to: it may be any number.
            Add(LedgerFindingKind.Missing, last, null, $"The checkpoint commits to {size.ToString(CultureInfo.InvariantCulture)} entries; their last bundle is missing.");
            return 0;
        }

        for (long index = 0; index * TileName.FullWidth < size; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            CheckLeaves(TileName.At(0, index, size));
        }

        CheckEdge();
        foreach ((int level, long index) in present.Places)
            ReportAhead(level, index);
        return size;
    }

    private void CheckLeaves(TileName tile)
    {
        TileName bundle = tile with { Level = TileName.Entries };
        byte[]? bytes = Stored(bundle);
        Sha256Digest[]? computed = bytes is null ? null : LeafHashes(bytes, bundle, report: true);
        if (bytes is null)
            Add(LedgerFindingKind.Missing, bundle, null, "The bundle of entries is missing.");
        Sha256Digest[]? stored = StoredHashes(tile);
        Sha256Digest[] right = Decide(tile, computed, stored);
        CheckSuperseded(bundle, (width, content, name) => LeafHashes(content, name, report: true) is { } hashes
            ? FirstDifferent(hashes, right, width) is var i && i < width ? EntryOffset(content, i) : null
            : null);
        CheckSuperseded(tile, (width, content, name) => FirstWrongByte(content, name, right));
        Rise(tile, right);
    }

    /// <summary>Hands a tile's hashes to the level above, and checks the tile there once it is full.</summary>
    private void Rise(TileName tile, Sha256Digest[] hashes)
    {
        if (tile.IsPartial)
        {
            SetOpen(tile.Level, hashes);
            return;
        }

        int level = tile.Level + 1;
        while (open.Count <= level)
            open.Add([]);
        open[level].Add(MerkleTree.Root(hashes));
        if (open[level].Count < TileName.FullWidth)
            return;
        Sha256Digest[] computed = [.. open[level]];
        open[level].Clear();
        CheckNodes(new TileName(level, tile.Index / TileName.FullWidth, TileName.FullWidth), computed);
    }

    private void SetOpen(int level, Sha256Digest[] hashes)
    {
        while (open.Count <= level)
            open.Add([]);
        open[level].Clear();
        open[level].AddRange(hashes);
    }

    private void CheckNodes(TileName tile, Sha256Digest[] computed)
    {
        Sha256Digest[] right = Decide(tile, computed, StoredHashes(tile));
        CheckSuperseded(tile, (width, content, name) => FirstWrongByte(content, name, right));
        Rise(tile, right);
    }

    /// <summary>Chooses between the hashes computed from below and those in the tile, and reports the wrong side.</summary>
    private Sha256Digest[] Decide(TileName tile, Sha256Digest[]? computed, Sha256Digest[]? stored)
    {
        if (computed is null || stored is null)
        {
            // Reported already, as missing or malformed. The other side stands in, so that the rest can be checked.
            return computed ?? stored ?? new Sha256Digest[tile.Width];
        }

        int different = FirstDifferent(computed, stored, tile.Width);
        if (different == tile.Width)
            return computed;
        if (tile.IsPartial)
        {
            edge.Add(new EdgeTile(tile, computed, stored, different));
            return computed;
        }

        Sha256Digest? above = HashAbove(tile);
        if (above == MerkleTree.Root(stored))
        {
            if (tile.Level == 0)
                ReportEntry(tile, different);
            return stored;
        }

        ReportTile(tile, different);
        if (above != MerkleTree.Root(computed) && above is not null && tile.Level == 0)
            ReportEntry(tile, different);
        return computed;
    }

    /// <summary>Checks the open tiles above the leaves, then the whole edge against the checkpoint's root.</summary>
    private void CheckEdge()
    {
        for (int level = 1; TileName.HashCount(level, checkpoint.Size) is > 0 and var count; level++)
        {
            TileName tile = TileName.At(level, count / TileName.FullWidth, checkpoint.Size);
            if (tile.Width > 0)
                CheckNodes(tile, [.. open[level]]);
        }

        if (Root([]) == checkpoint.Root)
        {
            foreach (EdgeTile tile in edge)
                ReportTile(tile.Tile, tile.Different);
        }
        else if (edge.Count > 0 && (Root(edge) == checkpoint.Root || Root(edge.Take(1)) == checkpoint.Root))
        {
            // The stored leaf hashes lead to the root, so a lowest open tile that differs from its bundle is right, and the bundle wrong.
            bool all = Root(edge) == checkpoint.Root;
            foreach (EdgeTile tile in edge)
            {
                if (tile.Tile.Level == 0)
                    ReportEntry(tile.Tile, tile.Different);
                else if (!all)
                    ReportTile(tile.Tile, tile.Different);
            }
        }
        else
        {
            foreach (EdgeTile tile in edge)
                ReportTile(tile.Tile, tile.Different);
            if (!findings.Any(finding => finding.Refutes || finding.Kind == LedgerFindingKind.Unreadable))
            {
                findings.Add(new LedgerFinding(
                    LedgerFindingKind.Damaged, CheckpointFile.Name, null, $"The entries and tiles agree on the root {Root([])}; the checkpoint's is {checkpoint.Root}."));
            }
        }
    }

    /// <summary>The root over the edge, with some open tiles as they are stored.</summary>
    private Sha256Digest Root(IEnumerable<EdgeTile> asStored)
    {
        var stored = asStored.ToDictionary(tile => tile.Tile.Level, tile => tile.Stored);
        return TreeEdge.Of(
            checkpoint.Size, open.Select((hashes, level) => (IEnumerable<Sha256Digest>)(stored.GetValueOrDefault(level) ?? [.. hashes]))).Root;
    }

    /// <summary>Partial tiles that a wider one has replaced must be its beginning, to the last byte.</summary>
    private void CheckSuperseded(TileName tile, Func<int, byte[], TileName, long?> firstWrong)
    {
        foreach (int width in present.Widths(tile.Level, tile.Index).Where(width => width < tile.Width))
        {
            TileName partial = tile with { Width = width };
            if (Read(partial) is { } content && firstWrong(width, content, partial) is { } offset)
                Add(LedgerFindingKind.Damaged, partial, offset, "This superseded partial tile is not the beginning of the tile that replaced it.");
        }
    }

    private void ReportAhead(int level, long index)
    {
        int right = TileName.At(level, index, checkpoint.Size).Width;
        foreach (int width in present.Widths(level, index).Where(width => width > right))
        {
            Add(LedgerFindingKind.Ahead, new TileName(level, index, width), null,
                "It lies past the checkpoint's size: an append was interrupted, or the checkpoint was set back.");
        }
    }

    private Sha256Digest? HashAbove(TileName tile)
    {
        TileName above = TileName.At(tile.Level + 1, tile.Index / TileName.FullWidth, checkpoint.Size);
        return Read(Existing(above)) is { } bytes && TileReader.TryDecode(bytes, above.Width) is { } hashes
            ? hashes[(int)(tile.Index % TileName.FullWidth)]
            : null;
    }

    private Sha256Digest[]? StoredHashes(TileName tile)
    {
        TileName name = Existing(tile);
        if (Stored(tile) is not { } bytes)
        {
            Add(LedgerFindingKind.Missing, tile, null, "The tile is missing.");
            return null;
        }

        int wanted = name.Width * Sha256Digest.Size;
        if (bytes.Length != wanted)
        {
            Add(LedgerFindingKind.Damaged, name, Math.Min(bytes.Length, wanted), $"The tile has {(bytes.Length < wanted ? "too few" : "too many")} bytes; {wanted} are right.");
        }

        return TileReader.TryDecode(bytes, tile.Width);
    }

    /// <summary>The leaf hashes of a bundle's entries, or null, reported, where it is malformed.</summary>
    private Sha256Digest[]? LeafHashes(byte[] bytes, TileName bundle, bool report)
    {
        TileName name = Existing(bundle);
        try
        {
            IReadOnlyList<ReadOnlyMemory<byte>> entries = EntryBundle.Read(bytes, name.Width, out int end);
            if (report && end != bytes.Length)
                Add(LedgerFindingKind.Damaged, name, end, "Bytes follow the bundle's last entry.");
            return [.. entries.Take(bundle.Width).Select(entry => MerkleTree.LeafHash(entry.Span))];
        }
        catch (FormatException e)
        {
            if (report)
                Add(LedgerFindingKind.Damaged, name, null, $"The bundle is malformed: {e.Message}.");
            return null;
        }
    }

    /// <summary>The file that holds a tile: its own, or the full one that superseded it.</summary>
    private TileName Existing(TileName tile)
    {
        IReadOnlyList<int> widths = present.Widths(tile.Level, tile.Index);
        return widths.Contains(tile.Width) || !widths.Contains(TileName.FullWidth) ? tile : tile.Full;
    }

    private byte[]? Stored(TileName tile) => Read(Existing(tile));

    private byte[]? Read(TileName tile)
    {
        if (!present.Widths(tile.Level, tile.Index).Contains(tile.Width))
            return null;
        try
        {
            return storage.TryRead(
                tile.ToString(), 1 + (tile.Level == TileName.Entries ? EntryBundle.MaximumLength : TileName.FullWidth * Sha256Digest.Size));
        }
        catch (EvidenceException e)
        {
            Add(LedgerFindingKind.Unreadable, tile, null, e.Message);
            return null;
        }
    }

    private static long? FirstWrongByte(byte[] content, TileName tile, Sha256Digest[] right)
    {
        byte[] expected = TreeEdge.Encode(right[..tile.Width]);
        int same = content.AsSpan().CommonPrefixLength(expected);
        return same == expected.Length && same == content.Length ? null : same;
    }

    private static int FirstDifferent(Sha256Digest[] left, Sha256Digest[] right, int width)
    {
        int i = 0;
        while (i < width && left[i] == right[i])
            i++;
        return i;
    }

    private void ReportTile(TileName tile, int hash) =>
        Add(LedgerFindingKind.Damaged, Existing(tile), hash * (long)Sha256Digest.Size, $"Hash {hash} is not what is recomputed from below.");

    private void ReportEntry(TileName leaves, int entry)
    {
        TileName bundle = Existing(leaves with { Level = TileName.Entries });
        long? offset = Read(bundle) is { } content ? EntryOffset(content, entry) : null;
        Add(LedgerFindingKind.Damaged, bundle, offset, $"Entry {(leaves.Index * TileName.FullWidth) + entry} is not the one that the tree holds.");
    }

    private static long EntryOffset(byte[] bundle, int entry)
    {
        _ = EntryBundle.Read(bundle, entry, out int end);
        return end;
    }

    private void Add(LedgerFindingKind kind, TileName tile, long? offset, string detail) =>
        findings.Add(new LedgerFinding(kind, tile.ToString(), offset, detail));

    private sealed record EdgeTile(TileName Tile, Sha256Digest[] Computed, Sha256Digest[] Stored, int Different);
}
