using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation.Statements;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// Puts on a vault's ledger what bears on wiping: parties, assets, holds, notices, answers, policies. Each act is an entry, signed by the vault's actor; what another party signed
/// on a machine of their own comes in by <see cref="CarriedStatement"/>. It refuses what names nothing, and what counts from the firm alone where the actor does not speak for it
/// (<see cref="Docket.IsOfFirm"/>); who else may do what is judged by the gate, for the ledger has the last word.
/// </summary>
public sealed class DocketWriter
{
    private readonly Vault vault;

    /// <summary>Writes to a vault, from its docket as it is now.</summary>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public DocketWriter(Vault vault)
        : this(vault, Docket.Read((vault ?? throw new ArgumentNullException(nameof(vault))).Ledger.Open()))
    {
    }

    /// <summary>Writes to a vault.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="docket">Its docket.</param>
    public DocketWriter(Vault vault, Docket docket)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(docket);
        this.vault = vault;
        Docket = docket;
    }

    /// <summary>What the acts are held against.</summary>
    public Docket Docket { get; }

    /// <summary>Puts a party on the record, or says more of one.</summary>
    /// <param name="party">The party.</param>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">Its zone or calendar is not known, or the record has another key for it.</exception>
    public long? Add(PartyStatement party)
    {
        ArgumentNullException.ThrowIfNull(party);
        DemandFirm();
        DemandName(party.Party, "The party");
        if (DateTimeZoneProviders.Tzdb.GetZoneOrNull(party.Zone) is null)
            throw Invalid($"'{party.Zone}' is no time zone: name one as the IANA does, Pacific/Auckland, say.");
        if (party.Represents is { } represented)
            DemandParty(represented);
        if (Docket.Parties.GetValueOrDefault(party.Party) is { Key: { } key } && party.Key is { } other && !Docket.Registry.IsSameActor(key, other))
            throw Invalid($"{party.Party} is on the record with the key {key}, which only that key itself can replace ('evidence identity rotate').");
        return Record([], party);
    }

    /// <summary>Declares assets, each in an entry of its own.</summary>
    /// <param name="assets">The assets.</param>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">One is declared already as another machine, is given twice, or names a party that is not on the record. Then none is declared.</exception>
    public IReadOnlyList<long> Declare(IReadOnlyList<AssetDeclaration> assets)
    {
        DemandFirm();
        _ = WithoutKnown(assets);
        return RecordAll(assets.Select(asset => New([asset.Asset], asset)));
    }

    /// <summary>Those of some assets of which something is said that is not on the record.</summary>
    /// <inheritdoc cref="Declare"/>
    public IReadOnlyList<AssetDeclaration> WithoutKnown(IReadOnlyList<AssetDeclaration> assets)
    {
        ArgumentNullException.ThrowIfNull(assets);
        if (assets.Count == 0)
            throw Invalid("There is no asset to declare.");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var disks = new Dictionary<string, string>(StringComparer.Ordinal);
        var serials = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (AssetDeclaration asset in assets)
        {
            if (!seen.Add(asset.Asset))
                throw Invalid($"The asset '{asset.Asset}' is given twice.");
            if (asset.Disks.FirstOrDefault(disk => !disks.TryAdd(disk.Id, asset.Asset)) is { } twice)
                throw Invalid($"The disk '{twice.Id}' is given twice, of '{disks[twice.Id]}' and of '{asset.Asset}': each disk has an id of its own.");
            if (asset.AllSerials.FirstOrDefault(serial => !serials.TryAdd(AssetDeclaration.SerialKey(serial), asset.Asset) && serials[AssetDeclaration.SerialKey(serial)] != asset.Asset) is { } same)
                throw Invalid($"The serial '{same}' is given twice, of '{serials[AssetDeclaration.SerialKey(same)]}' and of '{asset.Asset}': a machine has one name, and a disk one machine.");
            Check(asset);
        }

        return [.. assets.Where(IsNew)];
    }

    private void Check(AssetDeclaration asset)
    {
        DemandName(asset.Asset, "The asset");
        foreach (string party in asset.Parties)
            DemandParty(party);
        foreach (string name in (string[])[.. asset.Serials, .. asset.Disks.Select(disk => disk.Id)])
            DemandName(name, $"A serial or a disk of the asset '{asset.Asset}'");
        foreach (AssetDisk disk in asset.Disks)
        {
            if (Docket.DeclarationsOf(disk.Id).FirstOrDefault(declared => declared.Statement.Asset != asset.Asset) is { } other)
                throw Invalid($"The disk '{disk.Id}' is on the record as one of '{other.Statement.Asset}', by entry {other.Entry}: each disk has an id of its own.");
        }

        foreach (string serial in asset.AllSerials)
        {
            if (Docket.DeclarationsOfSerial(serial).FirstOrDefault(declared => declared.Statement.Asset != asset.Asset) is { } other)
                throw Invalid($"The serial '{serial}' is on the record as one of '{other.Statement.Asset}', by entry {other.Entry}: a machine has one name, and a disk one machine.");
        }

        if (Docket.Assets.GetValueOrDefault(asset.Asset) is not { Declarations.Count: > 0 } known)
            return;
        if (!known.Serials.Order(StringComparer.Ordinal).SequenceEqual(asset.Serials.Order(StringComparer.Ordinal), StringComparer.Ordinal))
            throw Invalid($"The asset '{asset.Asset}' is on the record with the serials {Words.Of(known.Serials)}: give another machine another name.");
        if (asset.Disks.FirstOrDefault(disk => known.Disks.Any(other => other.Id == disk.Id && other != disk)) is { } changed)
            throw Invalid($"The disk {changed.Id} of the asset '{asset.Asset}' is on the record with another serial or size: give another disk another id.");
    }

    private bool IsNew(AssetDeclaration asset) =>
        Docket.Assets.GetValueOrDefault(asset.Asset) is not { Declarations.Count: > 0 } known || asset.Disks.Except(known.Disks).Any() ||
        asset.Parties.Except(known.Parties, StringComparer.Ordinal).Any() || (asset.Rack is { } rack && rack != known.Rack);

    /// <summary>Says how it stands with assets.</summary>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">There is no such asset.</exception>
    public IReadOnlyList<long> Say(IReadOnlyList<AssetStateChange> states)
    {
        ArgumentNullException.ThrowIfNull(states);
        if (states.Any(state => state.State is AssetState.Isolated or AssetState.Returned))
            DemandFirm();
        _ = DemandAssets([.. states.Select(state => state.Asset)]);
        return RecordAll(states.Select(state => New([state.Asset], state)));
    }

    /// <summary>Places a hold.</summary>
    /// <param name="assets">The assets.</param>
    /// <param name="make">Makes the statement, given the list of all assets.</param>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">An asset or the party is not on the record.</exception>
    public IReadOnlyList<long> Place(IReadOnlyCollection<string> assets, Func<AssetList, HoldStatement> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        HoldStatement hold = make(AssetList.Of(DemandAssets(assets)));
        DemandParty(hold.Party);
        return RecordForEach(assets, hold);
    }

    /// <summary>Lets assets go of a hold, or overrules an objection.</summary>
    /// <param name="target">The entry of the hold, or of the objection; where the hold is several entries, any of them.</param>
    /// <param name="assets">Which of its assets; null for all.</param>
    /// <param name="party">Who lets them go.</param>
    /// <param name="document">The SHA-256 of the paper that says so; null where the actor is the party.</param>
    /// <param name="words">What else there is to say.</param>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">There is no such hold or objection, or it is not about these assets.</exception>
    public IReadOnlyList<long> Release(long target, IReadOnlyCollection<string>? assets, string party, Sha256Digest? document, string? words)
    {
        DemandParty(party);
        IReadOnlyList<IRecorded> parts = FindAct(target) switch
        {
            Recorded<HoldStatement> hold => Docket.PartsOf(hold),
            Recorded<ResponseStatement> { Statement.Act: ResponseAct.Objection } objection => [.. AssetList.Split(Docket.AssetsOf(objection)).Select(part => objection with { Items = part })],
            _ => throw Invalid($"Entry {target} is neither a hold nor an objection."),
        };
        return RecordAll(Shares(parts, assets).Select(share => New(share.Assets, new ReleaseStatement(share.Act.LeafHash, party, document, words))));
    }

    /// <summary>Tells parties that assets are to be wiped. The windows are computed here, each in the party's own zone and by its own calendar.</summary>
    /// <param name="parties">The parties.</param>
    /// <param name="assets">The assets.</param>
    /// <param name="words">What is told, in short.</param>
    /// <param name="document">The SHA-256 of the notice as it is sent; null where it is not kept.</param>
    /// <param name="from">By when it is to be delivered, provably: the window begins then.</param>
    /// <param name="term">How long the parties have.</param>
    /// <param name="policy">The policy in force.</param>
    /// <param name="material">Where the parties' calendars are found.</param>
    /// <returns>The notices, in the order of the parties.</returns>
    /// <exception cref="EvidenceException">An asset or a party is not on the record, or a calendar does not cover these days. Then nobody is told.</exception>
    public IReadOnlyList<SentNotice> Send(
        IReadOnlyList<string> parties, IReadOnlyCollection<string> assets, string words, Sha256Digest? document, Instant from, NoticeTerm term, PreservationPolicy policy,
        GateMaterial material)
    {
        ArgumentNullException.ThrowIfNull(parties);
        ArgumentNullException.ThrowIfNull(term);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(material);
        DemandFirm();
        var list = AssetList.Of(DemandAssets(assets));
        NoticeStatement[] notices =
        [
            .. parties.Distinct(StringComparer.Ordinal).Select(party => new NoticeStatement(
                party, Docket.Ledger.Checkpoint.Origin, words, document, policy.Digest, list, Window(DemandParty(party).Latest, from, term, material))),
        ];
        IReadOnlyList<IReadOnlyList<string>> parts = AssetList.Split(assets);
        IReadOnlyList<long> entries = RecordAll(notices.SelectMany(notice => parts.Select(part => New(part, notice))));
        return [.. notices.Select((notice, i) => new SentNotice(notice, [.. entries.Skip(i * parts.Count).Take(parts.Count)]))];
    }

    /// <summary>Records an attempt to deliver some notices.</summary>
    /// <param name="notices">The notices' entries; of one that is several, any of them.</param>
    /// <param name="make">Makes the statement, given the leaf hash of a notice's entry.</param>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">There is no such notice. Then nothing is recorded.</exception>
    public IReadOnlyList<long> Deliver(IReadOnlyList<long> notices, Func<Sha256Digest, DeliveryStatement> make)
    {
        ArgumentNullException.ThrowIfNull(notices);
        ArgumentNullException.ThrowIfNull(make);
        DemandFirm();
        return RecordAll(notices.SelectMany(notice => Docket.PartsOf(FindNotice(notice))).DistinctBy(part => part.Entry).Select(part => New(part.Items, make(part.LeafHash))));
    }

    /// <summary>Records what a party answered, or said unasked.</summary>
    /// <param name="assets">The assets; null for those of the notice.</param>
    /// <param name="notice">The notice's entry, where it is several, any of them; null where it answers none.</param>
    /// <param name="make">Makes the statement, given the log's origin and the leaf hash of a notice's entry.</param>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">There is no such notice, it is to another party, or not about these assets; or an asset or the party is not on the record.</exception>
    public IReadOnlyList<long> Answer(IReadOnlyCollection<string>? assets, long? notice, Func<string, Sha256Digest?, ResponseStatement> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        string origin = Docket.Ledger.Checkpoint.Origin;
        Recorded<NoticeStatement>? told = notice is { } index ? FindNotice(index) : null;
        ResponseStatement response = make(origin, told?.LeafHash);
        DemandParty(response.Party);
        if (told is null)
            return RecordForEach(DemandAssets(assets ?? []), response);
        return told.Statement.Party == response.Party
            ? RecordAll(Shares(Docket.PartsOf(told), assets).Select(share => New(share.Assets, make(origin, share.Act.LeafHash))))
            : throw Invalid($"The notice in entry {told.Entry} is to {told.Statement.Party}, and this is an answer of {response.Party}.");
    }

    /// <summary>Proposes a policy. Its document is kept in the vault first.</summary>
    /// <param name="document">The policy's document.</param>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">It is no policy, or a template with nobody's names in it (<see cref="ErrorCode.PolicyInvalid"/>); or it is the one that is in force.</exception>
    public long? Propose(byte[] document)
    {
        ArgumentNullException.ThrowIfNull(document);
        PreservationPolicy policy;
        try
        {
            policy = PreservationPolicy.Parse(document);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.PolicyInvalid, e.Message, e);
        }

        if (policy.Lacking.Count > 0)
            throw new EvidenceException(ErrorCode.PolicyInvalid, $"The policy '{policy.Name}' is a template, and leads nowhere: {string.Join(' ', policy.Lacking)} 'evidence policy default --authority ... --approver ...' fills them in.");
        Sha256Digest? current = PolicyInForce.Of(Docket, GateMaterial.Of(vault, Docket)).Act?.Statement.Policy;
        if (current == policy.Digest)
            throw Invalid($"The policy '{policy.Name}' is in force already.");
        if (current is null)
            DemandFirm();
        string[] approvers = [.. policy.Approvals.By];
        for (int i = 0; i < approvers.Length; i++)
        {
            // Their approvals would count as one person's, also for another policy: there might be no way out any more.
            if (approvers[(i + 1)..].FirstOrDefault(other => Docket.IsSamePerson(approvers[i], other)) is { } same)
                throw Invalid($"The keys {approvers[i]} and {same}, both in 'approvals.by', go by one name in this ledger, '{Docket.Registry.Keys[same].Identity.Name}': whoever is another person makes a key under a name of their own ('evidence identity create').");
        }

        using (var stream = new MemoryStream(document, writable: false))
            _ = vault.Documents.Add(stream);
        return Record([], new PolicyStatement(policy.Digest, policy.Name, current));
    }

    /// <summary>Requests that assets may be wiped.</summary>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">An asset is not on the record.</exception>
    public IReadOnlyList<long> Request(IReadOnlyCollection<string> assets, string? words) => RecordForEach(DemandAssets(assets), new ClearanceRequest(AssetList.Of(assets), words));

    /// <summary>Approves a request, or a change of policy.</summary>
    /// <param name="target">Its entry; where it is several, any of them.</param>
    /// <param name="words">What else there is to say.</param>
    /// <returns>The entries' indexes; none where they wait in staging.</returns>
    /// <exception cref="EvidenceException">There is no such request, or the actor made it.</exception>
    public IReadOnlyList<long> Approve(long target, string? words)
    {
        IReadOnlyList<IRecorded> parts = FindAct(target) switch
        {
            Recorded<ClearanceRequest> request => Docket.PartsOf(request),
            Recorded<PolicyStatement> policy => [policy],
            _ => throw Invalid($"Entry {target} is neither a request nor a policy."),
        };
        if (vault.Ledger.ActorKeyIds().Any(own => Docket.Registry.IsSameActor(own, parts[0].Signer.KeyId)))
            throw Invalid($"{parts[0].Signer.Name} made entry {target}, and cannot approve it: another does, by --actor.");
        return RecordAll(parts.Select(part => New(part.Items, new Approval(part.LeafHash, words))));
    }

    /// <summary>The act of an entry.</summary>
    /// <exception cref="EvidenceException">There is none.</exception>
    public IRecorded FindAct(long entry) =>
        Docket.FindAct(entry) ?? throw Invalid($"Entry {entry} is no act on the docket, or its signature does not count: 'evidence log' shows what it is.");

    private Recorded<NoticeStatement> FindNotice(long entry) => FindAct(entry) as Recorded<NoticeStatement> ?? throw Invalid($"Entry {entry} is no notice.");

    private Party DemandParty(string party) =>
        Docket.Parties.GetValueOrDefault(party) ?? throw Invalid($"There is no party '{party}' on the record: 'evidence party list' shows those that there are, 'evidence party add' adds one.");

    private static ResponseWindow Window(PartyStatement told, Instant from, NoticeTerm term, GateMaterial material)
    {
        WorkingCalendar calendar = told.Calendar is not { } digest ? WorkingCalendar.Plain
            : material.FindCalendar(digest) ?? throw Invalid($"The calendar of {told.Party}, sha256:{digest}, is not in the vault: add the document again.");
        return ResponseWindow.Compute(from, term.Days, term.Unit, told.Zone, calendar);
    }

    /// <summary>Which of some assets each entry of an act is about; all of them, where none are named.</summary>
    private static IEnumerable<(IRecorded Act, IReadOnlyList<string> Assets)> Shares(IReadOnlyList<IRecorded> parts, IReadOnlyCollection<string>? assets)
    {
        if (assets?.FirstOrDefault(asset => !parts.Any(part => part.Items.Contains(asset, StringComparer.Ordinal))) is { } stranger)
            throw Invalid($"Entry {parts[0].Entry} is not about '{stranger}'.");
        return parts.Select(part => (part, (IReadOnlyList<string>)(assets is null ? part.Items : [.. part.Items.Intersect(assets, StringComparer.Ordinal)])))
            .Where(share => share.Item2.Count > 0);
    }

    private IReadOnlyList<string> DemandAssets(IReadOnlyCollection<string> assets)
    {
        if (assets.Count == 0)
            throw Invalid("It is about no asset.");
        return assets.FirstOrDefault(asset => Docket.Assets.GetValueOrDefault(asset) is not { Declarations.Count: > 0 }) is { } unknown
            ? throw Invalid($"There is no asset '{unknown}' on the record: 'evidence asset list' shows those that there are, 'evidence asset add' adds one.")
            : [.. assets];
    }

    /// <summary>What would count for nothing is not recorded: whoever did it would take it for done.</summary>
    private void DemandFirm()
    {
        if (vault.Ledger.ActorKeyIds().Any(key => Docket.IsOfFirm(key, Docket.Size)))
            return;
        string keeper = Docket.Registry.Keeper is { } first ? Docket.Registry.Keys[first].Identity.Name : "whoever began the vault";
        throw Invalid($"{vault.Ledger.Actor} does not speak for the firm in this ledger, so this would count for nothing. {keeper} does, by --actor, or puts {vault.Ledger.Actor} on the record: 'evidence party add NAME --role provider --key KEY'.");
    }

    private static void DemandName(string name, string what)
    {
        if (!Statement.IsName(name))
            throw Invalid($"{what} has no name that can be one: 1 to {Statement.LongestName} characters, none of them a control character, and no space at either end.");
    }

    private long? Record(IReadOnlyList<string> items, Statement statement) => vault.Ledger.RecordAll([New(items, statement)]);

    private IReadOnlyList<long> RecordForEach(IReadOnlyCollection<string> assets, Statement statement) => RecordAll(AssetList.Split(assets).Select(part => New(part, statement)));

    private IReadOnlyList<long> RecordAll(IEnumerable<NewEntry> entries)
    {
        NewEntry[] all = [.. entries];
        return vault.Ledger.RecordAll(all) is { } last ? [.. all.Select((_, i) => last - all.Length + 1 + i)] : [];
    }

    internal static NewEntry New(IReadOnlyList<string> items, Statement statement)
    {
        JsonObject body = statement.ToJson();
        foreach ((string name, JsonNode? node) in body)
        {
            if (node is JsonValue value && value.TryGetValue(out string? text) && text.Length > Statement.LongestText)
                throw Invalid($"The text of '{name}' has {text.Length} characters, more than {Statement.LongestText}: keep longer ones as documents.");
        }

        return CanonicalJson.Serialize(body).Length < EntryPayload.MaximumBodyLength
            ? new NewEntry(statement.Kind, items, null, body)
            : throw Invalid($"All of it is more than an entry has room for ({EntryPayload.MaximumBodyLength} bytes).");
    }

    internal static EvidenceException Invalid(FormattableString why) => new(ErrorCode.DocketInvalid, why.ToString(CultureInfo.InvariantCulture));

    internal static EvidenceException Invalid(string why) => new(ErrorCode.DocketInvalid, why);
}

/// <summary>A notice that was recorded.</summary>
/// <param name="Statement">What it says.</param>
/// <param name="Entries">Its entries: one, unless it is about more assets than that has room for. None where they wait in staging.</param>
public sealed record SentNotice(NoticeStatement Statement, IReadOnlyList<long> Entries);
