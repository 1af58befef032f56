using Evidence.Preservation.Statements;

namespace Evidence.Preservation.Rules;

/// <summary>That nobody objects whose objection blocks, or that they took it back, or were overruled.</summary>
internal static class ObjectionsRule
{
    internal const string Name = "objections";

    internal static GateRule Judge(Inquiry inquiry)
    {
        GateReason[] reasons = [.. inquiry.Objections.Select(objection => Judge(inquiry, objection))];
        return GateRule.Of(Name, reasons.Length > 0 ? reasons : [new GateReason($"Nobody objects, in the first {inquiry.Docket.Size} entries.", [], null)]);
    }

    /// <summary>The withdrawal that takes an objection back; null where none does.</summary>
    internal static Recorded<ResponseStatement>? Withdrawal(Inquiry inquiry, Recorded<ResponseStatement> objection) => inquiry.Asset.Responses.FirstOrDefault(later =>
        later.Statement.Act == ResponseAct.Withdrawal && later.Entry > objection.Entry && later.Statement.Party == objection.Statement.Party && inquiry.IsHere(later.Statement.Origin) &&
        inquiry.Doubts.OfParty(later, later.Statement.Party, later.Statement.Document, objection.Entry) is null);

    /// <summary>The release that overrules an objection; null where none does.</summary>
    internal static Recorded<ReleaseStatement>? Overruling(Inquiry inquiry, Recorded<ResponseStatement> objection) => inquiry.Asset.Releases.FirstOrDefault(release =>
        release.Statement.Target == objection.LeafHash && release.Statement.Party != objection.Statement.Party &&
        Releases.Refusal(inquiry, release, objection, objection.Statement.Party) is null);

    private static GateReason Judge(Inquiry inquiry, Recorded<ResponseStatement> objection)
    {
        string party = objection.Statement.Party;
        string what = $"{party} objects, by entry {objection.Entry}";
        if (!inquiry.MayBe(party, inquiry.Policy.Objections.Block))
            return new GateReason($"{what}; the policy lets no objection of a {inquiry.RoleOf(party)!.Value.ToName()} block.", [objection.Entry], null);
        if (Withdrawal(inquiry, objection) is { } withdrawal)
            return new GateReason($"{what}, and took it back by entry {withdrawal.Entry}.", [objection.Entry, withdrawal.Entry], null);
        if (Overruling(inquiry, objection) is { } overruling)
            return new GateReason($"{what}, and was overruled by {overruling.Statement.Party}, by entry {overruling.Entry}.", [objection.Entry, overruling.Entry], null);
        string on = objection.Statement.Notice is { } notice && inquiry.Docket.Find(notice) is { } told ? $" to the notice in entry {told.Entry}" : "";
        if (!objection.Items.Contains(inquiry.Asset.Id, StringComparer.Ordinal))
            on += ", which is one of several about all these assets,";
        return new GateReason(
            $"{what}{on}{(objection.Statement.Words is { } words ? $": \"{words}\"" : "")}.{string.Concat(Refused(inquiry, objection))}", [objection.Entry],
            $"{party} can take it back ('evidence response withdraw'), and a superior of theirs can overrule it ('evidence hold release {objection.Entry}').");
    }

    /// <summary>Why what was to take it back, or to overrule it, does not.</summary>
    private static IEnumerable<string> Refused(Inquiry inquiry, Recorded<ResponseStatement> objection)
    {
        string party = objection.Statement.Party;
        foreach (Recorded<ResponseStatement> withdrawal in inquiry.Asset.Responses.Where(later =>
            later.Statement.Act == ResponseAct.Withdrawal && later.Entry > objection.Entry && later.Statement.Party == party))
        {
            string why = inquiry.IsHere(withdrawal.Statement.Origin)
                ? inquiry.Doubts.OfParty(withdrawal, party, withdrawal.Statement.Document, objection.Entry)!
                : $"it is of the log {withdrawal.Statement.Origin}";
            yield return $" The withdrawal in entry {withdrawal.Entry} does not count: {why}.";
        }

        foreach (Recorded<ReleaseStatement> release in inquiry.Asset.Releases.Where(release => release.Statement.Target == objection.LeafHash && release.Statement.Party != party))
            yield return $" What would overrule it, entry {release.Entry}, does not count: {Releases.Refusal(inquiry, release, objection, party)}.";
    }
}
