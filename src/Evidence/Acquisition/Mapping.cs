using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Evidence.Hashing;
using Evidence.Segments;

namespace Evidence.Acquisition;

/// <summary>The last stage: takes the windows in order into the map, and its pages, once what they name is durable, into the journal.</summary>
internal sealed class Mapping(ImagingPass pass, MapBuilder map)
{
    private StoredCounts segments;
    private int taken;
    private int kept;
    private Task keeping = Task.CompletedTask;

    /// <summary>What storing segments and map took.</summary>
    internal StoredCounts Stored => segments with { Bytes = segments.Bytes + map.StoredBytes };

    /// <summary>The number of pages that are in the journal.</summary>
    internal int Kept => kept;

    /// <summary>Runs to the end. Also after a failure every window is awaited, for it works on a block's memory.</summary>
    internal async Task RunAsync(ChannelReader<Task<SegmentedWindow>> windows, CancellationTokenSource stop)
    {
        Exception? failure = null;
        using var ended = new CancellationTokenSource();
        await foreach (Task<SegmentedWindow> task in windows.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                SegmentedWindow window = await task.ConfigureAwait(false);
                if (failure is not null || stop.IsCancellationRequested)
                    continue;
                Take(window);
                if (map.Pages.Count > taken && keeping.IsCompleted)
                    await KeepAsync(AcquisitionJournal.Patience, ended.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failure ??= e;
                await stop.CancelAsync().ConfigureAwait(false);
            }
        }

        if (failure is null && !stop.IsCancellationRequested)
            map.EndPages();
        try
        {
            // No pack fills any more: nothing is waited for.
            await ended.CancelAsync().ConfigureAwait(false);
            await keeping.ConfigureAwait(false);
            // An interrupted run keeps all the whole pages that it has. After one that ends everything is flushed anyway.
            taken = kept;
            if (failure is null && stop.IsCancellationRequested && map.Pages.Count > taken)
            {
                await KeepAsync(TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false);
                await keeping.ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            failure ??= e;
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        stop.Token.ThrowIfCancellationRequested();
    }

    private void Take(SegmentedWindow window)
    {
        foreach (MapRun run in window.Runs)
            map.Add(run);
        segments += new StoredCounts(window.NewSegments, window.NewBytes, window.StoredBytes);
        pass.Progress(window.Runs[^1].End, Stored.Bytes);
    }

    /// <summary>Has the pages that ended kept as soon as what they name is durable, while the next are mapped; gives the outcome of the keeping before.</summary>
    private async Task KeepAsync(TimeSpan patience, CancellationToken giveUp)
    {
        await keeping.ConfigureAwait(false);
        (long Number, Sha256Digest Id)[] ended = [.. map.Pages.Skip(taken).Select((id, i) => ((long)taken + i, id))];
        taken = map.Pages.Count;
        if (pass.Journal is { } journal)
            keeping = Task.Run(() => KeepAsync(journal, ended, patience, giveUp), CancellationToken.None);
    }

    private async Task KeepAsync(AcquisitionJournal journal, (long Number, Sha256Digest Id)[] ended, TimeSpan patience, CancellationToken giveUp)
    {
        try
        {
            await pass.Store.SettleAsync(patience, giveUp).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Whoever gave up has all of it flushed, and kept, at once.
            return;
        }

        journal.Keep(ended);
        kept += ended.Length;
    }
}
