namespace Evidence.Repair;

/// <summary>What to repair, and from what.</summary>
public sealed record RepairOptions
{
    /// <summary>
    /// The images whose maps are gone through, by the names that <see cref="Vaults.Vault.FindImage"/> takes; empty for all of them. Damaged packs are
    /// set aside in any case, for images share them.
    /// </summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>
    /// Where missing content may come from: folders of other vaults, and whatever <see cref="Sources.Source.Open"/> takes and can be read at any place: what
    /// was imaged, or exports of it. May be empty: what other packs of the vault hold is enough for much.
    /// </summary>
    public IReadOnlyList<string> From { get; init; } = [];

    /// <summary>Whether only to find out what would be brought back: then nothing in the vault is written.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What a repair is at.</summary>
public enum RepairPhase
{
    /// <summary>Recomputing every record of every pack.</summary>
    Checking,

    /// <summary>Going through the images' maps, and bringing back what is missing.</summary>
    BringingBack,

    /// <summary>Reading what was written back from the medium.</summary>
    ReadingBack,
}

/// <summary>How far a repair is.</summary>
/// <param name="Phase">What it is at.</param>
/// <param name="Done">Bytes done in that phase: of packs, or of images.</param>
/// <param name="Total">All of them; null where that is not known.</param>
public readonly record struct RepairProgress(RepairPhase Phase, long Done, long? Total);
