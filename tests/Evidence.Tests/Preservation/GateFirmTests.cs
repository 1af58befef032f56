using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using NodaTime;
using Xunit;
using static Evidence.Tests.Preservation.WipeGateTests;

namespace Evidence.Tests.Preservation;

/// <summary>Anybody can leave an entry; what speaks for a wipe is taken only from whom the record names for it.</summary>
public sealed class GateFirmTests
{
    private const string Server = Preservation.Scene.Server;

    [Fact]
    public void A_verification_that_anybody_left_preserves_nothing_and_a_refutation_counts_from_anybody()
    {
        Scene scene = Scene(notices: 1);
        Sha256Digest image = scene.Image();
        scene.Receipt("museum", [image]);
        // Whoever calls themselves of the firm is not.
        scene.Party("night", PartyRole.Provider, "stranger", by: "stranger");
        long left = scene.Verify(image, person: "stranger");
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", $"the verification in entry {left} is signed by stranger, who does not speak for the firm");
        Says(scene.Judge(), "preserved", "1 of 2");

        scene.Party("day", PartyRole.Provider, "clerk");
        scene.Verify(image, person: "clerk");
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        scene.Verify(image, "refuted", person: "stranger");
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", "the vault's keeper found it refuted");
        scene.Now += Duration.FromMinutes(1);
        scene.Verify(image);
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void A_copy_that_the_firm_keeps_under_another_name_is_no_second_one()
    {
        Scene scene = Scene(notices: 1);
        // The keeper's own key, and a provider's, called custodians.
        scene.Party("archive", PartyRole.Custodian, "keeper");
        scene.Party("day", PartyRole.Provider, "clerk");
        scene.Party("vault-2", PartyRole.Custodian, "clerk");
        Sha256Digest image = scene.Image();
        scene.Verify(image);
        scene.Receipt("keeper", [image]);
        scene.Receipt("clerk", [image]);
        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "preserved", "verified from the medium by the vault's keeper: 1 of 2");
        // Nor is what was a provider once, whatever it is called later.
        scene.Party("day", PartyRole.Custodian, "clerk");
        scene.Receipt("clerk", [image], replica: "another");
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void A_court_that_anybody_put_on_the_record_releases_and_overrules_nothing()
    {
        Scene scene = Preserved();
        long hold = scene.Hold("authority", "agent", HoldForm.Order);
        long objection = scene.Respond(ResponseAct.Objection, "customer", "customer");
        scene.Party("supreme", PartyRole.Court, "puppet", by: "stranger");
        long release = scene.Release(hold, "supreme", "puppet");
        scene.Release(objection, "supreme", "puppet");
        // Nor does a key that anybody declared for a party that has none.
        scene.Party("users", PartyRole.Users);
        long users = scene.Hold("users", "keeper", HoldForm.Order);
        scene.Party("users", PartyRole.Users, "puppet", by: "stranger");
        scene.Release(users, "users", "puppet");
        scene.Pass(Duration.FromDays(15));
        Shut(scene.Judge(), "holds", $"The release in entry {release} does not count: supreme did not place it, and is not on the record");
        Shut(scene.Judge(), "objections", "supreme did not place it, and is not on the record");
        Says(scene.Judge(), "holds", "The hold of users");
        Assert.Contains(Rule(scene.Judge(), "holds").Reasons, reason => reason.IsObstacle && reason.Sentence.Contains("The hold of users", StringComparison.Ordinal));
    }

    [Fact]
    public void A_paper_that_anybody_recorded_for_a_party_without_a_key_shows_nothing()
    {
        Scene scene = Preserved();
        scene.Party("users", PartyRole.Users);
        long hold = scene.Hold("users", "keeper", HoldForm.Order);
        scene.Release(hold, "users", "stranger", paper: true);
        scene.Pass(Duration.FromDays(15));
        Shut(scene.Judge(), "holds", "is recorded for users by stranger, who does not speak for the firm");
        scene.Release(hold, "users", "keeper", paper: true);
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Assert.Equal(RuleOutcome.Met, Rule(scene.Judge(), "holds").Outcome);
    }

    [Fact]
    public void Notices_and_deliveries_that_anybody_recorded_tell_nobody()
    {
        Scene scene = Scene(notices: 0);
        for (int i = 0; i < 2; i++)
        {
            scene.Notice("customer", person: "stranger");
            scene.Deliver(scene.Notice("counsel", deliver: false), person: "stranger");
            scene.Stamp();
            scene.Pass(Duration.FromDays(35));
        }

        scene.RequestAndApprove();
        scene.Stamp();
        Assert.False(scene.Judge().IsCleared, Text(scene.Judge()));
        Says(scene.Judge(), "silence", "is signed by stranger, who does not speak for the firm");
        Says(scene.Judge(), "silence", "counsel was told 0 of 2 times");
    }

    [Fact]
    public void Only_the_firm_says_that_a_machine_came_back_or_is_out_of_service()
    {
        Scene scene = Silent();
        scene.State(AssetState.Seized);
        scene.State(AssetState.Returned, person: "stranger");
        scene.Stamp();
        Shut(scene.Judge(), "asset", "It was seized");
        scene.State(AssetState.Returned);
        scene.State(AssetState.InService, person: "stranger");
        scene.State(AssetState.Isolated, person: "stranger");
        scene.Stamp();
        Shut(scene.Judge(), "asset", "It is in service");
        scene.State(AssetState.Isolated);
        Assert.Equal(RuleOutcome.Met, Rule(scene.Judge(), "asset").Outcome);
    }

    [Fact]
    public void A_machine_that_anybody_declared_is_none_and_takes_no_name()
    {
        Scene scene = Preserved();
        scene.Say("stranger", [Server], new AssetDeclaration(Server, ["SN-of-another"], [], null, []));
        scene.Say("stranger", ["spare"], new AssetDeclaration("spare", [$"SN-{Server}"], [new AssetDisk("spare/sda", null, null)], null, ["customer"]));
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        Shut(scene.Judge("spare"), "asset", "stranger does not speak for the firm");
    }

    [Fact]
    public void What_came_of_a_wipe_says_whoever_began_it_or_the_firm()
    {
        Scene scene = Silent();
        long intent = scene.Say("operator", [Server], new WipeIntent(Sha256Digest.Compute("grant"u8), Server, scene.Size, default));
        scene.Say("stranger", [Server], new WipeAbandonment(scene.Leaf(intent), Server, "never mind"));
        scene.Say("stranger", [Server], new WipeReport(scene.Leaf(intent), Server, "overwritten", null, [], "nobody", [], null, null));
        scene.Now += Duration.FromMinutes(1);
        scene.RequestAndApprove();
        scene.Stamp();
        Shut(scene.Judge(), "asset", $"Entry {intent} says that a wipe of it began, and none says how that ended");
        Assert.Null(scene.Docket().Assets[Server].Wiped);
        scene.Say("operator", [Server], new WipeAbandonment(scene.Leaf(intent), Server, "the disk was gone"));
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void The_first_policy_is_the_firms()
    {
        var scene = new Scene();
        PreservationPolicy lax = scene.Policy with { Digest = Sha256Digest.Compute("lax"u8), Name = "Lax", Approvals = scene.Policy.Approvals with { By = [Preservation.Scene.KeyId("stranger")] } };
        scene.Adopt(lax);
        scene.Say("stranger", [], new PolicyStatement(lax.Digest, lax.Name, null));
        Shut(scene.Judge(), "policy", "stranger does not speak for the firm");
        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        Assert.Equal(scene.Policy.Digest, scene.Judge().Policy);
    }

    [Fact]
    public void Who_may_request_it_the_policy_says()
    {
        Scene scene = Scene(notices: 1);
        Preserve(scene);
        long own = scene.Request();
        scene.Approve(own, "alice");
        scene.Approve(own, "bob");
        // One of a stranger's, or of a party of another role, neither counts nor takes the place of that.
        foreach (string person in (string[])["stranger", "customer"])
        {
            long request = scene.Request(person);
            scene.Approve(request, "alice");
            scene.Approve(request, "bob");
        }

        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
        Assert.Equal(scene.Leaf(own), scene.Judge().Request);
        Says(scene.Judge(), "approvals", "is signed by stranger, who is none of those that may request it by the policy: provider");

        Scene customers = Scene(notices: 1, policy: scene.Policy with { Approvals = scene.Policy.Approvals with { RequestedBy = [PartyRole.Customer] } });
        Preserve(customers);
        customers.RequestAndApprove();
        customers.Stamp();
        Shut(customers.Judge(), "approvals", "is signed by keeper, who is none of those that may request it by the policy: customer");
        long theirs = customers.Request("customer");
        customers.Approve(theirs, "alice");
        customers.Approve(theirs, "bob");
        customers.Stamp();
        Assert.True(customers.Judge().IsCleared, Text(customers.Judge()));
    }

    [Fact]
    public void Two_keys_of_one_name_are_one_person()
    {
        PreservationPolicy policy = Preservation.Scene.DefaultPolicy;
        policy = policy with { Approvals = policy.Approvals with { By = [.. policy.Approvals.By, Preservation.Scene.KeyId("Alice"), Preservation.Scene.KeyId("Keeper ")] } };
        Scene scene = Scene(notices: 1, policy: policy);
        Preserve(scene);
        long request = scene.Request();
        scene.Approve(request, "alice");
        scene.Approve(request, "Alice");
        scene.Approve(request, "Keeper ");
        scene.Stamp();
        Shut(scene.Judge(), "approvals", "1 of 2 approvals count (alice)");
        Says(scene.Judge(), "approvals", "goes by that name, too, with another key");
        scene.Approve(request, "bob");
        scene.Stamp();
        Assert.True(scene.Judge().IsCleared, Text(scene.Judge()));
    }

    [Fact]
    public void Two_keys_of_one_name_change_no_policy()
    {
        PreservationPolicy policy = Preservation.Scene.DefaultPolicy;
        policy = policy with { Approvals = policy.Approvals with { By = [.. policy.Approvals.By, Preservation.Scene.KeyId("Alice")] } };
        Scene scene = Scene(notices: 0, policy: policy);
        PreservationPolicy lax = policy with { Digest = Sha256Digest.Compute("lax"u8), Name = "Lax" };
        scene.Adopt(lax);
        long change = scene.Say("clerk", [], new PolicyStatement(lax.Digest, lax.Name, policy.Digest));
        scene.Approve(change, "alice");
        scene.Approve(change, "Alice");
        scene.Stamp();
        scene.Pass(Duration.FromDays(15));
        Says(scene.Judge(), "policy", "1 of the 2 approvals");
    }

    [Fact]
    public void A_ledger_that_nobody_began_as_a_vault_has_no_firm()
    {
        Assert.Null(new KeyRegistry().Keeper);
        Scene scene = Preserved();
        Assert.True(scene.Docket().IsOfFirm(Preservation.Scene.KeyId("keeper"), 1));
        Assert.False(scene.Docket().IsOfFirm(Preservation.Scene.KeyId("museum"), scene.Size));
    }
}
