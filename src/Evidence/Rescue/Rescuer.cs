using Evidence.Sources;

namespace Evidence.Rescue;

/// <summary>
/// Reads what can be read of a failing source, the good parts first, as GNU ddrescue does: it copies in large reads and leaves every error
/// behind as fast as it can, then trims the edges of what failed, scrapes what lies between, and retries. Every
/// sector is asked for at most twice before the retries: in a copying pass, whose reads begin and end at multiples of their size, and by itself.
/// Not for use by several threads at once.
/// </summary>
/// <remarks>
/// A source that is gone, or another one than was opened, ends every method with its exception; what was not read keeps its status. A driver
/// that answers EIO for a device that was pulled out is recognised by <see cref="BlockDevice"/>, which asks for the size after each error.
/// </remarks>
internal sealed class Rescuer
{
    private readonly RescueMap map;
    private readonly RescueOptions options;
    private readonly RescueReader reader;
    private readonly ClusterSize cluster;
    private readonly SkipSize skip;
    private readonly TimeBudget budget;

    /// <summary>Where the first copying pass goes on, beyond what it skipped.</summary>
    private long resume;

    /// <summary>A rescuer of a source.</summary>
    /// <param name="source">A source that can be read at any offset, and has a length.</param>
    /// <param name="map">What is done already, of the same length; it is kept up to date, read by read.</param>
    /// <param name="options">How far to go; null for the defaults.</param>
    /// <param name="time">What measures the time budget; null for the system's clock.</param>
    /// <exception cref="EvidenceException">The map is of another length than the source.</exception>
    internal Rescuer(Source source, RescueMap map, RescueOptions? options = null, TimeProvider? time = null)
    {
        if (source.IsSequential || source.Length is not { } length)
            throw new ArgumentException("What can only be read once and in order cannot be rescued.", nameof(source));
        if (map.Length != length)
        {
            throw new EvidenceException(
                ErrorCode.RescueMapInvalid,
                string.Create(null, $"The map is of a source of {map.Length} bytes, and {source.Identity.Name} has {length}. Use the map of this source."));
        }

        this.map = map;
        this.options = options ?? new RescueOptions();
        map.Join(RescueReader.Sector);
        reader = new RescueReader(source, map);
        cluster = new ClusterSize(source);
        skip = new SkipSize(length);
        budget = new TimeBudget(this.options.TimeBudget, time ?? TimeProvider.System);
    }

    /// <summary>Whether the time budget is used up: nothing more is read.</summary>
    internal bool IsOutOfTime => budget.IsUsedUp;

    /// <summary>
    /// The first copying pass: reads the parts of [start, end) that were not tried, in strictly increasing order, and skips beyond errors. Where
    /// to go on after a skip is kept for the next call. Of a map from an earlier run it leaves out the ranges that were skipped there: those that
    /// follow a range that failed, unless nothing untried comes after them.
    /// </summary>
    internal void CopyForward(long start, long end, IRescueSink sink, CancellationToken cancellation)
    {
        long position = Math.Max(start, resume);
        while (NextNotSkipped(position) is { } range && range.Offset < end && MayRead(cancellation))
        {
            position = Copy(range.Offset, Math.Min(range.End, end), sink, out bool failed);
            if (failed)
                resume = position = Skip(position);
        }
    }

    /// <summary>
    /// All that is left to do: the first copying pass where it was not made, the passes that delimit and sweep what it skipped, trimming,
    /// scraping, and as many retries as are asked for. Offsets come in any order. The map may be in any state.
    /// </summary>
    internal void Recover(IRescueSink sink, CancellationToken cancellation)
    {
        CopyForward(0, map.Length, sink, cancellation);
        // From behind, then from in front with leaps, then from behind again, the good parts between errors are found before the last sweep.
        Delimit(sink, cancellation);
        Sweep(skipping: true, sink, cancellation);
        Delimit(sink, cancellation);
        Sweep(skipping: false, sink, cancellation);
        if (options.Trim)
            Each(RescueStatus.NonTrimmed, range => Trim(range, sink, cancellation), cancellation);
        if (options.Scrape)
            Each(RescueStatus.NonScraped, range => ScanForward(range.Offset, range.End, toFirstBad: false, sink, cancellation), cancellation);
        for (int retry = 0; retry < options.Retries; retry++)
            Retry(forward: retry % 2 == 0, sink, cancellation);
    }

    /// <summary>A copying pass backward; of each range that was not tried, what lies before the first error met is left.</summary>
    private void Delimit(IRescueSink sink, CancellationToken cancellation)
    {
        long before = map.Length;
        while (map.Previous(RescueStatus.NonTried, before) is { } range && MayRead(cancellation))
        {
            long start = Math.Max(range.Offset, (range.End - 1) / cluster.Current * cluster.Current);
            Copy(start, range.End, sink, out bool failed);
            before = failed ? range.Offset : start;
        }
    }

    /// <summary>A copying pass forward over everything that was not tried.</summary>
    private void Sweep(bool skipping, IRescueSink sink, CancellationToken cancellation)
    {
        long position = 0;
        while (map.Next(RescueStatus.NonTried, position) is { } range && MayRead(cancellation))
        {
            position = Copy(range.Offset, range.End, sink, out bool failed);
            if (failed && skipping)
                position = Skip(position);
        }
    }

    /// <summary>Reads one cluster, or what there is of it before an end.</summary>
    /// <returns>Where what was read ends, or what is known to have failed.</returns>
    private long Copy(long start, long end, IRescueSink sink, out bool failed)
    {
        end = Math.Min(end, RescueReader.NextMultiple(start, cluster.Current));
        RescueRange? failure = reader.Read(start, (int)(end - start), sink);
        failed = failure is not null;
        if (failure?.Offset != start)
            skip.Succeeded();
        if (failure is not { } bad)
        {
            cluster.Succeeded((int)(end - start));
            return end;
        }

        cluster.Failed();
        return bad.End;
    }

    /// <summary>Where to go on after what failed: whole clusters further.</summary>
    private long Skip(long failureEnd) => RescueReader.NextMultiple(failureEnd - 1, ClusterSize.AfterError) + skip.Failed();

    /// <summary>Reads a range that failed from both edges up to the first bad sector; an edge beside one is where it should be.</summary>
    private void Trim(RescueRange range, IRescueSink sink, CancellationToken cancellation)
    {
        long start = range.Offset;
        long end = range.End;
        if (!IsBad(start - 1))
            start = ScanForward(start, end, toFirstBad: true, sink, cancellation);
        if (!IsBad(end))
            end = ScanBackward(start, end, toFirstBad: true, sink, cancellation);
        if (start == end || !MayRead(cancellation))
            return;
        map.Set(start, end - start, RescueStatus.NonScraped);
        sink.Failed(start, end - start, RescueStatus.NonScraped, error: null);
    }

    private void Retry(bool forward, IRescueSink sink, CancellationToken cancellation)
    {
        if (forward)
        {
            Each(RescueStatus.BadSector, range => ScanForward(range.Offset, range.End, toFirstBad: false, sink, cancellation), cancellation);
            return;
        }

        long before = map.Length;
        while (map.Previous(RescueStatus.BadSector, before) is { } range && MayRead(cancellation))
        {
            before = range.Offset;
            ScanBackward(range.Offset, range.End, toFirstBad: false, sink, cancellation);
        }
    }

    private void Each(RescueStatus status, Action<RescueRange> treat, CancellationToken cancellation)
    {
        long position = 0;
        while (map.Next(status, position) is { } range && MayRead(cancellation))
        {
            position = range.End;
            treat(range);
        }
    }

    /// <summary>Reads a range one unit after the other.</summary>
    /// <returns>Where what was not tried begins.</returns>
    private long ScanForward(long start, long end, bool toFirstBad, IRescueSink sink, CancellationToken cancellation)
    {
        while (start < end && MayRead(cancellation))
        {
            RescueRange here = map.RangeAt(start);
            long stop = Math.Min(Math.Min(end, here.End), RescueReader.NextMultiple(start, reader.Unit));
            RescueStatus? outcome = here.Status == RescueStatus.Finished ? null : reader.Read(start, (int)(stop - start), sink)?.Status;
            // Where the source only now turned to reads that tell one sector from another, the same is read again.
            if (outcome is not RescueStatus.NonTrimmed)
                start = stop;
            if (outcome is RescueStatus.BadSector && toFirstBad)
                break;
        }

        return start;
    }

    /// <summary>Reads a range one unit after the other, from its end.</summary>
    /// <returns>Where what was not tried ends.</returns>
    private long ScanBackward(long start, long end, bool toFirstBad, IRescueSink sink, CancellationToken cancellation)
    {
        while (start < end && MayRead(cancellation))
        {
            RescueRange here = map.RangeAt(end - 1);
            long stop = Math.Max(Math.Max(start, here.Offset), (end - 1) / reader.Unit * reader.Unit);
            RescueStatus? outcome = here.Status == RescueStatus.Finished ? null : reader.Read(stop, (int)(end - stop), sink)?.Status;
            if (outcome is not RescueStatus.NonTrimmed)
                end = stop;
            if (outcome is RescueStatus.BadSector && toFirstBad)
                break;
        }

        return end;
    }

    /// <summary>The next range that was not tried, other than those that an earlier run skipped.</summary>
    private RescueRange? NextNotSkipped(long position)
    {
        while (map.Next(RescueStatus.NonTried, position) is { } range)
        {
            bool isSkipped = range.Offset > 0
                && map.RangeAt(range.Offset - 1).Status is not (RescueStatus.Finished or RescueStatus.NonTried)
                && map.Next(RescueStatus.NonTried, range.End) is not null;
            if (!isSkipped)
                return range;
            position = range.End;
        }

        return null;
    }

    private bool IsBad(long offset) => offset >= 0 && offset < map.Length && map.RangeAt(offset).Status == RescueStatus.BadSector;

    /// <summary>Whether one more read may begin.</summary>
    private bool MayRead(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return budget.Allows();
    }
}
