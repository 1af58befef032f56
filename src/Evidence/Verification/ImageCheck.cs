using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Verifies one image: its manifest, its map, and that every segment it names is there and good.</summary>
internal sealed class ImageCheck(
    VaultLayout layout, SegmentParameters? parameters, SegmentIndex good, SegmentReader segments, bool readSegments, bool digests, bool ledgerRefuted)
{
    /// <summary>More findings than this on one image are counted, not listed; ranges that were not read have as many places of their own.</summary>
    private const int MostFindings = 200;

    /// <summary>The number of segments that one task reads, so that neighbours in a pack are read by the same one.</summary>
    private const int BatchSize = 64;

    private readonly List<Finding> findings = [];
    private readonly List<Finding> notRead = [];
    private long unlisted;
    private ContentVerdict worstUnlisted;

    /// <summary>Verifies an image.</summary>
    /// <param name="image">Its id.</param>
    /// <param name="recorded">The entry that names it; null where none does.</param>
    /// <param name="cancellation">Stops the check.</param>
    internal ImageVerdict Run(Sha256Digest image, RecordedImage? recorded, CancellationToken cancellation)
    {
        if (recorded is null)
        {
            Add(new Finding(
                "unrecorded", ManifestFile(image), null, null,
                ledgerRefuted
                    ? "No ledger entry that can be read names this manifest: the ledger is damaged, so the entry may be lost."
                    : "No ledger entry names this manifest: a run was stopped before its last step. No claim is made of it.",
                ledgerRefuted ? ContentVerdict.Unverifiable : ContentVerdict.Verified));
        }
        else if (recorded.Signature != EntrySignatureStatus.Valid)
        {
            Add(new Finding("entry", null, null, null, $"The signature of its entry {recorded.Record.Entry} is not one of a declared key.", ContentVerdict.Unverifiable));
        }

        try
        {
            VaultImage opened = Vault.OpenImage(layout, image, segments);
            CompareWithEntry(opened.Manifest, recorded?.Record);
            if (parameters is not null && opened.Manifest.Segments.AverageLength != parameters.AverageLength)
                Add(new Finding("manifest", ManifestFile(image), null, null, "The manifest's segment parameters are not the vault's."));
            CheckMap(opened, cancellation);
            JudgeContainer(opened.Manifest);
            if (digests)
                CheckDigests(opened, cancellation);
        }
        catch (EvidenceException e)
        {
            Add(new Finding("manifest", ManifestFile(image), null, null, e.Message));
        }

        if (unlisted > 0)
            findings.Add(new Finding("map", null, null, null, $"And {unlisted} more findings.", worstUnlisted));
        findings.AddRange(notRead);
        // Nothing vouches for what no entry names, so nothing of it can be refuted; but what is wrong with it is said.
        return recorded is null && !ledgerRefuted
            ? new ImageVerdict(image, "", [.. findings.Select(f => f with { Verdict = ContentVerdict.Verified })])
            : new ImageVerdict(image, recorded?.Record.Item ?? "", findings);
    }

    private void CompareWithEntry(ImageManifest manifest, ImageRecord? record)
    {
        if (record is null)
            return;
        if (!record.AgreesWith(manifest))
            Add(new Finding("manifest", null, null, null, $"The manifest's digests, its source or the bytes that were not read are not what entry {record.Entry} says."));
        if (record.Size != manifest.Size || record.Root != manifest.Root)
            Add(new Finding("manifest", null, null, null, $"The manifest's size or root is not what entry {record.Entry} says."));
    }

    /// <summary>What the container that the image came in says of its content, which is more than that the vault has kept it.</summary>
    private void JudgeContainer(ImageManifest manifest)
    {
        if (manifest.Container is { } container && container.Verdict != StoredDigestsVerdict.Match)
        {
            Add(new Finding(
                "container", null, null, null, container.Describe(),
                container.Verdict == StoredDigestsVerdict.Mismatch ? ContentVerdict.Refuted : ContentVerdict.Unverifiable));
        }
    }

    private void CheckMap(VaultImage image, CancellationToken cancellation)
    {
        var tree = new MerkleAccumulator();
        var totals = new Dictionary<RunKind, long>();
        var absent = new List<AbsentRange>();
        bool whole = true;
        for (long number = 0; number < image.Manifest.Pages; number++)
        {
            cancellation.ThrowIfCancellationRequested();
            long start = number * SegmentParameters.PageSize;
            try
            {
                MapPage page = image.Page(number);
                tree.Append(MerkleTree.LeafHash(page.Root.ToArray()));
                foreach (MapRun run in page.Runs)
                {
                    totals[run.Kind] = totals.GetValueOrDefault(run.Kind) + run.Length;
                    if (run.Kind is RunKind.Unreadable or RunKind.Unread)
                        AddAbsent(absent, run with { Offset = start + run.Offset });
                }

                CheckSegments(page, start, cancellation);
            }
            catch (EvidenceException e)
            {
                whole = false;
                Add(new Finding("map", null, start, Math.Min(SegmentParameters.PageSize, image.Size - start), $"Page {number} of the map: {e.Message}"));
            }
        }

        if (whole)
            CompareMap(image.Manifest, tree.Root, totals, absent);
        ListNotRead(image.Manifest.Absent);
        foreach (SourceDifference difference in image.Manifest.Differences)
        {
            findings.Add(new Finding(
                "source", null, difference.Offset, difference.Length > 0 ? difference.Length : null, difference.Describe(), ContentVerdict.Incomplete));
        }
    }

    private void ListNotRead(IReadOnlyList<AbsentRange> ranges)
    {
        foreach (AbsentRange range in ranges.Take(MostFindings))
        {
            string words = range.Kind == RunKind.Unreadable ? $"The source refused these bytes: {range.Reason}." : $"These bytes were not read: {range.Reason}.";
            notRead.Add(new Finding("unread", null, range.Offset, range.Length, words, ContentVerdict.Incomplete));
        }

        if (ranges.Count > MostFindings)
        {
            notRead.Add(new Finding(
                "unread", null, null, null, $"And {ranges.Count - MostFindings} more ranges that were not read; the manifest lists them all.", ContentVerdict.Incomplete));
        }
    }

    private void CompareMap(ImageManifest manifest, Sha256Digest root, Dictionary<RunKind, long> totals, List<AbsentRange> absent)
    {
        if (root != manifest.Root)
            Add(new Finding("map", null, 0, manifest.Size, $"The map's root is {root}; the manifest says {manifest.Root}."));
        if (manifest.Totals.Any(t => t.Value != totals.GetValueOrDefault(t.Key)))
            Add(new Finding("manifest", null, null, null, "The manifest's totals are not those of the map."));
        if (!absent.SequenceEqual(WithoutReasons(manifest.Absent)))
            Add(new Finding("manifest", null, null, null, "The manifest's list of ranges that were not read is not that of the map."));
    }

    private void CheckSegments(MapPage page, long start, CancellationToken cancellation)
    {
        string?[] defects = [.. page.Runs.Select(run => run.Kind == RunKind.Data ? IndexDefect(run) : null)];
        if (readSegments)
        {
            IEnumerable<int[]> batches = Enumerable.Range(0, defects.Length).Where(i => page.Runs[i].Kind == RunKind.Data && defects[i] is null).Chunk(BatchSize);
            var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
            Parallel.ForEach(batches, options, batch =>
            {
                foreach ((int i, (_, EvidenceException? error)) in batch.Zip(segments.Check(batch.Select(i => page.Runs[i]), cancellation)))
                    defects[i] = error?.Message;
            });
        }

        for (int i = 0; i < defects.Length; i++)
        {
            if (defects[i] is { } defect)
                Add(new Finding("segment", null, start + page.Runs[i].Offset, page.Runs[i].Length, defect));
        }
    }

    /// <summary>What is wrong with the segment of a run, by the index alone; null where it is there and has the run's length.</summary>
    private string? IndexDefect(MapRun run)
    {
        if (!good.TryFind(run.Segment, out SegmentLocation location))
            return $"Segment {run.Segment} is missing or damaged. 'evidence repair --from' another vault, an export or the source brings these bytes back.";
        return location.ContentLength != run.Length
            ? $"Segment {run.Segment} has {location.ContentLength} bytes; the map names {run.Length}."
            : null;
    }

    private void CheckDigests(VaultImage image, CancellationToken cancellation)
    {
        if (image.Manifest.Digests.Count == 0)
        {
            Add(new Finding("digest", null, null, null, "The image was made without digests of the whole, so there are none to compare with.", ContentVerdict.Unverifiable));
            return;
        }

        (ImageDigest Expected, RunningDigest Hash)[] chains = [.. image.Manifest.Digests.Select(d => (d, RunningDigest.Begin(d.Algorithm)))];
        try
        {
            using Stream content = image.OpenRead(new ImageReadOptions { Absent = AbsentBytes.Zero });
            var buffer = new byte[1 << 20];
            while (content.Read(buffer) is > 0 and int count)
            {
                cancellation.ThrowIfCancellationRequested();
                Parallel.ForEach(chains, chain => chain.Hash.Append(buffer.AsSpan(0, count)));
            }

            foreach ((ImageDigest expected, RunningDigest hash) in chains)
            {
                string value = hash.ToHex();
                if (!string.Equals(value, expected.Value, StringComparison.Ordinal))
                    Add(new Finding("digest", null, 0, image.Size, $"The image's {expected.Algorithm.Name()} is {value}; the manifest says {expected.Value}."));
            }
        }
        catch (EvidenceException e)
        {
            Add(new Finding("digest", null, null, null, $"The digests of the whole cannot be computed: {e.Message}"));
        }
        finally
        {
            foreach ((_, RunningDigest hash) in chains)
                hash.Dispose();
        }
    }

    private static void AddAbsent(List<AbsentRange> absent, MapRun run) => AddAbsent(absent, new AbsentRange(run.Kind, run.Offset, run.Length, ""));

    private static void AddAbsent(List<AbsentRange> absent, AbsentRange range)
    {
        if (absent.Count > 0 && absent[^1] is var last && last.Kind == range.Kind && last.End == range.Offset)
            absent[^1] = last with { Length = last.Length + range.Length };
        else
            absent.Add(range);
    }

    /// <summary>Ranges as the map has them, which knows of kinds and not of reasons.</summary>
    private static List<AbsentRange> WithoutReasons(IReadOnlyList<AbsentRange> ranges)
    {
        var joined = new List<AbsentRange>();
        foreach (AbsentRange range in ranges)
            AddAbsent(joined, range with { Reason = "" });
        return joined;
    }

    private void Add(Finding finding)
    {
        if (findings.Count < MostFindings)
        {
            findings.Add(finding);
            return;
        }

        unlisted++;
        if (finding.Verdict > worstUnlisted)
            worstUnlisted = finding.Verdict;
    }

    private string ManifestFile(Sha256Digest image) => Path.GetRelativePath(layout.Folder, layout.Manifest(image));
}
