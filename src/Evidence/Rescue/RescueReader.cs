using Evidence.Sources;

namespace Evidence.Rescue;

/// <summary>One read, and what is told of it to the sink and to the map.</summary>
internal sealed class RescueReader(Source source, RescueMap map)
{
    /// <summary>Absent ranges are told in sectors of this size.</summary>
    internal const int Sector = Source.DefaultSectorSize;

    /// <summary>What is read to try one sector by itself: as small as its failure tells nothing of its neighbours, in whole sectors of 512 bytes.</summary>
    internal int Unit => (Math.Max(source.SectorSize, source.ErrorGranularity) + Sector - 1) / Sector * Sector;

    /// <summary>Reads a range in one go.</summary>
    /// <returns>Null where all of it was read; otherwise what failed.</returns>
    /// <exception cref="SourceReadException">The source is gone. What was read before that is told; the rest keeps its status.</exception>
    internal RescueRange? Read(long offset, int length, IRescueSink sink)
    {
        bool direct = source.IsDirect;
        try
        {
            _ = source.Read(offset, sink.Buffer(offset, length)[..length]);
        }
        catch (SourceReadException e)
        {
            int good = (int)Math.Clamp(e.Offset - offset, 0, length - 1) / Sector * Sector;
            Rescued(offset, good, sink);
            if (e.IsSourceGone)
                throw;
            RescueRange failed = Failed(offset + good, offset + length, direct);
            map.Set(failed.Offset, failed.Length, failed.Status);
            sink.Failed(failed.Offset, failed.Length, failed.Status, e);
            return failed;
        }

        Rescued(offset, length, sink);
        return null;
    }

    /// <summary>What is known to have failed of a range that could not be read.</summary>
    private RescueRange Failed(long start, long end, bool direct)
    {
        // Where the failure made the source turn to direct reads, these are yet to say which sector of the page it was.
        if (direct == source.IsDirect && end <= NextMultiple(start, Unit))
            return new RescueRange(start, end - start, RescueStatus.BadSector);
        // Through the page cache whatever can be given is given, so the error lies where the bytes end; a direct read fails as a whole.
        if (!direct)
            end = Math.Min(end, NextMultiple(start, ClusterSize.AfterError));
        return new RescueRange(start, end - start, RescueStatus.NonTrimmed);
    }

    private void Rescued(long offset, int length, IRescueSink sink)
    {
        if (length == 0)
            return;
        sink.Rescued(offset, length);
        map.Set(offset, length, RescueStatus.Finished);
    }

    /// <summary>The first multiple of a unit after an offset.</summary>
    internal static long NextMultiple(long offset, long unit) => offset - (offset % unit) + unit;
}
