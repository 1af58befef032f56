using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;
using NodaTime;

namespace Evidence.Verification;

/// <summary>Verifies a vault's ledger, and collects what it says: the images, and what the vault declared itself to be.</summary>
internal sealed class LedgerVerification(ILedgerStorage storage, KeyStore? known, WitnessPolicy? policy, TrustedAuthorities trust, bool isReplica, ILogger logger)
{
    private readonly List<Finding> findings = [];
    private readonly List<RecordedImage> images = [];
    private readonly List<(long Entry, EntryPayload Payload, string File)> stampedBy = [];
    private readonly Dictionary<Sha256Digest, long> documents = [];
    private readonly Dictionary<Sha256Digest, long> commitments = [];
    private readonly Dictionary<Sha256Digest, long> erasures = [];
    private IReadOnlyList<KeptTimestamp> timestamps = [];

    /// <summary>The images that its entries name.</summary>
    internal IReadOnlyList<RecordedImage> Images => images;

    /// <summary>The documents that its validly signed entries name, each with the first of those.</summary>
    internal IReadOnlyDictionary<Sha256Digest, long> Documents => documents;

    /// <summary>The commitments to personal data of its validly signed entries, each with the first of those.</summary>
    internal IReadOnlyDictionary<Sha256Digest, long> Commitments => commitments;

    /// <summary>The openings that its validly signed entries say were destroyed, each with the first of those.</summary>
    internal IReadOnlyDictionary<Sha256Digest, long> Erasures => erasures;

    /// <summary>The receipts for replicas; null where the entries could not be judged.</summary>
    internal ReceiptBook? Receipts { get; private set; }

    /// <summary>What the vault declared itself to be; null where that could not be read.</summary>
    internal VaultIdentity? Declared { get; private set; }

    private LedgerWitnessing? witnessing;

    internal LedgerVerdict Run(string? origin, CancellationToken cancellation)
    {
        VaultIdentity? identity = ReadDeclared();
        origin ??= identity?.Origin ?? ReadOrigin();
        if (origin is null)
        {
            Add("ledger", "checkpoint", null, "The ledger's checkpoint is missing or cannot be read, so nothing says whose vault this is.");
            return new LedgerVerdict(null, 0, null, 0, KeysPinned: false, findings);
        }

        IReadOnlyList<VerifierKey> pinned = known?.Pinned(origin) ?? [];
        IReadOnlyList<VerifierKey> keys = pinned.Count > 0 ? pinned : identity?.Keys ?? [];
        LedgerCheckResult result = LedgerCheck.Run(storage, origin, keys, cancellation);
        long? explained = result.Findings.Any(f => f.Kind == LedgerFindingKind.Ahead) ? ExplainedUpTo(origin, keys, result.Checkpoint!.Size) : null;
        foreach (LedgerFinding finding in result.Findings)
            Add(finding, explained);
        if (result.Checkpoint is null)
        {
            if (findings.Count == 0)
                Add("ledger", "checkpoint", null, "The ledger has no checkpoint. It is written when the vault is made, so it was removed.");
        }
        else
        {
            ReadEntries(origin, keys, cancellation);
        }

        // Where the entries cannot be judged, what they say unjudged still shows which file contradicts them.
        Declared ??= identity;

        return new LedgerVerdict(origin, result.Checkpoint?.Size ?? 0, result.Checkpoint?.Root, WitnessedSize(result), pinned.Count > 0, findings)
        {
            Witnesses = witnessing?.Verdict,
            Timestamps = timestamps,
        };
    }

    /// <summary>Goes through the entries as far as they can be read.</summary>
    private void ReadEntries(string origin, IReadOnlyList<VerifierKey> keys, CancellationToken cancellation)
    {
        var registry = new KeyRegistry();
        var repeated = new RepeatedStatements();
        var notValid = new Dictionary<long, EntrySignatureStatus?>();
        RememberedWherePossible? seen = known is null ? null : new RememberedWherePossible(known, logger);
        try
        {
            // Also holds the ledger against what was seen of it before.
            CustodyLedger ledger = CustodyLedger.Open(storage, origin, keys, seen);
            ReadWitnessing(ledger);
            Receipts = new ReceiptBook(ledger);
            foreach (JudgedEntry judged in ledger.JudgeEntries(registry))
            {
                cancellation.ThrowIfCancellationRequested();
                Judge(judged);
                Receipts.Take(judged);
                if (judged.Entry is { } entry)
                    repeated.Take(entry);
                if (judged.Verdict?.Status != EntrySignatureStatus.Valid)
                    notValid.Add(judged.Index, judged.Verdict?.Status);
            }

            foreach (string told in repeated.Tell(ledger, cancellation))
                Add("entry", null, null, told, ContentVerdict.Verified);
            JudgeTimestamps(ledger, keys);
            ProvedTimes times = (witnessing?.ProvedTimes ?? ProvedTimes.None).With(LedgerTimestamps.Proved(timestamps));
            foreach (string told in CompromisedKeys.Tell(ledger, registry, notValid, times, cancellation))
                Add("key", null, null, told, ContentVerdict.Verified);
        }
        catch (EvidenceException e)
        {
            // What the check of the files found already need not be said twice, but a rollback or a fork shows only here.
            if (findings.Count == 0 || e.Code is ErrorCode.LedgerRollback or ErrorCode.LedgerFork)
                Add("ledger", "checkpoint", null, e.Message);
        }

        Declared = registry.Vault;
    }

    private void JudgeTimestamps(CustodyLedger ledger, IReadOnlyList<VerifierKey> keys)
    {
        timestamps = LedgerTimestamps.Judge(storage, ledger, keys, trust);
        var there = timestamps.ToDictionary(kept => kept.File, StringComparer.Ordinal);
        foreach ((long entry, EntryPayload payload, string file) in stampedBy)
        {
            if (!there.TryGetValue(file, out KeptTimestamp? kept))
                Add("timestamp", file, null, $"It is missing, although entry {entry} names it: somebody took a time stamp away.");
            else if (kept.Verdict is { } verdict)
                CompareStamp(entry, payload, file, verdict);
        }

        foreach (KeptTimestamp kept in timestamps)
        {
            if ((kept.Defect ?? kept.Contradiction) is { } wrong)
                Add("timestamp", kept.File, null, wrong);
            else if (kept.Verdict is { Refusal: not null } refused)
                Add("timestamp", kept.File, null, refused.ToString(), ContentVerdict.Verified);
        }
    }

    /// <summary>Holds what an entry says of a time stamp against what that says itself.</summary>
    private void CompareStamp(long entry, EntryPayload payload, string file, TimestampVerdict verdict)
    {
        if (TimestampRecord.Differences(payload, verdict).ToArray() is { Length: > 0 } differences)
            Add("timestamp", file, null, $"Entry {entry} does not say of it what it is: {string.Join("; ", differences)}. The token is what proves.", ContentVerdict.Unverifiable);
        // Nobody can name a token before it is made; but clocks go wrong.
        if (payload.Time < verdict.Time - (verdict.Accuracy ?? Duration.Zero))
        {
            Add(
                "timestamp", file, null,
                $"Entry {entry}, which names it, claims to be from {Timestamps.Format(payload.Time)}; the token was made at {Timestamps.Format(verdict.Time)}. The signer's clock was behind, or the claim is wrong.",
                ContentVerdict.Verified);
        }
    }

    /// <summary>
    /// How much of what was recomputed witnesses vouch for. The ledger may have grown while it was checked; of one that is not what its checkpoint says,
    /// nothing is vouched for.
    /// </summary>
    private long WitnessedSize(LedgerCheckResult result) =>
        witnessing is { } judged && result is { IsIntact: true, Checkpoint: { } at } && findings.All(f => f.Verdict != ContentVerdict.Refuted) ? Math.Min(judged.Size, at.Size) : 0;

    private void ReadWitnessing(CustodyLedger ledger)
    {
        try
        {
            witnessing = ledger.Witnessing(policy);
        }
        catch (EvidenceException e)
        {
            Add("ledger", WitnessedNotes.Name, null, e.Message);
        }
    }

    private void Judge(JudgedEntry judged)
    {
        if (judged.Entry is not { } entry)
        {
            Add("entry", null, null, $"Entry {judged.Index} is not a well-formed entry: {judged.Defect}");
            return;
        }

        EntrySignatureStatus status = judged.Verdict!.Status;
        if (status == EntrySignatureStatus.Invalid)
            Add("entry", null, null, $"Entry {judged.Index} ({entry.Payload.Kind}) has a wrong signature.");
        else if (status == EntrySignatureStatus.UnknownSigner)
            Add("entry", null, null, $"Entry {judged.Index} ({entry.Payload.Kind}) is signed by a key that no entry before it declares.", ContentVerdict.Unverifiable);
        else if (status == EntrySignatureStatus.Ended)
            Add("entry", null, null, $"Entry {judged.Index} ({entry.Payload.Kind}) is signed by a key of {judged.Verdict.Signer!.Name} that signs no more: {judged.Verdict.KeyEnd}.", ContentVerdict.Unverifiable);
        if (judged.Verdict.RefusedIdentity is { } refused)
            Add("entry", null, null, $"Entry {judged.Index} declares no identity: {refused}", ContentVerdict.Unverifiable);
        if (string.Equals(entry.Payload.Kind, EntryKind.Timestamp, StringComparison.Ordinal) && status == EntrySignatureStatus.Valid)
            ReadStamp(judged.Index, entry.Payload);
        if (status == EntrySignatureStatus.Valid)
            ReadReferences(judged.Index, entry.Payload);
        if (string.Equals(entry.Payload.Kind, EntryKind.Acquisition, StringComparison.Ordinal) && ImageRecord.TryRead(judged.Index, entry.Payload, status) is { } record)
            images.Add(new RecordedImage(record, status));
    }

    private void ReadStamp(long index, EntryPayload payload)
    {
        if (TimestampDocument.FileOf(payload) is { } file)
            stampedBy.Add((index, payload, file));
        else
            Add("timestamp", null, null, $"Entry {index} says that a time stamp was taken, and names none.", ContentVerdict.Unverifiable);
    }

    private void ReadReferences(long index, EntryPayload payload)
    {
        foreach (Sha256Digest document in EntryReferences.Documents(payload))
            documents.TryAdd(document, index);
        foreach (Sha256Digest commitment in EntryReferences.Commitments(payload))
            commitments.TryAdd(commitment, index);
        if (ErasureRecord.OpeningOf(payload) is { } opening)
            erasures.TryAdd(opening, index);
    }

    private VaultIdentity? ReadDeclared()
    {
        try
        {
            return CustodyLedger.DeclaredIdentity(storage);
        }
        catch (EvidenceException)
        {
            // The check that follows reads the same files and names what is wrong with them.
            return null;
        }
    }

    /// <summary>The origin that the checkpoint gives for itself; null where it cannot be read.</summary>
    private string? ReadOrigin()
    {
        try
        {
            return storage.TryRead(CheckpointFile.Name, SignedNote.MaximumLength + 1) is { } note
                ? Checkpoint.Parse(SignedNote.Parse(note).Text).Origin
                : null;
        }
        catch (Exception e) when (e is FormatException or EvidenceException)
        {
            // Said by the finding that follows.
            return null;
        }
    }

    /// <summary>
    /// The size up to which files past the checkpoint are in order: those of an append that is under way or was interrupted, which its staged batch
    /// tells, or that was published since the checkpoint was read. Null where there is no such append.
    /// </summary>
    private long? ExplainedUpTo(string origin, IReadOnlyList<VerifierKey> keys, long size)
    {
        long? end = null;
        try
        {
            if (StagedBatch.TryRead(storage) is { } batch && batch.Start == size && string.Equals(batch.Origin, origin, StringComparison.Ordinal))
                end = batch.End;
        }
        catch (EvidenceException)
        {
            // A batch that cannot be read explains nothing.
        }

        try
        {
            if (CheckpointFile.TryRead(storage, CheckpointFile.Name, origin, keys) is { Checkpoint.Size: var now } && now > size)
                end = Math.Max(now, end ?? 0);
        }
        catch (EvidenceException)
        {
            // The check of the checkpoint says what is wrong with it.
        }

        return end;
    }

    private void Add(LedgerFinding finding, long? explained)
    {
        string file = $"ledger/{finding.File}";
        if (finding.Kind == LedgerFindingKind.Ahead)
        {
            bool inOrder = explained is { } end && TileName.TryParse(finding.File, out TileName? tile) &&
                TileName.At(tile.Value.Level, tile.Value.Index, end).Width >= tile.Value.Width;
            findings.Add(isReplica
                ? new Finding(
                    "ledger", file, null, null,
                    "It lies past the checkpoint's size: a replication is under way, or was interrupted before its last step, or the checkpoint was set back. Only what the checkpoint has is verified.",
                    ContentVerdict.Verified)
                : inOrder
                ? new Finding("ledger", file, null, null, "It lies past the checkpoint's size: an append is under way, or was interrupted.", ContentVerdict.Verified)
                : new Finding(
                    "ledger", file, null, null,
                    "It lies past the checkpoint's size, and no append is under way that explains it: the checkpoint was set back to an older one, and the entries since are not vouched for.",
                    ContentVerdict.Unverifiable));
            return;
        }

        ContentVerdict verdict = finding.Refutes || finding.Kind == LedgerFindingKind.Unreadable ? ContentVerdict.Refuted : ContentVerdict.Verified;
        string what = finding.Kind == LedgerFindingKind.Foreign ? "foreign" : "ledger";
        findings.Add(new Finding(what, file, finding.Offset, null, finding.Detail, verdict));
    }

    private void Add(string what, string? file, long? offset, string detail, ContentVerdict verdict = ContentVerdict.Refuted) =>
        findings.Add(new Finding(what, file is null ? null : $"ledger/{file}", offset, null, detail, verdict));
}

/// <summary>An image that an entry names, and what the entry's signature is worth.</summary>
internal sealed record RecordedImage(ImageRecord Record, EntrySignatureStatus Signature);
