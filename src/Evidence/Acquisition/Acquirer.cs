using System.Diagnostics;
using System.Reflection;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Acquisition;

/// <summary>Images sources into a vault. One acquirer may image several sources at once; what they share is stored once.</summary>
/// <param name="vault">The vault. Whoever opened it needs a key store, or nothing can be recorded.</param>
public sealed class Acquirer(Vault vault)
{
    /// <summary>
    /// Images a source: reads it once, stores what the vault does not have yet, reads everything back from the medium, and records it in the ledger.
    /// On return all of it is durable. Where it fails or is cancelled the vault is as it was, but for segments that a later run will find there.
    /// </summary>
    /// <param name="source">The source; it stays open.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Hears how far it is, from several threads, a few times a second at most for each gigabyte a second.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <exception cref="EvidenceException">The source, the vault or the ledger failed; <see cref="EvidenceException.Code"/> says which.</exception>
    public async Task<AcquisitionResult> AcquireAsync(
        Source source, AcquisitionOptions? options = null, IProgress<AcquisitionProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        options ??= new AcquisitionOptions();
        string item = options.Item ?? SourceDescription.DefaultItem(source.Identity);
        Labels.Check(item, nameof(options.Item));
        Labels.CheckOptional(options.Case, nameof(options.Case));
        Labels.CheckOptional(options.Examiner, nameof(options.Examiner));
        vault.Ledger.EnsureKeys();
        var watch = Stopwatch.StartNew();
        Instant started = vault.Access.Clock.GetCurrentInstant();
        Compression compression = options.Compression ?? vault.Settings.Compression;
        long stored = 0;

        ImagedSource imaged = await ImagingPipeline.RunAsync(
            source, vault.Store, vault.Settings.Segments, compression, options.Digests, options.ReadHoles,
            (done, bytes) => progress?.Report(new(AcquisitionPhase.Reading, done, source.Length, stored = bytes)),
            cancellation).ConfigureAwait(false);
        Instant finished = vault.Access.Clock.GetCurrentInstant();

        // In this order, each durable before the next: packs, manifest, ledger entry, checkpoint.
        await vault.Store.FlushAsync().ConfigureAwait(false);
        var manifest = new ImageManifest
        {
            Source = SourceDescription.Encode(source.Identity),
            Size = imaged.Size,
            Started = started,
            Finished = finished,
            Examiner = options.Examiner,
            Tool = ("evidence", ToolVersion),
            Compression = compression,
            HolesRead = options.ReadHoles,
            Segments = vault.Settings.Segments,
            Root = imaged.Root,
            Tables = imaged.Tables,
            Totals = imaged.Totals,
            Absent = imaged.Absent,
            Digests = imaged.Digests,
        };
        if (manifest.Absent.Count > 0)
            Log.Unreadable(vault.Access.Logger, source.Identity.Name, manifest.Absent.Sum(r => r.Length), manifest.Absent.Count, manifest.Absent[0].Offset);
        byte[] bytes = manifest.ToBytes();
        if (bytes.Length > ImageManifest.LargestSize)
        {
            throw new EvidenceException(
                ErrorCode.SourceFailed,
                $"{source.Identity.Name} has {manifest.Absent.Count} separate ranges that cannot be read, too many for one image. Rescue it with a tool for dying disks first.");
        }

        Sha256Digest id = Sha256Digest.Compute(bytes);

        if (!options.SkipReadBack)
        {
            using var medium = new SegmentReader(vault.Layout, vault.Index, fromMedium: true);
            await ReadBack.RunAsync(
                new VaultImage(id, manifest, medium), vault.Index, medium,
                done => progress?.Report(new(AcquisitionPhase.ReadingBack, done, manifest.Totals.GetValueOrDefault(RunKind.Data), stored)), cancellation).ConfigureAwait(false);
        }

        cancellation.ThrowIfCancellationRequested();
        _ = DurableFile.TryCreate(vault.Layout.Manifest(id), bytes);
        long? entry = vault.Ledger.Record(
            EntryKind.Acquisition, [item], options.Case, ImageRecord.EncodeBody(id, manifest, verified: !options.SkipReadBack));

        return new AcquisitionResult
        {
            Image = id,
            Manifest = manifest,
            Item = item,
            Case = options.Case,
            Segments = imaged.Segments,
            NewSegments = imaged.NewSegments,
            NewBytes = imaged.NewBytes,
            StoredBytes = imaged.StoredBytes,
            Verified = !options.SkipReadBack,
            Entry = entry,
            Elapsed = watch.Elapsed,
        };
    }

    private static string ToolVersion { get; } =
        typeof(Acquirer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
