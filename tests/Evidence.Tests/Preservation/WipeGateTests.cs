using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>The gate opens on either ground, and every rule alone keeps it shut.</summary>
public sealed class WipeGateTests
{
    [Fact]
    public void Default_is_no()
    {
        var scene = new Scene();
        GateDecision nothing = scene.Judge();
        Assert.False(nothing.IsCleared);
        Shut(nothing, "policy", "No policy is on the record");
        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        GateDecision unknown = scene.Judge();
        Shut(unknown, "time", "how late it is, nobody outside says");
        Shut(unknown, "asset", "No entry declares an asset");
        Shut(unknown, "approvals", "Nobody requests it");
        Assert.Equal(RuleOutcome.NotMet, Rule(unknown, "preserved").Outcome);
        Assert.Equal(RuleOutcome.NotMet, Rule(unknown, "silence").Outcome);
    }

    [Fact]
    public void Preserved_in_two_hands_and_told_it_opens()
    {
        Scene scene = Preserved();
        GateDecision decision = scene.Judge();
        Assert.True(decision.IsCleared, Text(decision));
        Assert.Equal(ClearanceGround.Preserved, decision.Ground);
        Assert.Equal(scene.Now + Duration.FromHours(24), decision.Expires);
        Assert.Equal(scene.Size, decision.Size);
        Says(decision, "holds", "is met: what it demands to be kept is preserved");
        Says(decision, "preserved", "verified from the medium by museum, the vault's keeper: 2 of 2");
    }

    [Fact]
    public void On_silence_it_opens_where_every_window_is_proved_closed()
    {
        Scene scene = Silent();
        GateDecision decision = scene.Judge();
        Assert.True(decision.IsCleared, Text(decision));
        Assert.Equal(ClearanceGround.Silence, decision.Ground);
        Says(decision, "silence", "no answer to it is in the first");
        Says(decision, "holds", "lapsed: counsel was told, and let every window close");
    }

    [Fact]
    public void Each_ground_alone_is_not_enough_without_its_last_piece()
    {
        // Preserved, but told to nobody.
        var scene = Scene(notices: 0);
        Preserve(scene);
        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.False(decision.IsCleared);
        Assert.Equal(RuleOutcome.Met, Rule(decision, "preserved").Outcome);
        Assert.Equal(RuleOutcome.NotMet, Rule(decision, "told").Outcome);
    }

    [Theory]
    [InlineData("copies", "1 of 2")]
    [InlineData("same-voice", "1 of 2")]
    [InlineData("unknown-custodian", "no party on the record")]
    [InlineData("stored-bytes", "1 of 2")]
    [InlineData("refuted-later", "found it refuted")]
    [InlineData("stale", "1 of 2")]
    [InlineData("incomplete", "512 bytes of the disk were not read")]
    [InlineData("serial", "this one has WD-1")]
    [InlineData("unnamed", "does not say from which disk; this one has the serial WD-1")]
    [InlineData("live", "while it was in use")]
    [InlineData("unknown-use", "does not say whether it was in use then")]
    [InlineData("hidden", "0 bytes of the disk were not read, and 4096 more are hidden by the drive; the policy allows 0")]
    [InlineData("second-disk", "There is no image of the disk server-7/sdb")]
    public void What_is_not_preserved_does_not_open_it(string lack, string why)
    {
        AssetDisk[] disks = lack == "second-disk" ? [new(Disk, null, null), new("server-7/sdb", null, null)] : [new(Disk, lack is "serial" or "unnamed" ? "WD-1" : null, null)];
        Scene scene = Scene(notices: 1, disks);
        Sha256Digest image = scene.Image(absent: lack == "incomplete" ? 512 : 0, serial: lack == "serial" ? "WD-2" : null, live: lack == "unknown-use" ? null : lack == "live", hidden: lack == "hidden" ? 4096 : 0);
        if (lack == "stale")
        {
            scene.Verify(image);
            scene.Pass(Duration.FromDays(100));
        }
        else
        {
            scene.Verify(image, lack == "incomplete" ? "incomplete" : "verified", lack == "stored-bytes" ? "stored bytes" : "content, from the medium");
        }

        if (lack == "same-voice")
            scene.Verify(image, person: "second-keeper");
        else if (lack == "unknown-custodian")
            scene.Receipt("stranger", [image]);
        else if (lack != "copies")
            scene.Receipt("museum", [image]);
        if (lack == "refuted-later")
            scene.Verify(image, "refuted");
        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.False(decision.IsCleared);
        Says(decision, "preserved", why);
        Assert.Equal(RuleOutcome.NotMet, Rule(decision, "preserved").Outcome);
    }

    [Theory]
    [InlineData("customer", "customer", true)]
    [InlineData("counsel", "counsel", false)]
    [InlineData("customer", "keeper", false)]
    public void Unread_ranges_are_accepted_by_name_by_whom_the_policy_says(string party, string person, bool opens)
    {
        Scene scene = Scene(notices: 1);
        Sha256Digest image = scene.Image(absent: 512);
        scene.Verify(image, "incomplete");
        scene.Receipt("museum", [image], "incomplete");
        scene.Respond(ResponseAct.Acceptance, party, person, image: image);
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.Equal(opens, scene.Judge().IsCleared);
    }

    [Theory]
    [InlineData(null, false, 0, true)]
    [InlineData("WD-1", null, 0, true)]
    [InlineData("WD-1", false, 4096, true)]
    [InlineData("WD-2", false, 0, false)]
    [InlineData("WD-1", true, 0, false)]
    public void What_an_entry_does_not_say_of_the_disk_is_accepted_by_name_and_what_it_denies_is_not(string? serial, bool? live, long hidden, bool opens)
    {
        Scene scene = Scene(notices: 1, [new(Disk, "WD-1", null)]);
        Sha256Digest image = scene.Image(serial: serial, live: live, hidden: hidden);
        scene.Verify(image);
        scene.Receipt("museum", [image]);
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Respond(ResponseAct.Acceptance, "customer", "customer", image: image);
        scene.Stamp();
        Assert.Equal(opens, scene.Judge().IsCleared);
        Assert.Equal(opens, Rule(scene.Judge(), "preserved").Reasons.Any(reason => reason.Sentence.Contains("accepted as it is by customer", StringComparison.Ordinal)));
    }

    [Fact]
    public void An_order_binds_though_everything_is_preserved_until_it_is_released()
    {
        Scene scene = Preserved();
        long hold = scene.Hold("court", "judge", HoldForm.Order);
        Shut(scene.Judge(), "holds", "binds");
        // Not by another, not by the firm in its name.
        scene.Release(hold, "counsel", "counsel");
        scene.Release(hold, "court", "keeper", paper: true);
        scene.Stamp();
        GateDecision refused = scene.Judge();
        Shut(refused, "holds", "counsel did not place it");
        Shut(refused, "holds", "is not signed by the key of court");
        scene.Release(hold, "court", "judge");
        scene.Stamp();
        GateDecision cooling = scene.Judge();
        Says(cooling, "holds", "was released by court");
        Shut(cooling, "cooling-off", "lasts until");
        scene.Pass(Duration.FromDays(14));
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void A_superior_on_the_record_releases_and_overrules_and_nobody_else_does()
    {
        Scene scene = Preserved();
        long hold = scene.Hold("authority", "agent", HoldForm.Order);
        long objection = scene.Respond(ResponseAct.Objection, "customer", "customer");
        scene.Release(hold, "customer", "customer");
        scene.Release(objection, "counsel", "counsel");
        scene.Pass(Duration.FromDays(15));
        Shut(scene.Judge(), "holds", "the policy lets no customer release it");
        Shut(scene.Judge(), "objections", "customer objects");
        scene.Release(hold, "court", "judge");
        scene.Release(objection, "court", "judge");
        scene.Pass(Duration.FromDays(15));
        GateDecision decision = scene.Judge();
        Says(decision, "holds", "was released by court");
        Says(decision, "objections", "was overruled by court");
        Assert.NotEqual(RuleOutcome.Refused, Rule(decision, "objections").Outcome);
    }

    [Fact]
    public void A_hold_ends_when_it_said_by_a_time_from_outside()
    {
        Scene scene = Preserved();
        Instant until = scene.Now + Duration.FromDays(3);
        scene.Hold("court", "judge", HoldForm.Order, until);
        scene.Now = until + Duration.FromHours(1);
        Shut(scene.Judge(), "holds", "binds");
        scene.Stamp();
        Assert.Equal(RuleOutcome.Met, Rule(scene.Judge(), "holds").Outcome);
        Shut(scene.Judge(), "cooling-off", "ended");
    }

    [Fact]
    public void Who_consents_need_not_be_told_and_who_objected_is_not_silent()
    {
        Scene scene = Scene(notices: 0);
        Preserve(scene);
        scene.Respond(ResponseAct.Consent, "customer", "customer");
        scene.Respond(ResponseAct.Consent, "counsel", "keeper");
        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Says(decision, "told", "customer consents");
        // Counsel has a key, and did not sign.
        Says(decision, "told", "counsel was told 0 of 1 times");
        Assert.False(decision.IsCleared);
    }

    private const string Disk = Preservation.Scene.Disk;

    /// <summary>Everybody on the record, a request of counsel's to keep it, and notices to both whose windows are closed: one is enough for what is preserved, two are where nobody answers.</summary>
    internal static Scene Scene(int notices, AssetDisk[]? disks = null, PreservationPolicy? policy = null)
    {
        var scene = new Scene(policy);
        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        scene.Party("customer", PartyRole.Customer, "customer");
        scene.Party("counsel", PartyRole.Counsel, "counsel");
        scene.Party("court", PartyRole.Court, "judge");
        scene.Party("authority", PartyRole.Authority, "agent");
        scene.Party("museum", PartyRole.Custodian, "museum");
        scene.Asset(disks: disks);
        scene.Hold("counsel", "counsel");
        scene.Stamp();
        for (int i = 0; i < notices; i++)
        {
            scene.Notice("customer");
            scene.Notice("counsel");
            scene.Pass(Duration.FromDays(35));
        }

        return scene;
    }

    internal static void Preserve(Scene scene)
    {
        Sha256Digest image = scene.Image();
        scene.Verify(image);
        scene.Receipt("museum", scene.Images);
    }

    internal static Scene Preserved()
    {
        Scene scene = Scene(notices: 1);
        Preserve(scene);
        scene.RequestAndApprove();
        scene.Stamp();
        return scene;
    }

    internal static Scene Silent()
    {
        Scene scene = Scene(notices: 2);
        scene.RequestAndApprove();
        scene.Stamp();
        return scene;
    }

    internal static GateRule Rule(GateDecision decision, string name) => Assert.Single(decision.Rules, rule => rule.Name == name);

    internal static void Says(GateDecision decision, string rule, string words) =>
        Assert.True(Rule(decision, rule).Reasons.Any(reason => reason.Sentence.Contains(words, StringComparison.Ordinal)), $"'{words}' is not in:\n{Text(decision)}");

    internal static void Shut(GateDecision decision, string rule, string words)
    {
        Assert.False(decision.IsCleared, Text(decision));
        Assert.True(Rule(decision, rule).Outcome == RuleOutcome.Refused, Text(decision));
        Says(decision, rule, words);
        // Who is refused is told what is missing.
        Assert.Contains(Rule(decision, rule).Reasons, reason => reason.WayOut is { Length: > 0 });
    }

    internal static string Text(GateDecision decision) =>
        string.Join('\n', decision.Rules.SelectMany(rule => rule.Reasons.Select(reason => $"{rule.Name} {rule.Outcome}: {reason.Sentence} [{string.Join(',', reason.Entries)}] {reason.WayOut}")));
}
