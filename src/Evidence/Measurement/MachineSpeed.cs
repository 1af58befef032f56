using Evidence.Hashing;
using Evidence.Segments;

namespace Evidence.Measurement;

/// <summary>What a machine did in a second. All rates are bytes of content a second.</summary>
public sealed record MachineSpeed
{
    /// <summary>The number of processors that the process may use.</summary>
    public required int Processors { get; init; }

    /// <summary>The bits of the widest vectors that are used: 512, 256, 128, or 32 for none.</summary>
    public required int VectorBits { get; init; }

    /// <summary>Each digest, on one processor.</summary>
    public required IReadOnlyList<DigestSpeed> Digests { get; init; }

    /// <summary>Looking for where to cut, on one processor.</summary>
    public required double Segmenter { get; init; }

    /// <summary>Each way to compress, on one processor.</summary>
    public required IReadOnlyList<CompressionSpeed> Compressions { get; init; }

    /// <summary>Whole acquisitions, on all processors.</summary>
    public required IReadOnlyList<AcquisitionSpeed> Acquisitions { get; init; }

    /// <summary>The rate at which many disks at once were imaged: the most that was measured.</summary>
    public double Throughput => Acquisitions.Max(a => a.Rate);
}

/// <summary>How fast one processor makes a digest.</summary>
/// <param name="Algorithm">The digest.</param>
/// <param name="Alone">Of one message.</param>
/// <param name="Together">Of so many messages at once as the fastest kernel has lanes; null where there are no lanes for it.</param>
/// <param name="Lanes">How many those are.</param>
public sealed record DigestSpeed(DigestAlgorithm Algorithm, double Alone, double? Together, int? Lanes);

/// <summary>How fast one processor compresses log text, segment by segment.</summary>
/// <param name="Compression">The way.</param>
/// <param name="Rate">Bytes of content a second.</param>
/// <param name="Ratio">The stored bytes, divided by those of the content.</param>
public sealed record CompressionSpeed(Compression Compression, double Rate, double Ratio);

/// <summary>How fast disks were imaged: read, hashed, cut, stored and flushed, read back where the options say so, and recorded.</summary>
/// <param name="Source">What was imaged; null for content that was made up.</param>
/// <param name="Disks">How many at once.</param>
/// <param name="Bytes">Of all together.</param>
/// <param name="Elapsed">How long it took.</param>
public sealed record AcquisitionSpeed(string? Source, int Disks, long Bytes, TimeSpan Elapsed)
{
    /// <summary>Bytes a second.</summary>
    public double Rate => Bytes / Math.Max(Elapsed.TotalSeconds, 1e-9);
}
