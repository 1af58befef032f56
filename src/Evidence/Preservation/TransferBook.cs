using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Preservation;

/// <summary>
/// The offers in a ledger and what became of them, folded entry by entry in the log's order. The first answer that may be given stands; entries whose signature
/// is not valid at their place say nothing.
/// </summary>
public sealed class TransferBook
{
    private readonly List<Transfer> transfers = [];
    private readonly Dictionary<Sha256Digest, int> places = [];

    private readonly Ledger.Statements offers = new();

    /// <param name="registry">What the log declares of keys.</param>
    internal TransferBook(KeyRegistry registry) => Registry = registry;

    /// <summary>What the log declares, up to the last entry that was taken in.</summary>
    internal KeyRegistry Registry { get; }

    /// <summary>The offers in the log's order. Those whose <see cref="TransferOffer.Origin"/> is another log's were made there, and are here for the record.</summary>
    public IReadOnlyList<Transfer> Transfers => transfers;

    /// <summary>Reads a ledger.</summary>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public static TransferBook Read(CustodyLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var book = new TransferBook(new KeyRegistry());
        foreach (JudgedEntry judged in ledger.JudgeEntries(book.Registry))
        {
            if (judged is { Entry: { } entry, Verdict: { Status: EntrySignatureStatus.Valid, Signer: { } signer } } && TryParse(entry) is { } body)
                _ = book.Take(judged.Index, entry, signer, body);
        }

        return book;
    }

    /// <summary>The offer of a leaf hash; null where the ledger has none.</summary>
    public Transfer? Find(Sha256Digest leafHash) => places.TryGetValue(leafHash, out int place) ? transfers[place] : null;

    /// <summary>Takes in what the next entry says, unless it may not say that.</summary>
    /// <returns>Why it changes nothing; null where it does.</returns>
    internal string? Take(long index, LedgerEntry entry, ActorIdentity signer, TransferBody body)
    {
        if (body is TransferOffer made)
        {
            // Whoever writes the log can put an offer into it once more, with more signatures or others of the same key: what was taken back would stand again.
            if (!offers.TryAdd(index, entry))
                return "The ledger has that offer already.";
            places[entry.LeafHash] = transfers.Count;
            transfers.Add(new Transfer(index, entry.LeafHash, entry.Payload.Items, entry.Payload.Case, signer, entry.Payload.Time, made));
            return null;
        }

        Sha256Digest of = body is TransferAnswer answer ? answer.Offer : ((TransferWithdrawal)body).Offer;
        if (Find(of) is not { } transfer)
            return "The ledger has no such offer.";
        string? refusal = RefusalOf(transfer, entry, signer, body);
        if (refusal is null)
            transfers[places[of]] = transfer with { Outcome = new TransferOutcome(index, entry.LeafHash, signer, entry.Payload.Time, body) };
        return refusal;
    }

    /// <summary>What a transfer entry says; null where it is none, or of a form that is not known here.</summary>
    internal static TransferBody? TryParse(LedgerEntry entry)
    {
        if (!string.Equals(entry.Payload.Kind, EntryKind.Transfer, StringComparison.Ordinal))
            return null;
        try
        {
            return TransferBody.Parse(entry.Payload.Body);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private string? RefusalOf(Transfer transfer, LedgerEntry entry, ActorIdentity signer, TransferBody body)
    {
        if (transfer.Outcome is { } outcome)
            return $"The offer was {transfer.State.ToString().ToLowerInvariant()} already, by entry {outcome.Entry}.";
        if (!entry.Payload.Items.SequenceEqual(transfer.Items, StringComparer.Ordinal) || !string.Equals(entry.Payload.Case, transfer.Case, StringComparison.Ordinal))
            return "It is about other items, or another case, than the offer.";
        if (body is TransferWithdrawal)
            return Registry.IsSameActor(signer.KeyId, transfer.Offerer.KeyId) ? null : "Only who made an offer can take it back.";
        if (!string.Equals(((TransferAnswer)body).Origin, transfer.Offer.Origin, StringComparison.Ordinal))
            return "It answers an offer in another log.";
        if (Registry.IsSameActor(signer.KeyId, transfer.Offerer.KeyId))
            return "Who makes an offer cannot answer it.";
        return transfer.Offer.RecipientKey is not { } wanted || Registry.IsSameActor(signer.KeyId, wanted)
            ? null
            : $"The offer is to the holder of the key {wanted}, and another signed.";
    }
}
