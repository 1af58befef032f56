using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Preservation.Statements;
using Evidence.Vaults;

namespace Evidence.Preservation;

/// <summary>
/// What a ledger says that bears on what may be wiped, folded in the log's order: parties, assets, holds, notices, answers, clearances, and the images and receipts that show
/// what is preserved. Entries whose signature is not valid at their place say nothing, and neither does an act that is there already under other signatures. It draws no
/// conclusion: that is the gate's (<see cref="WipeGate"/>).
/// </summary>
public sealed class Docket
{
    private readonly Dictionary<string, Party> parties = new(StringComparer.Ordinal);
    private readonly HashSet<Party> providers = [];
    private ILookup<string, Party>? byActor;
    private readonly Dictionary<string, Asset> assets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Recorded<AssetDeclaration>>> disks = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<Recorded<AssetDeclaration>>> serials = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<ImageRecord>> images = new(StringComparer.Ordinal);
    private readonly HashSet<Sha256Digest> imaged = [];
    private readonly Dictionary<Sha256Digest, List<ImageStatement>> verifications = [];
    private readonly Dictionary<Sha256Digest, List<Recorded<DeliveryStatement>>> deliveries = [];
    private readonly Dictionary<Sha256Digest, List<Recorded<ResponseStatement>>> answers = [];
    private readonly Dictionary<AssetList, List<Recorded<NoticeStatement>>> notices = [];
    private readonly Dictionary<Sha256Digest, List<Recorded<Approval>>> approvals = [];
    private readonly Dictionary<Sha256Digest, IRecorded> acts = [];
    private readonly List<Recorded<PolicyStatement>> policies = [];
    private readonly List<NamedStamp> stamps = [];
    private readonly Dictionary<Sha256Digest, IRecorded> said = [];
    private readonly Evidence.Ledger.Statements verified = new();
    private readonly TransferBook transfers = new(new KeyRegistry());
    private readonly ReceiptBook receipts;

    private Docket(CustodyLedger ledger, long size)
    {
        Ledger = ledger;
        Size = size;
        Root = ledger.RootAt(size);
        receipts = new ReceiptBook(ledger);
    }

    /// <summary>The ledger that it was read from.</summary>
    internal CustodyLedger Ledger { get; }

    /// <summary>How many of the ledger's entries are in it, from the first.</summary>
    public long Size { get; }

    /// <summary>The root over those.</summary>
    public Sha256Digest Root { get; }

    /// <summary>The keys that those entries declare.</summary>
    public KeyRegistry Registry => transfers.Registry;

    /// <summary>The parties by what they are called.</summary>
    public IReadOnlyDictionary<string, Party> Parties => parties;

    /// <summary>The assets by what they are called; also those that entries name that no declaration came before.</summary>
    public IReadOnlyDictionary<string, Asset> Assets => assets;

    /// <summary>The policies that were proposed, in the log's order.</summary>
    public IReadOnlyList<Recorded<PolicyStatement>> Policies => policies;

    /// <summary>What was offered to whom, and what became of it.</summary>
    public IReadOnlyList<Transfer> Transfers => transfers.Transfers;

    /// <summary>The time stamps that entries name.</summary>
    internal IReadOnlyList<NamedStamp> Stamps => stamps;

    /// <summary>Reads the first entries of a ledger.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="size">How many; null for all.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public static Docket Read(CustodyLedger ledger, long? size = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var docket = new Docket(ledger, size ?? ledger.Size);
        foreach (JudgedEntry judged in EntryJudge.Judge(ledger.ReadEntries(0, docket.Size), 0, docket.Registry))
        {
            cancellation.ThrowIfCancellationRequested();
            docket.Take(judged);
        }

        return docket;
    }

    /// <summary>Reads what bears on one asset, and nothing else: of that asset it says the same as a docket of everything.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="asset">The asset.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public static Docket ReadFor(Vault vault, string asset, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentException.ThrowIfNullOrEmpty(asset);
        CustodyLedger ledger = vault.Ledger.Open();
        return ReadFor(ledger, DocketIndex.Open(ledger, vault.Ledger.Memory, cancellation), asset);
    }

    internal static Docket ReadFor(CustodyLedger ledger, DocketIndex index, string asset)
    {
        var docket = new Docket(ledger, ledger.Size);
        foreach (long entry in index.EntriesOf(asset, ledger))
        {
            var judged = JudgedEntry.Judge(entry, ledger.ReadEntry(entry), docket.Registry);
            if (judged.Entry?.Payload.Kind == EntryKind.Receipt)
                docket.receipts.TakeCounted(judged);
            else
                docket.Take(judged);
        }

        return docket;
    }

    /// <summary>What was done to deliver a notice.</summary>
    /// <param name="notice">The leaf hash of the notice's entry.</param>
    public IReadOnlyList<Recorded<DeliveryStatement>> DeliveriesOf(Sha256Digest notice) => deliveries.GetValueOrDefault(notice) ?? [];

    /// <summary>
    /// The objections that are about an asset, in the log's order: those that name it, and those to another entry of a notice about it that is several entries
    /// (<see cref="AssetList"/>). Whoever objects to all that one of those is about has perhaps seen no other, and objects to the notice.
    /// </summary>
    public IReadOnlyList<Recorded<ResponseStatement>> ObjectionsTo(Asset asset)
    {
        ArgumentNullException.ThrowIfNull(asset);
        return
        [
            .. asset.Responses.Concat(asset.Notices.SelectMany(OthersOf).SelectMany(other => (answers.GetValueOrDefault(other.LeafHash) ?? []).Where(answer => IsToAllOf(answer, other))))
                .Where(response => response.Statement.Act == ResponseAct.Objection).DistinctBy(response => response.Entry).OrderBy(response => response.Entry),
        ];
    }

    /// <summary>The assets that an objection is about: those that it names, and all others of the notice where it is to all that one of its entries is about.</summary>
    public IReadOnlyList<string> AssetsOf(Recorded<ResponseStatement> objection)
    {
        ArgumentNullException.ThrowIfNull(objection);
        return objection.Statement.Notice is { } told && Find(told) is Recorded<NoticeStatement> notice && IsToAllOf(objection, notice)
            ? [.. objection.Items.Concat(OthersOf(notice).SelectMany(other => other.Items)).Distinct(StringComparer.Ordinal)]
            : objection.Items;
    }

    private static bool IsToAllOf(Recorded<ResponseStatement> answer, Recorded<NoticeStatement> notice) => !notice.Items.Except(answer.Items, StringComparer.Ordinal).Any();

    /// <summary>The other entries of notices about the same list of assets to the same party; none where the list has room in one.</summary>
    private IEnumerable<Recorded<NoticeStatement>> OthersOf(Recorded<NoticeStatement> notice) => notice.Statement.List.Count > notice.Items.Count
        ? notices[notice.Statement.List].Where(other => other.Statement.Party == notice.Statement.Party && other.Entry != notice.Entry)
        : [];

    /// <summary>Who approved a request, or a change of policy.</summary>
    /// <param name="target">The leaf hash of its entry.</param>
    public IReadOnlyList<Recorded<Approval>> ApprovalsOf(Sha256Digest target) => approvals.GetValueOrDefault(target) ?? [];

    /// <summary>The firm's declarations that name a disk, in the log's order.</summary>
    /// <param name="disk">The disk's id.</param>
    public IReadOnlyList<Recorded<AssetDeclaration>> DeclarationsOf(string disk) => disks.GetValueOrDefault(disk) ?? [];

    /// <summary>The firm's declarations that name a serial, of the machine or of one of its disks, in the log's order.</summary>
    /// <param name="serial">The serial.</param>
    public IReadOnlyList<Recorded<AssetDeclaration>> DeclarationsOfSerial(string serial) => serials.GetValueOrDefault(AssetDeclaration.SerialKey(serial)) ?? [];

    /// <summary>The images of an item, in the log's order. An image is of the item of the first entry that names it: one disk's image is no other's.</summary>
    public IReadOnlyList<ImageRecord> ImagesOf(string item) => images.GetValueOrDefault(item) ?? [];

    /// <summary>What was said of an image by who recomputed it: the keeper's verifications, and the receipts of others, in the log's order.</summary>
    public IReadOnlyList<ImageStatement> StatementsOn(Sha256Digest image) =>
    [
        .. (verifications.GetValueOrDefault(image) ?? [])
            .Concat(receipts.About(image).Select(r => new ImageStatement(r.Receipt.Entry, r.Receipt.Signer, r.Receipt.Time, r.Content ?? ImageStatement.Untold, IsReceipt: true)
            {
                Replica = r.Receipt.Receipt.Replica,
                After = r.Receipt.Receipt.Size,
                IsOfFirm = IsOfFirm(r.Receipt.Signer.KeyId, r.Receipt.Entry),
            }))
            .OrderBy(statement => statement.Entry),
    ];

    /// <summary>The act of a leaf hash; null where there is none.</summary>
    public IRecorded? Find(Sha256Digest leafHash) => acts.GetValueOrDefault(leafHash);

    /// <summary>The act of an entry's index; null where there is none.</summary>
    public IRecorded? FindAct(long entry) => entry >= 0 && entry < Size ? Find(MerkleTree.LeafHash(Ledger.ReadEntry(entry))) : null;

    /// <summary>All entries of an act that is about more assets than one has room for (<see cref="AssetList"/>), in the log's order; else that one alone.</summary>
    /// <param name="act">One of its entries.</param>
    public IReadOnlyList<Recorded<T>> PartsOf<T>(Recorded<T> act)
        where T : Statement
    {
        ArgumentNullException.ThrowIfNull(act);
        var parts = new List<Recorded<T>> { act };
        int lacking = (act.Statement.Whole?.Count ?? 0) - act.Items.Count;
        for (int step = -1; step <= 1; step += 2)
        {
            for (long entry = act.Entry + step; lacking > 0 && FindAct(entry) is Recorded<T> other && Continues(other); entry += step)
            {
                parts.Insert(step < 0 ? 0 : parts.Count, other);
                lacking -= other.Items.Count;
            }
        }

        return parts;

        bool Continues(Recorded<T> other) =>
            other.Signer.KeyId == act.Signer.KeyId && other.Statement == act.Statement && !parts.Exists(part => part.Items.Intersect(other.Items, StringComparer.Ordinal).Any());
    }

    /// <summary>The act that says what an entry says, whatever signatures either has; null where there is none.</summary>
    internal IRecorded? FindSaid(LedgerEntry entry) => said.GetValueOrDefault(entry.Statement);

    /// <summary>Whether an act is a party's own: signed by its key, or by one that came in that key's place.</summary>
    public bool IsOwn(IRecorded act, string party)
    {
        ArgumentNullException.ThrowIfNull(act);
        return parties.GetValueOrDefault(party) is { Key: { } key, KeyEntry: { } declared } && declared < act.Entry && Registry.IsSameActor(act.Signer.KeyId, key);
    }

    /// <summary>
    /// Whether a key speaks for the firm at a place of the log: it is that of whoever began the vault, or of a party whom they, or another of the firm, put on the record as a
    /// provider. Anybody can leave an entry in staging; what speaks for a wipe is taken only from these, and from the parties themselves.
    /// </summary>
    /// <param name="key">The key's id.</param>
    /// <param name="entry">The place.</param>
    public bool IsOfFirm(string key, long entry) =>
        (Registry.Keeper is { } keeper && Registry.IsSameActor(keeper, key)) || providers.Any(party => party.KeyEntry < entry && Registry.IsSameActor(party.Key!, key));

    /// <summary>The parties whose key the record has, by an actor's key: the same, or one that came in its place. To be asked once all is read.</summary>
    internal IEnumerable<Party> PartiesWith(string key)
    {
        byActor ??= parties.Values.Where(party => party.Key is not null).ToLookup(party => FirstKeyOf(party.Key!), StringComparer.Ordinal);
        return byActor[FirstKeyOf(key)];
    }

    private string FirstKeyOf(string key) => Registry.Keys.GetValueOrDefault(key)?.FirstKey ?? key;

    /// <summary>Whether two keys are one person's, as far as the record can tell: one came in the place of the other, or both go by one name.</summary>
    public bool IsSamePerson(string one, string other) =>
        Registry.IsSameActor(one, other) || (NameOf(one) is { } name && string.Equals(name, NameOf(other), StringComparison.OrdinalIgnoreCase));

    private string? NameOf(string key) => Registry.Keys.GetValueOrDefault(key)?.Identity.Name.Trim();

    private void Take(JudgedEntry judged)
    {
        receipts.Take(judged);
        if (judged is not { Entry: { } entry, Verdict: { Status: EntrySignatureStatus.Valid, Signer: { } signer } })
            return;
        if (TransferBook.TryParse(entry) is { } transfer)
            _ = transfers.Take(judged.Index, entry, signer, transfer);
        if (Statement.TryParse(entry.Payload) is { } statement)
            Take(judged.Index, entry, signer, statement);
        else
            TakeContent(judged.Index, entry, signer);
    }

    private void TakeContent(long index, LedgerEntry entry, ActorIdentity signer)
    {
        switch (entry.Payload.Kind)
        {
            case EntryKind.Acquisition when ImageRecord.TryRead(index, entry.Payload, EntrySignatureStatus.Valid) is { } image && imaged.Add(image.Image):
                AddTo(images, image.Item, image);
                break;
            case EntryKind.Verification when verified.TryAdd(index, entry):
                foreach ((Sha256Digest image, string content) in VerificationOutcome.TryRead(entry.Payload.Body))
                    AddTo(verifications, image, new ImageStatement(index, signer, entry.Payload.Time, content, IsReceipt: false) { After = index, IsOfFirm = IsOfFirm(signer.KeyId, index) });
                break;
            case EntryKind.Timestamp when TimestampDocument.FileOf(entry.Payload) is { } file:
                stamps.Add(new NamedStamp(index, file));
                break;
            default:
                break;
        }
    }

    private void Take(long index, LedgerEntry entry, ActorIdentity signer, Statement statement)
    {
        // Whoever writes the log can put an act into it once more, with more signatures or others of the same key: what was released would stand again.
        if (FindSaid(entry) is not null)
            return;
        IRecorded recorded = statement switch
        {
            PartyStatement party => Take(At(party)),
            AssetDeclaration asset => TakeMachine(At(asset)),
            AssetStateChange state => Take(At(state), [state.Asset]),
            HoldStatement hold => Take(At(hold), entry.Payload.Items),
            ReleaseStatement release => Take(At(release), entry.Payload.Items),
            NoticeStatement notice => AddTo(notices, notice.List, Take(At(notice), entry.Payload.Items)),
            ResponseStatement response => TakeAnswer(At(response)),
            ClearanceRequest request => Take(At(request), entry.Payload.Items),
            ClearanceGrant grant => Take(At(grant), [grant.Asset]),
            WipeIntent intent => Take(At<WipeStatement>(intent), [intent.Asset]),
            WipeReport report => Take(At<WipeStatement>(report), [report.Asset]),
            WipeAbandonment abandoned => Take(At<WipeStatement>(abandoned), [abandoned.Asset]),
            DeliveryStatement delivery => AddTo(deliveries, delivery.Notice, At(delivery)),
            Approval approval => AddTo(approvals, approval.Target, At(approval)),
            PolicyStatement policy => AddTo(policies, At(policy)),
            _ => throw new InvalidOperationException($"A statement of {statement.GetType()} is not taken in."),
        };
        acts[entry.LeafHash] = recorded;
        said[entry.Statement] = recorded;

        Recorded<T> At<T>(T said)
            where T : Statement => new(index, entry.LeafHash, entry.Payload.Items, signer, entry.Payload.Time, said) { IsOfFirm = IsOfFirm(signer.KeyId, index) };
    }

    private Recorded<PartyStatement> Take(Recorded<PartyStatement> statement)
    {
        if (parties.TryGetValue(statement.Statement.Party, out Party? party))
            party.Add(statement);
        else
            parties.Add(statement.Statement.Party, party = new Party(statement));
        if (party is { Role: PartyRole.Provider, Key: not null })
            providers.Add(party);
        return statement;
    }

    private T Take<T>(T recorded, IReadOnlyList<string> concerned)
        where T : IRecorded
    {
        foreach (string id in concerned)
        {
            if (!assets.TryGetValue(id, out Asset? asset))
                assets.Add(id, asset = new Asset(id));
            asset.Add(recorded);
        }

        return recorded;
    }

    private Recorded<ResponseStatement> TakeAnswer(Recorded<ResponseStatement> response)
    {
        if (response.Statement.Notice is { } notice)
            AddTo(answers, notice, response);
        return Take(response, response.Items);
    }

    private Recorded<AssetDeclaration> TakeMachine(Recorded<AssetDeclaration> declared)
    {
        if (declared.IsOfFirm)
        {
            foreach (AssetDisk disk in declared.Statement.Disks)
                AddTo(disks, disk.Id, declared);
            foreach (string serial in declared.Statement.AllSerials.Select(AssetDeclaration.SerialKey).Distinct(StringComparer.Ordinal))
                AddTo(serials, serial, declared);
        }

        return Take(declared, [declared.Statement.Asset]);
    }

    private static T AddTo<T>(List<T> list, T value)
    {
        list.Add(value);
        return value;
    }

    private static TValue AddTo<TKey, TValue>(Dictionary<TKey, List<TValue>> lists, TKey key, TValue value)
        where TKey : notnull
    {
        if (!lists.TryGetValue(key, out List<TValue>? list))
            lists.Add(key, list = []);
        return AddTo(list, value);
    }
}

/// <summary>What somebody says of an image after recomputing it.</summary>
/// <param name="Entry">The index of the entry that says so.</param>
/// <param name="Signer">Who signed it.</param>
/// <param name="Time">When, by their claim.</param>
/// <param name="Content">
/// The verdict in one word: <c>verified</c>, <c>incomplete</c>, <c>unverifiable</c>, <c>refuted</c>; of a receipt also <c>absent</c>, where that copy does not hold it, and
/// <see cref="Untold"/>.
/// </param>
/// <param name="IsReceipt">Whether it is of a copy that another keeps; else of the vault of this ledger.</param>
public sealed record ImageStatement(long Entry, ActorIdentity Signer, NodaTime.Instant Time, string Content, bool IsReceipt)
{
    /// <summary>Which replica a receipt is of; null where it does not say, and where it is no receipt.</summary>
    public string? Replica { get; init; }

    /// <summary>The content of an image that a receipt is about and does not list: what was found, it does not tell.</summary>
    public const string Untold = "untold";

    /// <summary>
    /// How many entries the log had, at the least, when it was made. A receipt names the size and the root that its signer had before them; a verification is made where the log is, so for
    /// that it is its own place.
    /// </summary>
    public required long After { get; init; }

    /// <summary>Whether whoever signed it spoke for the firm then.</summary>
    public required bool IsOfFirm { get; init; }
}

/// <summary>A time stamp that an entry names.</summary>
/// <param name="Entry">The index of that entry: it, and all after it, came after the stamp was made.</param>
/// <param name="File">The stamp's file, below <c>ledger/</c>.</param>
internal sealed record NamedStamp(long Entry, string File);
