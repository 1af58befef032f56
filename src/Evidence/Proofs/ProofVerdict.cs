using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;

namespace Evidence.Proofs;

/// <summary>What a proof is worth to whoever checks it.</summary>
public enum ProofStanding
{
    /// <summary>It holds, by a log that the checker's policy knows, with the quorum that the policy asks for, and the entry's signature counts.</summary>
    Proved,

    /// <summary>It agrees with itself. Whose log it is, or who vouches for it, the checker's policy does not say.</summary>
    Consistent,

    /// <summary>It does not hold.</summary>
    Refuted,
}

/// <summary>The outcome of checking a proof.</summary>
public sealed record ProofVerdict
{
    /// <summary>What it is worth.</summary>
    public required ProofStanding Standing { get; init; }

    /// <summary>What is proved, by whom and by when, and what is not; in sentences, the most important first.</summary>
    public required IReadOnlyList<string> Statements { get; init; }

    /// <summary>Why it does not hold; null where it does. Then no statement is made.</summary>
    public string? Refutation { get; init; }

    /// <summary>The proof of two histories, where it is one; then it is about no entry, and null otherwise.</summary>
    public ForkProof? Fork { get; init; }

    /// <summary>What the proof is about; null where it could not be read, or is of two histories.</summary>
    public ProofSubject? Subject { get; init; }

    /// <summary>The checkpoint that all of it rests on; of two histories the longer one. Null where the proof could not be read.</summary>
    public Checkpoint? Checkpoint { get; init; }

    /// <summary>The entries that the statements are about, judged at their places.</summary>
    public IReadOnlyList<JudgedEntry> Entries { get; init; } = [];

    /// <summary>Of each of <see cref="Entries"/>, between which instants it came into the log, as those say whom the checker trusts.</summary>
    public IReadOnlyList<EntryBounds> Bounds { get; init; } = [];

    /// <summary>What the entries in it declare of keys, up to the last.</summary>
    public KeyRegistry Registry { get; init; } = new();

    /// <summary>What the policy makes of the checkpoint; null without a policy.</summary>
    public PolicyVerdict? Policy { get; init; }

    /// <summary>The time stamps in it.</summary>
    public IReadOnlyList<TimestampVerdict> Timestamps { get; init; } = [];

    /// <summary>The SHA-256 of the range's bytes, what was not read as zeros; null where the subject is no range.</summary>
    public Sha256Digest? RangeDigest { get; init; }
}
