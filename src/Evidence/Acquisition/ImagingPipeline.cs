using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>What one pass over a source gave.</summary>
internal sealed record ImagedSource(
    long Size,
    Sha256Digest Root,
    IReadOnlyList<Sha256Digest> Tables,
    IReadOnlyList<AbsentRange> Absent,
    IReadOnlyDictionary<RunKind, long> Totals,
    IReadOnlyList<ImageDigest> Digests,
    long Segments,
    long NewSegments,
    long NewBytes,
    long StoredBytes);

/// <summary>The way of the data, in one place: source -> blocks -> digest chains, and segments -> packs -> map.</summary>
/// <remarks>
/// <code>
///              +-> DigestChain  md5 | sha1 | sha256 ...
/// SourceReading                                                      (a block is read once and goes to all of them by reference)
///              +-> Segmenting -> SegmentStore (packs) -> MapBuilder
/// </code>
/// Memory is bounded by the number of blocks: the reader waits for a free one, so the slowest stage sets the pace.
/// </remarks>
internal static class ImagingPipeline
{
    /// <summary>Blocks in flight: enough that a slow digest and the segmenter do not wait for each other; 35 MB with the default parameters.</summary>
    private const int Blocks = 8;

    internal static async Task<ImagedSource> RunAsync(
        Source source,
        SegmentStore store,
        SegmentParameters parameters,
        Compression compression,
        IReadOnlyList<DigestAlgorithm> digests,
        bool readHoles,
        Action<long, long> progress,
        CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var pool = new BlockPool(Blocks, Segmenter.LargestCarry(parameters));
        DigestChain[] chains = [.. digests.Distinct().Select(d => new DigestChain(d))];
        var segmenting = new Segmenting(parameters, store, compression);
        ChannelWriter<SourceItem>[] consumers = [segmenting.Input, .. chains.Select(c => c.Input)];
        var reading = new SourceReading(source, readHoles, pool, consumers);
        var map = new MapBuilder(store, compression);
        var counters = new Counters();

        Task<long> reader = Task.Factory.StartNew(
            () => reading.Run(stop.Token), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Task<ImageDigest>[] chainTasks = [.. chains.Select(c => Task.Run(() => c.RunAsync(stop.Token), CancellationToken.None))];
        Task cutter = Task.Run(() => segmenting.RunAsync(stop.Token), CancellationToken.None);
        Task mapper = Task.Run(() => MapAsync(segmenting.Output, map, counters, progress, stop), CancellationToken.None);

        // Whichever stage fails first stops the others; all of them end before the blocks' memory goes.
        await WhenAllAsync([reader, .. chainTasks, cutter, mapper], stop).ConfigureAwait(false);

        var (size, root, tables, absent, totals) = map.Finish();
        return new ImagedSource(
            size, root, tables, absent, totals, [.. chainTasks.Select(t => t.Result)], map.Segments,
            counters.NewSegments, counters.NewBytes, counters.StoredBytes + map.StoredBytes);
    }

    /// <summary>Takes the windows in order. Also after a failure every window is awaited, for it works on a block's memory.</summary>
    private static async Task MapAsync(
        ChannelReader<Task<SegmentedWindow>> windows, MapBuilder map, Counters counters, Action<long, long> progress, CancellationTokenSource stop)
    {
        Exception? failure = null;
        await foreach (Task<SegmentedWindow> task in windows.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                SegmentedWindow window = await task.ConfigureAwait(false);
                if (failure is not null || stop.IsCancellationRequested)
                    continue;
                foreach (MapRun run in window.Runs)
                    map.Add(run);
                counters.NewSegments += window.NewSegments;
                counters.NewBytes += window.NewBytes;
                counters.StoredBytes += window.StoredBytes;
                progress(window.Runs[^1].End, counters.StoredBytes + map.StoredBytes);
            }
            catch (Exception e)
            {
                failure ??= e;
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        stop.Token.ThrowIfCancellationRequested();
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

    private sealed class Counters
    {
        internal long NewSegments { get; set; }

        internal long NewBytes { get; set; }

        internal long StoredBytes { get; set; }
    }
}
