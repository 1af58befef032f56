using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Evidence.Hashing;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>What one pass gave.</summary>
/// <param name="Size">The image's size in bytes.</param>
/// <param name="Root">The map's root.</param>
/// <param name="Pages">The segments that its pages are stored as.</param>
/// <param name="PagesKept">How many of those the journal names already.</param>
/// <param name="Tables">The ids of its page tables.</param>
/// <param name="Absent">What was not read, reasons not told yet.</param>
/// <param name="Totals">Bytes of each kind of run.</param>
/// <param name="Digests">The digests of the whole; none where something was deferred.</param>
/// <param name="Segments">Data runs.</param>
/// <param name="Stored">What storing it took.</param>
/// <param name="Deferred">Whether something was left for later: then this is no image yet.</param>
/// <param name="Lost">What ended the reading early: the source is gone.</param>
internal sealed record ImagedSource(
    long Size,
    Sha256Digest Root,
    IReadOnlyList<Sha256Digest> Pages,
    int PagesKept,
    IReadOnlyList<Sha256Digest> Tables,
    IReadOnlyList<AbsentRange> Absent,
    IReadOnlyDictionary<RunKind, long> Totals,
    IReadOnlyList<ImageDigest> Digests,
    long Segments,
    StoredCounts Stored,
    bool Deferred,
    EvidenceException? Lost);

/// <summary>What the vault grew by.</summary>
internal readonly record struct StoredCounts(long Segments, long Content, long Bytes)
{
    public static StoredCounts operator +(StoredCounts a, StoredCounts b) => new(a.Segments + b.Segments, a.Content + b.Content, a.Bytes + b.Bytes);
}

/// <summary>One pass: what is imaged, from what, and into where.</summary>
internal sealed record ImagingPass
{
    internal required Source Source { get; init; }

    internal required SegmentStore Store { get; init; }

    internal required SegmentIndex Index { get; init; }

    internal required SegmentParameters Parameters { get; init; }

    internal required Compression Compression { get; init; }

    internal required IReadOnlyList<DigestAlgorithm> Digests { get; init; }

    internal required bool ReadHoles { get; init; }

    /// <summary>What it shares with those that are imaged at the same time.</summary>
    internal required SideBySide Others { get; init; }

    /// <summary>What the vault holds of the source already; null for a source of unknown length.</summary>
    internal required HeldContent? Held { get; init; }

    /// <summary>What of the source is to be read; null for a source of unknown length.</summary>
    internal required RescueMap? Map { get; init; }

    /// <summary>What of the source counts, by the mapfile of the tool that made it; null for all of it.</summary>
    internal required RescueMap? Mapfile { get; init; }

    /// <summary>Reads that; null where nothing more is to be read.</summary>
    internal required Rescuer? Rescuer { get; init; }

    internal required Absences Absences { get; init; }

    /// <summary>Hears which pages are durable; null where nothing could go on from them.</summary>
    internal required AcquisitionJournal? Journal { get; init; }

    /// <summary>Hears how many bytes are through, and how many were stored.</summary>
    internal required Action<long, long> Progress { get; init; }
}

/// <summary>The way of the data, in one place: source -> blocks -> digest chains, and segments -> packs -> map.</summary>
/// <remarks>
/// <code>
///              +-> DigestChain  md5 | sha1 | sha256 ...
/// SourceReading                                                      (a block is read once and goes to all of them by reference)
///              +-> Segmenting -> SegmentStore (packs) -> MapBuilder -> AcquisitionJournal (pages, once they are durable)
/// </code>
/// Memory is bounded by the number of blocks: the reader waits for a free one, so the slowest stage sets the pace. The map and the digests are
/// functions of what the reader gives, in order; whether that comes from the source or from what earlier runs stored makes no difference to them.
/// </remarks>
internal static class ImagingPipeline
{
    internal static async Task<ImagedSource> RunAsync(ImagingPass pass, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var pool = new BlockPool(pass.Others.BlocksEach, Segmenter.LargestCarry(pass.Parameters));
        DigestChain[] chains = [.. pass.Digests.Distinct().Select(d => new DigestChain(d, pass.Others))];
        var segmenting = new Segmenting(pass.Parameters, pass.Store, pass.Compression);
        ChannelWriter<SourceItem>[] consumers = [segmenting.Input, .. chains.Select(c => c.Input)];
        var reading = new SourceReading(pass, pool, consumers);
        var map = new MapBuilder(pass.Store, pass.Compression);
        var mapping = new Mapping(pass, map);

        Task<long> reader = Task.Factory.StartNew(
            () => reading.Run(stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task<ImageDigest?>[] chainTasks = [.. chains.Select(c => Task.Run(() => c.RunAsync(stop.Token), CancellationToken.None))];
        Task cutter = Task.Run(() => segmenting.RunAsync(stop.Token), CancellationToken.None);
        Task mapper = Task.Run(() => mapping.RunAsync(segmenting.Output, stop), CancellationToken.None);

        // Whichever stage fails first stops the others; all of them end before the blocks' memory goes.
        await WhenAllAsync([reader, .. chainTasks, cutter, mapper], stop).ConfigureAwait(false);

        var (size, root, tables, absent, totals) = map.Finish();
        return new ImagedSource(
            size, root, map.Pages, mapping.Kept, tables, absent, totals, [.. chainTasks.Select(t => t.Result).OfType<ImageDigest>()], map.Segments,
            mapping.Stored, reading.Deferred, reading.Lost);
    }

    /// <summary>Waits for every stage to end; the first that fails stops the others, and its error is the one that counts.</summary>
    private static async Task WhenAllAsync(IEnumerable<Task> stages, CancellationTokenSource stop)
    {
        Exception? failure = null;
        List<Task> running = [.. stages];
        while (running.Count > 0)
        {
            Task ended = await Task.WhenAny(running).ConfigureAwait(false);
            running.Remove(ended);
            if (ended.IsCompletedSuccessfully)
                continue;
            Exception error = ended.Exception?.InnerException ?? new OperationCanceledException();
            failure = failure is null or OperationCanceledException ? error : failure;
            await stop.CancelAsync().ConfigureAwait(false);
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }
}
