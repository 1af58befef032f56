using System.Numerics;

namespace Evidence.Segments;

/// <summary>
/// Where segments are cut: the parameters that a vault fixes when it is made, because the same content must be cut at the same places ever
/// after. See <c>docs/format/map.md</c>.
/// </summary>
public sealed record SegmentParameters
{
    /// <summary>The unit of cutting, in bytes: files lie on disks at sector boundaries, so cut points need looking for only there.</summary>
    public const int SectorSize = 512;

    /// <summary>The span of an image that one page of its map covers, in bytes: 64 MiB. A cut is forced at every multiple.</summary>
    public const int PageSize = 64 << 20;

    /// <summary>The shortest run of one repeated byte, in bytes, that becomes a map entry instead of data.</summary>
    public const int MinimumFill = 4096;

    /// <summary>The smallest average that can be asked for: 4 KiB.</summary>
    public const int SmallestAverage = 4 << 10;

    /// <summary>The largest average that can be asked for: 1 MiB.</summary>
    public const int LargestAverage = 1 << 20;

    private SegmentParameters(int average)
    {
        AverageLength = average;
        // Behind the minimum, a quarter, a cut is expected within a half: segments average about three quarters of the nominal length.
        CutMask = (ulong)(average / 2 / SectorSize) - 1;
    }

    /// <summary>An average of 64 KiB: measured best between space and number of segments (<c>docs/decisions</c>).</summary>
    public static SegmentParameters Default { get; } = new(64 << 10);

    /// <summary>The nominal average in bytes, a power of two from 4 KiB to 1 MiB.</summary>
    public int AverageLength { get; }

    /// <summary>No content-defined cut comes earlier than this, in bytes: a quarter of the average.</summary>
    public int MinimumLength => AverageLength / 4;

    /// <summary>A cut is forced at this length, in bytes: four times the average.</summary>
    public int MaximumLength => AverageLength * 4;

    /// <summary>A sector ends a segment where its XXH3 has none of these bits.</summary>
    internal ulong CutMask { get; }

    /// <summary>Parameters for a nominal average length.</summary>
    /// <param name="average">Bytes: a power of two from <see cref="SmallestAverage"/> to <see cref="LargestAverage"/>.</param>
    /// <exception cref="EvidenceException">The average is anything else (<see cref="ErrorCode.Usage"/>).</exception>
    public static SegmentParameters ForAverage(long average) =>
        IsPossible(average)
            ? new SegmentParameters((int)average)
            : throw new EvidenceException(
                ErrorCode.Usage, $"A segment average of {average} bytes is not possible: take a power of two from 4 KiB to 1 MiB.");

    /// <summary>Whether there are parameters for an average of that many bytes.</summary>
    internal static bool IsPossible(long average) => average is >= SmallestAverage and <= LargestAverage && BitOperations.IsPow2(average);
}
