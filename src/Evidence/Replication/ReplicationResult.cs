using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Replication;

/// <summary>How far a replication is.</summary>
/// <param name="Done">Bytes done so far.</param>
/// <param name="Total">Bytes to be done.</param>
public readonly record struct ReplicationProgress(long Done, long Total);

/// <summary>What to send, and how.</summary>
public sealed record ReplicationOptions
{
    /// <summary>The images, by the names that <see cref="Vaults.Vault.FindImage"/> takes; empty for all. The ledger always goes whole.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Whether to read what was sent before at the replica, and to send again what is not there as it was sent.</summary>
    public bool Resend { get; init; }
}

/// <summary>Something of the vault that was not sent.</summary>
/// <param name="File">Its name in the vault.</param>
/// <param name="Reason">Why not.</param>
public sealed record NotSentFile(string File, string Reason);

/// <summary>An image that is not at the replica.</summary>
/// <param name="Image">Its id.</param>
/// <param name="Item">What people call it.</param>
/// <param name="Reason">Why not.</param>
public sealed record HeldBackImage(Sha256Digest Image, string Item, string Reason);

/// <summary>What a replication came to.</summary>
public sealed record ReplicationResult
{
    /// <summary>Which replica.</summary>
    public required string Replica { get; init; }

    /// <summary>Whether it was begun now.</summary>
    public required bool IsNew { get; init; }

    /// <summary>The checkpoint that the replica has now.</summary>
    public required Checkpoint Checkpoint { get; init; }

    /// <summary>The number of packs that were sent.</summary>
    public required int Packs { get; init; }

    /// <summary>Their bytes.</summary>
    public required long PackBytes { get; init; }

    /// <summary>The number of packs that were sent before and are of what was asked for.</summary>
    public required int EarlierPacks { get; init; }

    /// <summary>Where images were named: the bytes in their packs that none of them needs, and that come along.</summary>
    public required long OtherBytes { get; init; }

    /// <summary>The images that were sent.</summary>
    public required IReadOnlyList<Sha256Digest> Images { get; init; }

    /// <summary>The number of documents that were sent.</summary>
    public required int Documents { get; init; }

    /// <summary>What of the vault is damaged, and was not sent.</summary>
    public required IReadOnlyList<NotSentFile> Damaged { get; init; }

    /// <summary>The images that were to be sent, and were not, because something of them is damaged here.</summary>
    public required IReadOnlyList<HeldBackImage> HeldBack { get; init; }

    /// <summary>What was not there as it was sent before, and was sent again.</summary>
    public required IReadOnlyList<ReplicaDifference> Resent { get; init; }

    /// <summary>Whether everything that was asked for is at the replica, as far as the sender's record says.</summary>
    public bool IsWhole => Damaged.Count == 0 && HeldBack.Count == 0;
}
