using Evidence.Sources.Nbd;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Sources;

/// <summary>How to open a source.</summary>
public sealed record SourceOptions
{
    /// <summary>
    /// Takes a file whose name looks like a part of a split image (<c>disk.001</c>), or that begins like an E01, as an image of its own, and leaves its siblings alone.
    /// </summary>
    public bool SingleFile { get; init; }

    /// <summary>The logical sector size of an image file, where it is known to differ from 512 bytes. A device knows its own.</summary>
    public int? SectorSize { get; init; }

    /// <summary>
    /// Whether files and devices are read past the page cache (<c>O_DIRECT</c>), where the system grants that. Unless set, devices are from the
    /// beginning, and files from the first read that fails.
    /// </summary>
    public bool? DirectIO { get; init; }

    /// <summary>How patient to be with an NBD server.</summary>
    public NbdOptions Nbd { get; init; } = new();

    /// <summary>Hears of what happens on the way: a connection that was lost, and made again.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
