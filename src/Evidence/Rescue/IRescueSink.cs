using Evidence.Sources;

namespace Evidence.Rescue;

/// <summary>Where rescued bytes go. Called by the reading thread alone; what it throws ends the reading and passes through.</summary>
internal interface IRescueSink
{
    /// <summary>Where the bytes at an offset are to be read to. Asked once for each read.</summary>
    /// <param name="offset">The first byte that will be read.</param>
    /// <param name="length">How many; they lie within one multiple of 4 MiB.</param>
    /// <returns>
    /// At least that many bytes, in memory that is aligned to 4096 where the offset is a multiple of 4096; other memory is right too, but costs
    /// a copy of each direct read.
    /// </returns>
    Span<byte> Buffer(long offset, int length);

    /// <summary>That many bytes are good: they are in the buffer that was given for that offset. The map says so once this returns.</summary>
    void Rescued(long offset, int length);

    /// <summary>A range could not be read, and has a status now; the map says so already.</summary>
    /// <param name="offset">Its first byte.</param>
    /// <param name="length">Its length: a multiple of 512, unless it ends where the source ends.</param>
    /// <param name="status">Its status.</param>
    /// <param name="error">What the source answered; null where no read asked for this very range (between two bad sectors).</param>
    void Failed(long offset, long length, RescueStatus status, SourceReadException? error);
}
