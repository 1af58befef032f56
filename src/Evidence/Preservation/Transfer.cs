using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>How far an offer is.</summary>
public enum TransferState
{
    /// <summary>The ledger has no answer to it.</summary>
    Unanswered,

    /// <summary>The recipient has what was offered.</summary>
    Accepted,

    /// <summary>The recipient refused it.</summary>
    Refused,

    /// <summary>The offerer took it back before there was an answer.</summary>
    Withdrawn,
}

/// <summary>An offer in the ledger, and what became of it.</summary>
/// <param name="Entry">The index of the offer's entry.</param>
/// <param name="LeafHash">Its leaf hash.</param>
/// <param name="Items">What is offered.</param>
/// <param name="Case">The case.</param>
/// <param name="Offerer">Who offers it: the actor that signed.</param>
/// <param name="Time">When, by the offerer's claim.</param>
/// <param name="Offer">The offer.</param>
public sealed record Transfer(
    long Entry, Sha256Digest LeafHash, IReadOnlyList<string> Items, string? Case, ActorIdentity Offerer, Instant Time, TransferOffer Offer)
{
    /// <summary>What became of it; null while the ledger says nothing.</summary>
    public TransferOutcome? Outcome { get; init; }

    /// <summary>How far it is.</summary>
    public TransferState State => Outcome?.Statement switch
    {
        TransferAnswer { IsAccepted: true } => TransferState.Accepted,
        TransferAnswer => TransferState.Refused,
        TransferWithdrawal => TransferState.Withdrawn,
        _ => TransferState.Unanswered,
    };

    /// <summary>Whether the answer came by the key that the offer asked for. Else the recipient's name is only what the signer calls itself.</summary>
    public bool IsRecipientProved => Outcome is { Statement: TransferAnswer } && Offer.RecipientKey is not null;
}

/// <summary>What became of an offer.</summary>
/// <param name="Entry">The index of the entry that says so.</param>
/// <param name="LeafHash">Its leaf hash.</param>
/// <param name="Signer">The actor that signed it.</param>
/// <param name="Time">When, by the signer's claim.</param>
/// <param name="Statement">A <see cref="TransferAnswer"/> or a <see cref="TransferWithdrawal"/>.</param>
public sealed record TransferOutcome(long Entry, Sha256Digest LeafHash, ActorIdentity Signer, Instant Time, TransferBody Statement);
