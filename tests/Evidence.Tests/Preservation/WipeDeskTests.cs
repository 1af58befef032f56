using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>From the gate's word to the wipe, in a vault on a disk, with others who write to its ledger meanwhile.</summary>
public sealed class WipeDeskTests : IDisposable
{
    private const string Server = "server-7";
    private static readonly string[] Serials = ["SN-7"];

    private readonly TestVault place = new();
    private readonly SetClock clock = new() { Now = Scene.Begin };
    private readonly List<OutsideTime> times = [];
    private readonly PreservationPolicy policy;
    private readonly Vault vault;
    private Action? whileJudging;

    public WipeDeskTests()
    {
        vault = place.Create(access: place.Access with { Clock = clock });
        policy = Scene.DefaultPolicy with { Approvals = Scene.DefaultPolicy.Approvals with { Count = 0 }, Preserved = Scene.DefaultPolicy.Preserved with { Copies = 1 } };
        using (var document = new MemoryStream("policy"u8.ToArray()))
            Assert.Equal(policy.Digest, vault.Documents.Add(document));
        vault.Ledger.RecordAll([DocketWriter.New([], new PolicyStatement(policy.Digest, policy.Name, null))]);
        Stamp();
        Writer().Add(new PartyStatement("counsel", PartyRole.Counsel, "Counsel", null, null, "Etc/UTC", null, null));
        Writer().Declare([new AssetDeclaration(Server, Serials, [new AssetDisk("server-7/sda", null, null)], null, [])]);
        var image = Sha256Digest.Compute("image"u8);
        vault.Ledger.Record(EntryKind.Acquisition, ["server-7/sda"], null, new JsonObject
        {
            ["image"] = image.ToString(),
            ["root"] = image.ToString(),
            ["size"] = "512",
            ["readBack"] = "verified",
            ["absentBytes"] = "0",
            ["live"] = false,
        });
        vault.Ledger.RecordVerification(new VerificationOutcome
        {
            Content = "verified",
            Scope = "content" + VerificationOutcome.FromMedium,
            Images = [new VerifiedImage(image, "server-7/sda", "verified")],
            LedgerSize = 1,
        });
        Stamp();
    }

    public void Dispose()
    {
        vault.Dispose();
        place.Dispose();
    }

    [Fact]
    public void A_clearance_leads_to_an_intent_and_the_report_closes_the_story()
    {
        (GateDecision decision, long? clearance) = Desk().Grant(Server);
        Assert.True(decision.IsCleared, WipeGateTests.Text(decision));
        ClearanceGrant grant = Assert.IsType<Recorded<ClearanceGrant>>(Docket().FindAct(clearance!.Value)).Statement;
        Assert.Equal((decision.Size, decision.Root, decision.At), (grant.Size, grant.Root, grant.At));
        Assert.Equal(clearance, decision.Size);
        Assert.Equal(Serials, grant.Serials);

        (decision, long? intent) = Desk().Begin(clearance.Value, Serials);
        Assert.True(intent is not null, WipeGateTests.Text(decision));
        // While it is being wiped nothing else begins.
        Assert.False(Desk().Grant(Server).Decision.IsCleared);
        Desk().Report(intent.Value, (leaf, asset) => new WipeReport(leaf, asset, "overwritten", "NIST SP 800-88r1 Clear", Serials, "operator", [], null, null));
        Assert.NotNull(Docket().Assets[Server].Wiped);
        WipeGateTests.Shut(Desk().Grant(Server).Decision, "asset", "was wiped already");
        Assert.Equal(ErrorCode.DocketInvalid, Assert.Throws<EvidenceException>(() => Desk().Report(intent.Value, (leaf, asset) => new WipeAbandonment(leaf, asset, "no"))).Code);
    }

    [Fact]
    public void A_clearance_is_used_once()
    {
        long clearance = Desk().Grant(Server).Entry!.Value;
        long intent = Desk().Begin(clearance, Serials).Entry!.Value;
        Desk().Report(intent, (leaf, asset) => new WipeAbandonment(leaf, asset, "the disk was gone"));
        (GateDecision decision, long? again) = Desk().Begin(clearance, Serials);
        Assert.Null(again);
        WipeGateTests.Shut(decision, "clearance", $"was used up by entry {intent}");
    }

    [Fact]
    public void A_clearance_expires_and_does_not_come_back_with_the_clock()
    {
        long clearance = Desk().Grant(Server).Entry!.Value;
        clock.Now += Duration.FromHours(24);
        WipeGateTests.Shut(Desk().Begin(clearance, Serials).Decision, "clearance", "expired at");
        clock.Now -= Duration.FromHours(25);
        WipeGateTests.Shut(Desk().Begin(clearance, Serials).Decision, "clearance", "later than it is by this clock");
    }

    [Fact]
    public void A_clearance_is_for_one_machine()
    {
        long clearance = Desk().Grant(Server).Entry!.Value;
        WipeGateTests.Shut(Desk().Begin(clearance, []).Decision, "clearance", "none that was read");
        WipeGateTests.Shut(Desk().Begin(clearance, ["SN-8"]).Decision, "clearance", "the one at hand has SN-8");
        Assert.NotNull(Desk().Begin(clearance, ["SN-8", "SN-7"]).Entry);
    }

    [Fact]
    public void A_clearance_that_names_fewer_serials_than_the_machine_has_is_for_no_other()
    {
        GateDecision decision = WipeGate.Judge(Docket(), Material(Docket()), Server, clock.Now);
        long made = vault.Ledger.RecordAll([DocketWriter.New([Server], new ClearanceGrant(
            Server, [], [], decision.Size, decision.Root, decision.Policy!.Value, clock.Now, clock.Now + Duration.FromHours(1), ClearanceGround.Preserved, null))])!.Value;
        WipeGateTests.Shut(Desk().Begin(made, ["SN-8"]).Decision, "clearance", "the machine with the serials SN-7, and the one at hand has SN-8");
    }

    [Fact]
    public void A_hold_that_comes_after_the_clearance_counts()
    {
        long clearance = Desk().Grant(Server).Entry!.Value;
        Hold();
        (GateDecision decision, long? intent) = Desk().Begin(clearance, Serials);
        Assert.Null(intent);
        WipeGateTests.Shut(decision, "holds", "binds");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_hold_that_comes_between_the_gates_word_and_the_act_counts(bool wipe)
    {
        long clearance = wipe ? Desk().Grant(Server).Entry!.Value : 0;
        whileJudging = Hold;
        (GateDecision decision, long? entry) = wipe ? Desk().Begin(clearance, Serials) : Desk().Grant(Server);
        Assert.Null(entry);
        WipeGateTests.Shut(decision, "holds", "binds");
        Assert.Empty(Docket().Assets[Server].Wipes);
    }

    [Fact]
    public void A_hold_that_somebody_left_in_staging_counts()
    {
        long clearance = Desk().Grant(Server).Entry!.Value;
        // Counsel has keys of their own, and not those of the log.
        var others = new KeyStore(place.At("others"));
        using (Vault theirs = Vault.Open(place.Folder, new VaultAccess { Keys = others, Actor = "counsel", Clock = clock }))
            Assert.Empty(Place(theirs));
        (GateDecision decision, long? intent) = Desk().Begin(clearance, Serials);
        Assert.Null(intent);
        WipeGateTests.Shut(decision, "holds", "binds");
    }

    [Theory]
    [InlineData(HoldForm.Request)]
    [InlineData(HoldForm.Letter)]
    public void A_demand_after_the_clearance_counts_in_each_form(HoldForm form)
    {
        // What is preserved is what a demand asks for; here nothing is, but nobody has to be told either.
        long clearance = Desk().Grant(Server).Entry!.Value;
        new DocketWriter(vault).Place([Server], list => new HoldStatement("counsel", form, "by letter", null, Server, list, null, null));
        (GateDecision decision, long? intent) = Desk().Begin(clearance, Serials);
        // It is met, for all is preserved; but whoever placed it must be told now.
        Assert.Null(intent);
        WipeGateTests.Says(decision, "told", "counsel was told 0 of 1 times");
    }

    [Fact]
    public void A_clearance_that_somebody_left_in_staging_or_made_for_longer_is_none()
    {
        GateDecision decision = WipeGate.Judge(Docket(), Material(Docket()), Server, clock.Now);
        ClearanceGrant Grant(Duration valid) => new(
            Server, Serials, [], decision.Size, decision.Root, decision.Policy!.Value, clock.Now, clock.Now + valid, ClearanceGround.Preserved, null);
        using (Vault theirs = Vault.Open(place.Folder, new VaultAccess { Keys = new KeyStore(place.At("others")), Actor = "thief", Clock = clock }))
            Assert.Null(theirs.Ledger.RecordAll([DocketWriter.New([Server], Grant(Duration.FromHours(1)))]));
        vault.Ledger.RecordNote("next", [], null);
        Assert.Empty(Docket().Assets[Server].Grants);
        long own = vault.Ledger.RecordAll([DocketWriter.New([Server], Grant(Duration.FromDays(365)))])!.Value;
        (decision, long? intent) = Desk().Begin(own, Serials);
        Assert.Null(intent);
        WipeGateTests.Shut(decision, "clearance", "longer than the policy gives any");
    }

    [Fact]
    public void Where_the_logs_keys_are_not_nothing_is_cleared()
    {
        using Vault theirs = Vault.Open(place.Folder, new VaultAccess { Keys = new KeyStore(place.At("others")), Actor = "counsel", Clock = clock });
        Assert.Equal(ErrorCode.KeyMissing, Assert.Throws<EvidenceException>(() => new WipeDesk(theirs, Material).Grant(Server)).Code);
    }

    private WipeDesk Desk() => new(vault, Material);

    private DocketWriter Writer() => new(vault);

    private Docket Docket() => Writer().Docket;

    private void Hold() => Place(vault);

    private static IReadOnlyList<long> Place(Vault vault) => new DocketWriter(vault).Place([Server], list => new HoldStatement("counsel", HoldForm.Order, "by order", null, Server, list, null, null));

    private void Stamp()
    {
        long size = vault.Ledger.Open().Size;
        long entry = vault.Ledger.RecordNote("stamped", [], null)!.Value;
        times.Add(new OutsideTime(entry, size, clock.Now, clock.Now, "the authority"));
    }

    private Material Material(Docket docket)
    {
        Action? meanwhile = whileJudging;
        whileJudging = null;
        meanwhile?.Invoke();
        return new Material(policy, times);
    }

    private sealed class SetClock : IClock
    {
        public Instant Now { get; set; }

        public Instant GetCurrentInstant() => Now;
    }
}

/// <summary>One policy, and times that are given.</summary>
internal sealed class Material(PreservationPolicy policy, IReadOnlyList<OutsideTime> times) : GateMaterial
{
    public override PreservationPolicy? FindPolicy(Sha256Digest digest) => digest == policy.Digest ? policy : null;

    public override WorkingCalendar? FindCalendar(Sha256Digest digest) => null;

    public override bool HasPaper(Sha256Digest digest) => true;

    public override OutsideTimes TimesFor(PreservationPolicy policy) => new(times);
}
