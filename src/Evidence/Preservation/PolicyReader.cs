using System.Globalization;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation.Statements;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>Reads policies: each key must be there, with a value of its kind, in its bounds. What could only be a mistake is refused, with what to write instead.</summary>
internal static class PolicyReader
{
    private const int MostApprovals = 10;
    private const int MostCopies = 10;
    private const int MostNotices = 100;

    private static readonly Duration Year = Duration.FromDays(366);

    private static readonly (string Word, PartyRole Role)[] Roles = [.. Enum.GetValues<PartyRole>().Select(role => (role.ToName(), role))];

    private static readonly (string Unit, Duration Length)[] TimeUnits = [("minute", Duration.FromMinutes(1)), ("hour", Duration.FromHours(1)), ("day", Duration.FromDays(1))];

    private static readonly (string Unit, long Factor)[] SizeUnits = [("B", 1), ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30)];

    internal static PreservationPolicy Read(ReadOnlySpan<byte> bytes)
    {
        YamlNode root = YamlDocument.Read(bytes, "the policy", PreservationPolicy.MaximumLength).RequireOnly(
            "version", "name", "time", "holds", "preserved", "notices", "objections", "approvals", "cooling-off", "clearance", "superiors", "changes");
        root["version"].Integer(1, 1);
        var policy = new PreservationPolicy
        {
            Digest = Sha256Digest.Compute(bytes),
            Name = root["name"].Text,
            Time = ReadTime(root["time"].RequireOnly("authorities", "fresh", "tolerance")),
            Holds = ReadHolds(root["holds"].RequireOnly("order", "request", "letter")),
            Preserved = ReadPreserved(root["preserved"].RequireOnly("copies", "verified", "unreadable", "accepted-by")),
            Notices = ReadNotices(root["notices"].RequireOnly("to", "when-preserved", "on-silence", "delivery")),
            Objections = new ObjectionRules(ReadRoles(root["objections"].RequireOnly("block")["block"])),
            Approvals = ReadApprovals(root["approvals"].RequireOnly("requested-by", "count", "by", "within")),
            CoolingOff = ReadTime(root["cooling-off"], Duration.Zero, Year),
            Clearance = new ClearanceRules(ReadTime(root["clearance"].RequireOnly("valid")["valid"], Duration.FromMinutes(1), Duration.FromDays(31))),
            Superiors = ReadSuperiors(root["superiors"].RequireOnly("court", "authority")),
            Changes = ReadChanges(root["changes"].RequireOnly("approvals", "wait")),
        };
        Check(root, policy);
        return policy;
    }

    private static TimeRules ReadTime(YamlNode time) => new(
        time["authorities"].Distinct(ReadDigest),
        ReadTime(time["fresh"], Duration.FromMinutes(1), Duration.FromDays(31)),
        ReadTime(time["tolerance"], Duration.Zero, Duration.FromDays(1)));

    private static HoldRules ReadHolds(YamlNode holds) => new(
        // Silence is no answer to an order, and nobody can write that it does not bind.
        holds["order"].Choice(("until-released", HoldTerm.Released), ("until-preserved", HoldTerm.Preserved)), ReadTerm(holds["request"]), ReadTerm(holds["letter"]));

    private static HoldTerm ReadTerm(YamlNode term) => term.Choice(
        ("until-released", HoldTerm.Released), ("until-preserved", HoldTerm.Preserved), ("until-silence", HoldTerm.Silence), ("never", HoldTerm.Never));

    private static PreservedRules ReadPreserved(YamlNode preserved) => new(
        preserved["copies"].Integer(1, MostCopies),
        ReadTime(preserved["verified"], Duration.FromHours(1), Duration.FromDays(3660)),
        ReadSize(preserved["unreadable"]),
        ReadRoles(preserved["accepted-by"]));

    private static NoticeRules ReadNotices(YamlNode notices) => new(
        ReadRoles(notices["to"]) is { Count: > 0 } told ? told : throw notices["to"].Wrong("names nobody: silence of those who were never told is none."),
        ReadNoticeTerm(notices["when-preserved"], least: 0),
        ReadNoticeTerm(notices["on-silence"], least: 1),
        notices["delivery"].Choice(("delivered", DeliveryOutcome.Delivered), ("attempted", DeliveryOutcome.Attempted)));

    private static NoticeTerm ReadNoticeTerm(YamlNode term, int least)
    {
        term.RequireOnly("count", "days", "apart");
        (int days, WindowUnit unit) = ReadDays(term["days"]);
        return new NoticeTerm(term["count"].Integer(least, MostNotices), days, unit, ReadTime(term["apart"], Duration.Zero, Year));
    }

    private static ApprovalRules ReadApprovals(YamlNode approvals) => new(
        ReadRoles(approvals["requested-by"]) is { Count: > 0 } requesters ? requesters : throw approvals["requested-by"].Wrong("names nobody: what nobody may request is never cleared."),
        approvals["count"].Integer(1, MostApprovals), approvals["by"].Distinct(ReadKey), ReadTime(approvals["within"], Duration.FromHours(1), Year));

    private static ChangeRules ReadChanges(YamlNode changes) => new(changes["approvals"].Integer(1, MostApprovals), ReadTime(changes["wait"], Duration.Zero, Year));

    private static Dictionary<PartyRole, IReadOnlyList<PartyRole>> ReadSuperiors(YamlNode superiors) => new()
    {
        [PartyRole.Court] = ReadRoles(superiors["court"]),
        [PartyRole.Authority] = ReadRoles(superiors["authority"]) is var below && !below.Contains(PartyRole.Court)
            ? below
            : throw superiors["authority"].Wrong("has a court below an authority: only a court can release what a court ordered."),
    };

    /// <summary>Values that are good each by itself, and lead nowhere together.</summary>
    private static void Check(YamlNode root, PreservationPolicy policy)
    {
        int named = policy.Approvals.By.Count;
        if (named > 0 && named < policy.Approvals.Count)
            throw root["approvals"]["by"].Wrong($"names {named}, and {policy.Approvals.Count} must approve: nothing could ever be cleared.");
        if (named > 0 && named < policy.Changes.Approvals)
            throw root["changes"]["approvals"].Wrong($"asks for {policy.Changes.Approvals} of the {named} that 'approvals.by' names: no other policy could ever take its place.");
        if (policy.CoolingOff > policy.Changes.Wait)
            throw root["changes"]["wait"].Wrong("is less than 'cooling-off': whoever cannot wait for that would change the policy.");
    }

    private static IReadOnlyList<PartyRole> ReadRoles(YamlNode roles) => roles.Distinct(role => role.Choice<PartyRole>(Roles));

    private static Sha256Digest ReadDigest(YamlNode digest) => digest.Text is { Length: 64 } text && text.All(char.IsAsciiHexDigitLower)
        ? Sha256Digest.Parse(text)
        : throw digest.Wrong("is no SHA-256 of a certificate: 64 hexadecimal digits in lower case.");

    private static string ReadKey(YamlNode key) => ActorKey.IsKeyId(key.Text)
        ? key.Text
        : throw key.Wrong("is no key id: sha256: and 64 digits, as 'evidence identity show' tells, in quotes.");

    private static (int Days, WindowUnit Unit) ReadDays(YamlNode days) =>
        days.Text.Split(' ') is [var number, var unit] && DecimalText.TryParse(number, out long count) && count is >= 1 and <= ResponseWindow.MostDays && unit is "working" or "calendar"
            ? ((int)count, ResponseWindow.ParseUnit(unit))
            : throw days.Wrong($"is '{days.Text}', and must be a number of days and which: '10 working', '30 calendar'.");

    private static Duration ReadTime(YamlNode time, Duration least, Duration most)
    {
        foreach ((string unit, Duration length) in TimeUnits)
        {
            if (time.Text.Split(' ') is [var number, var word] && DecimalText.TryParse(number, out long count) && word == (count == 1 ? unit : unit + "s") && count <= 1_000_000)
            {
                return length * count is var given && given >= least && given <= most
                    ? given
                    : throw time.Wrong($"is '{time.Text}', and must be from {Of(least)} to {Of(most)}.");
            }
        }

        throw time.Wrong($"is '{time.Text}', and must be a time: '10 minutes', '1 hour', '14 days'.");
    }

    private static string Of(Duration duration)
    {
        (string unit, Duration length) = TimeUnits.LastOrDefault(u => duration >= u.Length && duration.BclCompatibleTicks % u.Length.BclCompatibleTicks == 0, TimeUnits[0]);
        return string.Create(CultureInfo.InvariantCulture, $"{duration.BclCompatibleTicks / length.BclCompatibleTicks} {unit}{(duration == length ? "" : "s")}");
    }

    private static long ReadSize(YamlNode size)
    {
        foreach ((string unit, long factor) in SizeUnits)
        {
            if (size.Text.Split(' ') is [var number, var word] && word == unit && DecimalText.TryParse(number, out long count) && count <= long.MaxValue / factor)
                return count * factor;
        }

        throw size.Wrong($"is '{size.Text}', and must be a number of bytes: '0 B', '64 KiB', '1 MiB'.");
    }
}
