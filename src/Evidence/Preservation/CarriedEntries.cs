using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>An entry that is carried in a file, after the declarations of the key that signed it, so that its signature can be judged where it comes to.</summary>
internal static class CarriedEntries
{
    /// <summary>Reads a file, and checks its signatures. That its signer is who they say, nothing in the file can show.</summary>
    /// <exception cref="EvidenceException">It cannot be read, or is something else, or a signature in it is wrong.</exception>
    internal static (IReadOnlyList<LedgerEntry> Entries, ActorIdentity Signer) Read(string path)
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
        return (entries, verdict!.Signer!);
    }

    /// <summary>Writes an entry of a ledger to a file, with what it takes to judge its signature.</summary>
    /// <exception cref="EvidenceException">The file cannot be written, or is there already.</exception>
    internal static void Write(CustodyLedger ledger, long entry, string signer, string path)
    {
        KeyRegistry registry = ledger.FoldIdentities();
        var declarations = new List<LedgerEntry>();
        for (string? keyId = signer; keyId is not null; keyId = registry.Keys[keyId].Replaces)
            declarations.Insert(0, LedgerEntry.Parse(ledger.ReadEntry(registry.Keys[keyId].DeclaredBy)));
        EntryFile.Write(path, [.. declarations, LedgerEntry.Parse(ledger.ReadEntry(entry))]);
    }

    /// <summary>An entry that introduces a key.</summary>
    internal static LedgerEntry Identity(IdentityBody body, Instant now, params IReadOnlyList<ActorKey> signers) =>
        LedgerEntry.Create(new EntryPayload(EntryKind.Identity, now, null, [], body.ToJson(), signers[0].Id), signers);

    internal static EvidenceException Invalid(string path, string why) => new(ErrorCode.EntriesInvalid, $"{path}: {why}.");
}
