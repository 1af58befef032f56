using Evidence.Hashing;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>An image that is in the vault and in its ledger.</summary>
public sealed record AcquisitionResult
{
    /// <summary>The image's id.</summary>
    public required Sha256Digest Image { get; init; }

    /// <summary>Its description.</summary>
    public required ImageManifest Manifest { get; init; }

    /// <summary>What people call it.</summary>
    public required string Item { get; init; }

    /// <summary>The case that it belongs to.</summary>
    public string? Case { get; init; }

    /// <summary>The number of segments that the image names, repeated ones counted each time.</summary>
    public required long Segments { get; init; }

    /// <summary>The number of segments that the vault did not have before.</summary>
    public required long NewSegments { get; init; }

    /// <summary>The bytes of content in those.</summary>
    public required long NewBytes { get; init; }

    /// <summary>The bytes that the packs grew by.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Whether every segment was read back from the medium and recomputed.</summary>
    public required bool Verified { get; init; }

    /// <summary>The ledger entry's index; null where the entry waits in staging, durable, for what the holder of the log key records next.</summary>
    public required long? Entry { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Elapsed { get; init; }
}
