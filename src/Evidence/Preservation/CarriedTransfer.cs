using Evidence.Ledger;

namespace Evidence.Preservation;

/// <summary>A transfer entry that was carried here in a file, with the declarations of the key that signed it.</summary>
/// <param name="Entries">The declarations, then the transfer entry.</param>
/// <param name="Entry">The transfer entry.</param>
/// <param name="Signer">Who signed it, by their own word.</param>
/// <param name="Body">What it says.</param>
public sealed record CarriedTransfer(IReadOnlyList<LedgerEntry> Entries, LedgerEntry Entry, ActorIdentity Signer, TransferBody Body)
{
    /// <summary>Reads a file, and checks its signatures. That its signer is who they say, nothing in the file can show.</summary>
    /// <exception cref="EvidenceException">It cannot be read, or is something else, or a signature in it is wrong.</exception>
    public static CarriedTransfer Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        IReadOnlyList<LedgerEntry> entries = EntryFile.Read(path);
        var registry = new KeyRegistry();
        EntryVerdict? verdict = null;
        for (int i = 0; i < entries.Count; i++)
        {
            verdict = registry.Fold(i, entries[i]);
            if (FoldedLog.Defect(verdict) is { } defect)
                throw Invalid(path, $"entry {i + 1} in it does not count: {defect}");
            if (i < entries.Count - 1 && entries[i].Payload.Kind != EntryKind.Identity)
                throw Invalid(path, $"entry {i + 1} in it is of the kind '{entries[i].Payload.Kind}', where only the signer's key is to be declared");
        }

        if (registry.Keys.Values.Any(key => key.FirstKey != registry.Keys[verdict!.Signer!.KeyId].FirstKey || key.Revocations.Count > 0))
            throw Invalid(path, "it declares or ends other keys, where only the signer's key is to be declared");
        return TransferBook.TryParse(entries[^1]) is { } body
            ? new CarriedTransfer(entries, entries[^1], verdict!.Signer!, body)
            : throw Invalid(path, $"its last entry is of the kind '{entries[^1].Payload.Kind}', and not a transfer of a form that is known here");
    }

    internal static EvidenceException Invalid(string path, string why) => new(ErrorCode.EntriesInvalid, $"{path}: {why}.");
}
