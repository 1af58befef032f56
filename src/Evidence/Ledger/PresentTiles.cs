using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;

namespace Evidence.Ledger;

/// <summary>Which tiles there are, by place, with the widths in which each is there.</summary>
internal sealed class PresentTiles
{
    private readonly SortedDictionary<(int Level, long Index), List<int>> places = [];

    /// <summary>The number of places that have a bundle of entries.</summary>
    internal int BundleCount { get; private set; }

    /// <summary>All places.</summary>
    internal IEnumerable<(int Level, long Index)> Places => places.Keys;

    /// <summary>The widths at a place, the full one last.</summary>
    internal IReadOnlyList<int> Widths(int level, long index) => places.TryGetValue((level, index), out List<int>? widths) ? widths : [];

    /// <summary>Lists the ledger's files; what is no tile, no checkpoint, no time stamp and not in staging is foreign.</summary>
    internal static PresentTiles List(ILedgerStorage storage, List<LedgerFinding> findings)
    {
        var result = new PresentTiles();
        foreach (string name in storage.List(""))
        {
            if (TileName.TryParse(name, out TileName? tile))
                result.Add(tile.Value);
            else if (name is not (CheckpointFile.Name or WitnessedNotes.Name) && !name.StartsWith("staging/", StringComparison.Ordinal) && TimestampDocument.DigestOf(name) is null)
                findings.Add(new LedgerFinding(LedgerFindingKind.Foreign, name, null, "The ledger has no file of this name."));
        }

        foreach (List<int> widths in result.places.Values)
            widths.Sort();
        return result;
    }

    /// <summary>A file vanished since it was listed. Where a writer filled the tile meanwhile, the full one holds what it held.</summary>
    internal void Superseded(TileName vanished, bool byFull)
    {
        List<int> widths = places[(vanished.Level, vanished.Index)];
        widths.Remove(vanished.Width);
        if (byFull && !widths.Contains(TileName.FullWidth))
            widths.Add(TileName.FullWidth);
    }

    private void Add(TileName tile)
    {
        if (!places.TryGetValue((tile.Level, tile.Index), out List<int>? widths))
        {
            places.Add((tile.Level, tile.Index), widths = []);
            BundleCount += tile.Level == TileName.Entries ? 1 : 0;
        }

        widths.Add(tile.Width);
    }
}
