using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Tests.Ledger;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>A firm, its servers, and those who have a say in them, on a ledger in memory; with an outsider's clock that can be read at will.</summary>
internal sealed class Scene
{
    public const string Server = "server-7";
    public const string Disk = "server-7/sda";

    public static readonly Instant Begin = Instant.FromUtc(2012, 1, 20, 9, 0);

    /// <summary>The same people everywhere, so that a policy can name them.</summary>
    private static readonly Dictionary<string, ActorKey> People = [];

    private static readonly Sha256Digest Paper = Sha256Digest.Compute("a paper"u8);

    private readonly LedgerFixture log = new();
    private readonly LedgerWriter writer;
    private readonly Dictionary<string, ActorKey> keys = new(StringComparer.Ordinal);
    private readonly List<OutsideTime> times = [];
    private readonly List<LostStamp> lost = [];
    private readonly List<Sha256Digest> images = [];
    private readonly Material material;

    public Scene(PreservationPolicy? policy = null)
    {
        writer = log.Writer();
        Policy = policy ?? DefaultPolicy;
        material = new Material(times, lost);
        Adopt(Policy);
        Now = Begin;
        Put("keeper", EntryKind.Identity, [], new VaultIdentity(LedgerFixture.Origin, Sha256Digest.Compute("vault.json"u8), LedgerFixture.Keys.VerifierKeys).ToJson());
    }

    /// <summary>What everybody's clock says.</summary>
    public Instant Now { get; set; }

    public PreservationPolicy Policy { get; }

    public long Size { get; private set; }

    /// <summary>All images so far.</summary>
    public Sha256Digest[] Images => [.. images];

    public static PreservationPolicy DefaultPolicy { get; } = new()
    {
        Digest = Sha256Digest.Compute("policy"u8),
        Name = "Test",
        Time = new TimeRules([], Duration.FromDays(7), Duration.FromMinutes(10)),
        Holds = new HoldRules(HoldTerm.Released, HoldTerm.Silence, HoldTerm.Silence),
        Preserved = new PreservedRules(2, Duration.FromDays(90), 0, [PartyRole.Court, PartyRole.Customer]),
        Notices = new NoticeRules(
            [PartyRole.Customer, PartyRole.Counsel, PartyRole.Authority, PartyRole.Court, PartyRole.Users],
            new NoticeTerm(1, 10, WindowUnit.Working, Duration.Zero), new NoticeTerm(2, 20, WindowUnit.Working, Duration.FromDays(14)), DeliveryOutcome.Delivered),
        Objections = new ObjectionRules([PartyRole.Court, PartyRole.Authority, PartyRole.Customer, PartyRole.Counsel, PartyRole.Users]),
        Approvals = new ApprovalRules([PartyRole.Provider], 2, [KeyId("alice"), KeyId("bob"), KeyId("clerk")], Duration.FromDays(30)),
        CoolingOff = Duration.FromDays(14),
        Clearance = new ClearanceRules(Duration.FromHours(24)),
        Superiors = new Dictionary<PartyRole, IReadOnlyList<PartyRole>> { [PartyRole.Court] = [PartyRole.Authority, PartyRole.Counsel, PartyRole.Customer] },
        Changes = new ChangeRules(2, Duration.FromDays(14)),
    };

    public static ActorKey KeyOf(string person)
    {
        lock (People)
        {
            if (!People.TryGetValue(person, out ActorKey? key))
                People.Add(person, key = ActorKey.Create());
            return key;
        }
    }

    public static string KeyId(string person) => KeyOf(person).Id;

    public void Adopt(PreservationPolicy policy) => material.Policies[policy.Digest] = policy;

    public void Forget(PreservationPolicy policy) => material.Policies.Remove(policy.Digest);

    /// <summary>Somebody says something. Their key is declared where it is not yet.</summary>
    public long Say(string person, IReadOnlyList<string> assets, Statement statement, Instant? claimed = null) =>
        Put(person, statement.Kind, assets, statement.ToJson(), claimed);

    public long Put(string person, string kind, IReadOnlyList<string> items, JsonObject body, Instant? claimed = null)
    {
        ActorKey key = KeyOf(person);
        var entries = new List<LedgerEntry>();
        if (keys.TryAdd(person, key))
            entries.Add(LedgerFixture.Declare(key, person, Now));
        entries.Add(LedgerEntry.Create(new EntryPayload(kind, claimed ?? Now, null, items, body, key.Id), key));
        return Append([.. entries]);
    }

    public long Append(params LedgerEntry[] entries)
    {
        Size = writer.Append([.. entries.Select(entry => entry.ToBytes())], TestContext.Current.CancellationToken).Size;
        return Size - 1;
    }

    public LedgerEntry Entry(long index) => LedgerEntry.Parse(log.Reader().ReadEntry(index));

    public Sha256Digest Leaf(long index) => Entry(index).LeafHash;

    /// <summary>An outsider stamps the log as it is, and an entry names the stamp.</summary>
    public void Stamp()
    {
        long size = Size;
        long entry = Put("keeper", EntryKind.Note, [], new JsonObject { ["text"] = "stamped" });
        times.Add(new OutsideTime(entry, size, Now, Now, "the authority"));
    }

    /// <summary>The paper that all acts name is gone.</summary>
    public void LosePaper() => material.LostPapers.Add(Paper);

    /// <summary>The file of the last stamp is gone, or another one is in its place.</summary>
    public void LoseStamp(bool isThere = false)
    {
        lost.Add(new LostStamp(times[^1].Entry, "timestamps/x.json", isThere));
        times.RemoveAt(times.Count - 1);
    }

    /// <summary>Time passes, and is stamped.</summary>
    public void Pass(Duration time)
    {
        Now += time;
        Stamp();
    }

    public long Party(string party, PartyRole role, string? person = null, string zone = "Etc/UTC", string? by = null) =>
        Say(by ?? "keeper", [], new PartyStatement(party, role, party, null, person is null ? null : KeyId(person), zone, null, null));

    public long Asset(string asset = Server, string[]? serials = null, string[]? parties = null, AssetDisk[]? disks = null) =>
        Say("keeper", [asset], new AssetDeclaration(asset, serials ?? [$"SN-{asset}"], disks ?? [new AssetDisk($"{asset}/sda", null, null)], null, parties ?? ["customer"]));

    public long State(AssetState state, string asset = Server, string person = "keeper") => Say(person, [asset], new AssetStateChange(asset, state, null, null));

    public long Hold(string party, string person, HoldForm form = HoldForm.Request, Instant? until = null, Instant? since = null, Instant? claimed = null, string asset = Server) =>
        Say(person, [asset], new HoldStatement(party, form, "keep it", Paper, asset, AssetList.Of([asset]), since, until), claimed);

    public long Release(long target, string party, string person, bool paper = false, string asset = Server) =>
        Say(person, [asset], new ReleaseStatement(Leaf(target), party, paper ? Paper : null, null));

    /// <summary>A notice, its delivery, and the stamp that proves it; one of several entries, where the assets of the notice are more than this one.</summary>
    public long Notice(
        string party, int days = 20, string zone = "Etc/UTC", bool deliver = true, Duration? grace = null, string asset = Server, string person = "keeper", string[]? all = null)
    {
        var window = ResponseWindow.Compute(Now + (grace ?? Duration.FromDays(1)), days, WindowUnit.Working, zone, WorkingCalendar.Plain);
        long notice = Say(person, [asset], new NoticeStatement(party, LedgerFixture.Origin, "to be wiped", Paper, Policy.Digest, AssetList.Of(all ?? [asset]), window));
        if (!deliver)
            return notice;
        Deliver(notice, person: person);
        Stamp();
        return notice;
    }

    public long Deliver(long notice, DeliveryOutcome outcome = DeliveryOutcome.Delivered, bool paper = true, Instant? claimed = null, string person = "keeper") =>
        Say(person, [Server], new DeliveryStatement(Leaf(notice), "courier", outcome, null, paper ? Paper : null), claimed);

    public ResponseWindow WindowOf(long notice) => ((NoticeStatement)Statement.TryParse(Entry(notice).Payload)!).Window;

    public long Respond(ResponseAct act, string party, string person, long? notice = null, bool paper = false, Sha256Digest? image = null, string asset = Server) =>
        Say(person, [asset], new ResponseStatement(act, party, LedgerFixture.Origin, notice is { } index ? Leaf(index) : null, image, "words", paper ? Paper : null));

    public long Request(string person = "keeper", string asset = Server) => Say(person, [asset], new ClearanceRequest(AssetList.Of([asset]), null));

    public long Approve(long target, string person, Instant? claimed = null) => Say(person, [Server], new Approval(Leaf(target), null), claimed);

    public void RequestAndApprove(string asset = Server)
    {
        long request = Request(asset: asset);
        Approve(request, "alice");
        Approve(request, "bob");
    }

    public Sha256Digest Image(string disk = Disk, long absent = 0, string? serial = null, bool? live = false, long hidden = 0)
    {
        var image = Sha256Digest.Compute(Encoding.UTF8.GetBytes($"{disk} {Size}"));
        images.Add(image);
        Record(image, disk, absent, serial, live, hidden);
        return image;
    }

    /// <summary>An image is recorded as one of a disk.</summary>
    public void Record(Sha256Digest image, string disk, long absent = 0, string? serial = null, bool? live = false, long hidden = 0)
    {
        var body = new JsonObject
        {
            ["image"] = image.ToString(),
            ["root"] = RootOf(image).ToString(),
            ["size"] = DecimalText.Format(1 << 20),
            ["readBack"] = "verified",
            ["absentBytes"] = DecimalText.Format(absent),
            ["serial"] = serial,
        };
        if (live is not null)
            body["live"] = live;
        if (hidden > 0)
            body["hiddenSectors"] = new JsonObject { ["declared"] = DecimalText.Format(1 << 20), ["hpa"] = DecimalText.Format(hidden), ["dco"] = "0" };
        Put("keeper", EntryKind.Acquisition, [disk], body);
    }

    public long Verify(Sha256Digest image, string content = "verified", string scope = "content, from the medium", string person = "keeper", Instant? claimed = null) =>
        Put(person, EntryKind.Verification, [], new JsonObject
        {
            ["content"] = content,
            ["scope"] = scope,
            ["images"] = new JsonArray(new JsonObject { ["image"] = image.ToString(), ["content"] = content }),
            ["imageCount"] = "1",
            ["ledgerSize"] = DecimalText.Format(Size),
        }, claimed);

    /// <summary>A receipt for a replica: each person's own, unless another is named; an empty one for a copy that has no id.</summary>
    /// <param name="person">Who signs it.</param>
    /// <param name="images">All images that the log has at that size.</param>
    /// <param name="content">What is said of each.</param>
    /// <param name="replica">Which replica it is of.</param>
    /// <param name="size">How many entries the log had when it was made; null for as many as there are now.</param>
    /// <param name="claimed">When it was made, by its word.</param>
    public long Receipt(string person, Sha256Digest[] images, string content = "verified", string? replica = null, long? size = null, Instant? claimed = null)
    {
        CustodyLedger ledger = log.Reader();
        Receipt receipt = new Receipt
        {
            Origin = LedgerFixture.Origin,
            Size = size ?? ledger.Size,
            Root = ledger.RootAt(size ?? ledger.Size),
            Replica = replica is "" ? null : Sha256Digest.Compute(Encoding.UTF8.GetBytes(replica ?? person)).ToString()[..32],
            Content = content,
            Images = [],
            Others = null,
            ImageCount = 0,
            ImageDigest = default,
            Bytes = 1,
            Ended = Now,
            KeysPinned = true,
            Medium = [],
        }.With([.. images.Select(image => new ReceiptImage(image, RootOf(image), content))]);
        return Put(person, EntryKind.Receipt, [], receipt.ToJson(), claimed);
    }

    public Docket Docket(long? size = null) => Evidence.Preservation.Docket.Read(log.Reader(), size, TestContext.Current.CancellationToken);

    public CustodyLedger Reader() => log.Reader();

    /// <summary>The documents, and what is proved of the time so far.</summary>
    public GateMaterial MaterialNow() => material.UpTo(Size);

    public GateDecision Judge(string asset = Server, Instant? at = null, long? size = null, PreservationPolicy? policy = null, Docket? docket = null) =>
        WipeGate.Judge(docket ?? Docket(size), material.UpTo(size ?? Size), asset, at ?? Now, policy);

    private static Sha256Digest RootOf(Sha256Digest image) => Sha256Digest.Compute(image.ToArray());

    private sealed class Material(List<OutsideTime> times, List<LostStamp> lost) : GateMaterial
    {
        private long size = long.MaxValue;

        public Dictionary<Sha256Digest, PreservationPolicy> Policies { get; private init; } = [];

        public HashSet<Sha256Digest> LostPapers { get; private init; } = [];

        public Material UpTo(long end) => new(times, lost) { Policies = Policies, LostPapers = LostPapers, size = end };

        public override PreservationPolicy? FindPolicy(Sha256Digest digest) => Policies.GetValueOrDefault(digest);

        public override WorkingCalendar? FindCalendar(Sha256Digest digest) => null;

        public override bool HasPaper(Sha256Digest digest) => !LostPapers.Contains(digest);

        public override OutsideTimes TimesFor(PreservationPolicy policy) => new(times.Where(time => time.Entry < size), [.. lost.Where(stamp => stamp.Entry < size)]);
    }
}
