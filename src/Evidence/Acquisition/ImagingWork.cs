using System.Diagnostics;
using System.Reflection;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Acquisition;

/// <summary>
/// One acquisition from its beginning, or from where an earlier run stopped, to its ledger entry: a pass over the source; where that left something for
/// later, the rescue of it and a pass over what the vault then holds; reading back; and recording.
/// </summary>
internal sealed class ImagingWork : IDisposable
{
    private readonly Vault vault;
    private readonly Source source;
    private readonly string item;
    private readonly AcquisitionOptions options;
    private readonly SideBySide others;
    private readonly IProgress<AcquisitionProgress>? progress;
    private readonly Compression compression;
    private readonly Stopwatch watch = Stopwatch.StartNew();
    private readonly SegmentReader medium;
    private readonly HeldContent held;
    private readonly Absences absences = new();
    private readonly List<AcquisitionRun> runs = [];
    private readonly RescueMap? map;

    private readonly IReadOnlyList<DigestAlgorithm> digests;

    /// <summary>What another tool says of the source, which is its output, or the source of itself: of the source's length, in whole sectors.</summary>
    private readonly RescueMap? mapfile;

    /// <summary>How the source was seen to change while the image was made that this one continues, where that is in this one too.</summary>
    private readonly List<SourceDifference> inherited = [];

    /// <summary>Whether something that was read before is not in the vault any more, so that the source is asked for it.</summary>
    private bool hasLosses;
    private AcquisitionJournal? journal;
    private Rescuer? rescuer;
    private Sha256Digest? continues;
    private StoredCounts stored;

    internal ImagingWork(
        Vault vault, Source source, string item, AcquisitionOptions options, SideBySide others, IProgress<AcquisitionProgress>? progress)
    {
        this.vault = vault;
        this.source = source;
        this.item = item;
        this.options = options;
        this.others = others;
        this.progress = progress;
        compression = options.Compression ?? vault.Settings.Compression;
        map = source is { IsSequential: false, Length: { } length } ? new RescueMap(length) : null;
        // Such a tool writes nothing where it read nothing, so a disk with a bad end leaves a file that is too short to be its image.
        if (options.Mapfile is { } whole && map is not null && whole.Length > map.Length)
        {
            throw new EvidenceException(
                ErrorCode.RescueMapInvalid,
                $"The mapfile is of a disk of {whole.Length} bytes, and {source.Identity.Name} has {map.Length}. Use the mapfile of this file; where the end of the disk could not be read, lengthen the file first: truncate --size={whole.Length} FILE.");
        }

        mapfile = map is null ? null : WhatCounts(options.Mapfile, source, map.Length);
        // What a container stores is compared with what is read, whoever asked for which digests.
        digests = [.. options.Digests.Union(ContainerCheck.Algorithms(source))];
        continues = options.Continues;
        medium = new SegmentReader(vault.Layout, vault.Index, fromMedium: true);
        held = new HeldContent(medium, vault.Index);
    }

    internal async Task<AcquisitionResult> RunAsync(CancellationToken cancellation)
    {
        // Whoever writes to a vault removes what dead runs left there, also where nothing is left to be stored.
        _ = vault.Store;
        Instant started = Now();
        ClockSynchronisation? clock = ClockSynchronisation.Now();
        if (map is not null)
        {
            JsonObject subject = JournalSubject.Encode(source.Identity, item, options);
            journal = AcquisitionJournal.Open(vault.Layout, vault.Ledger.JournalKey(), subject, options.Resume, vault.Access.Logger);
            if (journal.Image is { } image && Finish(image) is { } earlier)
                return earlier;
            TakeUp(cancellation);
        }

        runs.Add(new AcquisitionRun(started, held.PresentBytes));
        journal?.Begin(runs[^1]);
        if (held.PresentBytes > 0)
            Log.Resumed(vault.Access.Logger, source.Identity.Name, held.PresentBytes, runs.Count);

        ImagedSource imaged = await ImageAsync(cancellation).ConfigureAwait(false);
        if (imaged.Lost is { } lost && imaged.Totals.All(t => t.Key is RunKind.Unread or RunKind.Unreadable || t.Value == 0))
            throw lost;
        if (imaged.Lost is null && rescuer is { IsOutOfTime: true })
            absences.EndTime();
        Instant finished = Now();

        var manifest = new ImageManifest
        {
            Source = SourceDescription.Encode(source.Identity),
            Size = imaged.Size,
            Started = runs[0].Started,
            Finished = finished,
            Examiner = options.Examiner,
            WriteBlocker = options.WriteBlocker,
            Seal = options.Seal,
            Clock = clock,
            Tool = ("evidence", ToolVersion),
            Compression = compression,
            HolesRead = options.ReadHoles,
            Segments = vault.Settings.Segments,
            Root = imaged.Root,
            Tables = imaged.Tables,
            Totals = imaged.Totals,
            Absent = absences.Explain(imaged.Absent),
            Continues = continues,
            Runs = runs,
            Differences = map is null ? [] : Differences(imaged, cancellation),
            Digests = imaged.Digests,
            Container = ContainerCheck.Of(source, imaged.Digests, cancellation),
        };
        using var content = new ImagedContent(new VaultImage(default, manifest, medium), source.Identity);
        manifest = manifest with { Source = SourceDescription.With(manifest.Source, EncryptionSearch.Of(content)) };
        return await RecordAsync(manifest, imaged, cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        journal?.Dispose();
        medium.Dispose();
    }

    private static string ToolVersion { get; } =
        typeof(Acquirer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private Instant Now() => vault.Access.Clock.GetCurrentInstant();

    /// <summary>
    /// An earlier run came as far as its manifest. Where all that it lacked is the ledger entry, it gets that; an image of a source that was lost on the way
    /// is continued, and one that lacks what is asked for now is made anew.
    /// </summary>
    private AcquisitionResult? Finish(Sha256Digest image)
    {
        if (ReadWritten(image) is not var (manifest, segments))
            return null;
        long? entry = vault.Ledger.FindAcquisition(image);
        if (manifest.Differences.Any(d => d.What is "gone" or "shorter"))
        {
            if (entry is not null)
            {
                continues ??= image;
                Inherit(manifest);
            }

            return null;
        }

        bool verified = journal!.ImageVerified;
        if ((!verified && !options.SkipReadBack) || digests.Except(manifest.Digests.Select(d => d.Algorithm)).Any())
            return null;
        entry ??= vault.Ledger.RecordAcquisition(image, manifest, item, options.Case, verified);
        Forget(image);
        Log.Finished(vault.Access.Logger, source.Identity.Name, image);
        return Result(image, manifest, verified, entry, segments);
    }

    /// <summary>The manifest that an earlier run wrote, and how many segments it names; null where it, or its map, is gone or damaged.</summary>
    private (ImageManifest Manifest, long Segments)? ReadWritten(Sha256Digest image)
    {
        try
        {
            VaultImage written = vault.OpenImage(image);
            return (written.Manifest, written.Runs().LongCount(r => r.Kind == RunKind.Data));
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
        {
            // Whoever verifies hears of it. What the journal's pages hold is proved by their ids, and the rest is read again.
            return null;
        }
    }

    /// <summary>Removes the journal of an image that is recorded.</summary>
    private void Forget(Sha256Digest image)
    {
        try
        {
            journal?.Remove();
        }
        catch (EvidenceException e)
        {
            throw new EvidenceException(
                e.Code, $"The image sha256:{image} is recorded, but the journal of its making could not be removed for good: {e.Message} To image the source once more, give --restart.", e);
        }
    }

    /// <summary>Takes up what an earlier run, or the image that is to be continued, has of the source, and what a tool for dying disks says of it.</summary>
    private void TakeUp(CancellationToken cancellation)
    {
        if (options.Continues is { } image)
            TakeUpImage(vault.OpenImage(image));
        TakeUpJournal();
        foreach (MapRun run in held.Count(map!.Length))
        {
            if (IsHeld(run))
                map.Set(run.Offset, run.Length, RescueStatus.Finished);
            else if (run.Kind == RunKind.Data)
            {
                hasLosses = true;
                map.Set(run.Offset, run.Length, RescueStatus.NonTried);
            }
        }

        Exclude();
        if (held.PresentBytes == 0 || SourceSamples.FirstDifference(source, held, map, mapfile, cancellation) is not { } other)
            return;
        string what = $"{source.Identity.Name} does not give the bytes at offset {other.Offset} that were read from it before";
        if (options.Continues is not null)
            throw new EvidenceException(ErrorCode.SourceFailed, $"{what}: it is another source, or was written to since. Acquire it anew, without --resume.");
        throw new EvidenceException(
            ErrorCode.SourceFailed, $"{what}, in the run that was interrupted: it is another source, or was written to since. Acquire it with --restart, which begins anew.");
    }

    /// <summary>Whether a run need not be read. A segment that was found damaged, or is gone since a repair, is asked of the source again.</summary>
    private bool IsHeld(MapRun run) => run.Kind switch
    {
        RunKind.Data => vault.Index.TryFind(run.Segment, out _),
        RunKind.Zero or RunKind.Fill => true,
        RunKind.Hole => !options.ReadHoles,
        _ => false,
    };

    /// <summary>What an image is of no single moment for, an image that continues it is, too. That it lacked its end is mended by going on.</summary>
    private void Inherit(ImageManifest manifest) =>
        inherited.AddRange(manifest.Differences.Where(d => d.What is not ("gone" or "shorter")).Except(inherited));

    private void TakeUpImage(VaultImage image)
    {
        if (image.Size != map!.Length)
        {
            throw new EvidenceException(
                ErrorCode.SourceFailed,
                $"{source.Identity.Name} has {map.Length} bytes, the image sha256:{image.Id} {image.Size}: it is not of this source. Name the source that it was made from.");
        }

        Inherit(image.Manifest);
        for (long number = 0; number < image.Manifest.Pages; number++)
            held.AddPage(number, image.Entry(number).Id);
        foreach (AbsentRange range in image.Manifest.Absent)
        {
            absences.Note(range);
            // What failed as a single sector is tried once more, sector by sector.
            map.Set(range.Offset, range.Length, range.Kind == RunKind.Unreadable ? RescueStatus.NonScraped : RescueStatus.NonTried);
        }
    }

    private void TakeUpJournal()
    {
        foreach (AcquisitionRun run in journal!.Runs)
            runs.Add(run);
        foreach ((long number, Sha256Digest id) in journal.Pages)
            held.AddPage(number, id);
        foreach (MapRun piece in journal.Pieces)
            held.AddPiece(piece);
        foreach ((long offset, long length, RescueStatus status, string reason) in journal.Statuses)
        {
            absences.Note(offset, length, status, reason);
            map!.Set(offset, length, status);
        }
    }

    /// <summary>What the mapfile's own tool did not get is not asked for: what stands there in its output are no bytes of the disk.</summary>
    private void Exclude()
    {
        if (mapfile is null)
            return;
        map!.Exclude(mapfile, 0, map.Length);
        foreach (RescueRange range in mapfile.Ranges.Where(r => r.Status != RescueStatus.Finished))
        {
            if (options.Continues is null || range.Status == RescueStatus.BadSector)
                absences.Note(range.Offset, range.Length, range.Status, "by the mapfile");
        }

        foreach (SourceAbsence absence in source.Absences)
            absences.Note(new AbsentRange(absence.IsUnreadable ? RunKind.Unreadable : RunKind.Unread, absence.Offset, absence.Length, absence.Reason));
    }

    /// <summary>What of the source is to be read, by a mapfile and by the source itself, in whole sectors; null for all of it.</summary>
    private static RescueMap? WhatCounts(RescueMap? mapfile, Source source, long length)
    {
        RescueMap? counts = mapfile?.Fit(length, RescueReader.Sector);
        if (source.Absences.Count == 0)
            return counts;
        if (counts is null)
        {
            counts = new RescueMap(length);
            counts.Set(0, length, RescueStatus.Finished);
        }

        foreach (SourceAbsence absence in source.Absences)
            counts.Set(absence.Offset, absence.Length, absence.IsUnreadable ? RescueStatus.BadSector : RescueStatus.NonTried);
        return counts;
    }

    private async Task<ImagedSource> ImageAsync(CancellationToken cancellation)
    {
        rescuer = map is null ? null : new Rescuer(source, map, options.Rescue);
        ImagedSource? imaged = null;
        // Where nothing is left but places that failed before, there is no first pass to make.
        if (map is null || hasLosses || map.Ranges.Any(r => r.Status == RescueStatus.NonTried) || map.Ranges.All(r => r.Status == RescueStatus.Finished))
        {
            imaged = await PassAsync(rescuer, AcquisitionPhase.Reading, cancellation).ConfigureAwait(false);
            if (!imaged.Deferred)
                return imaged;
            for (int i = 0; i < imaged.Pages.Count; i++)
                held.AddPage(i, imaged.Pages[i]);
        }

        EvidenceException? lost = imaged?.Lost;
        lost ??= await Task.Factory.StartNew(
            () => Rescue(cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
        imaged = await PassAsync(from: null, AcquisitionPhase.Assembling, cancellation).ConfigureAwait(false);
        return imaged with { Lost = lost };
    }

    private async Task<ImagedSource> PassAsync(Rescuer? from, AcquisitionPhase phase, CancellationToken cancellation)
    {
        ImagedSource imaged = await ImagingPipeline.RunAsync(
            new ImagingPass
            {
                Source = source,
                Store = vault.Store,
                Index = vault.Index,
                Parameters = vault.Settings.Segments,
                Compression = compression,
                Digests = digests,
                ReadHoles = options.ReadHoles,
                Others = others,
                Held = map is null ? null : held,
                Map = map,
                Mapfile = mapfile,
                Rescuer = from,
                Absences = absences,
                Journal = from is null ? null : journal,
                Progress = (done, bytes) => progress?.Report(new(phase, done, source.Length, stored.Bytes + bytes)),
            },
            cancellation).ConfigureAwait(false);
        stored += imaged.Stored;
        // In this order, each durable before the next: packs, manifest, ledger entry, checkpoint.
        await vault.Store.FlushAsync().ConfigureAwait(false);
        if (from is not null)
            journal?.Keep([.. imaged.Pages.Skip(imaged.PagesKept).Select((id, i) => ((long)(imaged.PagesKept + i), id))]);
        return imaged;
    }

    /// <summary>Gets out of the source what can be got; returns why it ended early, where it did.</summary>
    private EvidenceException? Rescue(CancellationToken cancellation)
    {
        long missing = map!.Ranges.Where(r => r.Status != RescueStatus.Finished).Sum(r => r.Length);
        using var filling = new GapFilling(
            held, vault.Store, vault.Settings.Segments, compression, absences, journal!,
            done => progress?.Report(new(AcquisitionPhase.Rescuing, done, missing, stored.Bytes)));
        try
        {
            rescuer!.Recover(filling, cancellation);
            return null;
        }
        catch (EvidenceException e) when (e is SourceChangedException or SourceReadException { IsSourceGone: true })
        {
            absences.Lose(e);
            return e;
        }
        finally
        {
            filling.Keep();
            stored += filling.Stored;
        }
    }

    /// <summary>How the source differs from what it was.</summary>
    private List<SourceDifference> Differences(ImagedSource imaged, CancellationToken cancellation)
    {
        List<SourceDifference> differences = [.. inherited];
        try
        {
            if (imaged.Lost is { } lost)
                throw lost;
            source.EnsureUnchanged();
            for (int i = 0; i < imaged.Pages.Count; i++)
                held.AddPage(i, imaged.Pages[i]);
            // When the time is over, nothing more is read.
            if (rescuer is not { IsOutOfTime: true } && SourceSamples.FirstDifference(source, held, map!, mapfile, cancellation) is { } other)
                differences.Add(new SourceDifference("content", other.Offset, other.Length));
        }
        catch (SourceChangedException e)
        {
            differences.Add(e.Change switch
            {
                SourceChange.Modified => new SourceDifference("modified", 0, imaged.Size),
                SourceChange.Replaced => new SourceDifference("gone", 0, 0),
                SourceChange.Longer => new SourceDifference("longer", imaged.Size, (e.ActualLength ?? imaged.Size) - imaged.Size),
                _ => new SourceDifference("shorter", e.ActualLength ?? imaged.Size, e.ActualLength is { } now ? imaged.Size - now : 0),
            });
        }
        catch (SourceReadException e)
        {
            differences.Add(new SourceDifference("gone", e.Offset, 0));
        }

        foreach (SourceDifference difference in differences)
            Log.SourceDiffers(vault.Access.Logger, source.Identity.Name, difference.What, difference.Offset);
        return differences;
    }

    private async Task<AcquisitionResult> RecordAsync(ImageManifest manifest, ImagedSource imaged, CancellationToken cancellation)
    {
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
            await ReadBack.RunAsync(
                new VaultImage(id, manifest, medium), held.Proven, vault.Index, medium,
                done => progress?.Report(new(AcquisitionPhase.ReadingBack, done, manifest.Totals.GetValueOrDefault(RunKind.Data), stored.Bytes)),
                cancellation).ConfigureAwait(false);
        }

        cancellation.ThrowIfCancellationRequested();
        _ = DurableFile.TryCreate(vault.Layout.Manifest(id), bytes, vault.Store.StagingPath);
        journal?.Keep(id, verified: !options.SkipReadBack);
        long? entry = vault.Ledger.RecordAcquisition(id, manifest, item, options.Case, verified: !options.SkipReadBack);
        // An image of a source that was lost on the way is continued by the next run of the same command.
        if (imaged.Lost is null)
            Forget(id);
        return Result(id, manifest, !options.SkipReadBack, entry, imaged.Segments);
    }

    private AcquisitionResult Result(Sha256Digest image, ImageManifest manifest, bool verified, long? entry, long segments) => new()
    {
        Image = image,
        Manifest = manifest,
        Item = item,
        Case = options.Case,
        Segments = segments,
        NewSegments = stored.Segments,
        NewBytes = stored.Content,
        StoredBytes = stored.Bytes,
        Verified = verified,
        Entry = entry,
        Elapsed = watch.Elapsed,
    };
}
