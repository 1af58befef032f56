using Evidence.Preservation.Rules;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// The wipe gate: may this server be wiped? A pure function of the ledger up to a size, the documents that its entries name, the asset, and an instant. It opens where all that
/// was on the asset is preserved, or everyone with a say was told and let the time run out; and where, besides, no hold binds, nobody objects, and enough people approve.
/// </summary>
public static class WipeGate
{
    /// <summary>Judges.</summary>
    /// <param name="docket">The ledger, up to a size.</param>
    /// <param name="material">The documents that its entries name.</param>
    /// <param name="asset">The asset.</param>
    /// <param name="at">The instant: now, for a wipe that is about to begin.</param>
    /// <param name="policy">The policy that whoever asks takes to be in force; null for the one that is. Another one than that is refused.</param>
    public static GateDecision Judge(Docket docket, GateMaterial material, string asset, Instant at, PreservationPolicy? policy = null)
    {
        ArgumentNullException.ThrowIfNull(docket);
        ArgumentNullException.ThrowIfNull(material);
        ArgumentException.ThrowIfNullOrEmpty(asset);
        var force = PolicyInForce.Of(docket, material);
        List<GateReason> reasons = [.. force.Reasons];
        if (policy is not null && force.Policy is { } actual && actual.Digest != policy.Digest)
        {
            reasons.Add(new GateReason(
                $"The policy that was brought, '{policy.Name}' (sha256:{policy.Digest}), is not the one in force.", [force.Act!.Entry],
                "Whoever asks brings the policy that is in force, or somebody of the firm proposes the other one: 'evidence policy set FILE'."));
        }

        var rule = GateRule.Of("policy", reasons);
        var decision = new GateDecision
        {
            Asset = asset,
            Size = docket.Size,
            Root = docket.Root,
            At = at,
            Policy = force.Policy?.Digest,
            Latest = null,
            Rules = [rule],
            Ground = null,
            Expires = null,
        };
        return force.Policy is { } inForce
            ? Judge(new Inquiry(docket, material, force.Act!, inForce, docket.Assets.GetValueOrDefault(asset) ?? new Asset(asset), at), decision)
            : decision;
    }

    private static GateDecision Judge(Inquiry inquiry, GateDecision decision)
    {
        NoticeRules notices = inquiry.Policy.Notices;
        GateRule preserved = PreservedRule.Judge(inquiry);
        GateRule told = ToldRule.Judge(inquiry, ToldRule.WhenPreserved, notices.WhenPreserved, mayBeNobody: true, out _);
        GateRule silence = ToldRule.Judge(inquiry, ToldRule.OnSilence, notices.OnSilence, mayBeNobody: false, out IReadOnlySet<string> silent);
        bool isPreserved = preserved.Outcome == RuleOutcome.Met;
        GateRule[] always =
        [
            .. decision.Rules,
            TimeRule.Judge(inquiry),
            AssetRule.Judge(inquiry),
            HoldsRule.Judge(inquiry, isPreserved, silent),
            ObjectionsRule.Judge(inquiry),
            ApprovalsRule.Judge(inquiry),
            CoolingRule.Judge(inquiry),
        ];
        ClearanceGround? ground = Array.Exists(always, rule => rule.Outcome == RuleOutcome.Refused) ? null
            : isPreserved && told.Outcome == RuleOutcome.Met ? ClearanceGround.Preserved
            : silence.Outcome == RuleOutcome.Met ? ClearanceGround.Silence
            : null;
        return decision with
        {
            Latest = inquiry.Times.Latest,
            Rules = [.. always, preserved, told, silence],
            Request = ApprovalsRule.RequestOf(inquiry)?.LeafHash,
            Ground = ground,
            Expires = ground is null ? null : decision.At + inquiry.Policy.Clearance.Valid,
        };
    }
}
