using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>A receipt that was taken into the sender's ledger.</summary>
/// <param name="Receipt">What it says.</param>
/// <param name="Signer">Who signed it, by their own word.</param>
/// <param name="Entry">The entry's index; null where it waits in staging.</param>
/// <param name="Lost">The images that this machine sent, and that the receipt does not find verified there.</param>
public sealed record AcceptedReceipt(Receipt Receipt, ActorIdentity Signer, long? Entry, IReadOnlyList<Sha256Digest> Lost);

/// <summary>Takes receipts for replicas of a vault into its ledger, where they are for this log and its own history.</summary>
public static class ReceiptAcceptance
{
    /// <summary>Takes a receipt in. To take it in once more changes nothing.</summary>
    /// <param name="vault">The vault that was replicated.</param>
    /// <param name="path">The file that came back.</param>
    /// <exception cref="EvidenceException">It is none that this ledger can take in; the message says why (<see cref="ErrorCode.EntriesInvalid"/>).</exception>
    public static AcceptedReceipt Accept(Vault vault, string path)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentException.ThrowIfNullOrEmpty(path);
        IReadOnlyList<LedgerEntry> entries = EntryFile.Read(path);
        ActorIdentity signer = Judge(path, entries);
        LedgerEntry entry = entries[^1];
        if (ReceiptBook.TryParse(entry) is not { } receipt)
            throw Invalid(path, $"its last entry is of the kind '{entry.Payload.Kind}', and no receipt of a form that is known here");
        CustodyLedger ledger = vault.Ledger.Open();
        var book = ReceiptBook.Read(ledger);
        if (book.Refusal(receipt) is { } refusal)
            throw Invalid(path, refusal);
        long? index = book.Find(entry) ?? vault.Ledger.TakeIn(entries);
        return new AcceptedReceipt(receipt, signer, index, Lost(vault, book, receipt));
    }

    /// <summary>Whether the file is whole in itself: declarations of one key, and an entry that it signed.</summary>
    private static ActorIdentity Judge(string path, IReadOnlyList<LedgerEntry> entries)
    {
        var registry = new KeyRegistry();
        EntryVerdict? verdict = null;
        for (int i = 0; i < entries.Count; i++)
        {
            verdict = registry.Fold(i, entries[i]);
            if (FoldedLog.Defect(verdict) is { } defect)
                throw Invalid(path, $"entry {i + 1} in it does not count: {defect.TrimEnd('.')}");
            if (i < entries.Count - 1 && !string.Equals(entries[i].Payload.Kind, EntryKind.Identity, StringComparison.Ordinal))
                throw Invalid(path, $"entry {i + 1} in it is of the kind '{entries[i].Payload.Kind}', where only the signer's key is to be declared");
        }

        ActorIdentity signer = verdict?.Signer ?? throw Invalid(path, "it is empty");
        string first = registry.Keys[signer.KeyId].FirstKey;
        return registry.Vault is null && registry.Keys.Values.All(key => string.Equals(key.FirstKey, first, StringComparison.Ordinal))
            ? signer
            : throw Invalid(path, "it declares others than its signer");
    }

    /// <summary>What this machine's record says was sent, and the recipient does not have in order.</summary>
    private static Sha256Digest[] Lost(Vault vault, ReceiptBook book, Receipt receipt)
    {
        if (receipt.Replica is not { } replica || vault.Access.Keys is not { } keys || !File.Exists(keys.ReplicaRecordPath(vault.Settings.Origin, replica)))
            return [];
        using ReplicaRecord record = ReplicaRecord.Open(keys, vault.Settings.Origin, new ReplicaIdentity(replica, vault.Settings.Id), vault.Access.Logger);
        return
        [
            .. book.ImagesUpTo(receipt.Size).Select(i => i.Image)
                .Where(i => record.Has($"images/{i}{VaultLayout.ManifestExtension}") && receipt.ContentOf(i) is "refuted" or Receipt.Absent),
        ];
    }

    private static EvidenceException Invalid(string path, string why) => new(ErrorCode.EntriesInvalid, $"{path} is not taken in: {why}.");
}
