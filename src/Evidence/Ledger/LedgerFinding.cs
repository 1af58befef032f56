namespace Evidence.Ledger;

/// <summary>What is wrong with a file of the ledger.</summary>
public enum LedgerFindingKind
{
    /// <summary>The file's bytes are not what the checkpoint commits to.</summary>
    Damaged,

    /// <summary>The file should be there, and is not.</summary>
    Missing,

    /// <summary>The file could not be read.</summary>
    Unreadable,

    /// <summary>The checkpoint lacks a known key's signature, or has a wrong one.</summary>
    Signature,

    /// <summary>An Ed25519 signature that this machine cannot check, for want of OpenSSL.</summary>
    NotChecked,

    /// <summary>The file lies past the checkpoint's size: an append was interrupted, or the checkpoint was set back.</summary>
    Ahead,

    /// <summary>The file is none of the ledger's.</summary>
    Foreign,
}

/// <summary>One finding of a check.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="File">The file, below <c>ledger/</c>.</param>
/// <param name="Offset">The first wrong byte, where one can be named.</param>
/// <param name="Detail">In words.</param>
public sealed record LedgerFinding(LedgerFindingKind Kind, string File, long? Offset, string Detail)
{
    /// <summary>Whether the finding refutes the ledger. The others are for the reader to weigh.</summary>
    public bool Refutes => Kind is LedgerFindingKind.Damaged or LedgerFindingKind.Missing or LedgerFindingKind.Signature;
}

/// <summary>The outcome of a check of the whole ledger.</summary>
/// <param name="Checkpoint">The checkpoint that was checked against; null where there is none that could be read.</param>
/// <param name="Verified">The known keys whose signature on it is right.</param>
/// <param name="EntryCount">How many entries were recomputed.</param>
/// <param name="Findings">Everything that is wrong or noteworthy, in the order of the files.</param>
public sealed record LedgerCheckResult(
    Checkpoint? Checkpoint, IReadOnlyList<VerifierKey> Verified, long EntryCount, IReadOnlyList<LedgerFinding> Findings)
{
    /// <summary>Whether everything was recomputed and equals what the signed checkpoint commits to.</summary>
    public bool IsIntact => Verified.Count > 0 && !Findings.Any(finding => finding.Refutes || finding.Kind == LedgerFindingKind.Unreadable);
}
