using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>
/// Which packs hold what images are made of: their tables, their pages, their segments. Memory: a bit for each record of those packs, and the pages of one map.
/// </summary>
internal sealed class ImagePacks(Vault vault)
{
    private const int MostIndexes = 64;

    private readonly Dictionary<Sha256Digest, Used> packs = [];
    private readonly Queue<Used> loaded = new();

    /// <summary>The packs of all images that were gone through.</summary>
    internal IReadOnlyCollection<Sha256Digest> Packs => packs.Keys;

    /// <summary>Of the records of those packs, the bytes of those that no image needs that was gone through.</summary>
    internal long OtherBytes { get; private set; }

    /// <summary>Goes through an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="cancellation">Heeded between pages of the map.</param>
    /// <returns>Its packs.</returns>
    /// <exception cref="EvidenceException">Something of it is missing or damaged (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    internal HashSet<Sha256Digest> Add(Sha256Digest image, CancellationToken cancellation)
    {
        var own = new HashSet<Sha256Digest>();
        VaultImage opened = vault.OpenImage(image);
        foreach (Sha256Digest table in opened.Manifest.Tables)
            Add(table, own);
        for (long number = 0; number < opened.Manifest.Pages; number++)
        {
            cancellation.ThrowIfCancellationRequested();
            Add(opened.Entry(number).Id, own);
            foreach (MapRun run in opened.Page(number).Runs.Where(r => r.Kind == RunKind.Data))
                Add(run.Segment, own);
        }

        return own;
    }

    private void Add(Sha256Digest segment, HashSet<Sha256Digest> own)
    {
        if (!vault.Index.TryFind(segment, out SegmentLocation location))
        {
            throw new EvidenceException(
                ErrorCode.ContentRefuted, $"Segment {segment} is missing or damaged. 'evidence repair --from' another vault, an export or the source brings it back.");
        }

        own.Add(location.Pack);
        if (!packs.TryGetValue(location.Pack, out Used? used))
        {
            packs[location.Pack] = used = new Used(location.Pack);
            Load(used);
            used.IsNeeded = new bool[used.Offsets!.Length];
            OtherBytes += used.Lengths!.Sum(l => (long)l);
        }
        else if (used.Offsets is null)
        {
            Load(used);
        }

        int record = Array.BinarySearch(used.Offsets!, location.Offset);
        if (record < 0 || used.IsNeeded[record])
            return;
        used.IsNeeded[record] = true;
        OtherBytes -= used.Lengths![record];
    }

    /// <summary>Neighbouring segments lie in few packs: the places of records are kept of those that were asked for last.</summary>
    private void Load(Used used)
    {
        using PackFile file = PackFile.Open(vault.Layout.Pack(used.Pack));
        PackEntry[] entries = [.. file.ReadIndex(used.Pack).OrderBy(e => e.Offset)];
        used.Offsets = [.. entries.Select(e => e.Offset)];
        used.Lengths = [.. entries.Select(e => PackFormat.RecordHeaderSize + e.Header.StoredLength)];
        loaded.Enqueue(used);
        if (loaded.Count > MostIndexes)
        {
            Used first = loaded.Dequeue();
            (first.Offsets, first.Lengths) = (null, null);
        }
    }

    private sealed class Used(Sha256Digest pack)
    {
        internal Sha256Digest Pack { get; } = pack;

        internal long[]? Offsets { get; set; }

        internal int[]? Lengths { get; set; }

        internal bool[] IsNeeded { get; set; } = [];
    }
}
