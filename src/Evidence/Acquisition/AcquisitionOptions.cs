using Evidence.Hashing;
using Evidence.Rescue;
using Evidence.Segments;

namespace Evidence.Acquisition;

/// <summary>How to image a source.</summary>
public sealed record AcquisitionOptions
{
    /// <summary>What people call the thing that is imaged; null for the source's own name.</summary>
    public string? Item { get; init; }

    /// <summary>The case that it belongs to.</summary>
    public string? Case { get; init; }

    /// <summary>Who makes the image, for the record.</summary>
    public string? Examiner { get; init; }

    /// <summary>What kept writes from the source, in the examiner's words: make, model and serial number of a write blocker. It is not checked.</summary>
    public string? WriteBlocker { get; init; }

    /// <summary>The seal that the source came under, in the examiner's words. It is not checked.</summary>
    public string? Seal { get; init; }

    /// <summary>The digests of the whole image to compute in the same pass; empty for none.</summary>
    public IReadOnlyList<DigestAlgorithm> Digests { get; init; } = [DigestAlgorithm.Md5, DigestAlgorithm.Sha1, DigestAlgorithm.Sha256];

    /// <summary>How hard to try to make segments smaller; null for the vault's default.</summary>
    public Compression? Compression { get; init; }

    /// <summary>Whether to read what the source calls holes, instead of recording the claim.</summary>
    public bool ReadHoles { get; init; }

    /// <summary>
    /// Whether to go on where an earlier run of the same acquisition was interrupted: same source, item and case, and the source as it was then.
    /// </summary>
    public bool Resume { get; init; } = true;

    /// <summary>An incomplete image of the same source: what it lacks is read, the rest is taken from it. The new image names it.</summary>
    public Sha256Digest? Continues { get; init; }

    /// <summary>How hard to try where the source fails.</summary>
    public RescueOptions Rescue { get; init; } = new();

    /// <summary>
    /// What another tool got out of a failing disk, where the source is that tool's output: only what the mapfile calls finished is read; the rest is
    /// absent, as the mapfile says.
    /// </summary>
    public RescueMap? Mapfile { get; init; }

    /// <summary>Whether to leave out reading every segment back from the medium at the end. The record says so.</summary>
    public bool SkipReadBack { get; init; }
}

/// <summary>The parts of an acquisition.</summary>
public enum AcquisitionPhase
{
    /// <summary>The source is read, hashed and stored.</summary>
    Reading,

    /// <summary>What failed is tried again, in smaller pieces.</summary>
    Rescuing,

    /// <summary>What was got out of a source that fails is put together to one image, hashed, and checked.</summary>
    Assembling,

    /// <summary>What was stored is read back from the medium and recomputed.</summary>
    ReadingBack,
}

/// <summary>How far an acquisition is.</summary>
/// <param name="Phase">The part that it is in.</param>
/// <param name="Done">Bytes of the source that are through this part; of segments that are named often, once.</param>
/// <param name="Total">Bytes that there are in all; null where only the end of the source will tell.</param>
/// <param name="Stored">Bytes written to packs so far.</param>
public readonly record struct AcquisitionProgress(AcquisitionPhase Phase, long Done, long? Total, long Stored);
