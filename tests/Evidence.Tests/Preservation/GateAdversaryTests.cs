using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Tests.Ledger;
using NodaTime;
using Xunit;
using static Evidence.Tests.Preservation.WipeGateTests;

namespace Evidence.Tests.Preservation;

/// <summary>Whoever would have the gate open, or shut, by a trick is refused or exposed, and the text says which.</summary>
public sealed class GateAdversaryTests
{
    [Fact]
    public void A_hold_that_is_dated_back_binds_from_its_place_and_is_exposed()
    {
        Scene scene = Preserved();
        scene.Hold("court", "judge", HoldForm.Order, since: Preservation.Scene.Begin, claimed: Preservation.Scene.Begin);
        GateDecision decision = scene.Judge();
        Shut(decision, "holds", "which says it is since 2012-01-20 09:00:00Z and came into the ledger after");
    }

    [Theory]
    [InlineData(HoldForm.Request)]
    [InlineData(HoldForm.Letter)]
    [InlineData(HoldForm.Order)]
    public void A_hold_that_comes_after_the_silence_of_whoever_places_it_binds(HoldForm form)
    {
        Scene scene = Silent();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        long hold = scene.Hold("counsel", "counsel", form);
        scene.Stamp();
        Shut(scene.Judge(), "holds", $"The hold of counsel (entry {hold}");
        Says(scene.Judge(), "silence", $"counsel placed a hold since, by entry {hold}");
        if (form == HoldForm.Order)
            return;
        // Told anew, and silent again, they let it go.
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("counsel");
            scene.Pass(Duration.FromDays(35));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void A_consent_lets_no_hold_go_that_came_after_it()
    {
        Scene scene = Silent();
        scene.Respond(ResponseAct.Consent, "counsel", "counsel");
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Hold("counsel", "counsel");
        scene.Stamp();
        Shut(scene.Judge(), "holds", "binds");
        scene.Now += Duration.FromMinutes(1);
        scene.Respond(ResponseAct.Consent, "counsel", "counsel");
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    /// <summary>Notices that nobody had to be sent, and then a demand by whoever got them: there is somebody with a say now, and they did not keep silent.</summary>
    [Fact]
    public void A_first_hold_opens_nothing_by_giving_its_maker_a_say()
    {
        var scene = new Scene();
        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        scene.Party("counsel", PartyRole.Counsel, "counsel");
        scene.Asset(parties: []);
        scene.Stamp();
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("counsel");
            scene.Pass(Duration.FromDays(35));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared);
        scene.Hold("counsel", "counsel");
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared);
        Shut(scene.Judge(), "holds", "binds");
    }

    [Theory]
    [InlineData(PartyRole.Custodian)]
    [InlineData(PartyRole.Provider)]
    public void Who_is_called_something_else_later_is_heard_all_the_same(PartyRole other)
    {
        Scene scene = Silent();
        scene.Respond(ResponseAct.Objection, "customer", "customer");
        scene.Party("customer", other, "customer");
        scene.Stamp();
        Shut(scene.Judge(), "objections", "customer objects");

        // Who is to be told is not told less, and who may overrule others by a new name is not obeyed.
        Scene untold = Scene(notices: 0);
        untold.Party("customer", other, "customer");
        untold.Notice("counsel");
        untold.Pass(Duration.FromDays(35));
        Says(untold.Judge(), "silence", "customer was told 0 of 2 times");
        Scene risen = Preserved();
        long hold = risen.Hold("counsel", "counsel", HoldForm.Order);
        risen.Party("customer", PartyRole.Court, "customer");
        risen.Release(hold, "customer", "customer");
        risen.Pass(Duration.FromDays(20));
        Shut(risen.Judge(), "holds", "customer did not place it, and the policy lets no customer release it");
    }

    [Fact]
    public void Whose_days_are_said_to_be_elsewhere_loses_none_of_them()
    {
        Scene scene = Scene(notices: 0);
        scene.Party("customer", PartyRole.Customer, "customer", zone: "America/Los_Angeles");
        scene.Party("customer", PartyRole.Customer, "customer", zone: "Pacific/Kiritimati");
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("customer", zone: "Pacific/Kiritimati");
            scene.Notice("counsel");
            scene.Pass(Duration.FromDays(40));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared);
        Says(scene.Judge(), "silence", "says of the party's days (Etc/UTC) it would end at");

        // Said to be where the days end last, they can be told.
        scene.Party("customer", PartyRole.Customer, "customer", zone: "America/Los_Angeles");
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("customer", zone: "America/Los_Angeles");
            scene.Pass(Duration.FromDays(40));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void A_proposal_that_slept_takes_the_place_of_no_later_policy()
    {
        Scene scene = Scene(notices: 0);
        PreservationPolicy lax = scene.Policy with { Digest = Sha256Digest.Compute("lax"u8), Name = "Lax", Holds = new HoldRules(HoldTerm.Never, HoldTerm.Never, HoldTerm.Never) };
        PreservationPolicy strict = scene.Policy with
        {
            Digest = Sha256Digest.Compute("strict"u8),
            Name = "Strict",
            Approvals = scene.Policy.Approvals with { By = [Preservation.Scene.KeyId("judge"), Preservation.Scene.KeyId("agent")] },
        };
        scene.Adopt(lax);
        scene.Adopt(strict);
        long sleeping = scene.Say("clerk", [], new PolicyStatement(lax.Digest, lax.Name, scene.Policy.Digest));
        long better = scene.Say("clerk", [], new PolicyStatement(strict.Digest, strict.Name, scene.Policy.Digest));
        scene.Approve(better, "alice");
        scene.Approve(better, "bob");
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Assert.Equal(strict.Digest, scene.Judge().Policy);
        // Those who approved for the old one approve the sleeping one.
        scene.Approve(sleeping, "alice");
        scene.Approve(sleeping, "bob");
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Assert.Equal(strict.Digest, scene.Judge().Policy);
        Says(scene.Judge(), "policy", $"Entry {sleeping} proposes the policy 'Lax', which is not in force: it is not made for the place of the one that is");
        // Nor when the old one comes back.
        long back = scene.Say("clerk", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, strict.Digest));
        scene.Approve(back, "judge");
        scene.Approve(back, "agent");
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Assert.Equal(scene.Policy.Digest, scene.Judge().Policy);
        Says(scene.Judge(), "policy", $"is in force by entry {back}");
    }

    [Fact]
    public void What_travelled_counts_though_a_stamp_came_before_it()
    {
        Scene scene = Silent();
        Instant signed = scene.Now;
        long objection = scene.Respond(ResponseAct.Objection, "customer", "customer");
        scene.Pass(Duration.FromDays(2));
        scene.Say("customer", [Preservation.Scene.Server], new ResponseStatement(ResponseAct.Withdrawal, "customer", LedgerFixture.Origin, null, null, "words", null), signed + Duration.FromHours(1));
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Says(scene.Judge(), "objections", "took it back");
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        Assert.True(objection > 0);
    }

    [Fact]
    public void A_report_of_a_wipe_that_never_began_closes_no_story()
    {
        Scene scene = Silent();
        scene.Say("stranger", [Preservation.Scene.Server], new WipeReport(Sha256Digest.Compute("nothing"u8), Preservation.Scene.Server, "overwritten", "none", [], "nobody", [], null, null));
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        Assert.Null(scene.Docket().Assets[Preservation.Scene.Server].Wiped);
    }

    [Fact]
    public void A_notice_that_is_entered_after_the_fact_does_not_count()
    {
        Scene scene = Scene(notices: 0);
        Instant then = scene.Now + Duration.FromHours(1);
        scene.Pass(Duration.FromDays(120));
        // Everything claims to be of four months ago, and the window was over long since.
        var window = ResponseWindow.Compute(then + Duration.FromDays(1), 20, WindowUnit.Working, "Etc/UTC", WorkingCalendar.Plain);
        foreach (string party in (string[])["customer", "counsel"])
        {
            long notice = scene.Say("keeper", [Preservation.Scene.Server], new NoticeStatement(party, LedgerFixture.Origin, "to be wiped", null, scene.Policy.Digest, AssetList.Of([Preservation.Scene.Server]), window), then);
            scene.Deliver(notice, claimed: then);
        }

        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.False(decision.IsCleared);
        Says(decision, "silence", "it was put in later than it says");
    }

    [Fact]
    public void A_delivery_that_nobody_outside_saw_in_time_does_not_count()
    {
        Scene scene = Scene(notices: 0);
        for (int i = 0; i < 2; i++)
        {
            foreach (string party in (string[])["customer", "counsel"])
                scene.Deliver(scene.Notice(party, deliver: false));
            // The stamp comes a week after the window began.
            scene.Pass(Duration.FromDays(8));
            scene.Pass(Duration.FromDays(40));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.False(decision.IsCleared);
        Says(decision, "silence", "nothing proves from outside that it was delivered by");
    }

    [Theory]
    [InlineData(DeliveryOutcome.Failed, true)]
    [InlineData(DeliveryOutcome.Attempted, true)]
    [InlineData(DeliveryOutcome.Delivered, false)]
    public void What_was_not_delivered_or_is_not_shown_does_not_count(DeliveryOutcome outcome, bool paper)
    {
        Scene scene = Scene(notices: 0);
        for (int i = 0; i < 2; i++)
        {
            foreach (string party in (string[])["customer", "counsel"])
            {
                scene.Deliver(scene.Notice(party, deliver: false), outcome, paper);
                scene.Stamp();
            }

            scene.Pass(Duration.FromDays(40));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared);
        Says(scene.Judge(), "silence", "was told 0 of 2 times");
    }

    [Fact]
    public void A_clock_that_is_set_back_is_seen()
    {
        Scene scene = Preserved();
        Shut(scene.Judge(at: scene.Now - Duration.FromDays(1)), "time", "the clock was set back");
    }

    [Fact]
    public void A_clock_that_is_set_ahead_brings_no_window_to_its_end()
    {
        Scene scene = Scene(notices: 0);
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("customer");
            scene.Notice("counsel");
            scene.Pass(i == 0 ? Duration.FromDays(40) : Duration.FromDays(5));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge(at: scene.Now + Duration.FromDays(6));
        Assert.False(decision.IsCleared);
        Says(decision, "silence", "what counts as now is");
        Shut(scene.Judge(at: scene.Now + Duration.FromDays(40)), "time", "either this is an old copy of the ledger");
    }

    [Fact]
    public void Who_requests_does_not_approve_and_nobody_approves_twice()
    {
        Scene scene = Scene(notices: 1);
        Preserve(scene);
        scene.Party("desk", PartyRole.Provider, "clerk");
        long request = scene.Request("clerk");
        scene.Approve(request, "clerk");
        scene.Approve(request, "alice");
        scene.Approve(request, "alice");
        scene.Approve(request, "stranger");
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Shut(decision, "approvals", "1 of 2 approvals count (alice)");
        Says(decision, "approvals", "clerk's approval of their own request");
        Says(decision, "approvals", "signed by stranger, whom the policy does not name");
    }

    [Fact]
    public void Approvals_of_an_earlier_request_and_old_ones_do_not_count()
    {
        Scene scene = Scene(notices: 1);
        Preserve(scene);
        scene.RequestAndApprove();
        scene.Now += Duration.FromMinutes(1);
        scene.Request();
        scene.Stamp();
        Shut(scene.Judge(), "approvals", "0 of 2");
        scene.Now += Duration.FromMinutes(1);
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Pass(Duration.FromDays(31));
        Shut(scene.Judge(), "approvals", "more than 30 days ago");
    }

    [Fact]
    public void Another_asset_of_the_same_name_shuts_it()
    {
        Scene scene = Preserved();
        scene.Asset(serials: ["SN-of-another"]);
        Shut(scene.Judge(), "asset", "declares another machine, or another disk, under the same name: serials SN-of-another");
    }

    [Fact]
    public void A_disk_that_is_declared_again_as_another_shuts_it_and_disks_and_parties_are_never_taken_away()
    {
        Scene scene = Preserved();
        scene.Asset(disks: [], parties: []);
        Assert.True(scene.Judge().IsCleared);
        scene.Asset(disks: [new AssetDisk("server-7/sdb", null, null)], parties: ["authority"]);
        GateDecision more = scene.Judge();
        Says(more, "preserved", "There is no image of the disk server-7/sdb");
        Says(more, "told", "authority was told 0 of 1 times");
        scene.Asset(disks: [new AssetDisk(Preservation.Scene.Disk, "WD-9", null)]);
        Shut(scene.Judge(), "asset", "another machine, or another disk");
    }

    [Fact]
    public void A_disk_that_two_machines_have_preserves_neither()
    {
        Scene scene = Preserved();
        Assert.True(scene.Judge().IsCleared);
        scene.Asset("server-8", disks: [new AssetDisk(Preservation.Scene.Disk, null, null)]);
        foreach (string asset in (string[])["server-7", "server-8"])
        {
            Assert.False(scene.Judge(asset).IsCleared);
            Says(scene.Judge(asset), "preserved", "whose image it is, nobody can tell");
        }
    }

    [Theory]
    [InlineData("SN-server-7", null)]
    [InlineData("SN-spare", "WD-1")]
    [InlineData("WD-1", null)]
    [InlineData("SN-spare", "SN-server-7")]
    [InlineData("sn server 7", null)]
    [InlineData("SN-spare", "wd1")]
    public void The_same_machine_under_a_second_name_is_cleared_under_neither(string serial, string? disk)
    {
        Scene scene = Scene(notices: 0, disks: [new AssetDisk(Preservation.Scene.Disk, "WD-1", null)]);
        scene.Hold("court", "judge", HoldForm.Order);
        // Of the second name nobody knows, and nobody is asked.
        scene.Asset("spare", serials: ["SN-spare-0"], disks: [new AssetDisk("spare/sda", null, null)], parties: []);
        scene.Asset("other", serials: [serial], disks: [new AssetDisk("other/sda", disk, null)], parties: []);
        foreach (string name in (string[])["spare", "other"])
        {
            Sha256Digest image = scene.Image($"{name}/sda", serial: disk);
            scene.Verify(image);
            scene.Receipt("museum", scene.Images);
            scene.RequestAndApprove(name);
        }

        scene.Stamp();
        Assert.True(scene.Judge("spare").IsCleared, Text(scene.Judge("spare")));
        Shut(scene.Judge("other"), "asset", "is declared of server-7, too, by entry");
        Shut(scene.Judge(), "asset", "is declared of other, too, by entry");
    }

    [Theory]
    [InlineData("R", "R", "is of the replica")]
    [InlineData("", "", "is of a copy that is no replica")]
    [InlineData("R", "S", null)]
    [InlineData("R", "", null)]
    public void A_copy_that_went_through_two_hands_is_one(string first, string second, string? doubt)
    {
        Scene scene = Scene(notices: 1);
        scene.Party("bank", PartyRole.Custodian, "bank");
        Sha256Digest image = scene.Image();
        long museum = scene.Receipt("museum", [image], replica: first);
        scene.Receipt("bank", [image], replica: second);
        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.True(decision.IsCleared == (doubt is null), Text(decision));
        Says(decision, "preserved", doubt is null ? "verified from the medium by bank, museum: 2 of 2" : "verified from the medium by bank: 1 of 2");
        if (doubt is null)
            return;
        Says(decision, "preserved", $"One does not count: the receipt in entry {museum} {doubt}");
        // Where it comes back, who had it first has it.
        scene.Receipt("museum", [image], replica: first);
        Says(scene.Judge(), "preserved", "verified from the medium by museum: 1 of 2");
        // What the vault's keeper has is another copy.
        scene.Verify(image);
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void A_copy_that_was_handed_on_leaves_the_other_one_that_its_custodian_has()
    {
        Scene scene = Scene(notices: 1);
        scene.Party("bank", PartyRole.Custodian, "bank");
        Sha256Digest image = scene.Image();
        scene.Receipt("museum", [image]);
        scene.Receipt("museum", [image], "refuted", replica: "R");
        scene.RequestAndApprove();
        scene.Stamp();
        Says(scene.Judge(), "preserved", "museum found it refuted");
        scene.Receipt("bank", [image], replica: "R");
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        // A stranger who has it now is no custodian; the bank is none any more.
        scene.Receipt("stranger", [image], replica: "R");
        Says(scene.Judge(), "preserved", "verified from the medium by museum: 1 of 2");
    }

    [Fact]
    public void A_policy_that_is_swapped_is_not_in_force()
    {
        Scene scene = Scene(notices: 0);
        PreservationPolicy lax = scene.Policy with
        {
            Digest = Sha256Digest.Compute("lax"u8),
            Name = "Lax",
            Notices = scene.Policy.Notices with { OnSilence = scene.Policy.Notices.OnSilence with { Count = 0 } },
            Approvals = scene.Policy.Approvals with { Count = 0 },
            Changes = new ChangeRules(0, Duration.Zero),
            Holds = new HoldRules(HoldTerm.Never, HoldTerm.Never, HoldTerm.Never),
        };
        scene.Adopt(lax);
        long change = scene.Say("clerk", [], new PolicyStatement(lax.Digest, lax.Name, scene.Policy.Digest));
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.Equal(scene.Policy.Digest, decision.Policy);
        Says(decision, "policy", "0 of the 2 approvals that the one before it asks for");
        // Brought by whoever asks, it is refused as well.
        Shut(scene.Judge(policy: lax), "policy", "is not the one in force");
        // Approved by the one who proposes it and one more, it still is not.
        scene.Approve(change, "clerk");
        scene.Approve(change, "alice");
        scene.Stamp();
        Says(scene.Judge(), "policy", "1 of the 2 approvals");
        // Approved by two others, it waits.
        scene.Approve(change, "bob");
        scene.Stamp();
        Says(scene.Judge(), "policy", "it waits until");
        scene.Pass(Duration.FromDays(14));
        Assert.Equal(lax.Digest, scene.Judge().Policy);
        // Gone, it is no reason to go by the one before it.
        scene.Forget(lax);
        Shut(scene.Judge(), "policy", "is not in the vault");
    }

    [Fact]
    public void Notices_from_before_any_policy_do_not_count()
    {
        var scene = new Scene();
        scene.Party("customer", PartyRole.Customer, "customer");
        scene.Asset();
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("customer");
            scene.Pass(Duration.FromDays(40));
        }

        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.False(decision.IsCleared);
        Says(decision, "silence", "before any policy was on the record");
    }

    [Fact]
    public void An_objection_counts_whenever_it_comes_in_and_only_its_party_takes_it_back()
    {
        Scene scene = Silent();
        long objection = scene.Respond(ResponseAct.Objection, "customer", "keeper");
        Shut(scene.Judge(), "objections", "customer objects");
        // The firm takes it back in the customer's name; so does counsel.
        scene.Respond(ResponseAct.Withdrawal, "customer", "keeper", paper: true);
        scene.Respond(ResponseAct.Withdrawal, "counsel", "counsel");
        scene.Stamp();
        Shut(scene.Judge(), "objections", "customer objects");
        scene.Respond(ResponseAct.Withdrawal, "customer", "customer");
        scene.Stamp();
        Says(scene.Judge(), "objections", "took it back");
        Shut(scene.Judge(), "cooling-off", $"Entry");
        Assert.True(objection > 0);
    }

    [Fact]
    public void An_act_put_in_once_more_under_another_signature_changes_nothing()
    {
        Scene scene = Preserved();
        long hold = scene.Hold("court", "judge", HoldForm.Order);
        LedgerEntry placed = scene.Entry(hold);
        scene.Release(hold, "court", "judge");
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        // ECDSA signs the same bytes anew with another signature: the same hold, another leaf.
        scene.Append(LedgerEntry.Create(placed.Payload, Preservation.Scene.KeyOf("judge")));
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void A_verification_put_in_once_more_is_not_the_last_word()
    {
        Scene scene = Scene(notices: 1);
        Sha256Digest image = scene.Image();
        long good = scene.Verify(image);
        scene.Receipt("museum", [image]);
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Verify(image, "refuted");
        scene.Append(LedgerFixture.Repeat(scene.Entry(good)));
        Assert.False(scene.Judge().IsCleared);
        Says(scene.Judge(), "preserved", "the vault's keeper found it refuted");
    }

    [Fact]
    public void A_key_that_comes_later_does_not_release_what_came_by_letter()
    {
        Scene scene = Preserved();
        scene.Party("users", PartyRole.Users);
        long hold = scene.Say("keeper", [Preservation.Scene.Server], new HoldStatement(
            "users", HoldForm.Order, "by letter", Sha256Digest.Compute("letter"u8), "x", AssetList.Of([Preservation.Scene.Server]), null, null));
        // The firm makes a key for the users, and releases with it.
        scene.Party("users", PartyRole.Users, "puppet");
        scene.Release(hold, "users", "puppet");
        scene.Pass(Duration.FromDays(15));
        Shut(scene.Judge(), "holds", "names no paper that shows it");
    }

    [Fact]
    public void A_partys_first_key_stands()
    {
        Scene scene = Preserved();
        long hold = scene.Hold("court", "judge", HoldForm.Order);
        scene.Party("court", PartyRole.Court, "puppet");
        scene.Release(hold, "court", "puppet");
        scene.Pass(Duration.FromDays(15));
        Shut(scene.Judge(), "holds", "is not signed by the key of court");
    }

    [Fact]
    public void What_was_taken_away_is_not_the_firms_to_wipe()
    {
        Scene scene = Preserved();
        scene.State(AssetState.Seized);
        Shut(scene.Judge(), "asset", "It was seized");
        scene.State(AssetState.Returned);
        Assert.False(scene.Judge().IsCleared);
        Says(scene.Judge(), "preserved", "came back after that");
        // What others did with it is in an image from then on.
        Preserve(scene);
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Theory]
    [InlineData(Preservation.Scene.Server, "It was handed over")]
    [InlineData(Preservation.Scene.Disk, "Its disk server-7/sda was handed over")]
    public void What_was_handed_over_is_not_the_firms_to_wipe(string item, string why)
    {
        Scene scene = Preserved();
        long offer = scene.Put("keeper", EntryKind.Transfer, [item], new TransferOffer(LedgerFixture.Origin, "The authority", null).ToJson());
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Put("agent", EntryKind.Transfer, [item], new TransferAnswer(true, LedgerFixture.Origin, scene.Leaf(offer)).ToJson());
        Shut(scene.Judge(), "asset", $"{why} to The authority");
        scene.State(AssetState.Returned);
        Assert.Equal(RuleOutcome.Met, Rule(scene.Judge(), "asset").Outcome);
    }

    [Fact]
    public void A_hold_by_a_selector_that_would_choose_fewer_later_binds_all_that_it_chose()
    {
        Scene scene = Preserved();
        void Move(string rack) => scene.Say("keeper", [Preservation.Scene.Server], new AssetDeclaration(Preservation.Scene.Server, ["SN-server-7"], [], rack, []));
        Move("B");
        IReadOnlyList<string> chosen = AssetSelector.Parse("rack=B").Resolve(scene.Docket());
        Assert.Equal([Preservation.Scene.Server], chosen, StringComparer.Ordinal);
        long hold = scene.Say("judge", chosen, new HoldStatement("court", HoldForm.Order, "all of rack B", null, "rack=B", AssetList.Of([.. chosen]), null, null));
        Move("C");
        Assert.Throws<EvidenceException>(() => AssetSelector.Parse("rack=B").Resolve(scene.Docket()));
        scene.Stamp();
        Shut(scene.Judge(), "holds", $"The hold of court (entry {hold}, order: all of rack B) binds");
    }

    [Fact]
    public void A_paper_that_is_not_in_the_vault_shows_nothing()
    {
        Scene scene = Silent();
        scene.Party("users", PartyRole.Users);
        long hold = scene.Hold("users", "keeper", HoldForm.Order);
        scene.Release(hold, "users", "keeper", paper: true);
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.LosePaper();
        Shut(scene.Judge(), "holds", "is not in the vault");
        Says(scene.Judge(), "silence", "the paper that shows its delivery (entry");
        Says(scene.Judge(), "silence", "customer was told 0 of 2 times");
    }

    [Fact]
    public void Whom_a_thief_put_on_the_record_may_be_nobody()
    {
        Scene scene = Preserved();
        long hold = scene.Hold("authority", "agent", HoldForm.Order);
        Instant stolen = scene.Now;
        scene.Now += Duration.FromMinutes(1);
        scene.Party("supreme", PartyRole.Court, "puppet");
        scene.Release(hold, "supreme", "puppet");
        scene.Pass(Duration.FromDays(15));
        Assert.Equal(RuleOutcome.Met, Rule(scene.Judge(), "holds").Outcome);
        scene.Put("keeper", EntryKind.Identity, [], new KeyRevocation(Preservation.Scene.KeyId("keeper"), stolen, null).ToJson());
        Shut(scene.Judge(), "holds", "may not be keeper's");
    }

    [Fact]
    public void An_image_from_before_the_machine_was_in_service_again_preserves_nothing()
    {
        Scene scene = Preserved();
        scene.State(AssetState.Isolated);
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        long used = scene.State(AssetState.InService);
        Shut(scene.Judge(), "asset", $"It is in service, by entry {used}");
        Says(scene.Judge(), "preserved", $"by entry {used} the machine is in service");
        // Neither does one from while it was.
        Preserve(scene);
        Assert.Equal(RuleOutcome.NotMet, Rule(scene.Judge(), "preserved").Outcome);
        scene.Now += Duration.FromMinutes(1);
        long ended = scene.State(AssetState.Isolated);
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared);
        Assert.Equal(RuleOutcome.Met, Rule(scene.Judge(), "asset").Outcome);
        Says(scene.Judge(), "preserved", $"by entry {ended} the machine was in service until after that");
        // Verified once more, it is no newer.
        scene.Verify(scene.Images[^1]);
        scene.Receipt("museum", scene.Images);
        Assert.False(scene.Judge().IsCleared);
        Preserve(scene);
        scene.Stamp();
        Assert.Equal(RuleOutcome.Met, Rule(scene.Judge(), "preserved").Outcome);
    }

    [Fact]
    public void An_image_is_of_the_disk_that_it_was_first_recorded_of_and_of_no_other()
    {
        Scene scene = Scene(notices: 1, [new AssetDisk(Preservation.Scene.Disk, null, null), new AssetDisk("server-7/sdb", null, null)]);
        Sha256Digest image = scene.Image();
        scene.Record(image, "server-7/sdb");
        scene.Verify(image);
        scene.Receipt("museum", [image]);
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", "There is no image of the disk server-7/sdb");
        Sha256Digest other = scene.Image("server-7/sdb");
        scene.Verify(other);
        scene.Receipt("museum", scene.Images);
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void On_silence_either_nothing_is_wiped_that_is_in_service()
    {
        Scene scene = Silent();
        scene.State(AssetState.InService);
        Shut(scene.Judge(), "asset", "It is in service");
        long ended = scene.State(AssetState.Isolated);
        // Who was told before was told of other data; so was who consented.
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "silence", $"does not count: the machine was in service until after that, by entry {ended}");
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("customer");
            scene.Notice("counsel");
            scene.Pass(Duration.FromDays(35));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        Assert.Equal(ClearanceGround.Silence, scene.Judge().Ground);
    }

    [Fact]
    public void A_window_that_is_counted_short_or_elsewhere_does_not_count()
    {
        Scene scene = Scene(notices: 0);
        for (int i = 0; i < 3; i++)
        {
            scene.Notice("customer", days: i == 0 ? 19 : 20, zone: i == 1 ? "Asia/Tokyo" : "Etc/UTC");
            scene.Pass(Duration.FromDays(40));
        }

        GateDecision decision = scene.Judge();
        Says(decision, "silence", "its window is 19 working days");
        Says(decision, "silence", "by another calendar or zone than the party's");
        Says(decision, "silence", "customer was told 1 of 2 times");
    }

    [Fact]
    public void Where_nobody_is_named_nobody_is_silent()
    {
        var scene = new Scene();
        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        scene.Asset(parties: []);
        scene.RequestAndApprove();
        scene.Stamp();
        GateDecision decision = scene.Judge();
        Assert.False(decision.IsCleared);
        Says(decision, "silence", "names nobody who has a say");
    }

    [Fact]
    public void What_was_said_for_another_ledger_is_said_for_that_one_alone()
    {
        Scene scene = Silent();
        long objection = scene.Respond(ResponseAct.Objection, "customer", "customer");
        // The customer's own signature, for the ledger of another firm where an asset of the same name is, put in here by whoever got hold of it.
        foreach (ResponseAct act in (ResponseAct[])[ResponseAct.Withdrawal, ResponseAct.Consent])
            scene.Say("customer", [Preservation.Scene.Server], new ResponseStatement(act, "customer", "evidence.example/another", null, null, null, null));
        scene.Stamp();
        Shut(scene.Judge(), "objections", $"customer objects, by entry {objection}");
        Says(scene.Judge(), "objections", "it is of the log evidence.example/another");
        scene.Respond(ResponseAct.Withdrawal, "customer", "customer");
        scene.Pass(Duration.FromDays(15));
        Assert.DoesNotContain(scene.Judge().Rules.SelectMany(rule => rule.Reasons), reason => reason.Sentence.Contains("consents", StringComparison.Ordinal));
    }
}
