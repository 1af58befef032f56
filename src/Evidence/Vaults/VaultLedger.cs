using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;
using NodaTime;

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

    /// <summary>The vault's folder.</summary>
    public string Folder => folder;

    /// <summary>The log's origin.</summary>
    public string Origin => settings.Origin;

    /// <summary>
    /// Whether the log's private keys are at hand, so that entries go straight in, and this is not a copy of the vault that they are for.
    /// </summary>
    public bool IsSequencer => !IsReplica && (access.Keys?.MayWrite(settings.Origin, folder) ?? false);

    private bool IsReplica => Path.Exists(new VaultLayout(folder).Replica);

    /// <summary>Opens the ledger as of now: its checkpoint is verified, and held against what was seen before.</summary>
    /// <exception cref="EvidenceException">It is damaged, or was set back, or is another one than was seen before.</exception>
    public CustodyLedger Open() => CustodyLedger.Open(
        Storage, settings.Origin, Keys(), access.Keys is { } seen ? new RememberedWherePossible(seen, access.Logger) : null, Memory);

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
        return RecordAll([new NewEntry(kind, items, caseId, body)]);
    }

    /// <summary>Signs some entries and appends them, in their order, with no other between them.</summary>
    /// <param name="entries">What they say; at least one.</param>
    /// <param name="at">The size that the log must have then, else nothing is appended: what the entries say was told from those before them. Null where that is no matter.</param>
    /// <returns>The index of the last; null where they wait in staging.</returns>
    /// <exception cref="EvidenceException">
    /// There is no key to sign with, or the ledger cannot be written; or it grew since (<see cref="ErrorCode.LedgerGrown"/>).
    /// </exception>
    internal long? RecordAll(IReadOnlyList<NewEntry> entries, long? at = null)
    {
        KeyStore keys = RequireKeys();
        DemandNoReplica();
        if (keys.HasLog(settings.Origin))
            keys.ClaimPlace(settings.Origin, folder);
        // Made before the ledger is locked, for it takes the key store's lock.
        keys.LoadOrCreateActor(access.Actor).Dispose();
        return Append((registry, index) =>
        {
            if (at is { } size && index != size)
                throw new EvidenceException(ErrorCode.LedgerGrown, string.Create(CultureInfo.InvariantCulture, $"The ledger has {index} entries now, and had {size}: look at it again."));
            using ActorKey actor = keys.LoadActor(access.Actor);
            return [.. Introduce(keys, actor, registry), .. entries.Select(entry => Sign(actor, entry.Kind, entry.Items, entry.Case, entry.Body))];
        });
    }

    /// <summary>Whether something waits in staging: entries that somebody left, or an append that was interrupted.</summary>
    public bool HasStaged => Storage.TryRead(StagedBatch.Name, 1) is not null || Storage.List(StagedEntries.Prefix).Count > 0;

    /// <summary>Takes in what waits in staging, where the log's keys are at hand.</summary>
    public void TakeInStaged()
    {
        if (IsSequencer)
            _ = Append(static (_, _) => []);
    }

    /// <summary>The index of the entry that records an image, after an append that was interrupted has been brought to its end.</summary>
    internal long? FindAcquisition(Sha256Digest image)
    {
        TakeInStaged();
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

    /// <summary>Records that a file of an image was handed out. Its name, which may say much of a person, is not in the ledger: it is in what goes with the file.</summary>
    /// <param name="image">The image.</param>
    /// <param name="length">The file's length in bytes.</param>
    /// <param name="sha256">The SHA-256 of its content.</param>
    /// <param name="ranges">The SHA-256 of the document that says which file it is, and from which ranges of the image.</param>
    /// <inheritdoc cref="Record"/>
    public long? RecordFile(ImageRecord image, long length, Sha256Digest sha256, Sha256Digest ranges)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Record(EntryKind.Export, [image.Item], image.Case, new JsonObject
        {
            ["image"] = image.Image.ToString(),
            ["format"] = "file",
            ["length"] = DecimalText.Format(length),
            ["sha256"] = sha256.ToString(),
            ["ranges"] = ranges.ToString(),
        });
    }

    /// <summary>Records that an image is opened to be looked into.</summary>
    /// <param name="image">The image.</param>
    /// <param name="opened">By what way, and where.</param>
    /// <inheritdoc cref="Record"/>
    public long? RecordAccess(ImageRecord image, OpenedTo opened)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(opened);
        return Record(EntryKind.Access, [image.Item], image.Case, opened.EncodeBody(image.Image));
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

    /// <summary>
    /// Takes in what other parties signed, as it was carried here; declarations that the ledger has already are left out. Who calls this has looked at what the
    /// entries say: here only their signatures are judged, at the places that they take.
    /// </summary>
    /// <param name="carried">The entries in order, each after the declaration that it needs.</param>
    /// <returns>The index of the last; null where they wait in staging.</returns>
    /// <exception cref="EvidenceException">One of them would not count there (<see cref="ErrorCode.EntriesInvalid"/>); then none goes in.</exception>
    internal long? TakeIn(IReadOnlyList<LedgerEntry> carried) => Append((registry, _) =>
    {
        var taken = new List<LedgerEntry>();
        foreach (LedgerEntry entry in carried.Where(entry => !registry.Knows(entry)))
        {
            if (FoldedLog.Defect(registry.Fold(long.MaxValue, entry)) is { } defect)
                throw new EvidenceException(ErrorCode.EntriesInvalid, $"An entry of the kind '{entry.Payload.Kind}' that was carried here cannot go into the ledger of {settings.Origin}: {defect}");
            taken.Add(entry);
        }

        return taken;
    });

    /// <summary>Appends what the actor signed already, for another ledger; here, too, the actor's key is declared first.</summary>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    internal long? RecordSigned(LedgerEntry entry)
    {
        KeyStore keys = RequireKeys();
        return Append((registry, _) =>
        {
            using ActorKey actor = keys.LoadActor(access.Actor);
            return string.Equals(actor.Id, entry.Payload.Key, StringComparison.Ordinal)
                ? [.. Introduce(keys, actor, registry), entry]
                : throw new EvidenceException(ErrorCode.KeyMissing, $"The entry is signed by the key {entry.Payload.Key}; that of {access.Actor} is {actor.Id}.");
        });
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
        DemandNoReplica();
        using (ActorKey actor = keys.LoadOrCreateActor(access.Actor))
            DemandInForce(actor, Open().FoldIdentities());
        if (!keys.HasLog(settings.Origin))
            return;
        keys.ClaimPlace(settings.Origin, folder);
        keys.LoadLog(settings.Origin).Dispose();
    }

    /// <summary>What this user remembers of the vault; null where nothing is.</summary>
    internal OwnMemory? Memory => access.Keys is { } keys ? new OwnMemory(keys, settings.Id, access.Logger) : null;

    /// <summary>The key that makes what an interrupted acquisition leaves in this vault the user's own.</summary>
    internal byte[] JournalKey() => RequireKeys().JournalKey(settings.Id);

    /// <summary>The name of the actor that signs.</summary>
    public string Actor => access.Actor;

    /// <summary>The ids of the keys that the actor has here: the one that signs, and those in whose place it came; none where it has none yet.</summary>
    internal IReadOnlyList<string> ActorKeyIds()
    {
        KeyStore keys = RequireKeys();
        if (!Has(keys))
            return [];
        var ids = new List<string>();
        foreach (ActorKey key in (ActorKey[])[keys.LoadActor(access.Actor), .. keys.LoadFormer(access.Actor)])
        {
            ids.Add(key.Id);
            key.Dispose();
        }

        return ids;
    }

    /// <summary>Declares the actor's key, so that what it signs can be judged.</summary>
    /// <param name="revokers">The keys of others that may revoke it and those that come in its place (<see cref="ActorIdentity.Revokers"/>).</param>
    /// <returns>The entry's index; null where the ledger knows the key already, or the entry waits in staging.</returns>
    /// <exception cref="EvidenceException">There is no such key: a name that was mistyped must not become an actor. Or the ledger knows the key already, and revokers
    /// are given, which only its declaration can name.</exception>
    public long? DeclareActor(IReadOnlyList<string>? revokers = null)
    {
        KeyStore keys = RequireKeys();
        keys.LoadActor(access.Actor).Dispose();
        return Append((registry, _) =>
        {
            using ActorKey actor = keys.LoadActor(access.Actor);
            return revokers is { Count: > 0 } && registry.Keys.GetValueOrDefault(actor.Id) is { IsOwn: true } known
                ? throw new EvidenceException(
                    ErrorCode.Usage, $"The key of {access.Actor} is declared already, in entry {known.DeclaredBy}: only a key's declaration can name who may revoke it.")
                : Introduce(keys, actor, registry, revokers ?? []);
        });
    }

    /// <summary>
    /// Puts a new key in the place of the actor's: the same actor goes on with it. Other ledgers that know the old key hear of the new one with the first entry that
    /// the actor signs there.
    /// </summary>
    /// <returns>The new key's id; and the entry's index, null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">There is no such key, it was revoked, or the ledger cannot be written.</exception>
    public (string KeyId, long? Entry) RotateActor()
    {
        KeyStore keys = RequireKeys();
        keys.LoadActor(access.Actor).Dispose();
        EnsureKeys();
        string keyId;
        using (ActorKey key = keys.RotateActor(access.Actor))
            keyId = key.Id;
        return (keyId, DeclareActor());
    }

    /// <summary>Revokes a key: from its place in the log on, it signs nothing any more. What it signed before stays what it was worth.</summary>
    /// <param name="keyId">The key's id; null for the actor's own.</param>
    /// <param name="compromisedSince">Since when others may have had it, as far as the actor knows; null where nothing is said of that.</param>
    /// <param name="reason">Why: 1 to <see cref="KeyRevocation.LongestReason"/> characters, or null.</param>
    /// <returns>The key's id; and the entry's index, null where it waits in staging. Where an earlier entry says as much already, that entry's.</returns>
    /// <exception cref="EvidenceException">The ledger knows no such key, or the actor may not revoke it (<see cref="DeclaredKey.MayBeRevokedBy"/>).</exception>
    public (string KeyId, long? Entry) Revoke(string? keyId = null, Instant? compromisedSince = null, string? reason = null)
    {
        if (reason is not null and not { Length: > 0 and <= KeyRevocation.LongestReason })
            throw new EvidenceException(ErrorCode.Usage, $"A reason has 1 to {KeyRevocation.LongestReason} characters. Keep longer texts elsewhere, and note their SHA-256.");
        if (compromisedSince > access.Clock.GetCurrentInstant())
            throw new EvidenceException(ErrorCode.Usage, "A key cannot be compromised since an instant that is still to come.");
        KeyStore keys = RequireKeys();
        if (keys.HasLog(settings.Origin))
            keys.ClaimPlace(settings.Origin, folder);
        if (keyId is null)
        {
            using ActorKey own = keys.LoadActor(access.Actor);
            keyId = own.Id;
        }

        long? before = null;
        long? entry = Append((registry, _) =>
        {
            if (!registry.Keys.TryGetValue(keyId, out DeclaredKey? revoked))
                throw new EvidenceException(ErrorCode.KeyMissing, $"The ledger declares no key {keyId}: 'evidence identity list' shows those that it does.");
            before = revoked.Revocations.FirstOrDefault(r => reason is null && (compromisedSince is null || r.Statement.CompromisedSince <= compromisedSince))?.Entry;
            if (before is not null)
                return [];
            using ActorKey signer = SignerOfRevocation(keys, revoked, registry);
            return [Sign(signer, EntryKind.Identity, [], null, new KeyRevocation(keyId, compromisedSince, reason).ToJson())];
        });
        keys.PutAside(access.Actor, keyId);
        return (keyId, before ?? entry);
    }

    /// <summary>The key to revoke a key with: the actor's own where it may, else the key itself where the actor has it.</summary>
    private ActorKey SignerOfRevocation(KeyStore keys, DeclaredKey revoked, KeyRegistry registry)
    {
        List<ActorKey> own = Has(keys) ? [keys.LoadActor(access.Actor)] : [];
        own.AddRange(keys.LoadFormer(access.Actor));
        own.AddRange(keys.LoadRevoked(access.Actor));
        // A key that is still good says more than one that may be a thief's.
        ActorKey? signer = own
            .OrderBy(key => string.Equals(key.Id, revoked.KeyId, StringComparison.Ordinal))
            .FirstOrDefault(key => registry.Keys.TryGetValue(key.Id, out DeclaredKey? known) && revoked.MayBeRevokedBy(known));
        own.ForEach(key =>
        {
            if (key != signer)
                key.Dispose();
        });
        return signer ?? throw new EvidenceException(
            ErrorCode.KeyMissing,
            $"{access.Actor} may not revoke the key {revoked.KeyId} of {revoked.Identity.Name}, or has no key here that may: only the key itself may, the one " +
            $"that is now in its place, and those that its owner named when declaring it.");
    }

    /// <summary>Begins the ledger of a new vault: its keeper's key, then the vault itself.</summary>
    internal void Found(Sha256Digest vaultSettings)
    {
        KeyStore keys = RequireKeys();
        using ActorKey actor = keys.LoadOrCreateActor(access.Actor);
        using LogKeys log = keys.HasLog(settings.Origin) ? keys.LoadLog(settings.Origin) : keys.CreateLog(settings.Origin);
        var vault = new VaultIdentity(settings.Origin, vaultSettings, log.VerifierKeys);
        try
        {
            // What is made beside its place may never get there, and must not be missed then.
            LedgerWriter.Open(Storage, log, new NotRemembered(keys)).Append(
                [Declare(actor, []).ToBytes(), Sign(actor, EntryKind.Identity, [], null, vault.ToJson()).ToBytes()]);
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

    /// <summary>Appends what is made at its place in the log, or leaves it in staging where the log's keys are not at hand.</summary>
    private long? Append(Func<KeyRegistry, long, IReadOnlyList<LedgerEntry>> compose)
    {
        KeyStore keys = RequireKeys();
        DemandNoReplica();
        // Whoever made the vault may have died between renaming it into its place and flushing that.
        DurableFile.SyncName(folder);
        if (!keys.HasLog(settings.Origin))
        {
            CustodyLedger ledger = Open();
            foreach (LedgerEntry entry in DemandDocuments(compose(ledger.FoldIdentities(), ledger.Size)))
                LedgerWriter.Stage(Storage, entry);
            return null;
        }

        keys.ClaimPlace(settings.Origin, folder);
        using LogKeys log = keys.LoadLog(settings.Origin);
        AppendResult result;
        int count = 0;
        try
        {
            result = LedgerWriter.Open(Storage, log, keys, failure, Memory).Compose((registry, index) =>
            {
                IReadOnlyList<LedgerEntry> entries = DemandDocuments(compose(registry, index));
                count = entries.Count;
                return entries;
            });
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
        if (count > 0)
            access.Appended?.Invoke(this);
        return count == 0 ? null : result.FirstIndex + count - 1;
    }

    /// <summary>What an entry names is there: whoever took it away later is found out.</summary>
    private IReadOnlyList<LedgerEntry> DemandDocuments(IReadOnlyList<LedgerEntry> entries)
    {
        var layout = new VaultLayout(folder);
        foreach (LedgerEntry entry in entries)
        {
            foreach (Sha256Digest missing in EntryReferences.Documents(entry.Payload).Where(document => !Path.Exists(layout.Document(document))))
            {
                throw new EvidenceException(
                    ErrorCode.DocumentNotFound,
                    $"An entry of the kind '{entry.Payload.Kind}' names the document sha256:{missing}, which is not in {folder}. Add it first: 'evidence document add FILE'.");
            }
        }

        return entries;
    }

    /// <summary>Makes sure that this is the vault itself, to be written to, and no copy.</summary>
    /// <exception cref="EvidenceException">It is a copy (<see cref="ErrorCode.VaultReadOnly"/>).</exception>
    internal void DemandWritable()
    {
        DemandNoReplica();
        if (access.Keys is { } keys && keys.HasLog(settings.Origin))
            keys.ClaimPlace(settings.Origin, folder);
    }

    /// <summary>What is left in a replica's staging nobody ever takes in, and what is appended there is a fork.</summary>
    private void DemandNoReplica()
    {
        if (IsReplica)
        {
            throw new EvidenceException(
                ErrorCode.VaultReadOnly,
                $"{folder} is a replica of the vault of {settings.Origin}: it is only read, and nothing is recorded in it. Record it in the vault itself, or in one of your own. " +
                $"If that vault is lost and this one shall be it, remove {new VaultLayout(folder).Replica}.");
        }
    }

    private KeyStore RequireKeys() => access.Keys ?? throw new EvidenceException(
        ErrorCode.KeyMissing, "The vault was opened without keys, so nothing can be recorded in its ledger. Open it with a key store.");

    private bool Has(KeyStore keys) => keys.ListActors().Contains(access.Actor, StringComparer.Ordinal);

    /// <summary>What the ledger has to hear before the actor signs anything: its key, if it does not know it, or that the key came in the place of one that it knows.</summary>
    private IReadOnlyList<LedgerEntry> Introduce(KeyStore keys, ActorKey actor, KeyRegistry registry, IReadOnlyList<string>? revokers = null)
    {
        DemandInForce(actor, registry);
        DeclaredKey? known = registry.Keys.GetValueOrDefault(actor.Id);
        if (known?.Replaces is not null)
            return [];
        IReadOnlyList<ActorKey> former = keys.LoadFormer(access.Actor);
        try
        {
            // Also where the new key declared itself: the old one must not stay in force because somebody brought that here first.
            ActorKey? old = former.FirstOrDefault(key => registry.Keys.GetValueOrDefault(key.Id) is { EndedBy: null });
            if ((old is null && known is { IsOwn: true }) || (!keys.HasLog(settings.Origin) && StagedEntries.Introduces(Storage, actor, old)))
                return [];
            return old is not null
                ? [Sign(EntryKind.Identity, [], null, new KeyRotation(old.Id, actor.PublicKey).ToJson(), old, actor)]
                : [Declare(actor, revokers ?? [])];
        }
        finally
        {
            foreach (ActorKey key in former)
                key.Dispose();
        }
    }

    private void DemandInForce(ActorKey actor, KeyRegistry registry)
    {
        if (registry.Keys.GetValueOrDefault(actor.Id) is { End: { } end } ended)
        {
            // Who replaces a key has the new one, and not this.
            string stolen = ended.Successor is null ? "" : $"If {access.Actor} did not do that, somebody else has the key: say so, with --compromised-since. ";
            throw new EvidenceException(
                ErrorCode.KeyRevoked,
                $"The key of {access.Actor} ({actor.Id}) signs nothing any more in this ledger: {end}. {stolen}'evidence identity revoke {actor.Id}' puts it aside here, too; " +
                $"after that 'evidence identity create {access.Actor}' makes a new one.");
        }
    }

    private LedgerEntry Declare(ActorKey actor, IReadOnlyList<string> revokers) => Sign(
        actor, EntryKind.Identity, [], null, new ActorIdentity(access.Actor, null, actor.PublicKey) { Revokers = revokers }.ToJson());

    private LedgerEntry Sign(ActorKey actor, string kind, IReadOnlyList<string> items, string? caseId, JsonObject body) =>
        Sign(kind, items, caseId, body, actor);

    private LedgerEntry Sign(string kind, IReadOnlyList<string> items, string? caseId, JsonObject body, params IReadOnlyList<ActorKey> signers) =>
        LedgerEntry.Create(new EntryPayload(kind, access.Clock.GetCurrentInstant(), caseId, items, body, signers[0].Id), signers);

    private sealed class NotRemembered(ISeenCheckpoints seen) : ISeenCheckpoints
    {
        public byte[]? Find(string origin) => seen.Find(origin);

        public void Record(Checkpoint checkpoint, ReadOnlySpan<byte> signedNote)
        {
            // Settle does, once the vault is in its place.
        }
    }
}

/// <summary>What an entry is to say, before it is signed.</summary>
/// <param name="Kind">One of <see cref="EntryKind"/>.</param>
/// <param name="Items">The items that it concerns.</param>
/// <param name="Case">The case.</param>
/// <param name="Body">The kind's own fields.</param>
internal sealed record NewEntry(string Kind, IReadOnlyList<string> Items, string? Case, JsonObject Body);
