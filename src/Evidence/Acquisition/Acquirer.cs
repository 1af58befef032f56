using Evidence.Hashing;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>Images sources into a vault. One acquirer may image several sources at once; what they have in common is stored once.</summary>
/// <param name="vault">The vault. Whoever opened it needs a key store, or nothing can be recorded.</param>
public sealed class Acquirer(Vault vault)
{
    /// <summary>How many sources are imaged at one time where nothing else is said: as many as the widest vectors have lanes.</summary>
    public const int DefaultSideBySide = 16;

    /// <summary>What a source is called where nothing else is said.</summary>
    public static string DefaultItem(Source source)
    {
        ArgumentNullException.ThrowIfNull(source);
        return SourceDescription.DefaultItem(source.Identity);
    }

    /// <summary>Finds the image of an item that a second pass goes on from: its newest, which must lack something.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="item">The item.</param>
    /// <exception cref="EvidenceException">There is none, or nothing is missing from it.</exception>
    public static Sha256Digest FindIncomplete(Vault vault, string item)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ImageRecord newest = vault.Images().LastOrDefault(i => string.Equals(i.Item, item, StringComparison.Ordinal)) ??
            throw new EvidenceException(ErrorCode.ImageNotFound, $"The vault holds no image of '{item}' to go on from. Name the item with --item, or leave --resume out.");
        return vault.OpenImage(newest).Manifest.Absent.Count > 0
            ? newest.Image
            : throw new EvidenceException(ErrorCode.ImageNotFound, $"Nothing is missing from the newest image of '{item}', sha256:{newest.Image}: there is nothing to go on with.");
    }

    /// <summary>
    /// Images a source: reads it once, stores what the vault does not have yet, gets what it can out of places that fail, reads everything back from the
    /// medium, and records it in the ledger. On return all of it is durable. An earlier run of the same acquisition that was interrupted is gone on with. Where
    /// this one fails or is cancelled, what it has read so far is kept for the next.
    /// </summary>
    /// <param name="source">The source; it stays open.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Hears how far it is, from several threads, a few times a second at most for each gigabyte a second.</param>
    /// <param name="cancellation">Stops the run.</param>
    /// <exception cref="EvidenceException">The source, the vault or the ledger failed; <see cref="EvidenceException.Code"/> says which.</exception>
    public Task<AcquisitionResult> AcquireAsync(
        Source source, AcquisitionOptions? options = null, IProgress<AcquisitionProgress>? progress = null, CancellationToken cancellation = default) =>
        RunAsync(source, options, SideBySide.Alone, progress, cancellation);

    /// <summary>
    /// Images several sources side by side, each as <see cref="AcquireAsync"/> does, with its own entry in the ledger; their digests of the whole go through the
    /// processor's vectors together. One that fails does not touch the others.
    /// </summary>
    /// <param name="requests">The sources, and how to image each. They are begun in this order.</param>
    /// <param name="sideBySide">
    /// How many at one time, at most: from 1. Up to sixteen share 275 MB of memory (with the default segments); from 33 on each takes 9 MB more.
    /// </param>
    /// <param name="cancellation">Stops all of them.</param>
    /// <returns>What became of each, in the order of the requests.</returns>
    public async Task<IReadOnlyList<AcquisitionOutcome>> AcquireAllAsync(
        IReadOnlyList<AcquisitionRequest> requests, int sideBySide = DefaultSideBySide, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(requests);
        ArgumentOutOfRangeException.ThrowIfLessThan(sideBySide, 1);
        sideBySide = Math.Min(sideBySide, Math.Max(1, requests.Count));
        var others = new SideBySide(sideBySide);
        var outcomes = new AcquisitionOutcome[requests.Count];
        // What is cancelled is an outcome, too: each source has one.
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = sideBySide, CancellationToken = CancellationToken.None };
        await Parallel.ForEachAsync(requests.Index(), parallel, async (next, _) =>
        {
            try
            {
                (Source source, AcquisitionOptions? options, IProgress<AcquisitionProgress>? progress) = next.Item;
                outcomes[next.Index] = new(await RunAsync(source, options, others, progress, cancellation).ConfigureAwait(false));
            }
            catch (Exception e)
            {
                outcomes[next.Index] = new(e);
            }
        }).ConfigureAwait(false);
        return outcomes;
    }

    private async Task<AcquisitionResult> RunAsync(
        Source source, AcquisitionOptions? options, SideBySide others, IProgress<AcquisitionProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        options ??= new AcquisitionOptions();
        string item = options.Item ?? DefaultItem(source);
        Labels.Check(item, nameof(options.Item));
        Labels.CheckOptional(options.Case, nameof(options.Case));
        Labels.CheckOptional(options.Examiner, nameof(options.Examiner));
        Labels.CheckOptional(options.WriteBlocker, nameof(options.WriteBlocker));
        Labels.CheckOptional(options.Seal, nameof(options.Seal));
        vault.Ledger.EnsureKeys();
        using var work = new ImagingWork(vault, source, item, options, others, progress);
        return await work.RunAsync(cancellation).ConfigureAwait(false);
    }
}
