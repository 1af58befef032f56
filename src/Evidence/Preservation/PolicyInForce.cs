using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>Which policy is in force, and what was proposed since.</summary>
/// <param name="Act">The entry that proposed it; null where none was.</param>
/// <param name="Policy">The policy; null where none is in force, or its document is missing.</param>
/// <param name="Reasons">How it came to be so: what is pending, and what was refused.</param>
public sealed record PolicyInForce(Recorded<PolicyStatement>? Act, PreservationPolicy? Policy, IReadOnlyList<GateReason> Reasons)
{
    /// <summary>
    /// Finds it. The firm's first proposal is in force at once; each later one only by the rules of the one before it, and by the time that that one trusts: else a policy could
    /// bring itself about.
    /// </summary>
    /// <param name="docket">The docket.</param>
    /// <param name="material">The documents that its entries name.</param>
    public static PolicyInForce Of(Docket docket, GateMaterial material)
    {
        ArgumentNullException.ThrowIfNull(docket);
        ArgumentNullException.ThrowIfNull(material);
        if (docket.Policies.FirstOrDefault(proposed => proposed.IsOfFirm) is not { } first)
        {
            string others = string.Concat(docket.Policies.Select(proposed => $" That of entry {proposed.Entry} does not count: {proposed.Signer.Name} does not speak for the firm."));
            return new PolicyInForce(null, null, [new GateReason($"No policy is on the record.{others}", [], "Somebody of the firm records one: 'evidence policy set FILE', or 'evidence policy default'.")]);
        }

        var reasons = new List<GateReason>();
        if (material.FindPolicy(first.Statement.Policy) is not { } policy)
            return new PolicyInForce(first, null, [Missing(first)]);
        Recorded<PolicyStatement> act = first;
        var were = new HashSet<long> { first.Entry };
        // Of several that were made for the place of one, that which was due first took it. The others never take it: what the new policy asks for they were not asked.
        while (Next(docket, material, policy, act) is { } change)
        {
            were.Add(change.Entry);
            if (material.FindPolicy(change.Statement.Policy) is not { } next)
                return new PolicyInForce(change, null, [Missing(change)]);
            (policy, act) = (next, change);
        }

        foreach (Recorded<PolicyStatement> change in docket.Policies.Where(proposed => !were.Contains(proposed.Entry)))
        {
            reasons.Add(new GateReason(
                $"Entry {change.Entry} proposes the policy '{change.Statement.Name}', which is not in force: {Judge(docket, material, policy, act, change).Obstacle ?? "another one took its place"}.",
                [change.Entry], null));
        }

        reasons.Insert(0, new GateReason($"The policy '{policy.Name}' (sha256:{policy.Digest}) is in force by entry {act.Entry}.", [act.Entry], null));
        return new PolicyInForce(act, policy, reasons);
    }

    private static GateReason Missing(Recorded<PolicyStatement> act) => new(
        $"The policy of entry {act.Entry}, sha256:{act.Statement.Policy}, is not in the vault, or is no policy of a form that is known here.", [act.Entry],
        "Whoever has the document adds it again: 'evidence document add FILE'.");

    /// <summary>The policy that came in the place of one; null where none did.</summary>
    private static Recorded<PolicyStatement>? Next(Docket docket, GateMaterial material, PreservationPolicy policy, Recorded<PolicyStatement> act) => docket.Policies
        .Select(change => (Change: change, Judge(docket, material, policy, act, change).Due)).Where(one => one.Due is not null)
        .OrderBy(one => one.Due).ThenBy(one => one.Change.Entry).Select(one => one.Change).FirstOrDefault();

    /// <summary>When a proposal came, or comes, into force; or why it does not.</summary>
    private static (Instant? Due, string? Obstacle) Judge(Docket docket, GateMaterial material, PreservationPolicy policy, Recorded<PolicyStatement> act, Recorded<PolicyStatement> change)
    {
        if (change.Statement.Previous != act.Statement.Policy || change.Entry <= act.Entry)
            return (null, "it is not made for the place of the one that is");
        OutsideTimes times = material.TimesFor(policy);
        var doubts = new ActDoubts(docket, material, policy, times);
        if (doubts.Of(change) is { } doubt)
            return (null, doubt);
        IReadOnlyList<Recorded<Approval>> approvals = doubts.ApprovalsOf(change, policy.Approvals.By);
        if (approvals.Count < policy.Changes.Approvals)
            return (null, $"it has {approvals.Count} of the {policy.Changes.Approvals} approvals that the one before it asks for");
        long last = approvals.Take(policy.Changes.Approvals).Select(approval => approval.Entry).Append(change.Entry).Max();
        if (times.NoLaterThan(last)?.NoLaterThan is not { } known)
            return (null, $"no time stamp is over entry {last} yet, from which its wait of {Words.Of(policy.Changes.Wait)} counts");
        Instant due = known + policy.Changes.Wait;
        return times.Latest!.NotBefore >= due ? (due, null) : (null, $"it waits until {Words.Of(due)}, and the newest outside time is {Words.Of(times.Latest.NotBefore)}");
    }
}
