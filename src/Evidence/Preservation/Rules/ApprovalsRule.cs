using Evidence.Preservation.Statements;

namespace Evidence.Preservation.Rules;

/// <summary>That somebody requests it who may, and as many people approve as the policy asks for, none of them whoever requests it.</summary>
internal static class ApprovalsRule
{
    internal const string Name = "approvals";

    internal static GateRule Judge(Inquiry inquiry)
    {
        int wanted = inquiry.Policy.Approvals.Count;
        if (wanted == 0)
            return GateRule.Of(Name, [new GateReason("The policy asks for no approval.", [inquiry.PolicyAct.Entry], null)]);
        string roles = string.Join(", ", inquiry.Policy.Approvals.RequestedBy.Select(PartyRoles.ToName));
        List<GateReason> reasons = [.. Open(inquiry).Where(request => !MayRequest(inquiry, request)).Select(request => new GateReason(
            $"A request does not count: entry {request.Entry} is signed by {request.Signer.Name}, who is none of those that may request it by the policy: {roles}.", [request.Entry], null))];
        if (RequestOf(inquiry) is not { } request)
        {
            reasons.Insert(0, new GateReason(
                "Nobody requests it, or the last request was used up by a wipe that began.", [],
                $"One of those requests it who may by the policy ({roles}): 'evidence clear request {inquiry.Asset.Id}'."));
            return GateRule.Of(Name, reasons);
        }

        if (inquiry.Doubts.Of(request) is { } doubt)
            reasons.Add(new GateReason($"The request does not count: {doubt}.", [request.Entry], $"{request.Signer.Name} requests it anew: 'evidence clear request {inquiry.Asset.Id}'."));
        var good = new List<Recorded<Approval>>();
        foreach (Recorded<Approval> approval in inquiry.Docket.ApprovalsOf(request.LeafHash))
        {
            if ((inquiry.Doubts.RefusalOf(approval, request, inquiry.Policy.Approvals.By) ?? TooOld(inquiry, approval)) is { } refusal)
                reasons.Add(new GateReason($"An approval does not count: {refusal}.", [approval.Entry], null));
            else
                good.Add(approval);
        }

        IReadOnlyList<Recorded<Approval>> counted = inquiry.Doubts.OfEachPerson(good);
        string who = counted.Count > 0 ? $" ({Words.Of([.. counted.Select(approval => approval.Signer.Name)])})" : "";
        string sentence = $"{request.Signer.Name} requests it by entry {request.Entry}; {counted.Count} of {wanted} approvals count{who}.";
        long[] entries = [request.Entry, .. counted.Select(approval => approval.Entry)];
        string ask = inquiry.Policy.Approvals.By.Count == 0
            ? "The policy names nobody who may approve: a change of it has to (approvals.by)."
            : $"Those approve whom the policy names, each with a key of their own, and not {request.Signer.Name}: 'evidence clear approve {request.Entry}'.";
        reasons.Insert(0, new GateReason(sentence, entries, counted.Count < wanted ? ask : null));
        return GateRule.Of(Name, reasons);
    }

    /// <summary>The request that stands: the last one of whoever may request it, unless a wipe began since.</summary>
    internal static Recorded<ClearanceRequest>? RequestOf(Inquiry inquiry) => Open(inquiry).LastOrDefault(request => MayRequest(inquiry, request));

    /// <summary>The requests that no wipe used up.</summary>
    private static IEnumerable<Recorded<ClearanceRequest>> Open(Inquiry inquiry)
    {
        long used = inquiry.Asset.Wipes.LastOrDefault(wipe => wipe.Statement is WipeIntent)?.Entry ?? -1;
        return inquiry.Asset.Requests.Where(request => request.Entry > used);
    }

    private static bool MayRequest(Inquiry inquiry, Recorded<ClearanceRequest> request)
    {
        IReadOnlyList<PartyRole> roles = inquiry.Policy.Approvals.RequestedBy;
        return (request.IsOfFirm && roles.Contains(PartyRole.Provider)) || inquiry.Docket.PartiesWith(request.Signer.KeyId).Any(party =>
            inquiry.RoleOf(party.Id, request.Entry) is { } role && roles.Contains(role) && inquiry.Docket.IsOwn(request, party.Id));
    }

    /// <summary>Whether an approval may be older than the policy allows: it may be as old as the outside time before it.</summary>
    private static string? TooOld(Inquiry inquiry, Recorded<Approval> approval) => inquiry.Times.Oldest(approval.Entry, approval.Time) switch
    {
        null => $"no entry before entry {approval.Entry} names a time stamp, so that it may be of any age",
        { } oldest when oldest < inquiry.At - inquiry.Policy.Approvals.Within =>
            $"entry {approval.Entry} may be of {Words.Of(oldest)}, by what is proved and by its own word, more than {Words.Of(inquiry.Policy.Approvals.Within)} ago",
        _ => null,
    };
}
