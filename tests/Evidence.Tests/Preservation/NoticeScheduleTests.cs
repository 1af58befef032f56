using Evidence.Preservation;
using Evidence.Preservation.Statements;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>Who must do what by when: each step leads to the next, up to where the gate finds that the party was told.</summary>
public sealed class NoticeScheduleTests
{
    private readonly Scene scene = new();

    public NoticeScheduleTests()
    {
        scene.Say("keeper", [], new PolicyStatement(scene.Policy.Digest, scene.Policy.Name, null));
        scene.Party("customer", PartyRole.Customer, "customer");
        scene.Party("counsel", PartyRole.Counsel, "counsel");
        scene.Asset();
    }

    [Fact]
    public void Step_by_step_to_silence()
    {
        Expect(NoticeStep.Send, "(the first of 2), 20 working days", by: null);
        long first = scene.Notice("customer", deliver: false);
        Instant from = scene.WindowOf(first).From;
        Expect((NoticeStep.Deliver, from), (NoticeStep.Send, from + Duration.FromDays(14)));
        scene.Deliver(first, DeliveryOutcome.Failed, paper: false);
        Assert.Contains("The attempt in entry", Expect((NoticeStep.Deliver, from), (NoticeStep.Send, from + Duration.FromDays(14)))[0].Sentence, StringComparison.Ordinal);
        scene.Deliver(first);
        Expect((NoticeStep.Stamp, from), (NoticeStep.Send, from + Duration.FromDays(14)));
        scene.Stamp();
        Instant deadline = scene.WindowOf(first).Deadline;
        Expect((NoticeStep.Send, from + Duration.FromDays(14)), (NoticeStep.Wait, deadline));
        scene.Now = from + Duration.FromDays(14);
        Assert.Contains("the last reminder, 2 of 2", Expect((NoticeStep.Wait, deadline), (NoticeStep.Send, null))[1].Sentence, StringComparison.Ordinal);
        long second = scene.Notice("customer");
        Instant last = scene.WindowOf(second).Deadline;
        Expect((NoticeStep.Wait, deadline), (NoticeStep.Wait, last));
        scene.Now = last;
        Expect((NoticeStep.Stamp, deadline), (NoticeStep.Stamp, last));
        scene.Stamp();
        Expect((NoticeStep.Done, null));
        Assert.Equal(RuleOutcome.Met, scene.Judge().Rules.Single(rule => rule.Name == "silence").Outcome);
    }

    [Fact]
    public void A_notice_that_came_too_late_or_too_soon_is_sent_once_more()
    {
        long late = scene.Notice("customer", deliver: false);
        scene.Now = scene.WindowOf(late).From;
        Expect(NoticeStep.Send, "the first of 2", by: null);
        long good = scene.Notice("customer");
        // Less than 14 days after the one before.
        scene.Now += Duration.FromDays(5);
        scene.Notice("customer");
        Expect((NoticeStep.Send, scene.WindowOf(good).From + Duration.FromDays(14)), (NoticeStep.Wait, scene.WindowOf(good).Deadline));
    }

    [Fact]
    public void Whoever_speaks_for_a_party_is_told_where_it_cannot_be()
    {
        scene.Say("keeper", [], new PartyStatement("counsel", PartyRole.Counsel, "counsel", "customer", null, "Etc/UTC", null, null));
        long notice = scene.Notice("customer", deliver: false);
        scene.Deliver(notice, DeliveryOutcome.Failed, paper: false);
        Assert.Contains("or through counsel, who speaks for them", List()[0].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_answered_needs_no_reminder()
    {
        scene.Respond(ResponseAct.Objection, "customer", "customer");
        Expect((NoticeStep.Objected, null));
        scene.Respond(ResponseAct.Withdrawal, "customer", "customer");
        scene.Respond(ResponseAct.Consent, "customer", "customer");
        Expect((NoticeStep.Done, null));
    }

    [Fact]
    public void What_is_wiped_or_seized_needs_none()
    {
        scene.Say("keeper", [Preservation.Scene.Server], new AssetStateChange(Preservation.Scene.Server, AssetState.Seized, null, null));
        Assert.Empty(List());
    }

    [Fact]
    public void Assets_that_stand_alike_are_one_task()
    {
        scene.Asset("server-8");
        NoticeTask task = Assert.Single(NoticeSchedule.List(scene.Docket(), scene.MaterialNow(), [Preservation.Scene.Server, "server-8"], scene.Now));
        Assert.Equal([Preservation.Scene.Server, "server-8"], task.Assets);
    }

    [Fact]
    public void Without_a_policy_nobody_can_say()
    {
        var bare = new Scene();
        bare.Asset(parties: []);
        Assert.Equal(ErrorCode.PolicyInvalid, Assert.Throws<EvidenceException>(() => NoticeSchedule.List(bare.Docket(), bare.MaterialNow(), [Preservation.Scene.Server], bare.Now)).Code);
    }

    private IReadOnlyList<NoticeTask> List() => NoticeSchedule.List(scene.Docket(), scene.MaterialNow(), [Preservation.Scene.Server], scene.Now);

    private void Expect(NoticeStep step, string words, Instant? by)
    {
        NoticeTask task = Assert.Single(Expect((step, by)));
        Assert.Contains(words, task.Sentence, StringComparison.Ordinal);
    }

    private IReadOnlyList<NoticeTask> Expect(params (NoticeStep Step, Instant? By)[] steps)
    {
        IReadOnlyList<NoticeTask> tasks = List();
        Assert.Equal(steps, tasks.Select(task => (task.Step, task.By)));
        Assert.All(tasks, task => Assert.Equal("customer", task.Party));
        return tasks;
    }
}
