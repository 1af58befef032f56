namespace Evidence.Ledger;

/// <summary>
/// Recomputes a ledger from its entries up and holds every byte of every file against it, staging aside. It ends with a result whatever
/// the bytes are.
/// </summary>
public sealed class LedgerCheck
{
    private readonly ILedgerStorage storage;
    private readonly List<LedgerFinding> findings = [];

    private LedgerCheck(ILedgerStorage storage) => this.storage = storage;

    /// <summary>Checks everything.</summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="origin">The log's origin.</param>
    /// <param name="keys">The log's keys: each must have signed the checkpoint.</param>
    /// <param name="cancellation">Heeded between tiles.</param>
    public static LedgerCheckResult Run(
        ILedgerStorage storage, string origin, IReadOnlyCollection<VerifierKey> keys, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(keys);
        return new LedgerCheck(storage).Run(origin, keys, cancellation);
    }

    private LedgerCheckResult Run(string origin, IReadOnlyCollection<VerifierKey> keys, CancellationToken cancellation)
    {
        CheckpointFile? file = CheckCheckpoint(origin, keys);
        if (ListTiles() is not { } present)
            return new LedgerCheckResult(file?.Checkpoint, file?.Verdict.Verified ?? [], 0, findings);
        if (file is null)
        {
            if (findings.All(finding => !string.Equals(finding.File, CheckpointFile.Name, StringComparison.Ordinal)))
                Add(LedgerFindingKind.Missing, CheckpointFile.Name, null, "There is no checkpoint, so nothing vouches for anything here.");
            return new LedgerCheckResult(null, [], 0, findings);
        }

        long checkedEntries = new TreeCheck(storage, file.Checkpoint, present, findings).Run(cancellation);
        return new LedgerCheckResult(file.Checkpoint, file.Verdict.Verified, checkedEntries, findings);
    }

    private PresentTiles? ListTiles()
    {
        try
        {
            return PresentTiles.List(storage, findings);
        }
        catch (EvidenceException e)
        {
            Add(LedgerFindingKind.Unreadable, TileName.Prefix, null, e.Message);
            return null;
        }
    }

    private CheckpointFile? CheckCheckpoint(string origin, IReadOnlyCollection<VerifierKey> keys)
    {
        CheckpointFile file;
        try
        {
            if (storage.TryRead(CheckpointFile.Name, SignedNote.MaximumLength + 1) is not { } bytes)
                return null;
            file = CheckpointFile.Parse(bytes, keys);
        }
        catch (FormatException e)
        {
            Add(LedgerFindingKind.Damaged, CheckpointFile.Name, null, e.Message);
            return null;
        }
        catch (EvidenceException e)
        {
            Add(LedgerFindingKind.Unreadable, CheckpointFile.Name, null, e.Message);
            return null;
        }

        if (!string.Equals(file.Checkpoint.Origin, origin, StringComparison.Ordinal))
            Add(LedgerFindingKind.Damaged, CheckpointFile.Name, 0, $"The origin is '{file.Checkpoint.Origin}', not '{origin}'.");
        foreach (VerifierKey key in keys)
        {
            if (file.Verdict.Verified.Contains(key))
                continue;
            if (file.Verdict.NotChecked.Contains(key))
                AddSignature(LedgerFindingKind.NotChecked, $"The signature of {key} was not checked: there is no OpenSSL 3 here.");
            else
                AddSignature(LedgerFindingKind.Signature, $"The signature of {key} is {(file.Verdict.Failed.Contains(key) ? "wrong" : "missing")}.");
        }

        if (keys.Count == 0)
            AddSignature(LedgerFindingKind.Signature, "No key of the log is known, so nothing vouches for the checkpoint.");
        return file;
    }

    private void AddSignature(LedgerFindingKind kind, string detail) => Add(kind, CheckpointFile.Name, null, detail);

    private void Add(LedgerFindingKind kind, string name, long? offset, string detail) =>
        findings.Add(new LedgerFinding(kind, name, offset, detail));
}
