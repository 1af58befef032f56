using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Segments;
using Microsoft.Extensions.Logging;

namespace Evidence.Vaults;

/// <summary>
/// Which segments a vault holds, and where. The packs say so themselves; what is kept outside the vault is a cache of that, in sorted files
/// (<see cref="IndexRun"/>), rebuilt from the packs wherever it is missing or wrong. Memory: the fences of those files (8 bytes for 78 segments),
/// and at most <see cref="LargestOverlay"/> segments of newer packs.
/// </summary>
internal sealed class SegmentIndex : IDisposable
{
    internal const int LargestOverlay = 1 << 18;
    private const string DamagedFile = "damaged";
    private const string TemporaryExtension = ".tmp";
    private const int MostRuns = 8;
    private const int SmallestRun = 1 << 12;

    private readonly Lock gate = new();
    private readonly VaultLayout layout;
    private readonly string? cacheFolder;
    private readonly ILogger logger;
    private readonly List<IndexRun> runs = [];
    private readonly Dictionary<Sha256Digest, SegmentLocation> overlay = [];
    private readonly List<Sha256Digest> overlayPacks = [];
    private readonly HashSet<Sha256Digest> known = [];
    private readonly HashSet<Sha256Digest> unusable = [];

    /// <summary>Copies that were found damaged: the segment, and the pack that the copy is in.</summary>
    private readonly HashSet<(Sha256Digest Id, Sha256Digest Pack)> damaged = [];

    /// <summary>Sound copies of segments whose first copy was found damaged.</summary>
    private readonly Dictionary<Sha256Digest, SegmentLocation> relocated = [];

    private SegmentIndex(VaultLayout layout, string? cacheFolder, ILogger logger)
    {
        this.layout = layout;
        this.cacheFolder = cacheFolder;
        this.logger = logger;
    }

    /// <summary>Opens the index of a vault.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="cacheFolder">Where the cache lies; null to keep everything in memory.</param>
    /// <param name="logger">Hears of a cache that cannot be used.</param>
    internal static SegmentIndex Open(VaultLayout layout, string? cacheFolder, ILogger logger)
    {
        var index = new SegmentIndex(layout, cacheFolder, logger);
        index.ReadDamaged();
        index.Refresh();
        return index;
    }

    /// <summary>An index that holds only what is added to it; beyond <see cref="LargestOverlay"/> segments it spills into a folder.</summary>
    internal static SegmentIndex Empty(VaultLayout layout, string spillFolder, ILogger logger) => new(layout, spillFolder, logger);

    /// <summary>Takes in the packs that other processes have sealed since, and lets go of those that a repair has set aside.</summary>
    internal void Refresh()
    {
        lock (gate)
        {
            List<Sha256Digest> packs = layout.ListPacks();
            if (!known.IsSubsetOf(packs))
                Forget();
            if (runs.Count == 0)
                OpenRuns([.. packs]);
            foreach (Sha256Digest pack in packs)
            {
                if (!known.Contains(pack) && TryReadIndex(pack) is { } entries)
                    AddPackLocked(pack, entries);
            }
        }
    }

    /// <summary>Finds a copy of a segment that is not known to be damaged: what need not be stored again.</summary>
    internal bool TryFind(Sha256Digest id, out SegmentLocation location) => TryFind(id, damagedToo: false, out location);

    /// <summary>Finds a copy of a segment, for reading: of a damaged one, too, since the damage may have been the medium's for a moment only.</summary>
    internal bool TryFindAny(Sha256Digest id, out SegmentLocation location) =>
        TryFind(id, damagedToo: false, out location) || TryFind(id, damagedToo: true, out location);

    /// <summary>
    /// Notes that the copy of a segment which is found now is damaged: from here on, in this process and (where there is a cache) in later ones, the
    /// segment is found elsewhere or not at all, so that it is stored anew when it is met again.
    /// </summary>
    internal void MarkDamaged(Sha256Digest id)
    {
        lock (gate)
        {
            if (!TryFind(id, out SegmentLocation location))
                return;
            damaged.Add((id, location.Pack));
            relocated.Remove(id);
            if (cacheFolder is null)
                return;
            try
            {
                Directory.CreateDirectory(cacheFolder);
                File.AppendAllText(Path.Combine(cacheFolder, DamagedFile), $"{id} {location.Pack}\n");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log.IndexCacheUnusable(logger, cacheFolder, e);
            }
        }
    }

    /// <summary>Notes where a sound copy is of a segment whose other copy was found damaged.</summary>
    internal void Relocate(Sha256Digest id, SegmentLocation sound)
    {
        lock (gate)
        {
            if (TryFind(id, out SegmentLocation location) && location.Pack != sound.Pack)
                MarkDamaged(id);
            relocated[id] = sound;
        }
    }

    private bool TryFind(Sha256Digest id, bool damagedToo, out SegmentLocation location)
    {
        lock (gate)
        {
            if (relocated.TryGetValue(id, out location))
                return true;
            if (overlay.TryGetValue(id, out location) && (damagedToo || !damaged.Contains((id, location.Pack))))
                return true;
            try
            {
                foreach (IndexRun run in runs)
                {
                    if (run.TryFind(id, out location) && (damagedToo || !damaged.Contains((id, location.Pack))))
                        return true;
                }
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
                Log.IndexCacheUnusable(logger, cacheFolder!, e);
                Rebuild();
                return TryFind(id, damagedToo, out location);
            }

            location = default;
            return false;
        }
    }

    /// <summary>Takes in a pack that was just sealed.</summary>
    internal void AddPack(Sha256Digest pack, ReadOnlySpan<PackEntry> entries)
    {
        lock (gate)
            AddPackLocked(pack, entries);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            if (overlay.Count >= SmallestRun)
                Spill();
            foreach (IndexRun run in runs)
                run.Dispose();
            runs.Clear();
        }
    }

    private void AddPackLocked(Sha256Digest pack, ReadOnlySpan<PackEntry> entries)
    {
        if (!known.Add(pack))
            return;
        overlayPacks.Add(pack);
        foreach (PackEntry entry in entries)
        {
            Sha256Digest id = entry.Header.Id;
            // Of several copies the one met last is kept, unless it is the damaged one.
            if (!damaged.Contains((id, pack)) || !overlay.ContainsKey(id))
                overlay[id] = new SegmentLocation(pack, entry.Offset, entry.Header.StoredLength, entry.Header.ContentLength);
        }

        if (overlay.Count >= LargestOverlay)
            Spill();
    }

    /// <summary>A pack's index; null where it cannot be read. One damaged pack must not take the others' content with it.</summary>
    private PackEntry[]? TryReadIndex(Sha256Digest pack)
    {
        string path = layout.Pack(pack);
        try
        {
            using PackFile file = PackFile.Open(path);
            return file.ReadIndex(pack);
        }
        catch (EvidenceException e)
        {
            // It is tried again with every refresh, and named once.
            if (unusable.Add(pack))
                Log.PackUnusable(logger, path, e);
            return null;
        }
    }

    private void ReadDamaged()
    {
        if (cacheFolder is null)
            return;
        try
        {
            foreach (string line in File.ReadLines(Path.Combine(cacheFolder, DamagedFile)))
            {
                // A line that a crash cut short is none.
                if (line.Split(' ') is [var id, var pack] && Sha256Digest.TryParse(id, out Sha256Digest segment) && Sha256Digest.TryParse(pack, out Sha256Digest name))
                    damaged.Add((segment, name));
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // Nothing was found damaged so far.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.IndexCacheUnusable(logger, cacheFolder, e);
        }
    }

    private void OpenRuns(HashSet<Sha256Digest> present)
    {
        if (cacheFolder is null || !Directory.Exists(cacheFolder))
            return;
        try
        {
            foreach (string path in Directory.EnumerateFiles(cacheFolder, "*" + IndexRun.Extension))
            {
                IndexRun? run = IndexRun.TryOpen(path);
                if (run is not null && present.IsSupersetOf(run.Packs))
                {
                    runs.Add(run);
                    known.UnionWith(run.Packs);
                    continue;
                }

                run?.Dispose();
                File.Delete(path);
            }

            RemoveLeftovers(cacheFolder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.IndexCacheUnusable(logger, cacheFolder, e);
        }
    }

    /// <summary>Removes runs that were being written by processes that were killed; those that are being written are locked.</summary>
    private void RemoveLeftovers(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(folder, "*" + IndexRun.Extension + TemporaryExtension))
        {
            using FileLock? dead = FileLock.TryAcquireExisting(path);
            if (dead is null)
                continue;
            File.Delete(path);
            Log.LeftoverRemoved(logger, path);
        }
    }

    /// <summary>Writes the overlay to a run, together with the smallest of the others where there are too many. Without a cache everything stays in memory.</summary>
    private void Spill()
    {
        if (cacheFolder is null)
            return;
        try
        {
            Directory.CreateDirectory(cacheFolder);
            IEnumerable<KeyValuePair<Sha256Digest, SegmentLocation>> entries = overlay.OrderBy(e => e.Key);
            var packs = new List<Sha256Digest>(overlayPacks);
            var merged = new List<IndexRun>();
            if (runs.Count >= MostRuns)
            {
                merged.AddRange(Smallest());
                // A run has one place for an id: not the damaged one's.
                entries = Merge([.. merged.Select(r => r.Enumerate()).Prepend(entries).Select(run => run.Where(e => !damaged.Contains((e.Key, e.Value.Pack))))]);
                packs = [.. packs.Concat(merged.SelectMany(r => r.Packs)).Distinct()];
            }

            string path = Path.Combine(cacheFolder, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)) + IndexRun.Extension);
            string temporary = path + TemporaryExtension;
            IndexRun.Write(temporary, entries, packs);
            // A torn rename leaves a name without its bytes at worst, and every byte has a checksum: a cache needs no fsync.
            DurableFile.Rename(temporary, path);
            IndexRun run = IndexRun.TryOpen(path) ?? throw new InvalidDataException($"{path} cannot be read back.");
            foreach (IndexRun old in merged)
            {
                runs.Remove(old);
                old.Dispose();
                File.Delete(old.FilePath);
            }

            runs.Add(run);
            overlay.Clear();
            overlayPacks.Clear();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or EvidenceException)
        {
            Log.IndexCacheUnusable(logger, cacheFolder, e);
        }
    }

    /// <summary>
    /// The runs to be merged into the next: the smallest, and each that is no larger than what comes before it. So an entry is written anew only as what it lies in has
    /// doubled, mostly: a handful of times for any number of segments, where merging all of them would write all of them with every eighth run.
    /// </summary>
    private List<IndexRun> Smallest()
    {
        var taken = new List<IndexRun>();
        long entries = overlay.Count;
        foreach (IndexRun run in runs.OrderBy(r => r.Count))
        {
            if (taken.Count > 0 && run.Count > entries)
                break;
            taken.Add(run);
            entries += run.Count;
        }

        // Where an id is in several runs, the one that stands first has its place.
        return [.. runs.Where(taken.Contains)];
    }

    /// <summary>Forgets the cache and reads every pack's index again.</summary>
    private void Rebuild()
    {
        Forget();
        Refresh();
    }

    private void Forget()
    {
        foreach (IndexRun run in runs)
        {
            run.Dispose();
            File.Delete(run.FilePath);
        }

        runs.Clear();
        overlay.Clear();
        overlayPacks.Clear();
        relocated.Clear();
        known.Clear();
    }

    /// <summary>The ids that it holds, in order, each once.</summary>
    internal IEnumerable<Sha256Digest> Ids()
    {
        lock (gate)
            return Merge([overlay.OrderBy(e => e.Key).ToList(), .. runs.Select(r => r.Enumerate())]).Select(e => e.Key);
    }

    /// <summary>Merges sorted sequences; where an id is in several, the first sequence that has it wins.</summary>
    private static IEnumerable<KeyValuePair<Sha256Digest, SegmentLocation>> Merge(
        IReadOnlyList<IEnumerable<KeyValuePair<Sha256Digest, SegmentLocation>>> sources)
    {
        var queue = new PriorityQueue<IEnumerator<KeyValuePair<Sha256Digest, SegmentLocation>>, (Sha256Digest Id, int Order)>();
        for (int i = 0; i < sources.Count; i++)
        {
            IEnumerator<KeyValuePair<Sha256Digest, SegmentLocation>> source = sources[i].GetEnumerator();
            if (source.MoveNext())
                queue.Enqueue(source, (source.Current.Key, i));
        }

        Sha256Digest? last = null;
        while (queue.TryDequeue(out var source, out var position))
        {
            if (position.Id != last)
                yield return source.Current;
            last = position.Id;
            if (source.MoveNext())
                queue.Enqueue(source, (source.Current.Key, position.Order));
        }
    }
}
