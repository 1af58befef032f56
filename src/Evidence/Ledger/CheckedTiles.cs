using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>Reads tiles for a check: what is missing, unreadable or malformed becomes a finding and null, once for each file.</summary>
internal sealed class CheckedTiles(ILedgerStorage storage, PresentTiles present, List<LedgerFinding> findings)
{
    private readonly HashSet<LedgerFinding> reported = [];

    /// <summary>The file that holds a tile: its own, or the full one that superseded it.</summary>
    internal TileName FileOf(TileName tile)
    {
        IReadOnlyList<int> widths = present.Widths(tile.Level, tile.Index);
        return widths.Contains(tile.Width) || !widths.Contains(TileName.FullWidth) ? tile : tile.Full;
    }

    /// <summary>The widths of the partial tiles that a tile has superseded and that are still there.</summary>
    internal IReadOnlyList<TileName> Superseded(TileName tile) =>
        [.. present.Widths(tile.Level, tile.Index).Where(width => width < tile.Width).Select(width => tile with { Width = width })];

    internal bool Exists(TileName tile)
    {
        TileName file = FileOf(tile);
        return present.Widths(file.Level, file.Index).Contains(file.Width);
    }

    /// <summary>The bytes of the file that holds a tile.</summary>
    internal byte[]? Bytes(TileName tile)
    {
        TileName file = FileOf(tile);
        if (!Exists(tile))
        {
            string what = file.Level == TileName.Entries ? "The bundle of entries is missing." : "The tile is missing.";
            Report(LedgerFindingKind.Missing, file, null, what);
            return null;
        }

        int maximum = tile.Level == TileName.Entries ? EntryBundle.MaximumLength : TileName.FullWidth * Sha256Digest.Size;
        try
        {
            if (storage.TryRead(file.ToString(), maximum + 1) is { } bytes)
                return bytes;
            present.Superseded(file, file.IsPartial && storage.TryRead(file.Full.ToString(), 1) is not null);
        }
        catch (EvidenceException e)
        {
            Report(LedgerFindingKind.Unreadable, file, null, e.Message);
            return null;
        }

        return Bytes(tile);
    }

    /// <summary>A tile's hashes.</summary>
    internal Sha256Digest[]? Hashes(TileName tile)
    {
        if (Bytes(tile) is not { } bytes)
            return null;
        TileName file = FileOf(tile);
        int length = file.Width * Sha256Digest.Size;
        if (bytes.Length != length)
        {
            Report(LedgerFindingKind.Damaged, file, Math.Min(bytes.Length, length), string.Create(
                CultureInfo.InvariantCulture, $"The tile is too {(bytes.Length < length ? "short" : "long")}: {length} bytes are right."));
        }

        return TileReader.TryDecode(bytes, tile.Width);
    }

    /// <summary>The leaf hashes of a bundle's entries.</summary>
    /// <param name="bundle">The bundle.</param>
    /// <param name="expected">What they should be, if it is known: says where a malformed bundle goes wrong.</param>
    internal Sha256Digest[]? LeafHashes(TileName bundle, Sha256Digest[]? expected)
    {
        if (Bytes(bundle) is not { } bytes)
            return null;
        TileName file = FileOf(bundle);
        try
        {
            IReadOnlyList<ReadOnlyMemory<byte>> entries = EntryBundle.Read(bytes, file.Width, out int end);
            if (end != bytes.Length)
                Report(LedgerFindingKind.Damaged, file, end, "Bytes follow the bundle's last entry.");
            return [.. entries.Take(bundle.Width).Select(entry => MerkleTree.LeafHash(entry.Span))];
        }
        catch (FormatException e)
        {
            Report(LedgerFindingKind.Damaged, file, EntryBundle.FirstWrong(bytes, expected), $"The bundle is malformed: {e.Message}.");
            return null;
        }
    }

    /// <summary>Reports the first wrong hash of a tile, or, of a bundle, the first wrong entry.</summary>
    internal void ReportWrong(TileName tile, int place, string detail)
    {
        TileName file = FileOf(tile);
        long? offset = place * (long)Sha256Digest.Size;
        if (tile.Level == TileName.Entries)
        {
            offset = null;
            if (Bytes(tile) is { } bytes)
            {
                // The lengths were read once already, or there would be no leaf hash to differ.
                _ = EntryBundle.Read(bytes, place, out int end);
                offset = end;
            }
        }

        Report(LedgerFindingKind.Damaged, file, offset, detail);
    }

    internal void Report(LedgerFindingKind kind, TileName tile, long? offset, string detail)
    {
        var finding = new LedgerFinding(kind, tile.ToString(), offset, detail);
        if (reported.Add(finding))
            findings.Add(finding);
    }
}
