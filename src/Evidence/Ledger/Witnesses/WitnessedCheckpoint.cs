using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger.Witnesses;

/// <summary>Reads the newest witnessed checkpoint that lies beside a ledger, and holds it against that: it is the log's own word, whoever cosigned it.</summary>
internal static class WitnessedCheckpoint
{
    /// <summary>Reads it.</summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="ledger">The ledger.</param>
    /// <param name="keys">The log's keys.</param>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="EvidenceException">It is damaged, or contradicts the ledger.</exception>
    internal static SignedNote? TryRead(ILedgerStorage storage, CustodyLedger ledger, IReadOnlyCollection<VerifierKey> keys)
    {
        if (CheckpointFile.TryRead(storage, WitnessedNotes.Name, ledger.Checkpoint.Origin, keys) is not { } file)
            return null;
        Checkpoint witnessed = file.Checkpoint;
        if (witnessed.Size > ledger.Size)
        {
            // Unless the ledger grew, and was witnessed anew, since it was opened.
            return witnessed.Size <= ledger.CurrentSize() ? null : throw new EvidenceException(ErrorCode.LedgerRollback, string.Create(
                CultureInfo.InvariantCulture,
                $"The ledger {witnessed.Origin} has {ledger.Size} entries, but its file {WitnessedNotes.Name} is a checkpoint of {witnessed.Size}, signed by its own key: it was set back to an " +
                $"older copy, and {witnessed.Size - ledger.Size} entries are gone."));
        }

        Sha256Digest root = ledger.RootAt(witnessed.Size);
        return root == witnessed.Root ? SignedNote.Parse(file.Note) : throw new EvidenceException(ErrorCode.LedgerFork, string.Create(
            CultureInfo.InvariantCulture,
            $"The first {witnessed.Size} entries of the ledger {witnessed.Origin} have the root {root}, but its file {WitnessedNotes.Name}, signed by its own key, says {witnessed.Root}: there are two " +
            $"histories under one name. Keep both as evidence."));
    }
}
