using System.Collections.Concurrent;
using Evidence.Hashing;
using Evidence.Ledger.Timestamping;
using Evidence.Platform;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>How far a verification is.</summary>
/// <param name="Done">Bytes of packs and documents read so far.</param>
/// <param name="Total">Bytes of packs and documents to be read.</param>
public readonly record struct VerificationProgress(long Done, long Total);

/// <summary>
/// Verifies a vault from its published files alone: it uses no lock, no cache and nothing that writes, and needs no key. It ends with a report
/// whatever the bytes are.
/// </summary>
public sealed class VaultVerifier
{
    private readonly VaultLayout layout;
    private readonly VerificationOptions options;
    private readonly List<Finding> findings = [];
    private SegmentParameters? parameters;
    private long read;

    private VaultVerifier(string folder, VerificationOptions options)
    {
        layout = new VaultLayout(folder);
        this.options = options;
    }

    /// <summary>Verifies a vault, or some of its images.</summary>
    /// <param name="folder">The vault's folder.</param>
    /// <param name="options">What, and against what; null for everything.</param>
    /// <param name="progress">Hears how far it is, from several threads.</param>
    /// <param name="cancellation">Stops the verification.</param>
    /// <exception cref="EvidenceException">
    /// There is no vault, it needs a newer version, or its ledger, which is sound, names no image of a name that was asked for; or names are given with
    /// <see cref="VerificationOptions.StoredBytesOnly"/>, which goes over the whole vault (<see cref="ErrorCode.Usage"/>).
    /// </exception>
    public static Task<VerificationReport> VerifyAsync(
        string folder, VerificationOptions? options = null, IProgress<VerificationProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new VerificationOptions();
        if (options.StoredBytesOnly && options.Images.Count > 0)
            throw new EvidenceException(ErrorCode.Usage, "A scrub goes over the whole vault: leave out the images' names, or leave out --scrub.");
        return Task.Run(() => new VaultVerifier(folder, options).Run(progress, cancellation), cancellation);
    }

    private VerificationReport Run(IProgress<VerificationProgress>? progress, CancellationToken cancellation)
    {
        var ledger = new LedgerVerification(
            new LedgerDirectory(layout.Ledger), options.Keys, options.Policy, options.Trust ?? options.Keys?.LoadAuthorities() ?? TrustedAuthorities.None,
            isReplica: Path.Exists(layout.Replica), options.Logger);
        LedgerVerdict ledgerVerdict = CheckSettings(ledger, cancellation);
        IReadOnlyList<(Sha256Digest Image, RecordedImage? Recorded)> images = Select(ledger.Images, ledgerVerdict);

        using var scratch = ScratchFolder.Create(options.Logger);
        using SegmentIndex good = SegmentIndex.Empty(layout, scratch.FolderPath, options.Logger);
        List<Sha256Digest> packs = layout.ListPacks(NotListed);
        List<Sha256Digest> documents = options.Images.Count == 0 ? layout.ListDocuments(NotListed) : [];
        long total = packs.Sum(pack => LengthOf(layout.Pack(pack))) + documents.Sum(document => LengthOf(layout.Document(document)));
        CheckPacks(packs, good, Count, cancellation);
        using var segments = new SegmentReader(layout, good, fromMedium: true, refresh: false);
        ImageVerdict[] verdicts = CheckImages(images, segments, good, ledgerVerdict, cancellation);
        if (ledger.Receipts is { } receipts)
            verdicts = [.. verdicts.Select(verdict => verdict with { Receipts = receipts.Of(verdict.Image) })];
        if (options.Images.Count == 0)
        {
            bool isReplica = Path.Exists(layout.Replica);
            var check = new DocumentCheck(layout, ledger.Documents, ledgerVerdict.Content == ContentVerdict.Refuted, isReplica);
            findings.AddRange(check.Run(documents, options.FromMedium, Count, cancellation));
            findings.AddRange(new OpeningCheck(layout, ledger.Commitments, ledger.Erasures, isReplica).Run(layout.ListOpenings(NotListed)));
            findings.AddRange(ForeignFiles.Find(layout, static (_, _) => { }));
        }

        return new VerificationReport(ledgerVerdict, verdicts, findings, read, options.StoredBytesOnly);

        void Count(long bytes)
        {
            long done = Interlocked.Add(ref read, bytes);
            progress?.Report(new(done, total));
        }
    }

    /// <summary>Checks <c>vault.json</c> against what the ledger says of it, and the ledger itself.</summary>
    private LedgerVerdict CheckSettings(LedgerVerification ledger, CancellationToken cancellation)
    {
        (VaultSettings Settings, Sha256Digest Digest)? settings = null;
        EvidenceException? failure = null;
        try
        {
            settings = Vault.ReadSettings(layout);
            parameters = settings.Value.Settings.Segments;
        }
        catch (EvidenceException e) when (Directory.Exists(layout.Ledger))
        {
            failure = e;
        }

        LedgerVerdict verdict = ledger.Run(settings?.Settings.Origin, cancellation);
        Sha256Digest? declared = ledger.Declared?.Vault;
        if (failure is { Code: ErrorCode.VaultTooNew } && declared is { } digest && Vault.DigestOfSettings(layout) == digest)
            throw failure;
        if (failure is not null)
            findings.Add(new Finding("vault", "vault.json", null, null, failure.Message));
        else if (declared is not null && settings!.Value.Digest != declared)
            findings.Add(new Finding("vault", "vault.json", null, null, $"It hashes to {settings.Value.Digest}; the ledger says {declared}."));
        else if (declared is null && verdict.Content != ContentVerdict.Refuted)
            findings.Add(new Finding("vault", "vault.json", null, null, "The ledger does not say what it must be.", ContentVerdict.Unverifiable));
        return verdict;
    }

    /// <summary>The images to check: those of the given names, or all that the ledger names and all whose manifests are there.</summary>
    private List<(Sha256Digest Image, RecordedImage? Recorded)> Select(IReadOnlyList<RecordedImage> recorded, LedgerVerdict ledger)
    {
        if (options.Images.Count > 0)
        {
            var found = new List<(Sha256Digest Image, RecordedImage? Recorded)>();
            foreach (string name in options.Images)
            {
                try
                {
                    ImageRecord record = ImageNames.Find([.. recorded.Select(r => r.Record)], name, layout.Folder);
                    found.Add((record.Image, recorded.First(r => r.Record.Entry == record.Entry)));
                }
                catch (EvidenceException e) when (
                    string.Equals(e.Code, ErrorCode.ImageNotFound, StringComparison.Ordinal) && ledger.Content == ContentVerdict.Refuted)
                {
                    // The entry that names it may be among what is damaged: the damage is the answer, not the name.
                    findings.Add(new Finding("image", null, null, null, $"No entry that can be read names '{name}': the ledger is damaged."));
                }
            }

            return found;
        }

        var known = recorded.Select(r => r.Record.Image).ToHashSet();
        return [.. recorded.Select(r => (r.Record.Image, (RecordedImage?)r)), .. layout.ListManifests(NotListed).Where(m => !known.Contains(m)).Select(m => (m, (RecordedImage?)null))];
    }

    /// <summary>A replica need not hold every image that the ledger names, and none is taken for held whose manifest is not there; null where it is.</summary>
    private ImageVerdict? Absent(RecordedImage? recorded)
    {
        if (recorded is null || !Path.Exists(layout.Replica) || Path.Exists(layout.Manifest(recorded.Record.Image)))
            return null;
        string file = Path.GetRelativePath(layout.Folder, layout.Manifest(recorded.Record.Image));
        return new ImageVerdict(
            recorded.Record.Image, recorded.Record.Item,
            [new Finding("absent", file, null, null, "This replica does not hold the image, which the ledger names: nothing of it was verified.", ContentVerdict.Incomplete)]);
    }

    private void CheckPacks(List<Sha256Digest> packs, SegmentIndex good, Action<long> progress, CancellationToken cancellation)
    {
        RecordDepth depth = options.Images.Count > 0 ? RecordDepth.IndexOnly
            : options.StoredBytesOnly ? RecordDepth.StoredBytes
            : RecordDepth.Content;
        var parallel = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
        // A pack is a lot of work, so that each is taken when its turn comes, and not some of them together.
        Parallel.ForEach(Partitioner.Create(packs, EnumerablePartitionerOptions.NoBuffering), parallel, pack =>
        {
            List<PackEntry> entries = PackCheck.Run(layout, pack, depth, options.FromMedium, Add, progress, cancellation);
            good.AddPack(pack, [.. entries]);
        });
    }

    private ImageVerdict[] CheckImages(
        IReadOnlyList<(Sha256Digest Image, RecordedImage? Recorded)> images, SegmentReader segments, SegmentIndex good, LedgerVerdict ledger, CancellationToken cancellation)
    {
        // Without names every record was recomputed in its pack already.
        bool readSegments = options.Images.Count > 0;
        // What is read of an image is read by all cores, one image after the other; where only maps are left to check they are checked side by side.
        var parallel = new ParallelOptions
        {
            CancellationToken = cancellation,
            MaxDegreeOfParallelism = readSegments || options.Digests ? 1 : Environment.ProcessorCount,
        };
        var verdicts = new ImageVerdict[images.Count];
        Parallel.For(0, images.Count, parallel, i =>
        {
            (Sha256Digest image, RecordedImage? recorded) = images[i];
            verdicts[i] = Absent(recorded)
                ?? new ImageCheck(layout, parameters, good, segments, readSegments, options.Digests, ledger.Content == ContentVerdict.Refuted).Run(image, recorded, cancellation);
        });
        return verdicts;
    }

    private static long LengthOf(string path)
    {
        try
        {
            return new FileInfo(path).Length;
        }
        catch (IOException)
        {
            // Only for the progress: what is wrong with it is found when it is opened.
            return 0;
        }
    }

    private void NotListed(string folder, EvidenceException e) =>
        Add(new Finding("vault", Path.GetRelativePath(layout.Folder, folder), null, null, e.Message));

    private void Add(Finding finding)
    {
        lock (findings)
            findings.Add(finding);
    }
}
