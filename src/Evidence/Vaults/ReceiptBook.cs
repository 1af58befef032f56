using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;

namespace Evidence.Vaults;

/// <summary>A receipt in the ledger of the vault that it is about.</summary>
/// <param name="Entry">The entry's index.</param>
/// <param name="LeafHash">The entry's leaf hash.</param>
/// <param name="Signer">Who signed it.</param>
/// <param name="Time">When, by their claim.</param>
/// <param name="Receipt">What it says.</param>
public sealed record RecordedReceipt(long Entry, Sha256Digest LeafHash, ActorIdentity Signer, Instant Time, Receipt Receipt);

/// <summary>What a receipt says of one image.</summary>
/// <param name="Receipt">The receipt.</param>
/// <param name="Content">The verdict on the image; never <see cref="Receipt.Absent"/>.</param>
public sealed record ImageReceipt(RecordedReceipt Receipt, string Content);

/// <summary>
/// The receipts in a ledger that count: validly signed at their places, about this log, and about its own history. Who may sign them is not asked here: each tells
/// its signer.
/// </summary>
public sealed class ReceiptBook
{
    private readonly CustodyLedger ledger;
    private readonly List<ImageRecord> images = [];
    private readonly Dictionary<Sha256Digest, ImageRecord> byId = [];
    private readonly List<RecordedReceipt> receipts = [];
    private readonly Statements said = new();

    internal ReceiptBook(CustodyLedger ledger) => this.ledger = ledger;

    /// <summary>The receipts in the log's order.</summary>
    public IReadOnlyList<RecordedReceipt> Receipts => receipts;

    /// <summary>The images that the log names, in its order.</summary>
    public IEnumerable<Sha256Digest> Images => images.Select(i => i.Image);

    /// <summary>Reads a ledger.</summary>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public static ReceiptBook Read(CustodyLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var book = new ReceiptBook(ledger);
        foreach (JudgedEntry judged in ledger.JudgeEntries(new KeyRegistry()))
            book.Take(judged);
        return book;
    }

    /// <summary>The receipts for an image, of whoever holds it: those that say something of it, whatever that is.</summary>
    public IReadOnlyList<ImageReceipt> Of(Sha256Digest image) =>
        [.. About(image).Where(r => r.Content is not (null or Receipt.Absent)).Select(r => new ImageReceipt(r.Receipt, r.Content!))];

    /// <summary>
    /// All receipts that are about an image, with what each says of it: also that the copy does not hold it, and null where it does not list it, so that nothing can be told.
    /// </summary>
    internal IEnumerable<(RecordedReceipt Receipt, string? Content)> About(Sha256Digest image) =>
        byId.TryGetValue(image, out ImageRecord? record) ? receipts.Where(r => record.Entry < r.Receipt.Size).Select(r => (r, r.Receipt.ContentOf(image))) : [];

    /// <summary>The place of a receipt that counts and says what an entry says; null where there is none.</summary>
    internal long? Find(LedgerEntry entry) => said.Find(entry);

    /// <summary>The images that the log's first entries name, each once.</summary>
    internal IReadOnlyList<ImageRecord> ImagesUpTo(long size) => [.. images.Where(i => i.Entry < size)];

    /// <summary>Takes in the next entry.</summary>
    internal void Take(JudgedEntry judged)
    {
        if (judged is not { Entry: { } entry, Verdict: { Status: EntrySignatureStatus.Valid, Signer: { } signer } })
            return;
        if (string.Equals(entry.Payload.Kind, EntryKind.Acquisition, StringComparison.Ordinal) &&
            ImageRecord.TryRead(judged.Index, entry.Payload, EntrySignatureStatus.Valid) is { } image && byId.TryAdd(image.Image, image))
        {
            images.Add(image);
        }

        // What is there is about entries before it; a larger size would be a word about what was still to come.
        if (TryParse(entry) is { } receipt && receipt.Size <= judged.Index && Refusal(receipt) is null && said.TryAdd(judged.Index, entry))
            receipts.Add(new RecordedReceipt(judged.Index, entry.LeafHash, signer, entry.Payload.Time, receipt));
    }

    /// <summary>Takes in a receipt of which it is known that it counts, where the images before it are not all at hand.</summary>
    internal void TakeCounted(JudgedEntry judged)
    {
        if (judged is { Entry: { } entry, Verdict: { Status: EntrySignatureStatus.Valid, Signer: { } signer } } && TryParse(entry) is { } receipt && said.TryAdd(judged.Index, entry))
            receipts.Add(new RecordedReceipt(judged.Index, entry.LeafHash, signer, entry.Payload.Time, receipt));
    }

    /// <summary>Why a receipt is none for this log's history; null where it is.</summary>
    internal string? Refusal(Receipt receipt)
    {
        if (!string.Equals(receipt.Origin, ledger.Checkpoint.Origin, StringComparison.Ordinal))
            return $"it is for the log {receipt.Origin}, and this one is {ledger.Checkpoint.Origin}";
        if (receipt.Size > ledger.Size)
            return $"it is for {receipt.Size} entries, and the ledger has {ledger.Size}: either this vault was set back to an older copy, or somebody else signs for this log";
        Sha256Digest root = ledger.RootAt(receipt.Size);
        if (root != receipt.Root)
            return $"it is for a history whose first {receipt.Size} entries have the root {receipt.Root}; those of this one have {root}. Ask for the checkpoint that its signer was given: together with this log's own it proves two histories";
        IReadOnlyList<ImageRecord> known = ImagesUpTo(receipt.Size);
        if (receipt.Images.FirstOrDefault(i => !(byId.TryGetValue(i.Image, out ImageRecord? named) && named.Entry < receipt.Size && named.Root == i.Root)) is { } unknown)
            return $"it names an image {unknown.Image} of the root {unknown.Root}, which the log's first {receipt.Size} entries do not name";
        if (receipt.ImageCount != known.Count)
            return $"it is about {receipt.ImageCount} images, and the log's first {receipt.Size} entries name {known.Count}";
        if (receipt.Images.Count < known.Count && receipt.Others is null)
            return null;
        return Receipt.DigestOf(known.Select(k => new ReceiptImage(k.Image, k.Root, receipt.ContentOf(k.Image)!))) == receipt.ImageDigest
            ? null
            : "its digest over the images is not that of the images that it is about";
    }

    /// <summary>What an entry says; null where it is no receipt of a form that is known here.</summary>
    internal static Receipt? TryParse(LedgerEntry entry)
    {
        if (!string.Equals(entry.Payload.Kind, EntryKind.Receipt, StringComparison.Ordinal))
            return null;
        try
        {
            return Receipt.Parse(entry.Payload.Body);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
