using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation.Rules;

/// <summary>That some time passed since the last hold or objection was let go: whoever else relied on it has to hear of that.</summary>
internal static class CoolingRule
{
    internal const string Name = "cooling-off";

    internal static GateRule Judge(Inquiry inquiry)
    {
        Duration wait = inquiry.Policy.CoolingOff;
        var reasons = new List<GateReason>();
        foreach (IRecorded end in Ends(inquiry))
        {
            if (inquiry.Times.NoLaterThan(end.Entry) is not { } known)
                reasons.Add(new GateReason($"No time stamp is over entry {end.Entry} yet, from which the cooling-off of {Words.Of(wait)} counts.", [end.Entry], "Anyone with the vault asks for one: 'evidence timestamp ask'."));
            else if (inquiry.Reached < known.NoLaterThan + wait)
                reasons.Add(Waiting($"Entry {end.Entry} let it go", known.NoLaterThan + wait, end.Entry));
        }

        foreach (Recorded<HoldStatement> hold in inquiry.Asset.Holds.Where(hold => hold.Statement.Until is { } until && inquiry.Reached >= until && inquiry.Reached < until + wait))
            reasons.Add(Waiting($"The hold in entry {hold.Entry} ended", hold.Statement.Until!.Value + wait, hold.Entry));
        if (reasons.Count == 0)
            reasons.Add(new GateReason($"Nothing was let go less than {Words.Of(wait)} ago.", [], null));
        return GateRule.Of(Name, reasons);

        GateReason Waiting(string what, Instant due, long entry) => new(
            $"{what}; the cooling-off lasts until {Words.Of(due)}, and what counts as now is {Words.Of(inquiry.Reached)}.", [entry], "Time, and a time stamp over it: nobody can shorten it.");
    }

    private static IEnumerable<IRecorded> Ends(Inquiry inquiry)
    {
        foreach (Recorded<ReleaseStatement> release in inquiry.Asset.Releases)
        {
            // One that does not count lets nothing go, so nothing has to cool off.
            if (inquiry.Docket.Find(release.Statement.Target) is { } target && PartyOf(target) is { } party && Releases.Refusal(inquiry, release, target, party) is null)
                yield return release;
        }

        foreach (Recorded<ResponseStatement> objection in inquiry.Objections)
        {
            if (ObjectionsRule.Withdrawal(inquiry, objection) is { } withdrawal)
                yield return withdrawal;
        }
    }

    private static string? PartyOf(IRecorded target) => target switch
    {
        Recorded<HoldStatement> hold => hold.Statement.Party,
        Recorded<ResponseStatement> response => response.Statement.Party,
        _ => null,
    };
}
