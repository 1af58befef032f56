using Evidence.Preservation.Statements;

namespace Evidence.Preservation.Rules;

/// <summary>Which holds bind. Several over one asset are a union: each is asked by itself.</summary>
internal static class HoldsRule
{
    internal const string Name = "holds";

    internal static GateRule Judge(Inquiry inquiry, bool isPreserved, IReadOnlySet<string> silent)
    {
        var reasons = new List<GateReason>();
        foreach (Recorded<HoldStatement> hold in inquiry.Asset.Holds)
            reasons.Add(Judge(inquiry, hold, isPreserved, silent));
        if (reasons.Count == 0)
            reasons.Add(new GateReason("No hold is on the record.", [], null));
        return GateRule.Of(Name, reasons);
    }

    private static GateReason Judge(Inquiry inquiry, Recorded<HoldStatement> hold, bool isPreserved, IReadOnlySet<string> silent)
    {
        HoldStatement said = hold.Statement;
        string what = $"The hold of {said.Party} (entry {hold.Entry}, {HoldStatement.NameOf(said.Form)}: {said.Authority}){Claimed(inquiry, hold)}";
        if (Over(inquiry, hold) is { } over)
            return new GateReason($"{what} {over.How}", [hold.Entry, .. over.Entry is { } entry ? (long[])[entry] : []], null);
        HoldTerm term = inquiry.Policy.Holds.TermOf(said.Form);
        switch (term)
        {
            case HoldTerm.Never:
                return new GateReason($"{what} does not bind, by the policy.", [hold.Entry], null);
            case HoldTerm.Preserved or HoldTerm.Silence when isPreserved:
                return new GateReason($"{what} is met: what it demands to be kept is preserved.", [hold.Entry], null);
            // Who answered that it objects was not silent, whatever became of the objection.
            case HoldTerm.Silence when silent.Contains(said.Party) && !inquiry.Objections.Any(objection => objection.Statement.Party == said.Party):
                return new GateReason($"{what} lapsed: {said.Party} was told, and let every window close.", [hold.Entry], null);
            default:
                string end = said.Until is { } last ? $", or at {Words.Of(last)} by an outside time" : "";
                string ways = term switch
                {
                    HoldTerm.Preserved => " It is met, too, once the asset is preserved.",
                    HoldTerm.Silence => " It is met, too, once the asset is preserved, or its maker lets the windows of all notices close.",
                    _ => "",
                };
                return new GateReason(
                    $"{what} binds.{string.Concat(Refused(inquiry, hold))}", [hold.Entry],
                    $"{said.Party} can release it ('evidence hold release {hold.Entry}'){Superiors(inquiry, hold)}{end}.{ways}");
        }
    }

    /// <summary>How a hold came to its end: it was released, or its time is over. Null where it did not.</summary>
    internal static (string How, long? Entry)? Over(Inquiry inquiry, Recorded<HoldStatement> hold) =>
        ReleasesOf(inquiry, hold).FirstOrDefault(release => Releases.Refusal(inquiry, release, hold, hold.Statement.Party) is null) is { } released
            ? ($"was released by {released.Statement.Party}, by entry {released.Entry}{Releases.How(inquiry, released)}.", released.Entry)
        : hold.Statement.Until is { } until && inquiry.Reached >= until ? ($"was until {Words.Of(until)}, and that is past.", null)
        : null;

    private static IEnumerable<Recorded<ReleaseStatement>> ReleasesOf(Inquiry inquiry, Recorded<HoldStatement> hold) =>
        inquiry.Asset.Releases.Where(release => release.Statement.Target == hold.LeafHash);

    private static IEnumerable<string> Refused(Inquiry inquiry, Recorded<HoldStatement> hold) => ReleasesOf(inquiry, hold)
        .Select(release => $" The release in entry {release.Entry} does not count: {Releases.Refusal(inquiry, release, hold, hold.Statement.Party)}.");

    /// <summary>A hold that says it is older than its place in the log shows counts from there; and the reader is told.</summary>
    private static string Claimed(Inquiry inquiry, Recorded<HoldStatement> hold) =>
        inquiry.Times.NotBefore(hold.Entry) is { } entered && (hold.Statement.Since ?? hold.Time) < entered.Instant - inquiry.Policy.Time.Tolerance
            ? $", which says it is since {Words.Of(hold.Statement.Since ?? hold.Time)} and came into the ledger after {Words.Of(entered.Instant)},"
            : "";

    private static string Superiors(Inquiry inquiry, Recorded<HoldStatement> hold)
    {
        string[] superiors = [.. inquiry.Docket.Parties.Values.Where(party => inquiry.IsSuperior(inquiry.RoleOf(party.Id), inquiry.RoleOf(hold.Statement.Party))).Select(party => party.Id)];
        return superiors.Length > 0 ? $", and so can {Words.Of(superiors)}" : "";
    }
}
