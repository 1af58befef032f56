using Evidence.Preservation.Statements;

namespace Evidence.Preservation.Rules;

/// <summary>That as many people approve as the policy asks for, none of them whoever requests it.</summary>
internal static class ApprovalsRule
{
    internal const string Name = "approvals";

    internal static GateRule Judge(Inquiry inquiry)
    {
        int wanted = inquiry.Policy.Approvals.Count;
        if (wanted == 0)
            return GateRule.Of(Name, [new GateReason("The policy asks for no approval.", [inquiry.PolicyAct.Entry], null)]);
        if (RequestOf(inquiry) is not { } request)
        {
            return GateRule.Of(Name,
            [
                new GateReason("Nobody requests it, or the last request was used up by a wipe that began.", [], $"Somebody of the firm requests it: 'evidence clear request {inquiry.Asset.Id}'."),
            ]);
        }

        var counted = new List<Recorded<Approval>>();
        var reasons = new List<GateReason>();
        if (inquiry.Doubts.Of(request) is { } doubt)
            reasons.Add(new GateReason($"The request does not count: {doubt}.", [request.Entry], $"{request.Signer.Name} requests it anew: 'evidence clear request {inquiry.Asset.Id}'."));
        foreach (Recorded<Approval> approval in inquiry.Docket.ApprovalsOf(request.LeafHash))
        {
            string? refusal = inquiry.Doubts.RefusalOf(approval, request, inquiry.Policy.Approvals.By) ??
                (approval.Time < inquiry.At - inquiry.Policy.Approvals.Within ? $"entry {approval.Entry} is of {Words.Of(approval.Time)}, more than {Words.Of(inquiry.Policy.Approvals.Within)} ago" : null);
            if (refusal is not null)
                reasons.Add(new GateReason($"An approval does not count: {refusal}.", [approval.Entry], null));
            else if (!counted.Exists(other => inquiry.Docket.Registry.IsSameActor(other.Signer.KeyId, approval.Signer.KeyId)))
                counted.Add(approval);
        }

        string who = counted.Count > 0 ? $" ({Words.Of([.. counted.Select(approval => approval.Signer.Name)])})" : "";
        string sentence = $"{request.Signer.Name} requests it by entry {request.Entry}; {counted.Count} of {wanted} approvals count{who}.";
        long[] entries = [request.Entry, .. counted.Select(approval => approval.Entry)];
        string ask = inquiry.Policy.Approvals.By.Count == 0
            ? "The policy names nobody who may approve: a change of it has to (approvals.by)."
            : $"Those approve whom the policy names, each with a key of their own, and not {request.Signer.Name}: 'evidence clear approve {request.Entry}'.";
        reasons.Insert(0, new GateReason(sentence, entries, counted.Count < wanted ? ask : null));
        return GateRule.Of(Name, reasons);
    }

    /// <summary>The request that stands: the last one, unless a wipe began since.</summary>
    internal static Recorded<ClearanceRequest>? RequestOf(Inquiry inquiry)
    {
        long used = inquiry.Asset.Wipes.LastOrDefault(wipe => wipe.Statement is WipeIntent)?.Entry ?? -1;
        return inquiry.Asset.Requests.LastOrDefault(request => request.Entry > used);
    }
}
