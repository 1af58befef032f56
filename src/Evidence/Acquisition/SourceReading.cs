using System.Threading.Channels;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;

namespace Evidence.Acquisition;

/// <summary>A range of the source as it goes down the pipeline: a block of bytes, or a range that has none.</summary>
/// <param name="Offset">Its first byte in the source.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Kind"><see cref="RunKind.Data"/> with a block; otherwise why there is none.</param>
/// <param name="Block">The bytes.</param>
/// <param name="IsDeferred">Whether it will be tried again later, so that this pass gives neither the last map nor a digest of the whole.</param>
internal readonly record struct SourceItem(long Offset, long Length, RunKind Kind, Block? Block, bool IsDeferred = false);

/// <summary>
/// The first stage: gives the source in order to every consumer. What the vault holds already comes from there, checked against its ids; the rest is
/// read, fast and without insisting: what a failing source refuses is left for later. Its thread waits for the device and for free blocks, nothing else.
/// </summary>
internal sealed class SourceReading(ImagingPass pass, BlockPool pool, IReadOnlyList<ChannelWriter<SourceItem>> consumers) : IRescueSink
{
    private const int Sector = SegmentParameters.SectorSize;

    private readonly Source source = pass.Source;
    private readonly HeldContent? held = pass.Held;
    private readonly Rescuer? rescuer = pass.Rescuer;
    private readonly RescueMap? map = pass.Map;
    private readonly Absences absences = pass.Absences;

    private IEnumerator<SourceExtent>? extents;
    private byte[] scratch = [];
    private Block? block;
    private long blockOffset;
    private long position;
    private bool damaged;
    private SourceExtent? hole;
    private CancellationToken cancellation;

    /// <summary>Whether something was left for later.</summary>
    internal bool Deferred { get; private set; }

    /// <summary>What ended the reading before the source's end: it is gone, or ends earlier than it said.</summary>
    internal EvidenceException? Lost { get; private set; }

    /// <summary>Goes to the end; returns the number of bytes that the source has.</summary>
    internal long Run(CancellationToken stop)
    {
        cancellation = stop;
        try
        {
            return source.Length is { } length ? ReadKnown(length) : ReadToEnd();
        }
        finally
        {
            extents?.Dispose();
            foreach (ChannelWriter<SourceItem> consumer in consumers)
                consumer.TryComplete();
        }
    }

    Span<byte> IRescueSink.Buffer(long offset, int length)
    {
        cancellation.ThrowIfCancellationRequested();
        GoTo(offset);
        return Room(length);
    }

    void IRescueSink.Rescued(long offset, int length) => Take(length);

    void IRescueSink.Failed(long offset, long length, RescueStatus status, SourceReadException? error)
    {
        string reason = Absences.ReasonOf(error);
        absences.Note(offset, length, status, reason);
        pass.Journal?.Note(offset, length, status, reason);
    }

    private long ReadToEnd()
    {
        while (true)
        {
            block = pool.Rent(cancellation);
            block.Length = source.Read(position, block.Buffer);
            bool ended = block.Length < BlockPool.BlockSize;
            blockOffset = position;
            position += block.Length;
            HandBlock();
            if (ended)
                return position;
        }
    }

    private long ReadKnown(long length)
    {
        for (long start = 0; start < length; start += SegmentParameters.PageSize)
        {
            int covered = (int)Math.Min(SegmentParameters.PageSize, length - start);
            damaged = false;
            foreach (MapRun run in RunsOf(start / SegmentParameters.PageSize, covered))
            {
                cancellation.ThrowIfCancellationRequested();
                if (run.IsPresent)
                    GiveHeld(run);
                else if (run.Kind == RunKind.Hole && !pass.ReadHoles)
                    GiveAbsent(run.End, RunKind.Hole, deferred: false);
                else
                    GiveMissing(run.End);
            }

            if (!damaged)
                held!.Prove(start / SegmentParameters.PageSize);
        }

        HandBlock();
        return length;
    }

    private List<MapRun> RunsOf(long page, int length)
    {
        try
        {
            return [.. held!.Runs(page, length)];
        }
        catch (EvidenceException e) when (rescuer is not null && string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
        {
            damaged = true;
            held!.DropPage(page);
            List<MapRun> pieces = [.. held.Runs(page, length)];
            foreach (MapRun run in pieces.Where(r => !r.IsPresent))
                ReadAnew(run);
            return pieces;
        }
    }

    /// <summary>Has that read which the vault held until now, as far as the source may be asked for it.</summary>
    private void ReadAnew(MapRun run)
    {
        map!.Set(run.Offset, run.Length, RescueStatus.NonTried);
        if (pass.Mapfile is { } mapfile)
            map.Exclude(mapfile, run.Offset, run.Length);
    }

    private void GiveHeld(MapRun run)
    {
        if (run.Offset != position)
            throw new InvalidOperationException($"What the vault holds of offset {run.Offset} would come to lie at {position}.");
        if (scratch.Length < run.Length && run.Kind == RunKind.Data)
            scratch = new byte[run.Length];
        if (run.Kind == RunKind.Data)
        {
            try
            {
                held!.Read(run, scratch.AsSpan(0, (int)run.Length));
            }
            catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
            {
                // The vault's copy has rotted since; the source may still have it. Where this pass does not read, the next run does.
                pass.Index.MarkDamaged(run.Segment);
                if (rescuer is null)
                    throw;
                damaged = true;
                ReadAnew(run);
                GiveMissing(run.End);
                return;
            }
        }

        for (long done = 0; done < run.Length;)
        {
            int count = (int)Math.Min(run.Length - done, BlockPool.BlockSize - (position % BlockPool.BlockSize));
            Span<byte> room = Room(count);
            if (run.Kind == RunKind.Data)
                scratch.AsSpan((int)done, count).CopyTo(room);
            else
                room.Fill(run.Value);
            Take(count);
            done += count;
        }
    }

    /// <summary>Gives what the vault does not hold, up to an offset: reads it, or says that it is absent.</summary>
    private void GiveMissing(long end)
    {
        while (position < end)
        {
            if (rescuer is null || Lost is not null)
            {
                (RunKind kind, long until) = absences.At(position);
                GiveAbsent(Math.Min(end, until), kind, deferred: false);
                continue;
            }

            RescueRange range = map!.RangeAt(position);
            long stop = Math.Min(end, range.End);
            if (range.Status == RescueStatus.NonTried)
                ReadNonTried(stop);
            else if (range.Status == RescueStatus.Finished)
                GiveExcluded(stop);
            else
                GiveAbsent(stop, RunKind.Unread, deferred: true);
        }
    }

    /// <summary>Gives what this source shall not be asked for.</summary>
    private void GiveExcluded(long end)
    {
        while (position < end)
        {
            (RunKind kind, long until) = absences.At(position);
            GiveAbsent(Math.Min(end, until), kind, deferred: false);
        }
    }

    private void ReadNonTried(long end)
    {
        SourceExtent? nothing = pass.ReadHoles ? null : NextHole(position);
        long stop = Math.Clamp(nothing?.Offset ?? end, position, end);
        if (stop == position)
        {
            long until = Math.Min(end, nothing!.Value.End);
            map!.Set(position, until - position, RescueStatus.Finished);
            GiveAbsent(until, RunKind.Hole, deferred: false);
            return;
        }

        try
        {
            rescuer!.CopyForward(position, stop, this, cancellation);
            GoTo(stop);
        }
        catch (EvidenceException e) when (e is SourceChangedException or SourceReadException { IsSourceGone: true })
        {
            Lost = e;
            absences.Lose(e);
            if (e is SourceChangedException { Change: SourceChange.Shorter })
                ReadToNewEnd(stop);
        }
    }

    /// <summary>The source ends somewhere within what was asked of it: what lies before that is read, to the last whole sector.</summary>
    private void ReadToNewEnd(long end)
    {
        for (int length = BlockPool.BlockSize; length >= Sector && position < end;)
        {
            int count = (int)Math.Min(Math.Min(length, end - position), BlockPool.BlockSize - (position % BlockPool.BlockSize));
            try
            {
                Take(source.Read(position, Room(count)));
            }
            catch (EvidenceException e) when (e is SourceChangedException or SourceReadException)
            {
                length /= 2;
            }
        }
    }

    /// <summary>The first hole that does not end before an offset, in whole sectors; null where there is none.</summary>
    /// <remarks>What is claimed of part of a sector is no claim about the sector: its other bytes are read, and so are these.</remarks>
    private SourceExtent? NextHole(long offset)
    {
        extents ??= Holes().GetEnumerator();
        while (hole is null || hole.Value.End <= offset)
        {
            if (!extents.MoveNext())
                return null;
            hole = extents.Current;
        }

        return hole;
    }

    private IEnumerable<SourceExtent> Holes()
    {
        foreach (SourceExtent extent in source.Extents())
        {
            long start = (extent.Offset + Sector - 1) / Sector * Sector;
            long end = extent.End >= source.Length ? extent.End : extent.End / Sector * Sector;
            if (extent.Kind == SourceExtentKind.Hole && end > start)
                yield return new SourceExtent(start, end - start, SourceExtentKind.Hole);
        }
    }

    /// <summary>Goes on at an offset; what lies before it was passed over, and is left for later.</summary>
    private void GoTo(long offset)
    {
        if (offset > position)
            GiveAbsent(offset, RunKind.Unread, deferred: true);
    }

    private void GiveAbsent(long end, RunKind kind, bool deferred)
    {
        HandBlock();
        Deferred |= deferred;
        Hand(new SourceItem(position, end - position, kind, null, deferred));
        position = end;
    }

    /// <summary>Where the bytes that come next go. Blocks end at multiples of their size, so that none crosses a page of the map.</summary>
    private Span<byte> Room(int length)
    {
        int within = (int)(position % BlockPool.BlockSize);
        if (block is null)
        {
            block = pool.Rent(cancellation);
            block.Start = within;
            blockOffset = position;
        }

        return block.Buffer.Slice(within, length);
    }

    private void Take(int length)
    {
        block!.Length += length;
        position += length;
        if (position % BlockPool.BlockSize == 0)
            HandBlock();
    }

    private void HandBlock()
    {
        if (block is not { } full)
            return;
        block = null;
        if (full.Length > 0)
            Hand(new SourceItem(blockOffset, full.Length, RunKind.Data, full));
        else
            pool.Return(full);
    }

    private void Hand(SourceItem item)
    {
        item.Block?.SetReferences(consumers.Count);
        // The channels have no bound of their own: the blocks have.
        foreach (ChannelWriter<SourceItem> consumer in consumers)
            consumer.TryWrite(item);
    }
}
