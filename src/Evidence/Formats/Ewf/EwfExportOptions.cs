using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Formats.Ewf;

/// <summary>How to write an E01.</summary>
public sealed record EwfExportOptions
{
    /// <summary>The smallest size of a segment file that may be asked for, in bytes.</summary>
    public const long SmallestSegment = 1 << 20;

    /// <summary>No segment file is larger, in bytes; at least <see cref="SmallestSegment"/>.</summary>
    public long SegmentSize { get; init; } = 2L << 30;

    /// <summary>
    /// How hard to try to make chunks smaller. <see cref="Compression.Fast"/>: deflate 1, and what looks like noise is not tried; <see cref="Compression.Best"/>: deflate 9.
    /// </summary>
    public Compression Compression { get; init; } = Compression.Fast;

    /// <summary>The case number that is written into the file; null for none.</summary>
    public string? Case { get; init; }

    /// <summary>The evidence number that is written into the file; null for none.</summary>
    public string? Item { get; init; }
}

/// <summary>What was written.</summary>
public sealed record EwfExportResult
{
    /// <summary>The paths of the segment files, in order.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>The bytes of all of them.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>The image's size in bytes.</summary>
    public required long Length { get; init; }

    /// <summary>Zeros behind the image's last byte that fill the last sector, for E01 holds whole sectors only; MD5 and SHA-1 are over them, too.</summary>
    public required int Padding { get; init; }

    /// <summary>The bytes of a sector, as the file says.</summary>
    public required int SectorSize { get; init; }

    /// <summary>The MD5 that the file holds: over all of its sectors.</summary>
    public required string Md5 { get; init; }

    /// <summary>The SHA-1 that the file holds: over all of its sectors.</summary>
    public required string Sha1 { get; init; }

    /// <summary>The SHA-256 over the image's own bytes. E01 has no place for it; it stands in a section of this library's own, and in the ledger.</summary>
    public required Sha256Digest Sha256 { get; init; }

    /// <summary>Bytes that were never read, or that the source refused: zeros, which the file calls bad sectors.</summary>
    public required long AbsentBytes { get; init; }

    /// <summary>Bytes that the source said to be holes: zeros, of which E01 cannot say that they were not read.</summary>
    public required long HoleBytes { get; init; }

    /// <summary>Whether the digests are those that the manifest gives for the whole image; null where it gives none.</summary>
    public required bool? Matches { get; init; }

    /// <summary>What the ledger records of it (<see cref="VaultLedger.RecordExport"/>).</summary>
    public HandedOut HandedOut => new("e01", 0, Length, Sha256, AbsentBytes, HoleBytes);
}
