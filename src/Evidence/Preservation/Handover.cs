using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// Hands items over to another party. The offer is an entry of the offerer's ledger, and is carried to the recipient in a file; the recipient signs the answer
/// on a machine of their own, which is carried back and taken in. So neither can say later that the other gave, or took, something else.
/// </summary>
public static class Handover
{
    /// <summary>The images of some items that a handover names: all that the vault has of them.</summary>
    /// <exception cref="EvidenceException">There are more than an entry has room for.</exception>
    public static IReadOnlyList<ImageRecord> ImagesOf(Vault vault, IReadOnlyCollection<string> items)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(items);
        ImageRecord[] images = [.. vault.Images().Where(image => items.Contains(image.Item, StringComparer.Ordinal)).DistinctBy(image => image.Image)];
        return images.Length <= TransferOffer.MostListed
            ? images
            : throw new EvidenceException(
                ErrorCode.Usage, $"These items have {images.Length} images, and one offer has room for {TransferOffer.MostListed}: offer them in several.");
    }

    /// <summary>Records an offer.</summary>
    /// <param name="vault">The vault of the items.</param>
    /// <param name="items">What is offered: at least one, images or things.</param>
    /// <param name="caseId">The case.</param>
    /// <param name="offer">The offer.</param>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">A text or a list in it is too long, or the ledger cannot be written.</exception>
    public static long? Offer(Vault vault, IReadOnlyList<string> items, string? caseId, TransferOffer offer)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(offer);
        if (items.Count is 0 or > TransferOffer.MostListed || offer.Seals.Count > TransferOffer.MostListed || offer.Containers.Count > TransferOffer.MostListed)
            throw new EvidenceException(ErrorCode.Usage, $"One offer is of 1 to {TransferOffer.MostListed} items, with at most as many seals and containers.");
        if (offer.RecipientKey is { } key && !ActorKey.IsKeyId(key))
            throw new EvidenceException(ErrorCode.Usage, $"'{key}' is no key id: sha256: and 64 digits, as 'evidence identity show' tells the recipient.");
        foreach (string? text in (string?[])[offer.Recipient, offer.Terms, .. items, .. offer.Seals, .. offer.Containers])
            CheckText(text);
        return vault.Ledger.Record(EntryKind.Transfer, items, caseId, Bounded(offer));
    }

    /// <summary>Writes an offer to a file, with what it takes to judge its signature, for the recipient.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="entry">The offer's index.</param>
    /// <param name="path">The file. One that is there is not overwritten.</param>
    /// <exception cref="EvidenceException">There is no such offer, or the file cannot be written.</exception>
    public static void WriteOffer(CustodyLedger ledger, long entry, string path)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        Transfer transfer = FindOffer(ledger, entry);
        CarriedEntries.Write(ledger, entry, transfer.Offerer.KeyId, path);
    }

    /// <summary>Signs the answer to an offer, on the recipient's machine.</summary>
    /// <param name="keys">The recipient's keys.</param>
    /// <param name="actor">Who answers: the name of a key among them.</param>
    /// <param name="clock">Where the claimed instant comes from.</param>
    /// <param name="offer">The offer, as it was carried here.</param>
    /// <param name="accept">Whether it is accepted.</param>
    /// <param name="text">Why not, or in what state things were found.</param>
    /// <param name="verified">What the recipient verified before answering.</param>
    /// <returns>What goes back: the key's declaration, then the answer.</returns>
    /// <exception cref="EvidenceException">What was carried here is no offer, or is to another key; or there is no such key here.</exception>
    public static IReadOnlyList<LedgerEntry> Answer(
        KeyStore keys, string actor, IClock clock, CarriedTransfer offer, bool accept, string? text, IReadOnlyList<TransferredImage> verified)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(offer);
        CheckText(text);
        if (offer.Body is not TransferOffer made)
            throw new EvidenceException(ErrorCode.EntriesInvalid, "This file holds no offer, so there is nothing to answer.");
        using ActorKey key = keys.LoadActor(actor);
        IReadOnlyList<ActorKey> former = keys.LoadFormer(actor);
        try
        {
            var now = clock.GetCurrentInstant();
            // An offer to a key that was replaced since is to the same actor, and the replacement shows it.
            ActorKey? wanted = made.RecipientKey is null || made.RecipientKey == key.Id ? key : former.FirstOrDefault(old => old.Id == made.RecipientKey);
            if (wanted is null)
            {
                throw new EvidenceException(
                    ErrorCode.KeyMissing, $"The offer is to the holder of the key {made.RecipientKey}, and {actor} has {key.Id} here. Choose the actor by --actor; 'evidence identity list' shows those that there are.");
            }

            var entries = new List<LedgerEntry> { CarriedEntries.Identity(new ActorIdentity(actor, null, wanted.PublicKey), now, wanted) };
            if (wanted != key)
                entries.Add(CarriedEntries.Identity(new KeyRotation(wanted.Id, key.PublicKey), now, wanted, key));
            var answer = new TransferAnswer(accept, made.Origin, offer.Entry.LeafHash) { Text = text, Verified = verified };
            entries.Add(LedgerEntry.Create(new EntryPayload(EntryKind.Transfer, now, offer.Entry.Payload.Case, offer.Entry.Payload.Items, Bounded(answer), key.Id), key));
            return entries;
        }
        finally
        {
            foreach (ActorKey old in former)
                old.Dispose();
        }
    }

    /// <summary>Writes an answer to a file, to be carried back.</summary>
    /// <param name="path">The file. One that is there is not overwritten.</param>
    /// <param name="answer">What <see cref="Answer"/> gave.</param>
    /// <exception cref="EvidenceException">The file cannot be written.</exception>
    public static void WriteAnswer(string path, IReadOnlyList<LedgerEntry> answer) => EntryFile.Write(path, answer);

    /// <summary>Puts an offer of another ledger, and one's own answer to it, into a ledger of one's own.</summary>
    /// <returns>The index of the answer; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">The ledger cannot be written.</exception>
    public static long? Keep(Vault vault, CarriedTransfer offer, IReadOnlyList<LedgerEntry> answer)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(offer);
        return vault.Ledger.TakeIn([.. offer.Entries, .. answer]);
    }

    /// <summary>Takes the answer to an offer into the offerer's ledger. To take it in once more changes nothing.</summary>
    /// <returns>The offer with its outcome, and the answer's index; where it waits in staging, the offer as it is still, and null.</returns>
    /// <exception cref="EvidenceException">It answers no offer of this ledger, or may not answer it.</exception>
    public static (Transfer Transfer, long? Entry) Take(Vault vault, string path)
    {
        ArgumentNullException.ThrowIfNull(vault);
        CarriedTransfer carried = CarriedTransfer.Read(path);
        if (carried.Body is not TransferAnswer answer)
            throw CarriedEntries.Invalid(path, "it holds no answer to an offer");
        CustodyLedger ledger = vault.Ledger.Open();
        var book = TransferBook.Read(ledger);
        if (book.Find(answer.Offer) is not { } transfer || transfer.Offer.Origin != ledger.Checkpoint.Origin)
            throw CarriedEntries.Invalid(path, $"it answers an offer in the log {answer.Origin}, and {ledger.Checkpoint.Origin} has no such offer");
        if (transfer.Outcome is { } outcome && outcome.LeafHash == carried.Entry.LeafHash)
            return (transfer, outcome.Entry);
        foreach (LedgerEntry declaration in carried.Entries.SkipLast(1).Where(declaration => !book.Registry.Knows(declaration)))
            book.Registry.Fold(ledger.Size, declaration);
        if (book.Take(ledger.Size, carried.Entry, carried.Signer, answer) is { } refusal)
            throw CarriedEntries.Invalid(path, $"it is not taken in. {refusal.TrimEnd('.')}");
        long? entry = vault.Ledger.TakeIn(carried.Entries);
        return (entry is null ? transfer : TransferBook.Read(vault.Ledger.Open()).Find(answer.Offer)!, entry);
    }

    /// <summary>Takes an offer back that was not answered.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="entry">The offer's index.</param>
    /// <param name="text">Why; null where nothing is said.</param>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">There is no such offer, or it was answered, or another made it.</exception>
    public static long? Withdraw(Vault vault, long entry, string? text)
    {
        ArgumentNullException.ThrowIfNull(vault);
        CheckText(text);
        CustodyLedger ledger = vault.Ledger.Open();
        Transfer transfer = FindOffer(ledger, entry);
        if (!vault.Ledger.ActorKeyIds().Any(own => TransferBook.Read(ledger).Registry.IsSameActor(own, transfer.Offerer.KeyId)))
            throw new EvidenceException(ErrorCode.KeyMissing, $"{transfer.Offerer.Name} made the offer, and only {transfer.Offerer.Name} can take it back. Choose the actor by --actor.");
        if (transfer.Outcome is { } outcome)
        {
            throw new EvidenceException(
                ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"The offer in entry {entry} was {transfer.State.ToString().ToLowerInvariant()} by entry {outcome.Entry}: there is nothing to take back."));
        }

        return vault.Ledger.Record(EntryKind.Transfer, transfer.Items, transfer.Case, Bounded(new TransferWithdrawal(transfer.LeafHash, text)));
    }

    private static Transfer FindOffer(CustodyLedger ledger, long entry) =>
        TransferBook.Read(ledger).Transfers.FirstOrDefault(transfer => transfer.Entry == entry) ??
        throw new EvidenceException(ErrorCode.Usage, $"Entry {entry.ToString(CultureInfo.InvariantCulture)} is no offer: 'evidence transfer list' shows those that there are.");

    /// <summary>A body that an entry has room for.</summary>
    private static JsonObject Bounded(TransferBody body)
    {
        JsonObject json = body.ToJson();
        return CanonicalJson.Serialize(json).Length < EntryPayload.MaximumBodyLength
            ? json
            : throw new EvidenceException(ErrorCode.Usage, $"All of it is more than an entry has room for ({EntryPayload.MaximumBodyLength} bytes): use shorter texts, or several offers.");
    }

    private static void CheckText(string? text)
    {
        if (text is not null and not { Length: > 0 and <= TransferBody.LongestText })
            throw new EvidenceException(ErrorCode.Usage, $"A text has 1 to {TransferBody.LongestText} characters. Keep longer ones elsewhere, and name their SHA-256.");
    }
}
