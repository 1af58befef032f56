namespace Evidence;

/// <summary>
/// The one kind of error that this library raises on purpose: a stable <see cref="Code"/> for programs, and a message for people that names
/// the file, the offset where there is one, and the way out.
/// </summary>
public class EvidenceException : Exception
{
    /// <summary>Creates the error.</summary>
    /// <param name="code">One of <see cref="ErrorCode"/>.</param>
    /// <param name="message">What happened, to which file, and what to do about it.</param>
    /// <param name="innerException">The cause, where another error is the cause.</param>
    public EvidenceException(string code, string message, Exception? innerException = null)
        : base(message, innerException) => Code = code;

    /// <summary>A stable name for the error, one of <see cref="ErrorCode"/>.</summary>
    public string Code { get; }
}

/// <summary>The stable names of errors, as they stand in <c>--json</c>.</summary>
public static class ErrorCode
{
    /// <summary>The command line, or an argument, is not valid.</summary>
    public const string Usage = "usage";

    /// <summary>The source does not exist.</summary>
    public const string SourceNotFound = "source-not-found";

    /// <summary>The source is of a kind that cannot be imaged: a directory, a socket, an incomplete split set.</summary>
    public const string SourceUnsupported = "source-unsupported";

    /// <summary>The source could not be read, or changed its size while it was read.</summary>
    public const string SourceFailed = "source-failed";

    /// <summary>A map of what is rescued cannot be read, or is of another source.</summary>
    public const string RescueMapInvalid = "rescue-map-invalid";

    /// <summary>The operating system denied access.</summary>
    public const string PermissionDenied = "permission-denied";

    /// <summary>There is no vault at that place.</summary>
    public const string VaultNotFound = "vault-not-found";

    /// <summary>What is at that place is not a vault.</summary>
    public const string VaultInvalid = "vault-invalid";

    /// <summary>There is a vault already.</summary>
    public const string VaultExists = "vault-exists";

    /// <summary>The vault needs a newer version of this software.</summary>
    public const string VaultTooNew = "vault-too-new";

    /// <summary>The vault is a copy of the one whose ledger is written here, and is only read.</summary>
    public const string VaultReadOnly = "vault-read-only";

    /// <summary>Another process holds the vault's writer lock.</summary>
    public const string VaultBusy = "vault-busy";

    /// <summary>Nothing in the vault has that name.</summary>
    public const string ImageNotFound = "image-not-found";

    /// <summary>Several images have that name.</summary>
    public const string ImageAmbiguous = "image-ambiguous";

    /// <summary>A document that is named is not in the vault.</summary>
    public const string DocumentNotFound = "document-not-found";

    /// <summary>Stored content is not what its name says.</summary>
    public const string ContentRefuted = "content-refuted";

    /// <summary>What was asked for is not in the image: the source could not be read there, or never was.</summary>
    public const string RangeAbsent = "range-absent";

    /// <summary>No file of that name is in an image, or several are.</summary>
    public const string FileNotFound = "file-not-found";

    /// <summary>A file in an image cannot be shown to come from it, or its file system cannot be read.</summary>
    public const string FileRefused = "file-refused";

    /// <summary>The ledger's files contradict each other.</summary>
    public const string LedgerDamaged = "ledger-damaged";

    /// <summary>The ledger is older than one that was seen before.</summary>
    public const string LedgerRollback = "ledger-rollback";

    /// <summary>The ledger contradicts one that was seen before.</summary>
    public const string LedgerFork = "ledger-fork";

    /// <summary>An entry is durable in the ledger's staging folder, and could not go into the ledger yet; the next one that is recorded takes it in.</summary>
    public const string LedgerPending = "ledger-pending";

    /// <summary>The ledger grew since it was looked at.</summary>
    public const string LedgerGrown = "ledger-grown";

    /// <summary>An act on the docket names what is not there, or may not be done.</summary>
    public const string DocketInvalid = "docket-invalid";

    /// <summary>The wipe gate, or a policy, says no.</summary>
    public const string GateRefused = "gate-refused";

    /// <summary>A file that was carried here does not hold entries that can be taken into the ledger.</summary>
    public const string EntriesInvalid = "entries-invalid";

    /// <summary>A key that is needed is not at hand.</summary>
    public const string KeyMissing = "key-missing";

    /// <summary>The key was revoked, and signs no more.</summary>
    public const string KeyRevoked = "key-revoked";

    /// <summary>Another process uses the witness's state.</summary>
    public const string WitnessBusy = "witness-busy";

    /// <summary>What a witness keeps of what it signed is damaged, or is another's.</summary>
    public const string WitnessStateInvalid = "witness-state-invalid";

    /// <summary>A witness did not cosign, or could not be asked.</summary>
    public const string WitnessFailed = "witness-failed";

    /// <summary>A policy of logs and witnesses cannot be read, or says nothing of this log.</summary>
    public const string PolicyInvalid = "policy-invalid";

    /// <summary>A calendar of working days cannot be read, or says nothing of a year that is needed.</summary>
    public const string CalendarInvalid = "calendar-invalid";

    /// <summary>A time-stamp authority did not answer.</summary>
    public const string TimestampUnavailable = "timestamp-unavailable";

    /// <summary>A time-stamp authority refused, or its answer does not hold.</summary>
    public const string TimestampRefused = "timestamp-refused";

    /// <summary>The destination has no room left.</summary>
    public const string DiskFull = "disk-full";

    /// <summary>The destination exists, or is not what it must be.</summary>
    public const string DestinationInvalid = "destination-invalid";

    /// <summary>The operating system reported an input or output error.</summary>
    public const string InputOutput = "io-error";

    /// <summary>A flush to the medium failed: what was written since is in doubt, and the writer stops.</summary>
    public const string DurabilityLost = "durability-lost";

    /// <summary>A mistake in this software.</summary>
    public const string Internal = "internal";

    /// <summary>The run was interrupted.</summary>
    public const string Interrupted = "interrupted";
}
