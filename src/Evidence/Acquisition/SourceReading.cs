using System.Threading.Channels;
using Evidence.Segments;
using Evidence.Sources;

namespace Evidence.Acquisition;

/// <summary>A range of the source as it goes down the pipeline: a block of bytes, or a range that has none.</summary>
/// <param name="Offset">Its first byte in the source.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Kind"><see cref="RunKind.Data"/> with a block; otherwise why there is none.</param>
/// <param name="Block">The bytes.</param>
internal readonly record struct SourceItem(long Offset, long Length, RunKind Kind, Block? Block);

/// <summary>
/// The first stage: reads the source in order, and hands every range to every consumer. Its thread waits for the device and for free
/// blocks, nothing else.
/// </summary>
internal sealed class SourceReading(
    Source source, bool readHoles, BlockPool pool, IReadOnlyList<ChannelWriter<SourceItem>> consumers)
{
    private const int Sector = SegmentParameters.SectorSize;

    /// <summary>Reads to the end; returns the number of bytes that the source has.</summary>
    internal long Run(CancellationToken cancellation)
    {
        try
        {
            return source.Length is { } length ? ReadKnown(length, cancellation) : ReadToEnd(cancellation);
        }
        finally
        {
            foreach (ChannelWriter<SourceItem> consumer in consumers)
                consumer.TryComplete();
        }
    }

    private long ReadKnown(long length, CancellationToken cancellation)
    {
        long position = 0;
        if (!readHoles)
        {
            foreach (SourceExtent extent in source.Extents())
            {
                if (extent.Kind != SourceExtentKind.Hole)
                    continue;
                // What is claimed of part of a sector is no claim about the sector: its other bytes are read, and so are these.
                long start = (Math.Max(extent.Offset, position) + Sector - 1) / Sector * Sector;
                long end = extent.End >= length ? length : extent.End / Sector * Sector;
                if (end <= start)
                    continue;
                ReadData(position, start, cancellation);
                Hand(new SourceItem(start, end - start, RunKind.Hole, null));
                position = end;
            }
        }

        ReadData(position, length, cancellation);
        source.EnsureUnchanged();
        return length;
    }

    private long ReadToEnd(CancellationToken cancellation)
    {
        for (long position = 0; ;)
        {
            Block block = pool.Rent(cancellation);
            block.Length = source.Read(position, block.Buffer);
            if (block.Length > 0)
                Hand(new SourceItem(position, block.Length, RunKind.Data, block));
            position += block.Length;
            if (block.Length < BlockPool.BlockSize)
                return position;
        }
    }

    private void ReadData(long start, long end, CancellationToken cancellation)
    {
        while (start < end)
        {
            // Blocks end at multiples of their size, so that none crosses a page of the map.
            long stop = Math.Min(end, (start / BlockPool.BlockSize * BlockPool.BlockSize) + BlockPool.BlockSize);
            ReadRange(start, (int)(stop - start), cancellation);
            start = stop;
        }
    }

    /// <summary>
    /// Reads a range. Around an error what came before it is kept, for it may not be given a second time; the rest is read by halves, until what
    /// cannot be read is down to single sectors.
    /// </summary>
    private void ReadRange(long offset, int length, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Block block = pool.Rent(cancellation);
        try
        {
            block.Length = source.Read(offset, block.Buffer[..length]);
            Hand(new SourceItem(offset, block.Length, RunKind.Data, block));
            return;
        }
        catch (SourceReadException e) when (!e.IsSourceGone && !source.IsSequential)
        {
            block.Length = (int)(Math.Clamp(e.Offset - offset, 0, length) / Sector * Sector);
        }

        int read = block.Length;
        if (read > 0)
            Hand(new SourceItem(offset, read, RunKind.Data, block));
        else
            pool.Return(block);
        ReadAroundError(offset + read, length - read, asked: length, cancellation);
    }

    /// <summary>Goes on where a read of <paramref name="asked"/> bytes failed.</summary>
    private void ReadAroundError(long offset, int length, int asked, CancellationToken cancellation)
    {
        // Absent ranges are told in the map's sectors, also of a disk whose own are of 520 bytes.
        int sector = (Math.Max(source.SectorSize, Sector) + Sector - 1) / Sector * Sector;
        if (length == 0)
            return;
        if (asked <= sector)
        {
            Hand(new SourceItem(offset, length, RunKind.Unreadable, null));
        }
        else if (length <= sector)
        {
            // It failed as part of a longer read; asked for alone it may be given.
            ReadRange(offset, length, cancellation);
        }
        else
        {
            int half = (length / 2 / sector * sector) is > 0 and { } whole ? whole : sector;
            ReadRange(offset, half, cancellation);
            ReadRange(offset + half, length - half, cancellation);
        }
    }

    private void Hand(SourceItem item)
    {
        item.Block?.SetReferences(consumers.Count);
        // The channels have no bound of their own: the blocks have.
        foreach (ChannelWriter<SourceItem> consumer in consumers)
            consumer.TryWrite(item);
    }
}
