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
    /// Finds it. The first proposal is in force at once; each later one only by the rules of the one before it, and by the time that that one trusts: else a policy could
    /// bring itself about.
    /// </summary>
    /// <param name="docket">The docket.</param>
    /// <param name="material">The documents that its entries name.</param>
    public static PolicyInForce Of(Docket docket, GateMaterial material)
    {
        ArgumentNullException.ThrowIfNull(docket);
        ArgumentNullException.ThrowIfNull(material);
        if (docket.Policies.Count == 0)
            return new PolicyInForce(null, null, [new GateReason("No policy is on the record.", [], "Somebody of the firm records one: 'evidence policy set FILE', or 'evidence policy default'.")]);
        Recorded<PolicyStatement> first = docket.Policies[0];
        var reasons = new List<GateReason>();
        if (material.FindPolicy(first.Statement.Policy) is not { } policy)
            return new PolicyInForce(first, null, [Missing(first)]);
        Recorded<PolicyStatement> act = first;
        foreach (Recorded<PolicyStatement> change in docket.Policies.Skip(1))
        {
            if (Obstacle(docket, material, policy, act, change) is { } obstacle)
            {
                reasons.Add(new GateReason($"Entry {change.Entry} proposes the policy '{change.Statement.Name}', which is not in force: {obstacle}.", [change.Entry], null));
                continue;
            }

            if (material.FindPolicy(change.Statement.Policy) is not { } next)
                return new PolicyInForce(change, null, [Missing(change)]);
            (policy, act) = (next, change);
        }

        reasons.Insert(0, new GateReason($"The policy '{policy.Name}' (sha256:{policy.Digest}) is in force by entry {act.Entry}.", [act.Entry], null));
        return new PolicyInForce(act, policy, reasons);
    }

    private static GateReason Missing(Recorded<PolicyStatement> act) => new(
        $"The policy of entry {act.Entry}, sha256:{act.Statement.Policy}, is not in the vault, or is no policy of a form that is known here.", [act.Entry],
        "Whoever has the document adds it again: 'evidence document add FILE'.");

    private static string? Obstacle(Docket docket, GateMaterial material, PreservationPolicy policy, Recorded<PolicyStatement> act, Recorded<PolicyStatement> change)
    {
        if (change.Statement.Previous != act.Statement.Policy)
            return "it is not made for the place of the one that is";
        OutsideTimes times = material.TimesFor(policy);
        var doubts = new ActDoubts(docket, policy, times);
        if (doubts.Of(change) is { } doubt)
            return doubt;
        IReadOnlyList<Recorded<Approval>> approvals = doubts.ApprovalsOf(change, policy.Approvals.By);
        if (approvals.Count < policy.Changes.Approvals)
            return $"it has {approvals.Count} of the {policy.Changes.Approvals} approvals that the one before it asks for";
        long last = approvals.Take(policy.Changes.Approvals).Select(approval => approval.Entry).Append(change.Entry).Max();
        if (times.NoLaterThan(last)?.NoLaterThan is not { } known)
            return $"no time stamp is over entry {last} yet, from which its wait of {Words.Of(policy.Changes.Wait)} counts";
        Instant due = known + policy.Changes.Wait;
        return times.Latest!.NotBefore >= due ? null : $"it waits until {Words.Of(due)}, and the newest outside time is {Words.Of(times.Latest.NotBefore)}";
    }
}
