using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using NodaTime;
using Xunit;
using static Evidence.Tests.Preservation.WipeGateTests;

namespace Evidence.Tests.Preservation;

/// <summary>What somebody says of the time makes what they say older, and never younger; and what was made last is the last word, whenever it came in.</summary>
public sealed class GateAgeTests
{
    private const string Server = Preservation.Scene.Server;

    [Fact]
    public void An_approval_that_is_dated_ahead_is_as_old_as_it_may_be()
    {
        Scene scene = Scene(notices: 1);
        Preserve(scene);
        long request = scene.Request();
        scene.Stamp();
        Instant stamped = scene.Now;
        foreach (string person in (string[])["alice", "bob"])
            scene.Approve(request, person, claimed: scene.Now + Duration.FromDays(25));
        scene.Pass(Duration.FromDays(29));
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Pass(Duration.FromDays(2));
        Shut(scene.Judge(), "approvals", $"may be of {Words.Of(stamped)}, by what is proved and by its own word, more than 30 days ago");
    }

    [Fact]
    public void An_approval_that_says_it_is_older_than_its_place_is()
    {
        Scene scene = Scene(notices: 1);
        long request = scene.Request();
        Instant signed = scene.Now;
        scene.Pass(Duration.FromDays(31));
        Preserve(scene);
        foreach (string person in (string[])["alice", "bob"])
            scene.Approve(request, person, claimed: signed);
        scene.Stamp();
        Shut(scene.Judge(), "approvals", "more than 30 days ago");
    }

    [Fact]
    public void Before_any_time_stamp_an_approval_may_be_of_any_age()
    {
        var scene = new Scene();
        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        scene.Asset(parties: []);
        Preserve(scene);
        scene.Party("museum", PartyRole.Custodian, "museum");
        scene.RequestAndApprove();
        scene.Stamp();
        Shut(scene.Judge(), "approvals", "names a time stamp, so that it may be of any age");
        Says(scene.Judge(), "preserved", "may be of any age, for no entry before it names a time stamp");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_verification_that_is_dated_ahead_is_as_old_as_it_may_be(bool receipt)
    {
        Scene scene = Scene(notices: 1);
        Sha256Digest image = scene.Image();
        Instant ahead = scene.Now + Duration.FromDays(80);
        scene.Verify(image, claimed: receipt ? null : ahead);
        scene.Receipt("museum", [image], claimed: receipt ? ahead : null);
        scene.Pass(Duration.FromDays(85));
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        (receipt ? () => scene.Verify(image) : (Func<long>)(() => scene.Receipt("museum", [image])))();
        scene.Pass(Duration.FromDays(6));
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", $"what {(receipt ? "museum" : "the vault's keeper")} says may be of");
    }

    [Fact]
    public void A_receipt_that_travelled_counts_and_is_as_old_as_what_it_was_made_over()
    {
        Scene scene = Scene(notices: 1);
        Sha256Digest image = scene.Image();
        long size = scene.Size;
        Instant made = scene.Now;
        scene.Pass(Duration.FromDays(5));
        scene.Verify(image);
        scene.Receipt("museum", [image], size: size, claimed: made + Duration.FromHours(1));
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        // What it says of its time makes it no younger than the size that it names.
        scene.Pass(Duration.FromDays(80));
        scene.Verify(image);
        scene.Receipt("museum", [image], size: size, claimed: scene.Now);
        scene.RequestAndApprove();
        scene.Pass(Duration.FromDays(6));
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", $"what museum says may be of {Words.Of(made)}");
    }

    [Theory]
    [InlineData("refuted", "museum found it refuted")]
    [InlineData("absent", "does not hold it any more")]
    public void A_good_receipt_that_was_held_back_is_not_the_last_word(string later, string why)
    {
        Scene scene = Scene(notices: 1);
        Sha256Digest image = scene.Image();
        scene.Verify(image);
        long size = scene.Size;
        Instant made = scene.Now;
        scene.Stamp();
        scene.Now += Duration.FromHours(1);
        scene.Receipt("museum", [image], later);
        scene.Receipt("museum", [image], size: size, claimed: made);
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", later == "refuted" ? why : "1 of 2");
        // Made over the same ledger, the later by its own word is.
        Scene same = Scene(notices: 1);
        image = same.Image();
        same.Verify(image);
        size = same.Size;
        same.Receipt("museum", [image], later, size: size, claimed: same.Now + Duration.FromMinutes(1));
        same.Receipt("museum", [image], size: size, claimed: same.Now);
        same.RequestAndApprove();
        same.Stamp();
        Assert.False(same.Judge().IsCleared, Text(same.Judge()));
        Says(same.Judge(), "preserved", why);
    }

    [Fact]
    public void A_copy_that_does_not_hold_the_image_any_more_is_none()
    {
        Scene scene = Preserved();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Now += Duration.FromMinutes(1);
        long receipt = scene.Receipt("museum", scene.Images, "absent");
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", $"by the receipt in entry {receipt}, the replica");
        Says(scene.Judge(), "preserved", "does not hold it any more");
        // Another copy, which never held it, is no matter.
        scene.Now += Duration.FromMinutes(1);
        scene.Receipt("museum", scene.Images);
        scene.Now += Duration.FromMinutes(1);
        scene.Receipt("museum", scene.Images, "absent", replica: "partial");
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Theory]
    [InlineData(false, "which is not in the vault")]
    [InlineData(true, "the file of that name is another one")]
    public void A_time_stamp_that_is_gone_is_an_obstacle(bool isThere, string why)
    {
        Scene scene = Preserved();
        Instant before = scene.Now;
        scene.Pass(Duration.FromDays(40));
        Shut(scene.Judge(), "approvals", "more than 30 days ago");
        // Without the newest one, the clock could be set back to when everything was fresh.
        scene.LoseStamp(isThere);
        Shut(scene.Judge(at: before), "time", "names the time stamp ledger/timestamps/x.json");
        Says(scene.Judge(at: before), "time", why);
        Assert.Contains(Rule(scene.Judge(at: before), "time").Reasons, reason => reason.WayOut?.Contains("custodian of a replica", StringComparison.Ordinal) == true);
        Assert.Equal(["time"], scene.Judge(at: before).Rules.Where(rule => rule.Outcome == RuleOutcome.Refused).Select(rule => rule.Name), StringComparer.Ordinal);
    }

    [Fact]
    public void An_objection_to_one_entry_of_a_notice_is_to_the_notice()
    {
        Scene scene = Silent();
        scene.Asset("server-8");
        string[] all = [Server, "server-8"];
        long here = scene.Notice("customer", deliver: false, all: all);
        long there = scene.Notice("customer", deliver: false, asset: "server-8", all: all);
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        long objection = scene.Respond(ResponseAct.Objection, "customer", "customer", there, asset: "server-8");
        Shut(scene.Judge(), "objections", $"customer objects, by entry {objection} to the notice in entry {there}, which is one of several about all these assets");
        Says(scene.Judge("server-8"), "objections", $"customer objects, by entry {objection}");
        // Taken back for the one, it stands for the other.
        scene.Respond(ResponseAct.Withdrawal, "customer", "customer", there, asset: "server-8");
        scene.Stamp();
        Shut(scene.Judge(), "objections", "customer objects");
        scene.Respond(ResponseAct.Withdrawal, "customer", "customer", here);
        scene.Pass(Duration.FromDays(15));
        Says(scene.Judge(), "objections", "took it back");
    }
}
