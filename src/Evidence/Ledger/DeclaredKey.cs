using System.Collections.Immutable;
using NodaTime;

namespace Evidence.Ledger;

/// <summary>An actor's key over time, as the log tells it up to some place.</summary>
/// <param name="Identity">The key, and whose it is.</param>
/// <param name="DeclaredBy">The index of the entry that declared it.</param>
public sealed record DeclaredKey(ActorIdentity Identity, long DeclaredBy)
{
    /// <summary>The key's id.</summary>
    public string KeyId => Identity.KeyId;

    /// <summary>Whether the key itself signed what declares it. Else that is another's word, and the key's own comes in its place.</summary>
    public bool IsOwn { get; init; }

    /// <summary>The id of the key in whose place it came; null for an actor's first.</summary>
    public string? Replaces { get; init; }

    /// <summary>
    /// The id of the other key by whose word alone it is what it is: the one in whose place it came, or another's that declared it. Null where its own word did.
    /// </summary>
    public string? IntroducedBy { get; init; }

    /// <summary>The id of the actor's first key, which all that came in its place have in common.</summary>
    public string FirstKey { get; init; } = Identity.KeyId;

    /// <summary>The key that came in its place, and by which entry; null where none did.</summary>
    public KeySuccession? Successor { get; init; }

    /// <summary>The revocations of it, in the order of the log.</summary>
    public ImmutableList<RecordedRevocation> Revocations { get; init; } = [];

    /// <summary>The index of the entry that ended it, by another key in its place or by a revocation; null while it is in force.</summary>
    public long? EndedBy
    {
        get
        {
            long? revoked = Revocations is [var first, ..] ? first.Entry : null;
            return Successor is { Entry: var replaced } && !(revoked < replaced) ? replaced : revoked;
        }
    }

    /// <summary>Why the key signs nothing any more, in words; null while it is in force.</summary>
    public string? End => EndedBy is not { } entry ? null
        : Successor?.Entry == entry ? $"entry {entry} put another key in its place"
        : $"entry {entry} revoked it";

    /// <summary>
    /// Whether a key may revoke this one: it may itself, whatever became of it, for whoever has it and says that it is no longer its owner's alone is right in
    /// either case; the key that is now in its place may; and those may that its owner named when declaring it. The vault's keeper may not.
    /// </summary>
    /// <param name="revoker">The key that signs the revocation.</param>
    public bool MayBeRevokedBy(DeclaredKey revoker)
    {
        ArgumentNullException.ThrowIfNull(revoker);
        return string.Equals(revoker.KeyId, KeyId, StringComparison.Ordinal) ||
            (revoker.EndedBy is null &&
                (string.Equals(revoker.FirstKey, FirstKey, StringComparison.Ordinal) || Identity.Revokers.Contains(revoker.FirstKey, StringComparer.Ordinal)));
    }

    /// <summary>Why it cannot come in the place of another key, although it signed that; null where it can.</summary>
    internal string? BarToSucceed => Replaces is not null ? "The new key came in the place of another one already." : End is { } end ? $"The new key signs nothing any more: {end}." : null;
}

/// <summary>That another key came in a key's place.</summary>
/// <param name="Entry">The index of the entry that says so.</param>
/// <param name="KeyId">The new key's id.</param>
public sealed record KeySuccession(long Entry, string KeyId);

/// <summary>A revocation, at its place in the log.</summary>
/// <param name="Entry">The index of the entry.</param>
/// <param name="Revoker">Who revoked.</param>
/// <param name="Time">When, by the revoker's claim.</param>
/// <param name="Statement">What the entry says.</param>
public sealed record RecordedRevocation(long Entry, ActorIdentity Revoker, Instant Time, KeyRevocation Statement);
