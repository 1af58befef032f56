using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>A checkpoint as it lies in a file: its signed bytes, and which of the known keys signed them.</summary>
internal sealed record CheckpointFile(Checkpoint Checkpoint, byte[] Note, NoteVerdict Verdict)
{
    internal const string Name = "checkpoint";

    /// <summary>Reads and judges a checkpoint's file.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="EvidenceException">It is malformed, of another log, or not signed by a known key.</exception>
    internal static CheckpointFile? TryRead(ILedgerStorage storage, string name, string origin, IReadOnlyCollection<VerifierKey> keys)
    {
        if (storage.TryRead(name, SignedNote.MaximumLength + 1) is not { } bytes)
            return null;
        CheckpointFile file;
        try
        {
            file = Parse(bytes, keys);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.LedgerDamaged, $"The ledger's file {name} is damaged: {e.Message}", e);
        }

        return file.Defect(origin, keys) is { } defect
            ? throw new EvidenceException(ErrorCode.LedgerDamaged, $"The ledger's file {name} is not to be trusted: {defect}")
            : file;
    }

    internal static CheckpointFile Parse(byte[] note, IReadOnlyCollection<VerifierKey> keys)
    {
        SignedNote parsed = SignedNote.Parse(note);
        return new CheckpointFile(Checkpoint.Parse(parsed.Text), note, NoteVerifier.Verify(parsed, keys));
    }

    /// <summary>Why the checkpoint is not the log's, or null.</summary>
    internal string? Defect(string origin, IReadOnlyCollection<VerifierKey> keys)
    {
        if (!string.Equals(Checkpoint.Origin, origin, StringComparison.Ordinal))
            return $"its origin is '{Checkpoint.Origin}', not '{origin}'.";
        if (Verdict.Failed is [var failed, ..])
            return $"the signature of {failed} is wrong.";
        if (Verdict.Verified.Count == 0)
            return $"none of the {keys.Count} known keys signed it.";
        return Checkpoint.Size == 0 && Checkpoint.Root != MerkleTree.EmptyRoot
            ? "its size is 0, but its root is not the empty tree's."
            : null;
    }
}
