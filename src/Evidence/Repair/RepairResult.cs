using Evidence.Hashing;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>Something of an image that is still missing.</summary>
/// <param name="Image">The image's id.</param>
/// <param name="Item">What people call it; empty for an image that no ledger entry names.</param>
/// <param name="Offset">The first byte of the image that is lost with it.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="Segment">What is missing: a segment, a page of the map, or a table of pages; null for the manifest.</param>
/// <param name="Detail">In words.</param>
public sealed record MissingRange(Sha256Digest Image, string Item, long Offset, long Length, Sha256Digest? Segment, string Detail);

/// <summary>What a repair did.</summary>
public sealed record RepairResult
{
    /// <summary>More ranges than this are counted, not listed.</summary>
    internal const int MostListed = 1000;

    /// <summary>What was brought back, as the ledger records it. In a dry run: what would be.</summary>
    public required RepairOutcome Outcome { get; init; }

    /// <summary>What is still missing; the first thousand ranges.</summary>
    public required IReadOnlyList<MissingRange> Missing { get; init; }

    /// <summary>The number of ranges that are still missing.</summary>
    public required long MissingCount { get; init; }

    /// <summary>Whether anything was brought back, or set aside.</summary>
    public bool HasChanged => Outcome is { SegmentCount: > 0 } or { Packs.Count: > 0 } or { Manifests.Count: > 0 } or { NewPacks.Count: > 0 };

    /// <summary>The ledger entry; null where nothing was done, or the entry waits in staging.</summary>
    public long? Entry { get; init; }

    /// <summary>Whether something is still damaged or missing.</summary>
    public bool IsDamaged => MissingCount > 0;
}
