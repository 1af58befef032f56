using System.Globalization;
using Evidence.Hashing;
using Evidence.Platform;
using NodaTime;
using NodaTime.Text;

namespace Evidence.Preservation;

/// <summary>
/// Which days are working days: the days of the weekend, and the holidays of the years that it covers (<c>docs/format/window.md</c>). It knows nothing of other years: a day
/// there is an error, never a working day by silence.
/// </summary>
public sealed class WorkingCalendar
{
    /// <summary>The longest document that is read, in bytes.</summary>
    public const int MaximumLength = 1 << 20;

    private const string What = "the calendar";

    private static readonly LocalDatePattern DatePattern = LocalDatePattern.CreateWithInvariantCulture("uuuu'-'MM'-'dd");

    private readonly HashSet<IsoDayOfWeek> weekend;
    private readonly SortedDictionary<LocalDate, string> holidays;
    private readonly SortedSet<int>? years;

    private WorkingCalendar(string name, Sha256Digest? digest, HashSet<IsoDayOfWeek> weekend, SortedDictionary<LocalDate, string> holidays, SortedSet<int>? years)
    {
        Name = name;
        Digest = digest;
        this.weekend = weekend;
        this.holidays = holidays;
        this.years = years;
    }

    /// <summary>Monday to Friday, in every year, without holidays. It has no document.</summary>
    public static WorkingCalendar Plain { get; } = new("Monday to Friday", null, [IsoDayOfWeek.Saturday, IsoDayOfWeek.Sunday], [], null);

    /// <summary>The SHA-256 of its document; null for <see cref="Plain"/>.</summary>
    public Sha256Digest? Digest { get; }

    /// <summary>Whose days these are.</summary>
    public string Name { get; }

    /// <summary>The days of the week that are no working days.</summary>
    public IReadOnlySet<IsoDayOfWeek> Weekend => weekend;

    /// <summary>The days off beside those, by their dates.</summary>
    public IReadOnlyDictionary<LocalDate, string> Holidays => holidays;

    /// <summary>The years that it covers, in order; empty for <see cref="Plain"/>, which covers all.</summary>
    public IReadOnlyCollection<int> Years => years ?? [];

    /// <summary>Reads a calendar's document.</summary>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    public static WorkingCalendar Parse(ReadOnlySpan<byte> bytes)
    {
        YamlNode root = YamlDocument.Read(bytes, What, MaximumLength).RequireOnly("version", "name", "weekend", "years", "holidays");
        root["version"].Integer(1, 1);
        IReadOnlyList<IsoDayOfWeek> free = root["weekend"].Distinct(ReadDay);
        if (free.Count == 7)
            throw root["weekend"].Wrong("leaves no day to work.");
        IReadOnlyList<int> covered = root["years"].Distinct(year => year.Integer(ResponseWindow.FirstYear, ResponseWindow.LastYear));
        if (covered.Count == 0)
            throw root["years"].Wrong("names no year: name those of which all holidays are in it.");
        var off = new SortedDictionary<LocalDate, string>();
        foreach ((string key, YamlNode holiday) in root["holidays"].Fields)
        {
            if (DatePattern.Parse(key) is not { Success: true, Value: var date } || !string.Equals(DatePattern.Format(date), key, StringComparison.Ordinal))
                throw holiday.Wrong("is no date: write it as 2026-12-25.");
            if (!covered.Contains(date.Year))
                throw holiday.Wrong("is in a year that 'years' does not name.");
            off.Add(date, holiday.Text);
        }

        // A year that was named, and whose days were forgotten, would have none.
        var filled = off.Keys.Select(date => date.Year).ToHashSet();
        if (filled.Count > 0 && covered.FirstOrDefault(year => !filled.Contains(year)) is > 0 and var empty)
            throw root["years"].Wrong(string.Create(CultureInfo.InvariantCulture, $"names {empty}, and no holiday is in that year: add its holidays, or leave the year out."));
        return new WorkingCalendar(root["name"].Text, Sha256Digest.Compute(bytes), [.. free], off, [.. covered]);
    }

    /// <summary>Reads a calendar's file.</summary>
    /// <exception cref="EvidenceException">There is none, or it cannot be read (<see cref="ErrorCode.CalendarInvalid"/>).</exception>
    public static WorkingCalendar Load(string path)
    {
        try
        {
            return Parse(SmallFile.Read(path, MaximumLength));
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.CalendarInvalid, $"{path} is no calendar of working days: {e.Message}", e);
        }
    }

    /// <summary>Whether the holidays of a day's year are known.</summary>
    public bool Covers(LocalDate date) => years?.Contains(date.Year) ?? true;

    /// <summary>Whether a day is a working day.</summary>
    /// <exception cref="EvidenceException">The calendar does not cover its year (<see cref="ErrorCode.CalendarInvalid"/>).</exception>
    public bool IsWorkingDay(LocalDate date) => Covers(date)
        ? !weekend.Contains(date.DayOfWeek) && !holidays.ContainsKey(date)
        : throw new EvidenceException(
            ErrorCode.CalendarInvalid,
            $"The calendar '{Name}' ({Digest}) covers {string.Join(", ", years!)}, and says nothing of {DatePattern.Format(date)}. Record one that has the holidays of that year, too.");

    private static IsoDayOfWeek ReadDay(YamlNode day) => day.Choice(
        ("monday", IsoDayOfWeek.Monday), ("tuesday", IsoDayOfWeek.Tuesday), ("wednesday", IsoDayOfWeek.Wednesday), ("thursday", IsoDayOfWeek.Thursday),
        ("friday", IsoDayOfWeek.Friday), ("saturday", IsoDayOfWeek.Saturday), ("sunday", IsoDayOfWeek.Sunday));
}
