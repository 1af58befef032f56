using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>A vault's custody ledger, as its keeper writes it and as anybody reads it.</summary>
public sealed class VaultLedger
{
    /// <summary>The most characters of a remark: an entry is bounded, and longer texts are documents.</summary>
    public const int LongestNote = 4000;

    private readonly string folder;
    private readonly VaultSettings settings;
    private readonly VaultAccess access;

    // Of all writers that this vault opens: each append opens one.
    private readonly FlushFailure failure = new();

    internal VaultLedger(VaultLayout layout, VaultSettings settings, VaultAccess access)
    {
        folder = layout.Folder;
        this.settings = settings;
        this.access = access;
        Storage = new LedgerDirectory(layout.Ledger);
    }

    internal ILedgerStorage Storage { get; }

    /// <summary>
    /// Whether the log's private keys are at hand, so that entries go straight in, and this is not a copy of the vault that they are for.
    /// </summary>
    public bool IsSequencer => access.Keys?.MayWrite(settings.Origin, folder) ?? false;

    /// <summary>Opens the ledger as of now: its checkpoint is verified, and held against what was seen before.</summary>
    /// <exception cref="EvidenceException">It is damaged, or was set back, or is another one than was seen before.</exception>
    public CustodyLedger Open() => CustodyLedger.Open(
        Storage, settings.Origin, Keys(), access.Keys is { } seen ? new RememberedWherePossible(seen, access.Logger) : null);

    /// <summary>The log's public keys: those pinned on this machine, else those that the vault declares for itself.</summary>
    public IReadOnlyList<VerifierKey> Keys()
    {
        IReadOnlyList<VerifierKey> pinned = access.Keys?.Pinned(settings.Origin) ?? [];
        return pinned.Count > 0 ? pinned : CustodyLedger.DeclaredIdentity(Storage)?.Keys ?? [];
    }

    /// <summary>All entries in order, each judged at its place.</summary>
    public IEnumerable<JudgedEntry> Entries() => Open().JudgeEntries(new KeyRegistry());

    /// <summary>
    /// Signs an entry and appends it; without the log's keys it is left in staging for whoever has them. There it also waits, durable, where it was staged and
    /// could not go in any further (a full disk, say); the log of <see cref="VaultAccess.Logger"/> says so.
    /// </summary>
    /// <param name="kind">One of <see cref="EntryKind"/>.</param>
    /// <param name="items">The items that it concerns.</param>
    /// <param name="caseId">The case.</param>
    /// <param name="body">The kind's own fields.</param>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">There is no key to sign with, or the ledger cannot be written.</exception>
    public long? Record(string kind, IReadOnlyList<string> items, string? caseId, JsonObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        KeyStore keys = RequireKeys();
        if (keys.HasLog(settings.Origin))
            keys.ClaimPlace(settings.Origin, folder);
        using ActorKey actor = LoadOrCreate(keys);
        var entries = new List<LedgerEntry>();
        if (!IsDeclared(actor))
            entries.Add(Declare(actor));
        entries.Add(Sign(actor, kind, items, caseId, body));
        return Append(entries);
    }

    /// <summary>The index of the entry that records an image, after an append that was interrupted has been brought to its end.</summary>
    internal long? FindAcquisition(Sha256Digest image)
    {
        if (IsSequencer)
            _ = Append([]);
        foreach (JudgedEntry judged in Entries())
        {
            if (judged.Verdict?.Status == EntrySignatureStatus.Valid && judged.Entry is { } entry && string.Equals(entry.Payload.Kind, EntryKind.Acquisition, StringComparison.Ordinal) &&
                ImageRecord.TryRead(judged.Index, entry.Payload, EntrySignatureStatus.Valid)?.Image == image)
            {
                return judged.Index;
            }
        }

        return null;
    }

    /// <summary>Records an acquisition, which makes an image the vault's.</summary>
    internal long? RecordAcquisition(Sha256Digest image, ImageManifest manifest, string item, string? caseId, bool verified) =>
        Record(EntryKind.Acquisition, [item], caseId, ImageRecord.EncodeBody(image, manifest, verified));

    /// <summary>Records what a verification found.</summary>
    /// <param name="outcome">The outcome; a report of <c>Evidence.Verification</c> gives it.</param>
    /// <inheritdoc cref="Record"/>
    public long? RecordVerification(VerificationOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        return Record(EntryKind.Verification, outcome.Items, null, outcome.EncodeBody());
    }

    /// <summary>Records that an image, or a part of it, was handed out.</summary>
    /// <param name="image">The image.</param>
    /// <param name="handedOut">What was handed out of it.</param>
    /// <inheritdoc cref="Record"/>
    public long? RecordExport(ImageRecord image, HandedOut handedOut)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(handedOut);
        return Record(EntryKind.Export, [image.Item], image.Case, handedOut.EncodeBody(image.Image));
    }

    /// <summary>Records what a repair did.</summary>
    /// <param name="outcome">The outcome; a result of <c>Evidence.Repair</c> gives it.</param>
    /// <inheritdoc cref="Record"/>
    public long? RecordRepair(RepairOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        return Record(EntryKind.Repair, outcome.Items, null, outcome.EncodeBody());
    }

    /// <summary>Records a remark.</summary>
    /// <param name="text">1 to <see cref="LongestNote"/> characters.</param>
    /// <param name="items">The items that it concerns.</param>
    /// <param name="caseId">The case.</param>
    /// <inheritdoc cref="Record"/>
    public long? RecordNote(string text, IReadOnlyList<string> items, string? caseId) =>
        Record(EntryKind.Note, items, caseId, new JsonObject { ["text"] = CheckNote(text) });

    /// <summary>Records what puts an earlier entry right. That one stays as it is.</summary>
    /// <param name="corrected">The index of the entry that is put right.</param>
    /// <param name="text">1 to <see cref="LongestNote"/> characters.</param>
    /// <param name="items">The items that it concerns.</param>
    /// <param name="caseId">The case.</param>
    /// <inheritdoc cref="Record"/>
    public long? RecordCorrection(long corrected, string text, IReadOnlyList<string> items, string? caseId)
    {
        CheckNote(text);
        CustodyLedger ledger = Open();
        return corrected >= 0 && corrected < ledger.Size
            ? Record(EntryKind.Correction, items, caseId, new JsonObject
            {
                ["text"] = text,
                ["corrects"] = DecimalText.Format(corrected),
                ["leaf"] = MerkleTree.LeafHash(ledger.ReadEntry(corrected)).ToString(),
            })
            : throw new EvidenceException(ErrorCode.Usage, $"The ledger has no entry {corrected}: it has {ledger.Size}, from 0.");
    }

    private static string CheckNote(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is > 0 and <= LongestNote
            ? text
            : throw new EvidenceException(ErrorCode.Usage, $"A note has 1 to {LongestNote} characters. Keep longer texts elsewhere, and note their SHA-256.");
    }

    /// <summary>Makes sure, before any long work, that its outcome can be signed.</summary>
    /// <exception cref="EvidenceException">A key is missing or damaged, or the vault is a copy.</exception>
    internal void EnsureKeys()
    {
        KeyStore keys = RequireKeys();
        LoadOrCreate(keys).Dispose();
        if (!keys.HasLog(settings.Origin))
            return;
        keys.ClaimPlace(settings.Origin, folder);
        keys.LoadLog(settings.Origin).Dispose();
    }

    /// <summary>The key that makes what an interrupted acquisition leaves in this vault the user's own.</summary>
    internal byte[] JournalKey() => RequireKeys().JournalKey(settings.Id);

    /// <summary>The name of the actor that signs.</summary>
    public string Actor => access.Actor;

    /// <summary>Declares the actor's key, so that what it signs can be judged.</summary>
    /// <returns>The entry's index; null where the ledger knows the key already, or the entry waits in staging.</returns>
    /// <exception cref="EvidenceException">There is no such key: a name that was mistyped must not become an actor.</exception>
    public long? DeclareActor()
    {
        using ActorKey actor = RequireKeys().LoadActor(access.Actor);
        return IsDeclared(actor) ? null : Append([Declare(actor)]);
    }

    /// <summary>Begins the ledger of a new vault: its keeper's key, then the vault itself.</summary>
    internal void Found(Sha256Digest vaultSettings)
    {
        KeyStore keys = RequireKeys();
        using ActorKey actor = LoadOrCreate(keys);
        using LogKeys log = keys.HasLog(settings.Origin) ? keys.LoadLog(settings.Origin) : keys.CreateLog(settings.Origin);
        var vault = new VaultIdentity(settings.Origin, vaultSettings, log.VerifierKeys);
        try
        {
            // What is made beside its place may never get there, and must not be missed then.
            LedgerWriter.Open(Storage, log, new NotRemembered(keys)).Append(
                [Declare(actor).ToBytes(), Sign(actor, EntryKind.Identity, [], null, vault.ToJson()).ToBytes()]);
        }
        catch (EvidenceException e) when (e is { Code: ErrorCode.LedgerPending, InnerException: EvidenceException cause })
        {
            // It waits for nothing: half a vault is removed.
            throw new EvidenceException(cause.Code, cause.Message, e);
        }
    }

    /// <summary>Takes note of the new vault, once it is in its place: of where it is, and of what its ledger has.</summary>
    internal void Settle()
    {
        KeyStore keys = RequireKeys();
        keys.SetPlace(settings.Origin, folder);
        CustodyLedger ledger = Open();
        keys.Record(ledger.Checkpoint, ledger.SignedNote.Span);
    }

    private long? Append(List<LedgerEntry> entries)
    {
        KeyStore keys = RequireKeys();
        // Whoever made the vault may have died between renaming it into its place and flushing that.
        DurableFile.SyncName(folder);
        if (!keys.HasLog(settings.Origin))
        {
            foreach (LedgerEntry entry in entries)
                LedgerWriter.Stage(Storage, entry);
            return null;
        }

        keys.ClaimPlace(settings.Origin, folder);
        using LogKeys log = keys.LoadLog(settings.Origin);
        AppendResult result;
        try
        {
            result = LedgerWriter.Open(Storage, log, keys, failure).Append([.. entries.Select(e => e.ToBytes())]);
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.LedgerPending, StringComparison.Ordinal))
        {
            Log.EntryPending(access.Logger, folder, e.InnerException!);
            return null;
        }

        if (result.Unfinished is { } unfinished)
            Log.AppendUnfinished(access.Logger, folder, unfinished);
        foreach (RefusedEntry refused in result.Refused)
            Log.StagedEntryRefused(access.Logger, refused.Name, refused.Reason);
        return result.FirstIndex + entries.Count - 1;
    }

    private KeyStore RequireKeys() => access.Keys ?? throw new EvidenceException(
        ErrorCode.KeyMissing, "The vault was opened without keys, so nothing can be recorded in its ledger. Open it with a key store.");

    private ActorKey LoadOrCreate(KeyStore keys)
    {
        if (!Has(keys))
        {
            try
            {
                return keys.CreateActor(access.Actor);
            }
            catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.DestinationInvalid, StringComparison.Ordinal) && Has(keys))
            {
                // Another process made it in between.
            }
        }

        return keys.LoadActor(access.Actor);
    }

    private bool Has(KeyStore keys) => keys.ListActors().Contains(access.Actor, StringComparer.Ordinal);

    private bool IsDeclared(ActorKey actor)
    {
        var registry = new KeyRegistry();
        foreach (JudgedEntry unused in Open().JudgeEntries(registry))
        {
            if (registry.Actors.ContainsKey(actor.Id))
                return true;
        }

        return false;
    }

    private LedgerEntry Declare(ActorKey actor) => Sign(
        actor, EntryKind.Identity, [], null, new ActorIdentity(access.Actor, null, actor.PublicKey).ToJson());

    private LedgerEntry Sign(ActorKey actor, string kind, IReadOnlyList<string> items, string? caseId, JsonObject body) =>
        LedgerEntry.Create(new EntryPayload(kind, access.Clock.GetCurrentInstant(), caseId, items, body, actor.Id), actor);

    private sealed class NotRemembered(ISeenCheckpoints seen) : ISeenCheckpoints
    {
        public byte[]? Find(string origin) => seen.Find(origin);

        public void Record(Checkpoint checkpoint, ReadOnlySpan<byte> signedNote)
        {
            // Settle does, once the vault is in its place.
        }
    }
}
