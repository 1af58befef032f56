using System.Globalization;
using Evidence.Preservation.Rules;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>What is to be done next about telling a party.</summary>
public enum NoticeStep
{
    /// <summary>A notice is to be sent: the first, or a reminder.</summary>
    Send,

    /// <summary>A notice that was sent is to be delivered, provably.</summary>
    Deliver,

    /// <summary>A time stamp is to be asked for, over what was delivered, or after a window's end.</summary>
    Stamp,

    /// <summary>The party has time to answer.</summary>
    Wait,

    /// <summary>The party objects: no further notice leads anywhere.</summary>
    Objected,

    /// <summary>The party was told as often as the policy asks for, or consents.</summary>
    Done,
}

/// <summary>Who must do what by when, so that a party was told.</summary>
/// <param name="Party">The party.</param>
/// <param name="Step">What is to be done.</param>
/// <param name="Sentence">The same in a sentence, with who is to do it.</param>
/// <param name="By">By when, or, where the party has time, until when; null where there is no date.</param>
/// <param name="Entries">The entries that it rests on.</param>
/// <param name="Assets">The assets that it is so for.</param>
public sealed record NoticeTask(string Party, NoticeStep Step, string Sentence, Instant? By, IReadOnlyList<long> Entries, IReadOnlyList<string> Assets);

/// <summary>
/// What is due by the policy's schedule of notices: what is to be sent, delivered, waited for, and sent once more. It follows from the ledger, like the gate's answer, and only
/// says how to get there.
/// </summary>
public static class NoticeSchedule
{
    /// <summary>How long a party has where nothing else is said: the longer of the policy's two terms, so that the notice counts for either.</summary>
    public static NoticeTerm UsualTerm(PreservationPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return policy.Notices.WhenPreserved is { Count: > 0 } preserved && preserved.Days > policy.Notices.OnSilence.Days ? preserved : policy.Notices.OnSilence;
    }

    /// <summary>What is due.</summary>
    /// <param name="docket">The docket.</param>
    /// <param name="material">The documents that its entries name.</param>
    /// <param name="assets">Of which assets; those that were wiped or taken away are left out.</param>
    /// <param name="at">As of when.</param>
    /// <exception cref="EvidenceException">No policy is in force (<see cref="ErrorCode.PolicyInvalid"/>).</exception>
    public static IReadOnlyList<NoticeTask> List(Docket docket, GateMaterial material, IEnumerable<string> assets, Instant at)
    {
        ArgumentNullException.ThrowIfNull(docket);
        ArgumentNullException.ThrowIfNull(assets);
        var force = PolicyInForce.Of(docket, material);
        if (force.Policy is not { } policy)
            throw new EvidenceException(ErrorCode.PolicyInvalid, $"No policy is in force, so nothing says who is to be told how often. {string.Join(' ', force.Reasons.Select(reason => reason.WayOut))}");
        var tasks = new Dictionary<(string Party, NoticeStep Step, string Sentence, Instant? By), (HashSet<long> Entries, List<string> Assets)>();
        foreach (Asset asset in assets.Select(id => docket.Assets[id]).Where(asset => asset.Wiped is null && asset.States is not [.., { Statement.State: AssetState.Seized }]))
        {
            var inquiry = new Inquiry(docket, material, force.Act!, policy, asset, at);
            NoticeTerm term = PreservedRule.Judge(inquiry).Outcome == RuleOutcome.Met ? policy.Notices.WhenPreserved : policy.Notices.OnSilence;
            foreach (NoticeTask task in inquiry.PartiesWithSay.SelectMany(party => Of(inquiry, party, term)))
            {
                if (!tasks.TryGetValue((task.Party, task.Step, task.Sentence, task.By), out (HashSet<long> Entries, List<string> Assets) known))
                    tasks.Add((task.Party, task.Step, task.Sentence, task.By), known = ([], []));
                known.Entries.UnionWith(task.Entries);
                known.Assets.Add(asset.Id);
            }
        }

        return
        [
            .. tasks.Select(task => new NoticeTask(task.Key.Party, task.Key.Step, task.Key.Sentence, task.Key.By, [.. task.Value.Entries.Order()], task.Value.Assets))
                .OrderBy(task => task.Party, StringComparer.Ordinal).ThenBy(task => task.By ?? Instant.MaxValue).ThenBy(task => task.Step),
        ];
    }

    private static IEnumerable<NoticeTask> Of(Inquiry inquiry, string party, NoticeTerm term)
    {
        long? since = ToldRule.Since(inquiry, party, onSilence: term == inquiry.Policy.Notices.OnSilence)?.Entry;
        if (Settled(inquiry, party, since) is { } settled)
        {
            yield return settled;
            yield break;
        }

        int counted = 0;
        int closed = 0;
        Instant? last = null;
        foreach (Recorded<NoticeStatement> notice in inquiry.Asset.Notices.Where(notice => notice.Statement.Party == party).OrderBy(notice => notice.Statement.Window.From))
        {
            if (notice.Entry < since || ToldRule.Flaw(inquiry, notice, term) is not null || (last is { } before && notice.Statement.Window.From < before + term.Apart))
                continue;
            (NoticeTask? task, bool counts) = Next(inquiry, notice);
            if (task is not null)
                yield return task;
            else if (counts)
                closed++;
            if (!counts)
                continue;
            counted++;
            last = notice.Statement.Window.From;
        }

        if (counted < term.Count)
            yield return Send(inquiry, party, term, counted, last);
        else if (closed >= term.Count)
            yield return new NoticeTask(party, NoticeStep.Done, $"{party} was told {Times(closed)}, as the policy asks, and every window is proved closed.", null, [], []);
    }

    /// <summary>What a party said that makes further notices needless; null where it said nothing such.</summary>
    private static NoticeTask? Settled(Inquiry inquiry, string party, long? since)
    {
        Recorded<ResponseStatement>? objection = inquiry.Objections.LastOrDefault(response =>
            response.Statement.Party == party &&
            ObjectionsRule.Withdrawal(inquiry, response) is null && ObjectionsRule.Overruling(inquiry, response) is null);
        if (objection is not null)
            return new NoticeTask(party, NoticeStep.Objected, $"{party} objects, by entry {objection.Entry}: only {party} takes that back, or a superior overrules it.", null, [objection.Entry], []);
        return ToldRule.Consent(inquiry, party, since) is { } consent
            ? new NoticeTask(party, NoticeStep.Done, $"{party} consents, by entry {consent.Entry}.", null, [consent.Entry], [])
            : null;
    }

    /// <summary>What a notice waits for, null for nothing; and whether it counts, or still can.</summary>
    private static (NoticeTask? Task, bool Counts) Next(Inquiry inquiry, Recorded<NoticeStatement> notice)
    {
        NoticeStatement said = notice.Statement;
        ResponseWindow window = said.Window;
        if (ToldRule.Served(inquiry, notice) is null)
        {
            if (inquiry.At >= window.From)
                return (null, false);
            Recorded<DeliveryStatement>? delivered = ToldRule.Delivered(inquiry, notice).FirstOrDefault();
            return (delivered is not null
                ? new NoticeTask(
                    said.Party, NoticeStep.Stamp, $"The notice in entry {notice.Entry} was delivered: somebody asks for a time stamp over entry {delivered.Entry} by {Words.Of(window.From)}.",
                    window.From, [notice.Entry, delivered.Entry], [])
                : new NoticeTask(
                    said.Party, NoticeStep.Deliver, $"Somebody of the firm delivers the notice in entry {notice.Entry}, with a paper that shows it, and has it stamped by {Words.Of(window.From)}.{Failed(inquiry, notice)}",
                    window.From, [notice.Entry], []), true);
        }

        if (inquiry.Reached >= window.Deadline)
            return (null, true);
        return (inquiry.At >= window.Deadline
            ? new NoticeTask(
                said.Party, NoticeStep.Stamp, $"The window of the notice in entry {notice.Entry} closed at {Words.Of(window.Deadline)}: somebody asks for a time stamp, which proves it.", window.Deadline, [notice.Entry], [])
            : new NoticeTask(
                said.Party, NoticeStep.Wait, $"{said.Party} can answer the notice in entry {notice.Entry} until {Words.Of(window.Deadline)}, the end of {window.LastDay:uuuu-MM-dd} in {window.Zone}.",
                window.Deadline, [notice.Entry], []), true);
    }

    /// <summary>A delivery that failed goes another way, or to whoever speaks for the party.</summary>
    private static string Failed(Inquiry inquiry, Recorded<NoticeStatement> notice)
    {
        if (inquiry.Docket.DeliveriesOf(notice.LeafHash) is not [.., var failed])
            return "";
        string[] speakers = [.. inquiry.Docket.Parties.Values.Where(other => other.Latest.Represents == notice.Statement.Party).Select(other => other.Id)];
        return $" The attempt in entry {failed.Entry} ({failed.Statement.Method}) does not do: another way{(speakers.Length > 0 ? $", or through {Words.Of(speakers)}, who speaks for them" : "")}.";
    }

    private static NoticeTask Send(Inquiry inquiry, string party, NoticeTerm term, int counted, Instant? last)
    {
        string which = counted == 0 ? $"the first of {term.Count}" : counted == term.Count - 1 ? $"the last reminder, {term.Count} of {term.Count}" : $"a reminder, {counted + 1} of {term.Count}";
        string unit = ResponseWindow.NameOf(term.Unit);
        Instant? earliest = last is { } before && before + term.Apart > inquiry.At ? before + term.Apart : null;
        string when = earliest is { } from ? $" Its window can begin at {Words.Of(from)} at the earliest." : "";
        return new NoticeTask(
            party, NoticeStep.Send,
            string.Create(CultureInfo.InvariantCulture, $"Somebody of the firm sends {party} a notice ({which}), {term.Days} {unit} days: 'evidence notice send --party {party}'.{when}"), earliest, [], []);
    }

    private static string Times(int count) => count == 1 ? "once" : string.Create(CultureInfo.InvariantCulture, $"{count} times");
}
