using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>A statement at its place in the ledger.</summary>
/// <typeparam name="T">What it says.</typeparam>
/// <param name="Entry">The entry's index.</param>
/// <param name="LeafHash">The entry's leaf hash, by which others name it.</param>
/// <param name="Items">The assets that it concerns.</param>
/// <param name="Signer">Who signed it.</param>
/// <param name="Time">When, by the signer's claim.</param>
/// <param name="Statement">What it says.</param>
public sealed record Recorded<T>(long Entry, Sha256Digest LeafHash, IReadOnlyList<string> Items, ActorIdentity Signer, Instant Time, T Statement) : IRecorded
    where T : Statement
{
    /// <inheritdoc/>
    public required bool IsOfFirm { get; init; }
}

/// <summary>Where a statement stands, and whose it is.</summary>
public interface IRecorded
{
    /// <summary>The entry's index.</summary>
    long Entry { get; }

    /// <summary>The entry's leaf hash.</summary>
    Sha256Digest LeafHash { get; }

    /// <summary>The assets that it concerns.</summary>
    IReadOnlyList<string> Items { get; }

    /// <summary>Who signed it.</summary>
    ActorIdentity Signer { get; }

    /// <summary>When, by the signer's claim.</summary>
    Instant Time { get; }

    /// <summary>Whether whoever signed it spoke for the firm, as the record had it at that place (<see cref="Docket.IsOfFirm"/>).</summary>
    bool IsOfFirm { get; }
}
