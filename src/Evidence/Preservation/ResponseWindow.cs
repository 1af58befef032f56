using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using NodaTime;
using NodaTime.Text;

namespace Evidence.Preservation;

/// <summary>What is counted in a window.</summary>
public enum WindowUnit
{
    /// <summary>Days that are neither of the weekend nor holidays.</summary>
    Working,

    /// <summary>Days of the calendar, each.</summary>
    Calendar,
}

/// <summary>
/// How long somebody has to answer, counted in days of their own zone and calendar. It is computed once and written down with all that it depends on, so that the count
/// never changes afterwards: not when a state changes its clocks, nor when a holiday is made (<c>docs/format/window.md</c>).
/// </summary>
public sealed record ResponseWindow
{
    /// <summary>The longest window, in days.</summary>
    public const int MostDays = 3650;

    /// <summary>A window begins in this year or later.</summary>
    internal const int FirstYear = 1;

    /// <summary>A window ends in this year or before: the day after its last one needs a date of four digits.</summary>
    internal const int LastYear = 9998;

    /// <summary>By how much the recorded end of the last day may differ from that by other time-zone data than were used.</summary>
    private static readonly Duration Tolerance = Duration.FromHours(1);

    private static readonly LocalDatePattern DatePattern = LocalDatePattern.CreateWithInvariantCulture("uuuu'-'MM'-'dd");
    private static readonly OffsetPattern MinutePattern = OffsetPattern.CreateWithInvariantCulture("+HH':'mm");
    private static readonly OffsetPattern SecondPattern = OffsetPattern.CreateWithInvariantCulture("+HH':'mm':'ss");

    /// <summary>How many days count, from 1 to <see cref="MostDays"/>.</summary>
    public required int Days { get; init; }

    /// <summary>What is counted.</summary>
    public required WindowUnit Unit { get; init; }

    /// <summary>The IANA name of the zone whose days they are.</summary>
    public required string Zone { get; init; }

    /// <summary>The SHA-256 of the document that says which days are working days; null for Monday to Friday, and where all days count.</summary>
    public required Sha256Digest? Calendar { get; init; }

    /// <summary>The version of the time-zone data that was used, as IANA calls it: <c>2025b</c>.</summary>
    public required string TzdbVersion { get; init; }

    /// <summary>The instant from which on it runs: by then the notice must be served.</summary>
    public required Instant From { get; init; }

    /// <summary>The day after the one on which <see cref="From"/> is in the zone: the first that may count.</summary>
    public required LocalDate FirstDay { get; init; }

    /// <summary>The last day that counts; all of it is in the window.</summary>
    public required LocalDate LastDay { get; init; }

    /// <summary>What the zone's midnight at the end of <see cref="LastDay"/> is from UTC: the midnight after that day, less this, is <see cref="Deadline"/>.</summary>
    public required Offset Offset { get; init; }

    /// <summary>When <see cref="LastDay"/> is over in the zone: the window is closed from this instant on.</summary>
    public required Instant Deadline { get; init; }

    /// <summary>The version of the time-zone data that this library has.</summary>
    public static string CurrentTzdbVersion => ZoneDays.Version;

    /// <summary>Computes a window.</summary>
    /// <param name="from">The instant from which on it runs. The day on which that is in the zone does not count.</param>
    /// <param name="days">How many days count, from 1 to <see cref="MostDays"/>. A day that the zone left out altogether counts for nobody.</param>
    /// <param name="unit">What is counted.</param>
    /// <param name="zone">The IANA name of the recipient's zone.</param>
    /// <param name="calendar">Which days are working days; not used where all days count.</param>
    /// <exception cref="EvidenceException">
    /// There is no such zone, or so many days cannot be counted (<see cref="ErrorCode.Usage"/>); or the calendar does not cover a year that is needed
    /// (<see cref="ErrorCode.CalendarInvalid"/>).
    /// </exception>
    public static ResponseWindow Compute(Instant from, int days, WindowUnit unit, string zone, WorkingCalendar calendar)
    {
        ArgumentNullException.ThrowIfNull(zone);
        ArgumentNullException.ThrowIfNull(calendar);
        if (days is < 1 or > MostDays)
            throw new EvidenceException(ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"A window of {days} days cannot be counted: name 1 to {MostDays}."));
        ZoneDays place = ZoneDays.Find(zone) ?? throw new EvidenceException(ErrorCode.Usage, UnknownZone(zone));
        LocalDate first = DemandYear(place.DateAt(from)).PlusDays(1);
        LocalDate last = first;
        for (int left = days; ; last = DemandYear(last).PlusDays(1))
        {
            if (place.Has(last) && Counts(last, unit, calendar) && --left == 0)
                break;
        }

        Instant deadline = place.EndOf(DemandYear(last));
        return new ResponseWindow
        {
            Days = days,
            Unit = unit,
            Zone = zone,
            Calendar = unit == WindowUnit.Working ? calendar.Digest : null,
            TzdbVersion = ZoneDays.Version,
            From = from,
            FirstDay = first,
            LastDay = last,
            Offset = OffsetAt(last, deadline),
            Deadline = deadline,
        };
    }

    /// <summary>
    /// Holds the window against its own calendar, dates and numbers; and against this library's time-zone data: exactly where they are of the version that was used. Of another
    /// version they may differ by an hour, for states change their clocks, and what was counted before stays counted.
    /// </summary>
    /// <param name="calendar">The calendar of the digest <see cref="Calendar"/>; <see cref="WorkingCalendar.Plain"/> where that is null.</param>
    /// <returns>Why it does not hold; null where it does.</returns>
    public string? Defect(WorkingCalendar calendar)
    {
        ArgumentNullException.ThrowIfNull(calendar);
        if (Unit == WindowUnit.Working && calendar.Digest != Calendar)
            return $"It is counted by {NameOf(Calendar)}, and is held against {NameOf(calendar.Digest)}.";
        try
        {
            return DefectOfCount(calendar) ?? DefectOfZone(calendar);
        }
        catch (EvidenceException e)
        {
            return e.Message;
        }
    }

    /// <summary>The field <c>window</c> of a notice.</summary>
    public JsonObject ToJson() => new()
    {
        ["days"] = (long)Days,
        ["unit"] = NameOf(Unit),
        ["zone"] = Zone,
        ["calendar"] = Calendar?.ToString(),
        ["tzdb"] = TzdbVersion,
        ["from"] = Timestamps.Format(From),
        ["firstDay"] = DatePattern.Format(FirstDay),
        ["lastDay"] = DatePattern.Format(LastDay),
        ["offset"] = Format(Offset),
        ["deadline"] = Timestamps.Format(Deadline),
    };

    /// <summary>Reads what <see cref="ToJson"/> writes. Whether the count is right is not asked here (<see cref="Defect"/>).</summary>
    /// <exception cref="FormatException">A field is missing, or is not what it must be.</exception>
    public static ResponseWindow Parse(JsonObject window)
    {
        ArgumentNullException.ThrowIfNull(window);
        window.RequireOnly("days", "unit", "zone", "calendar", "tzdb", "from", "firstDay", "lastDay", "offset", "deadline");
        WindowUnit unit = ParseUnit(window.RequireString("unit"));
        string? calendar = window.RequireNullableString("calendar") is null ? null : window.RequireDigest("calendar");
        if (calendar is not null && unit == WindowUnit.Calendar)
            throw new FormatException("The field 'calendar' names a calendar, and all days count.");
        return new ResponseWindow
        {
            Days = window.RequireInteger("days") is >= 1 and <= MostDays and var days ? (int)days : throw Wrong("days", $"a number of days from 1 to {MostDays}"),
            Unit = unit,
            Zone = window.RequireString("zone") is { Length: > 0 and <= 64 } zone && zone.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '+')
                ? zone
                : throw Wrong("zone", "the name of a time zone"),
            Calendar = calendar is null ? null : Sha256Digest.Parse(calendar),
            TzdbVersion = window.RequireString("tzdb") is { Length: >= 5 and <= 8 } version && version[..4].All(char.IsAsciiDigit) && version[4..].All(char.IsAsciiLetterLower)
                ? version
                : throw Wrong("tzdb", "a version of time-zone data such as 2025b"),
            From = window.RequireInstant("from"),
            FirstDay = RequireDate(window, "firstDay"),
            LastDay = RequireDate(window, "lastDay"),
            Offset = RequireOffset(window, "offset"),
            Deadline = window.RequireInstant("deadline"),
        };
    }

    /// <summary>The name of a unit, as entries and policies have it.</summary>
    public static string NameOf(WindowUnit unit) => unit switch
    {
        WindowUnit.Working => "working",
        WindowUnit.Calendar => "calendar",
        _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, "This is no unit of a window."),
    };

    /// <summary>The unit of a name.</summary>
    /// <exception cref="FormatException">There is no such unit.</exception>
    public static WindowUnit ParseUnit(string name) => name switch
    {
        "working" => WindowUnit.Working,
        "calendar" => WindowUnit.Calendar,
        _ => throw new FormatException($"'{name}' is no unit of a window: working, calendar."),
    };

    /// <summary>What is wrong by dates and numbers alone; the same on any machine, whatever it knows of zones.</summary>
    private string? DefectOfCount(WorkingCalendar calendar)
    {
        if (LastDay < FirstDay)
            return $"Its last day, {DatePattern.Format(LastDay)}, is before its first, {DatePattern.Format(FirstDay)}.";
        if (Midnight(LastDay) - Deadline != Duration.FromSeconds(Offset.Seconds))
            return $"Its deadline is {Timestamps.Format(Deadline)}, and {DatePattern.Format(LastDay)} does not end then at {Format(Offset)} from UTC.";
        int counted = 0;
        for (LocalDate day = FirstDay; day <= LastDay && counted <= Days + 1; day = DemandYear(day).PlusDays(1))
            counted += Counts(day, Unit, calendar) ? 1 : 0;
        if (!Counts(LastDay, Unit, calendar))
            return $"Its last day, {DatePattern.Format(LastDay)}, is no working day.";
        // One day more is one that the zone left out: nobody had it.
        return counted == Days || counted == Days + 1
            ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"From {DatePattern.Format(FirstDay)} to {DatePattern.Format(LastDay)} there are {(counted > Days ? "more" : "fewer")} than {Days} {NameOf(Unit)} days.");
    }

    private string? DefectOfZone(WorkingCalendar calendar)
    {
        if (ZoneDays.Find(Zone) is not { } place)
            return UnknownZone(Zone);
        if (string.Equals(TzdbVersion, ZoneDays.Version, StringComparison.Ordinal))
        {
            ResponseWindow own = Compute(From, Days, Unit, Zone, calendar);
            return own == this
                ? null
                : $"By the same time-zone data, {TzdbVersion}, it runs from {DatePattern.Format(own.FirstDay)} to {DatePattern.Format(own.LastDay)} and ends at " +
                  $"{Timestamps.Format(own.Deadline)}; it says {DatePattern.Format(FirstDay)}, {DatePattern.Format(LastDay)} and {Timestamps.Format(Deadline)}.";
        }

        if (FirstDay.PlusDays(-1) is var before && place.DateAt(From - Tolerance) != before && place.DateAt(From) != before && place.DateAt(From + Tolerance) != before)
            return $"It says that it begins on {DatePattern.Format(before)} in {Zone}; by the time-zone data {ZoneDays.Version} that is {DatePattern.Format(place.DateAt(From))}.";
        Instant end = place.EndOf(LastDay);
        return end - Deadline <= Tolerance && Deadline - end <= Tolerance
            ? null
            : $"It says that {DatePattern.Format(LastDay)} ends in {Zone} at {Timestamps.Format(Deadline)}; by the time-zone data {ZoneDays.Version} that is {Timestamps.Format(end)}.";
    }

    private static bool Counts(LocalDate day, WindowUnit unit, WorkingCalendar calendar) => unit == WindowUnit.Calendar || calendar.IsWorkingDay(day);

    private static Instant Midnight(LocalDate last) => last.PlusDays(1).AtMidnight().InUtc().ToInstant();

    private static Offset OffsetAt(LocalDate last, Instant deadline) => Offset.FromTicks((Midnight(last) - deadline).BclCompatibleTicks);

    private static LocalDate DemandYear(LocalDate day) => day.Year is >= FirstYear and <= LastYear
        ? day
        : throw new EvidenceException(ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"A window lies within the years {FirstYear} to {LastYear}."));

    private static LocalDate RequireDate(JsonObject window, string name) =>
        window.RequireString(name) is var text && DatePattern.Parse(text) is { Success: true, Value: var date } && date.Year is >= FirstYear and <= LastYear &&
        string.Equals(DatePattern.Format(date), text, StringComparison.Ordinal)
            ? date
            : throw Wrong(name, "a date such as 2026-03-01");

    private static Offset RequireOffset(JsonObject window, string name)
    {
        string text = window.RequireString(name);
        ParseResult<Offset> result = (text.Length == 6 ? MinutePattern : SecondPattern).Parse(text);
        return result.Success && string.Equals(Format(result.Value), text, StringComparison.Ordinal) ? result.Value : throw Wrong(name, "an offset such as -05:00");
    }

    private static string Format(Offset offset) => (offset.Seconds % 60 == 0 ? MinutePattern : SecondPattern).Format(offset);

    private static string NameOf(Sha256Digest? calendar) => calendar is { } digest ? $"the calendar {digest}" : "Monday to Friday, without a calendar";

    private static string UnknownZone(string zone) =>
        $"'{zone}' is no time zone in the data {ZoneDays.Version} that this program has: name one as IANA does, such as America/New_York.";

    private static FormatException Wrong(string name, string wanted) => new($"The field '{name}' is not {wanted}.");
}
