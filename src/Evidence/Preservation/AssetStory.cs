using Evidence.Ledger;

namespace Evidence.Preservation;

/// <summary>All that a ledger says of an asset and its disks, in the log's order.</summary>
public static class AssetStory
{
    /// <summary>Reads it: the entries that name the asset or a disk of it, and those by which somebody says what they found an image of its disks to be.</summary>
    /// <param name="docket">The docket.</param>
    /// <param name="asset">The asset.</param>
    /// <exception cref="EvidenceException">There is no such asset, or the ledger is damaged.</exception>
    public static IReadOnlyList<JudgedEntry> Read(Docket docket, string asset)
    {
        ArgumentNullException.ThrowIfNull(docket);
        if (docket.Assets.GetValueOrDefault(asset) is not { } known)
            throw DocketWriter.Invalid($"There is no asset '{asset}' on the record: 'evidence asset list' shows those that there are.");
        string[] items = [known.Id, .. known.Disks.Select(disk => disk.Id)];
        HashSet<long> statements = [.. known.Disks.SelectMany(disk => docket.ImagesOf(disk.Id)).SelectMany(image => docket.StatementsOn(image.Image)).Select(said => said.Entry)];
        return
        [
            .. docket.Ledger.JudgeEntries(new KeyRegistry()).Where(judged => judged.Index < docket.Size &&
                (statements.Contains(judged.Index) || judged.Entry?.Payload.Items.Intersect(items, StringComparer.Ordinal).Any() == true)),
        ];
    }
}
