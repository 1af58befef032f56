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
        (IReadOnlyList<LedgerEntry> entries, ActorIdentity signer) = CarriedEntries.Read(path);
        return TransferBook.TryParse(entries[^1]) is { } body
            ? new CarriedTransfer(entries, entries[^1], signer, body)
            : throw CarriedEntries.Invalid(path, $"its last entry is of the kind '{entries[^1].Payload.Kind}', and not a transfer of a form that is known here");
    }
}
