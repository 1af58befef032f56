using System.Globalization;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;
using Evidence.Sources;
using Evidence.Vaults;
using Evidence.Verification;
using NodaTime;

namespace Evidence.Replication;

/// <summary>How to receive a replica.</summary>
public sealed record ReceiveOptions
{
    /// <summary>Where to write the receipt: a file that does not exist yet.</summary>
    public required string Output { get; init; }

    /// <summary>Where to write the proof, should the replica's log have another history than the recipient saw; null for <see cref="Output"/> with <c>.fork</c> behind it.</summary>
    public string? ForkProof { get; init; }

    /// <summary>A vault of the recipient's own, whose ledger records the receipt, too.</summary>
    public Vault? Into { get; init; }

    /// <summary>The log's public keys as the recipient knows them; they are pinned. Empty for those that are pinned already, or else those that the replica declares.</summary>
    public IReadOnlyList<VerifierKey> Keys { get; init; } = [];

    /// <summary>Whether to compute the digests of whole images anew, too.</summary>
    public bool Digests { get; init; }
}

/// <summary>A replica that was received.</summary>
/// <param name="Receipt">What was signed.</param>
/// <param name="Report">What the verification found.</param>
/// <param name="Entry">The entry's index in the recipient's own ledger; null where it was put into none, or waits in staging.</param>
public sealed record ReceivedReplica(Receipt Receipt, VerificationReport Report, long? Entry);

/// <summary>
/// Receives a replica, on the recipient's machine and with the recipient's keys: verifies everything from the medium, and only then signs what was found. Whoever
/// sent it takes that in (<see cref="ReceiptAcceptance"/>).
/// </summary>
/// <param name="folder">The replica's folder.</param>
/// <param name="access">The recipient; needs <see cref="VaultAccess.Keys"/>.</param>
public sealed class ReplicaReceiver(string folder, VaultAccess access)
{
    private readonly VaultLayout layout = new(folder);
    private readonly KeyStore keys = access.Keys ?? throw new ArgumentException("Who receives a replica signs for it, and needs a key store.", nameof(access));

    /// <summary>Verifies the replica, and signs a receipt for it.</summary>
    /// <param name="options">How.</param>
    /// <param name="progress">Hears how far the verification is, from several threads.</param>
    /// <param name="cancellation">Stops it; nothing is signed then.</param>
    /// <exception cref="EvidenceException">
    /// The ledger is damaged, was set back (<see cref="ErrorCode.LedgerRollback"/>), or has another history than was seen before (<see cref="ErrorCode.LedgerFork"/>):
    /// then the proof of that is written, and no receipt. Damaged content is no refusal: the receipt says so.
    /// </exception>
    public async Task<ReceivedReplica> ReceiveAsync(ReceiveOptions options, IProgress<VerificationProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (Path.Exists(options.Output))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {options.Output} already; name another.");
        VaultSettings settings = Vault.ReadSettings(layout).Settings;
        ReplicaIdentity? identity = ReplicaIdentity.TryRead(layout);
        if (identity is not null && !string.Equals(identity.Vault, settings.Id, StringComparison.Ordinal))
            throw new EvidenceException(ErrorCode.VaultInvalid, $"{layout.Replica} is of the vault {identity.Vault}, and this one is {settings.Id}.");
        // Before the long work: there must be a key to sign with.
        keys.LoadOrCreateActor(access.Actor).Dispose();
        options.Into?.Ledger.EnsureKeys();
        if (options.Keys.Count > 0)
            keys.Pin(settings.Origin, options.Keys);
        bool isPinned = keys.Pinned(settings.Origin).Count > 0;
        CustodyLedger ledger = OpenLedger(settings.Origin, options);

        VerificationReport report = await VaultVerifier.VerifyAsync(
            layout.Folder, new VerificationOptions { Keys = keys, Digests = options.Digests, FromMedium = true, Logger = access.Logger }, progress, cancellation).ConfigureAwait(false);
        if (report.Ledger.Findings.Concat(report.Findings.Where(f => f.What == "vault")).FirstOrDefault(f => f.Verdict == ContentVerdict.Refuted) is { } finding)
            throw new EvidenceException(ErrorCode.LedgerDamaged, $"No receipt is signed: {finding.File ?? "the ledger"} of {layout.Folder} is not what it must be. {finding.Detail}");
        if (report.Ledger.Size != ledger.Size || report.Ledger.Root != ledger.Root)
            throw new EvidenceException(ErrorCode.VaultBusy, $"The replica {layout.Folder} was written to while it was verified. Wait until its sender is done, and run the command again.");

        Receipt receipt = Compose(ledger, report, identity, isPinned);
        LedgerEntry entry = Sign(ledger, report, receipt, out IReadOnlyList<LedgerEntry> carried);
        // From here on the recipient's word stands, so the log may only grow.
        if (!isPinned)
            keys.Pin(settings.Origin, KeysOf(settings.Origin));
        keys.Record(ledger.Checkpoint, ledger.SignedNote.Span);
        long? index = options.Into?.Ledger.RecordSigned(entry);
        EntryFile.Write(options.Output, carried);
        return new ReceivedReplica(receipt, report, index);
    }

    private IReadOnlyList<VerifierKey> KeysOf(string origin) =>
        keys.Pinned(origin) is { Count: > 0 } pinned ? pinned : CustodyLedger.DeclaredIdentity(new LedgerDirectory(layout.Ledger))?.Keys ?? [];

    /// <summary>Opens the ledger, and holds it against the newest checkpoint that this recipient saw of the log.</summary>
    private CustodyLedger OpenLedger(string origin, ReceiveOptions options)
    {
        Checkpoint? before = SeenRule.Find(keys, origin);
        CustodyLedger ledger = CustodyLedger.Open(new LedgerDirectory(layout.Ledger), origin, KeysOf(origin));
        if (before is null || keys.Find(origin) is not { } seen)
            return ledger;
        if (before.Size <= ledger.Size && ledger.RootAt(before.Size) != before.Root)
        {
            var proof = ForkProof.Create(seen, ledger);
            if (proof.Check(keys.Pinned(origin)) is { } defect)
                throw new EvidenceException(ErrorCode.LedgerDamaged, $"The ledger of {layout.Folder} contradicts the {before.Size} entries that were seen of {origin}, and does not prove it: {defect}");
            string path = options.ForkProof ?? options.Output + ".fork";
            string written = DurableFile.TryCreate(path, proof.ToBytes()) ? $"is written to {path}" : $"was not written: there is a file {path} already";
            throw new EvidenceException(ErrorCode.LedgerFork, string.Create(
                CultureInfo.InvariantCulture,
                $"The log {origin} has two histories: its keys signed {before.Size} entries that were seen here before, and this replica's {ledger.Size}, which do not continue them. " +
                $"No receipt is signed. The proof, which anybody can check who has the log's public keys in a policy ('evidence check'), {written}. Keep both copies."));
        }

        SeenRule.Check(before, origin, ledger.Size, ledger.RootAt);
        return ledger;
    }

    private Receipt Compose(CustodyLedger ledger, VerificationReport report, ReplicaIdentity? identity, bool isPinned)
    {
        var verdicts = new Dictionary<Sha256Digest, ImageVerdict>();
        foreach (ImageVerdict verdict in report.Images)
            verdicts.TryAdd(verdict.Image, verdict);
        ReceiptImage[] images = [.. ReceiptBook.Read(ledger).ImagesUpTo(ledger.Size).Select(i => new ReceiptImage(i.Image, i.Root, NameOf(verdicts[i.Image])))];
        string[] damaged = [.. Damaged(report).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return new Receipt
        {
            Origin = ledger.Checkpoint.Origin,
            Size = ledger.Size,
            Root = ledger.Root,
            Replica = identity?.Id,
            Content = NameOf(Held(report)),
            Images = [],
            Others = null,
            ImageCount = 0,
            ImageDigest = default,
            Bytes = report.BytesChecked,
            Ended = access.Clock.GetCurrentInstant(),
            KeysPinned = isPinned,
            Medium = MediumIdentity.Of(layout.Folder).ToJson(),
            Damaged = damaged,
            DamagedCount = damaged.Length,
        }.With(images);
    }

    /// <summary>The verdict on what the replica holds. That it does not hold some images is said of those.</summary>
    public static ContentVerdict Held(VerificationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report.Images.Where(i => !IsAbsent(i)).Select(i => i.Content).Append(report.Ledger.Content).Concat(report.Findings.Select(f => f.Verdict)).Max();
    }

    private static bool IsAbsent(ImageVerdict image) => image.Findings.Any(f => f.What == "absent");

    private static IEnumerable<string> Damaged(VerificationReport report) => report.Findings.Concat(report.Images.SelectMany(i => i.Findings))
        .Where(f => f.Verdict == ContentVerdict.Refuted).Select(f => f.File).OfType<string>();

    /// <summary>Signs the receipt, and puts together what is carried: what the sender's ledger may have to hear of the key first, then the receipt.</summary>
    private LedgerEntry Sign(CustodyLedger ledger, VerificationReport report, Receipt receipt, out IReadOnlyList<LedgerEntry> carried)
    {
        const int MostItems = 20;
        Instant now = access.Clock.GetCurrentInstant();
        string[] items = [.. report.Images.Where(i => i.Item.Length > 0 && !IsAbsent(i)).Select(i => i.Item).Distinct(StringComparer.Ordinal).Take(MostItems)];
        using ActorKey key = keys.LoadActor(access.Actor);
        IReadOnlyList<ActorKey> former = keys.LoadFormer(access.Actor);
        try
        {
            KeyRegistry registry = ledger.FoldIdentities();
            // Whatever was said of the new key there: it stays the same party only where it comes in the place of the old one.
            ActorKey? known = registry.Keys.GetValueOrDefault(key.Id)?.Replaces is not null ? null : former.FirstOrDefault(old => registry.Keys.GetValueOrDefault(old.Id) is { EndedBy: null });
            LedgerEntry signed = LedgerEntry.Create(new EntryPayload(EntryKind.Receipt, now, null, items, receipt.ToJson(), key.Id), key);
            carried = known is null
                ? [Identity(new ActorIdentity(access.Actor, null, key.PublicKey), now, key), signed]
                : [Identity(new ActorIdentity(access.Actor, null, known.PublicKey), now, known), Identity(new KeyRotation(known.Id, key.PublicKey), now, known, key), signed];
            return signed;
        }
        finally
        {
            foreach (ActorKey old in former)
                old.Dispose();
        }
    }

    private static LedgerEntry Identity(IdentityBody body, Instant now, params IReadOnlyList<ActorKey> signers) =>
        LedgerEntry.Create(new EntryPayload(EntryKind.Identity, now, null, [], body.ToJson(), signers[0].Id), signers);

    private static string NameOf(ImageVerdict image) => IsAbsent(image) ? Receipt.Absent : NameOf(image.Content);

    private static string NameOf(ContentVerdict verdict) => verdict.ToString().ToLowerInvariant();
}
