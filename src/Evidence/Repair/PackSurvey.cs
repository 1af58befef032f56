using System.Collections.Concurrent;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>Recomputes every record of every pack of a vault, and sorts the packs: those that are wholly as they were sealed, and the damaged ones.</summary>
internal sealed class PackSurvey(VaultLayout layout, SegmentIndex found, SegmentIndex kept)
{
    private readonly Lock gate = new();
    private readonly List<Sha256Digest> damaged = [];

    /// <summary>Checks all packs.</summary>
    /// <param name="progress">Hears of bytes done, and of all.</param>
    /// <param name="cancellation">Stops the survey.</param>
    /// <returns>The damaged packs, in the order of their names.</returns>
    internal List<Sha256Digest> Run(Action<long, long> progress, CancellationToken cancellation)
    {
        List<Sha256Digest> packs = layout.ListPacks();
        long total = packs.Sum(p => new FileInfo(layout.Pack(p)) is { Exists: true } file ? file.Length : 0);
        long done = 0;
        var parallel = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.ForEach(Partitioner.Create(packs, EnumerablePartitionerOptions.NoBuffering), parallel, pack => Check(pack, bytes => progress(Interlocked.Add(ref done, bytes), total), cancellation));
        damaged.Sort();
        return damaged;
    }

    private void Check(Sha256Digest name, Action<long> count, CancellationToken cancellation)
    {
        List<PackEntry> good = [];
        bool whole = false;
        try
        {
            using PackFile pack = PackFile.Open(layout.Pack(name));
            pack.DropCache();
            PackEntry[] entries = pack.ReadIndex(name);
            foreach ((PackEntry entry, string? defect) in RecordCheck.Defects(pack, entries.OrderBy(e => e.Offset), RecordDepth.Content))
            {
                cancellation.ThrowIfCancellationRequested();
                if (defect is null)
                    good.Add(entry);
                count(PackFormat.RecordHeaderSize + entry.Header.StoredLength);
            }

            whole = good.Count == entries.Length;
        }
        catch (EvidenceException e) when (!string.Equals(e.Code, ErrorCode.PermissionDenied, StringComparison.Ordinal))
        {
            // Not to be read, or no pack: damaged. Who may not read it has found no damage.
        }

        found.AddPack(name, [.. good]);
        if (whole)
        {
            kept.AddPack(name, [.. good]);
            return;
        }

        lock (gate)
            damaged.Add(name);
    }
}
