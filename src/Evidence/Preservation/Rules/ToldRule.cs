using Evidence.Hashing;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation.Rules;

/// <summary>That everyone with a say was told, and let the time run out.</summary>
internal static class ToldRule
{
    internal const string WhenPreserved = "told";
    internal const string OnSilence = "silence";

    /// <summary>Judges by a rule of the policy.</summary>
    /// <param name="inquiry">The question.</param>
    /// <param name="name">What the rule is called.</param>
    /// <param name="wanted">How many notices, and over how long.</param>
    /// <param name="mayBeNobody">Whether it is met where nobody has a say.</param>
    /// <param name="silent">The parties that were told so.</param>
    internal static GateRule Judge(Inquiry inquiry, string name, NoticeTerm wanted, bool mayBeNobody, out IReadOnlySet<string> silent)
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        var reasons = new List<GateReason>();
        foreach (string party in inquiry.PartiesWithSay)
        {
            List<GateReason> of = Judge(inquiry, party, wanted, Since(inquiry, party, onSilence: string.Equals(name, OnSilence, StringComparison.Ordinal)));
            reasons.AddRange(of);
            if (!of.Exists(reason => reason.IsObstacle))
                told.Add(party);
        }

        if (reasons.Count == 0)
        {
            reasons.Add(new GateReason(
                "The ledger names nobody who has a say in it.", [],
                mayBeNobody ? null : "Somebody of the firm names those who have ('evidence asset add --party'): where nobody is asked, nobody's silence means anything."));
        }

        silent = told;
        return GateRule.Of(name, reasons, RuleOutcome.NotMet);
    }

    /// <summary>
    /// The entry from which on notices and consents count, and why; null where all do. Who was told while the machine was in service, or before, was told of other data. And the last
    /// hold of a party that stands: who demands something is not silent, and did not consent to what they demand to be kept; that is asked where silence is to clear it.
    /// </summary>
    internal static (long Entry, string Why)? Since(Inquiry inquiry, string party, bool onSilence)
    {
        long? demanded = onSilence
            ? inquiry.Asset.Holds.Where(hold => hold.Statement.Party == party && HoldsRule.Over(inquiry, hold) is null).Select(hold => (long?)hold.Entry).Max()
            : null;
        return inquiry.Asset.LastService?.Entry is { } used && !(demanded > used) ? (used, $"the machine was in service until after that, by entry {used}")
            : demanded is { } hold ? (hold, $"{party} placed a hold since, by entry {hold}")
            : null;
    }

    private static List<GateReason> Judge(Inquiry inquiry, string party, NoticeTerm wanted, (long Entry, string Why)? since)
    {
        if (inquiry.RoleOf(party) is null)
            return [new GateReason($"'{party}' has a say in it, and is not on the record.", [], $"Somebody of the firm puts them there: 'evidence party add {party}'.")];
        if (Consent(inquiry, party, since?.Entry) is { } consent)
            return [new GateReason($"{party} consents, by entry {consent.Entry}.", [consent.Entry], null)];
        if (wanted.Count == 0)
            return [];
        var reasons = new List<GateReason>();
        int closed = 0;
        Instant? last = null;
        var spoiled = new List<string>();
        var open = new List<GateReason>();
        foreach (Recorded<NoticeStatement> notice in inquiry.Asset.Notices.Where(notice => notice.Statement.Party == party).OrderBy(notice => notice.Statement.Window.From))
        {
            if (since is { } later && notice.Entry < later.Entry)
            {
                spoiled.Add($"The notice in entry {notice.Entry} does not count: {later.Why}.");
                continue;
            }

            if (Defect(inquiry, notice, wanted) is { } defect)
            {
                spoiled.Add($"The notice in entry {notice.Entry} does not count: {defect}.");
                continue;
            }

            ResponseWindow window = notice.Statement.Window;
            if (last is { } before && window.From < before + wanted.Apart)
            {
                spoiled.Add($"The notice in entry {notice.Entry} does not count: it is less than {Words.Of(wanted.Apart)} after the one before it.");
                continue;
            }

            last = window.From;
            if (inquiry.Reached < window.Deadline)
            {
                open.Add(new GateReason(
                    $"{party} can answer the notice in entry {notice.Entry} until {Words.Of(window.Deadline)} (the end of {window.LastDay:uuuu-MM-dd} in {window.Zone}); what counts as now is {Words.Of(inquiry.Reached)}.",
                    [notice.Entry], "Time, and a time stamp after that instant: 'evidence timestamp ask'."));
                continue;
            }

            closed++;
            long served = Served(inquiry, notice)!.Entry;
            reasons.Add(new GateReason(
                $"{party} was served the notice in entry {notice.Entry} (delivery in entry {served}, there by {Words.Of(inquiry.Times.NoLaterThan(served)!.NoLaterThan)}), " +
                $"and its window closed at {Words.Of(window.Deadline)}, before the outside time {Words.Of(inquiry.Times.Reached(window.Deadline)!.NotBefore)}; {Answer(inquiry, notice)}.",
                [notice.Entry, served, inquiry.Times.Reached(window.Deadline)!.Entry], null));
        }

        if (closed >= wanted.Count)
            return reasons;
        reasons.AddRange(open);
        if (closed + open.Count < wanted.Count)
        {
            reasons.Add(new GateReason(
                $"{party} was told {closed + open.Count} of {wanted.Count} times as the policy asks ({wanted.Days} {(wanted.Unit == WindowUnit.Working ? "working" : "calendar")} days each).{string.Concat(spoiled.Select(s => " " + s))}",
                [], $"Somebody of the firm tells them: 'evidence notice send --party {party}'. An answer of {party} says more: 'evidence response consent'."));
        }

        return reasons;
    }

    internal static Recorded<ResponseStatement>? Consent(Inquiry inquiry, string party, long? since) => inquiry.Asset.Responses.FirstOrDefault(response =>
        response.Statement.Act == ResponseAct.Consent && response.Statement.Party == party && !(response.Entry < since) && inquiry.IsHere(response.Statement.Origin) &&
        inquiry.Doubts.OfParty(response, party, response.Statement.Document) is null);

    private static string Answer(Inquiry inquiry, Recorded<NoticeStatement> notice) =>
        inquiry.Asset.Responses.Where(response => response.Statement.Notice == notice.LeafHash).ToArray() is { Length: > 0 } answers
            ? string.Join(", ", answers.Select(answer => $"{ResponseStatement.NameOf(answer.Statement.Act)} in entry {answer.Entry}"))
            : $"no answer to it is in the first {inquiry.Docket.Size} entries";

    /// <summary>Why a notice does not count; null where it does.</summary>
    private static string? Defect(Inquiry inquiry, Recorded<NoticeStatement> notice, NoticeTerm wanted) =>
        Flaw(inquiry, notice, wanted) is { } flaw ? flaw
        : Served(inquiry, notice) is not null ? null
        : inquiry.Docket.DeliveriesOf(notice.LeafHash).Count == 0 ? "nothing shows that it was delivered"
        : Unshown(inquiry, notice) is { } unshown ? $"the paper that shows its delivery (entry {unshown.Entry}), sha256:{unshown.Statement.Document}, is not in the vault"
        : !Delivered(inquiry, notice).Any() ? $"no attempt to deliver it does (entry {inquiry.Docket.DeliveriesOf(notice.LeafHash)[^1].Entry}: {DeliveryStatement.NameOf(inquiry.Docket.DeliveriesOf(notice.LeafHash)[^1].Statement.Outcome)})"
        : $"nothing proves from outside that it was delivered by {Words.Of(notice.Statement.Window.From)}, when its window began";

    /// <summary>A delivery whose paper is gone, where no other does; null for none.</summary>
    private static Recorded<DeliveryStatement>? Unshown(Inquiry inquiry, Recorded<NoticeStatement> notice) => Delivered(inquiry, notice).Any() ? null
        : inquiry.Docket.DeliveriesOf(notice.LeafHash).LastOrDefault(delivery => delivery.Statement.Document is { } paper && !inquiry.Material.HasPaper(paper));

    /// <summary>What is wrong with a notice, however it was delivered; null for nothing.</summary>
    internal static string? Flaw(Inquiry inquiry, Recorded<NoticeStatement> notice, NoticeTerm wanted)
    {
        ResponseWindow window = notice.Statement.Window;
        if (notice.Entry < inquiry.PolicyEntry)
            return "it was sent before any policy was on the record";
        if (!inquiry.IsHere(notice.Statement.Origin))
            return $"it is of the log {notice.Statement.Origin}";
        if (inquiry.Doubts.OfFirm(notice) is { } doubt)
            return doubt;
        if (window.Unit != wanted.Unit || window.Days < wanted.Days)
            return $"its window is {window.Days} {(window.Unit == WindowUnit.Working ? "working" : "calendar")} days";
        if (inquiry.Docket.Parties[notice.Statement.Party].AsOf(notice.Entry) is not { } party)
            return "the party was not on the record then";
        if (window.Zone != party.Zone || window.Calendar != party.Calendar)
            return $"its window is counted in {window.Zone} by another calendar or zone than the party's";
        if ((window.Calendar is { } digest ? inquiry.Material.FindCalendar(digest) : WorkingCalendar.Plain) is not { } calendar)
            return $"the calendar sha256:{window.Calendar} is not in the vault";
        return window.Defect(calendar)?.TrimEnd('.') ?? EndsEarly(inquiry, notice);
    }

    /// <summary>
    /// Whether a window ends before it would by what was said of the party's days at another time: whoever keeps the ledger can say that a party is far in the east, and takes nothing
    /// from them by that.
    /// </summary>
    private static string? EndsEarly(Inquiry inquiry, Recorded<NoticeStatement> notice)
    {
        ResponseWindow window = notice.Statement.Window;
        foreach (Recorded<PartyStatement> said in inquiry.Docket.Parties[notice.Statement.Party].Statements.Where(said => said.Entry < notice.Entry))
        {
            (string zone, Sha256Digest? digest) = (said.Statement.Zone, window.Unit == WindowUnit.Working ? said.Statement.Calendar : null);
            if (zone == window.Zone && digest == window.Calendar)
                continue;
            if ((digest is { } named ? inquiry.Material.FindCalendar(named) : WorkingCalendar.Plain) is not { } calendar)
                return $"the calendar sha256:{digest} of entry {said.Entry} is not in the vault";
            try
            {
                if (ResponseWindow.Compute(window.From, window.Days, window.Unit, zone, calendar) is var other && other.Deadline > window.Deadline)
                    return $"its window ends at {Words.Of(window.Deadline)}, and by what entry {said.Entry} says of the party's days ({zone}) it would end at {Words.Of(other.Deadline)}";
            }
            catch (EvidenceException e)
            {
                return $"by what entry {said.Entry} says of the party's days its window cannot be counted: {e.Message.TrimEnd('.')}";
            }
        }

        return null;
    }

    /// <summary>The delivery that an outsider proves to be no later than the window's beginning; null where none is.</summary>
    internal static Recorded<DeliveryStatement>? Served(Inquiry inquiry, Recorded<NoticeStatement> notice) => Delivered(inquiry, notice).FirstOrDefault(delivery =>
        inquiry.Doubts.OfFirm(delivery) is null && inquiry.Times.NoLaterThan(delivery.Entry) is { } known && known.NoLaterThan <= notice.Statement.Window.From);

    /// <summary>The deliveries that would do, whether or not an outsider proves their time.</summary>
    internal static IEnumerable<Recorded<DeliveryStatement>> Delivered(Inquiry inquiry, Recorded<NoticeStatement> notice) => inquiry.Docket.DeliveriesOf(notice.LeafHash).Where(delivery =>
        delivery.Entry > notice.Entry && delivery.Statement.Document is { } paper && inquiry.Material.HasPaper(paper) &&
        (delivery.Statement.Outcome == DeliveryOutcome.Delivered || (delivery.Statement.Outcome == DeliveryOutcome.Attempted && inquiry.Policy.Notices.Delivery == DeliveryOutcome.Attempted)));
}
