using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Recomputes every byte of one pack, and says which of its records are good.</summary>
internal static class PackCheck
{
    /// <summary>Checks a pack.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="name">The pack's name.</param>
    /// <param name="depth">How much of each record to recompute.</param>
    /// <param name="fromMedium">Whether to read the medium itself, past what the system cached.</param>
    /// <param name="findings">Receives what is wrong.</param>
    /// <param name="progress">Hears of the bytes read.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <returns>The records that are what the index says.</returns>
    internal static List<PackEntry> Run(
        VaultLayout layout, Sha256Digest name, RecordDepth depth, bool fromMedium, Action<Finding> findings, Action<long> progress, CancellationToken cancellation)
    {
        string path = layout.Pack(name);
        string file = Path.GetRelativePath(layout.Folder, path);
        try
        {
            using PackFile pack = PackFile.Open(path);
            if (fromMedium)
                pack.DropCache();
            PackEntry[] entries = pack.ReadIndex(name);
            var good = new List<PackEntry>(entries.Length);
            if (depth == RecordDepth.IndexOnly)
                return [.. entries];
            foreach ((PackEntry entry, string? defect) in RecordCheck.Defects(pack, entries.OrderBy(e => e.Offset), depth))
            {
                cancellation.ThrowIfCancellationRequested();
                if (defect is not null)
                {
                    findings(new Finding(
                        "segment", file, entry.Offset, PackFormat.RecordHeaderSize + entry.Header.StoredLength, $"Segment {entry.Header.Id}: {defect}"));
                }
                else
                {
                    good.Add(entry);
                }

                progress(PackFormat.RecordHeaderSize + entry.Header.StoredLength);
            }

            return good;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever damage can cause, it is this pack's, and the others are still to be checked.
            findings(new Finding("pack", file, null, null, e.Message));
            return [];
        }
    }
}
