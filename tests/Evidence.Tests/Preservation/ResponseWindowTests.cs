using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Preservation;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;
using Xunit;

namespace Evidence.Tests.Preservation;

/// <summary>These tests are also run in processes of other zones and locales (<see cref="MachineZoneTests"/>): none of their answers may depend on that.</summary>
public sealed class ResponseWindowTests
{
    private const string Apia = "Pacific/Apia";
    private const string NewYork = "America/New_York";

    private static readonly WorkingCalendar Courts = WorkingCalendarTests.Parse(WorkingCalendarTests.Courts);

    private static readonly string[] Zones = [.. DateTimeZoneProviders.Tzdb.Ids];

    // From, days, zone; the last day and the deadline as they are by the clock there (IANA's data, and the rules as they were made public).
    [Theory]
    // Clocks forward on 2026-03-08 and back on 2026-11-01, in the window.
    [InlineData("2026-03-06T15:00:00Z", 5, NewYork, "2026-03-11", "-04:00", "2026-03-12T04:00:00Z")]
    [InlineData("2026-10-30T15:00:00Z", 5, NewYork, "2026-11-04", "-05:00", "2026-11-05T05:00:00Z")]
    // On the last day itself, which has 23 or 25 hours.
    [InlineData("2026-03-06T15:00:00Z", 2, NewYork, "2026-03-08", "-04:00", "2026-03-09T04:00:00Z")]
    [InlineData("2026-10-30T15:00:00Z", 2, NewYork, "2026-11-01", "-05:00", "2026-11-02T05:00:00Z")]
    // From a minute before their midnight, and from it.
    [InlineData("2026-03-07T04:59:59Z", 1, NewYork, "2026-03-07", "-05:00", "2026-03-08T05:00:00Z")]
    [InlineData("2026-03-07T05:00:00Z", 1, NewYork, "2026-03-08", "-04:00", "2026-03-09T04:00:00Z")]
    // Days without midnight: the clock goes from 23:59 to 01:00.
    [InlineData("2018-11-01T12:00:00Z", 2, "America/Sao_Paulo", "2018-11-03", "-03:00", "2018-11-04T03:00:00Z")]
    [InlineData("2018-11-01T12:00:00Z", 3, "America/Sao_Paulo", "2018-11-04", "-02:00", "2018-11-05T02:00:00Z")]
    [InlineData("2022-03-24T12:00:00Z", 2, "Asia/Beirut", "2022-03-26", "+02:00", "2022-03-26T22:00:00Z")]
    // Midnight is where the clock goes back to 23:00: the day is not over before that hour has come again.
    [InlineData("2022-10-27T12:00:00Z", 2, "Asia/Beirut", "2022-10-29", "+02:00", "2022-10-29T22:00:00Z")]
    [InlineData("2018-02-15T12:00:00Z", 2, "America/Sao_Paulo", "2018-02-17", "-03:00", "2018-02-18T03:00:00Z")]
    // A minute past midnight back to 23:01: the last day goes on after the next one has begun.
    [InlineData("2010-11-04T12:00:00Z", 2, "America/St_Johns", "2010-11-06", "-03:30", "2010-11-07T03:30:00Z")]
    // At 01:00 back to midnight: that comes twice, and the day before is over with the first.
    [InlineData("2022-10-27T12:00:00Z", 2, "Atlantic/Azores", "2022-10-29", "+00:00", "2022-10-30T00:00:00Z")]
    // The last hour of the day is left out.
    [InlineData("2024-03-28T12:00:00Z", 2, "America/Nuuk", "2024-03-30", "-01:00", "2024-03-31T01:00:00Z")]
    // 2011-12-30 never was in Samoa: it does not count, and the day before it ends where the day after it begins.
    [InlineData("2011-12-28T20:00:00Z", 1, Apia, "2011-12-29", "-10:00", "2011-12-30T10:00:00Z")]
    [InlineData("2011-12-28T20:00:00Z", 2, Apia, "2011-12-31", "+14:00", "2011-12-31T10:00:00Z")]
    [InlineData("2011-12-29T20:00:00Z", 1, Apia, "2011-12-31", "+14:00", "2011-12-31T10:00:00Z")]
    // Leap days, and years without.
    [InlineData("2024-02-27T12:00:00Z", 2, "UTC", "2024-02-29", "+00:00", "2024-03-01T00:00:00Z")]
    [InlineData("2023-02-27T12:00:00Z", 2, "UTC", "2023-03-01", "+00:00", "2023-03-02T00:00:00Z")]
    [InlineData("2100-02-27T12:00:00Z", 2, "UTC", "2100-03-01", "+00:00", "2100-03-02T00:00:00Z")]
    [InlineData("2000-02-27T12:00:00Z", 2, "UTC", "2000-02-29", "+00:00", "2000-03-01T00:00:00Z")]
    // Year ends.
    [InlineData("2026-12-30T12:00:00Z", 3, "Europe/Berlin", "2027-01-02", "+01:00", "2027-01-02T23:00:00Z")]
    // A day's distance: the first and the last places where a day ends.
    [InlineData("2026-11-22T12:00:00Z", 1, "Pacific/Kiritimati", "2026-11-24", "+14:00", "2026-11-24T10:00:00Z")]
    [InlineData("2026-11-22T12:00:00Z", 1, "Etc/GMT+12", "2026-11-23", "-12:00", "2026-11-24T12:00:00Z")]
    [InlineData("2026-11-22T11:59:59.999999999Z", 1, "Etc/GMT+12", "2026-11-22", "-12:00", "2026-11-23T12:00:00Z")]
    [InlineData("2026-11-22T12:00:00Z", 1, "Asia/Kathmandu", "2026-11-23", "+05:45", "2026-11-23T18:15:00Z")]
    // Local time before zones had whole minutes.
    [InlineData("1880-01-01T12:00:00Z", 1, "Europe/Amsterdam", "1880-01-02", "+00:17:30", "1880-01-02T23:42:30Z")]
    public void Days_of_the_calendar_end_with_the_last_one_in_the_zone(string from, int days, string zone, string lastDay, string offset, string deadline)
    {
        ResponseWindow window = ResponseWindow.Compute(At(from), days, WindowUnit.Calendar, zone, WorkingCalendar.Plain);
        JsonObject json = window.ToJson();
        Assert.Equal((lastDay, offset, Timestamps.Format(At(deadline))), ((string)json["lastDay"]!, (string)json["offset"]!, (string)json["deadline"]!));
        Assert.Null(window.Calendar);
        Assert.Null(window.Defect(WorkingCalendar.Plain));
        Assert.Equal(window, ResponseWindow.Parse(json));
    }

    [Theory]
    // Friday to Tuesday over a weekend; over Martin Luther King's, and Christmas into the next year.
    [InlineData("2012-01-06T17:00:00Z", 2, "2012-01-10")]
    [InlineData("2012-01-13T17:00:00Z", 1, "2012-01-17")]
    [InlineData("2012-01-13T17:00:00Z", 10, "2012-01-30")]
    [InlineData("2012-12-21T17:00:00Z", 7, "2013-01-03")]
    // It begins on a day off.
    [InlineData("2012-02-18T17:00:00Z", 1, "2012-02-21")]
    public void Working_days_are_counted_by_the_calendar(string from, int days, string lastDay)
    {
        ResponseWindow window = ResponseWindow.Compute(At(from), days, WindowUnit.Working, NewYork, Courts);
        Assert.Equal(lastDay, (string)window.ToJson()["lastDay"]!);
        Assert.Equal(Courts.Digest, window.Calendar);
        Assert.Null(window.Defect(Courts));
    }

    [Fact]
    public void Counting_past_the_years_of_a_calendar_is_an_error()
    {
        Instant from = At("2013-12-20T17:00:00Z");
        Assert.Equal("2013-12-31", (string)ResponseWindow.Compute(from, 7, WindowUnit.Working, NewYork, Courts).ToJson()["lastDay"]!);
        Assert.Equal(ErrorCode.CalendarInvalid, Assert.Throws<EvidenceException>(() => ResponseWindow.Compute(from, 8, WindowUnit.Working, NewYork, Courts)).Code);
        Assert.Equal(ErrorCode.CalendarInvalid, Assert.Throws<EvidenceException>(() => ResponseWindow.Compute(At("2011-12-30T17:00:00Z"), 1, WindowUnit.Working, NewYork, Courts)).Code);
        // The day before its first year is the one that does not count.
        Assert.Equal("2012-01-03", (string)ResponseWindow.Compute(At("2011-12-31T17:00:00Z"), 1, WindowUnit.Working, NewYork, Courts).ToJson()["lastDay"]!);
    }

    [Theory]
    [InlineData(0, NewYork)]
    [InlineData(-1, NewYork)]
    [InlineData(ResponseWindow.MostDays + 1, NewYork)]
    [InlineData(1, "America/new_york")]
    [InlineData(1, "")]
    [InlineData(1, "Eastern Standard Time")]
    [InlineData(1, "UTC+05:30")]
    [InlineData(1, "EDT")]
    public void What_cannot_be_counted_is_refused(int days, string zone) => Assert.Equal(
        ErrorCode.Usage,
        Assert.Throws<EvidenceException>(() => ResponseWindow.Compute(At("2026-11-22T12:00:00Z"), days, WindowUnit.Working, zone, WorkingCalendar.Plain)).Code);

    [Theory]
    [InlineData("9998-12-30T00:00:00Z", 1, true)]
    [InlineData("9998-12-30T00:00:00Z", 2, false)]
    [InlineData("9999-12-30T00:00:00Z", 1, false)]
    [InlineData("0001-01-01T00:00:00Z", 1, true)]
    [InlineData("0000-12-31T00:00:00Z", 1, false)]
    public void A_window_lies_where_dates_have_four_digits(string from, int days, bool lies)
    {
        EvidenceException? refused = Record.Exception(() => ResponseWindow.Compute(At(from), days, WindowUnit.Calendar, "UTC", WorkingCalendar.Plain)) as EvidenceException;
        Assert.Equal(lies ? null : ErrorCode.Usage, refused?.Code);
    }

    /// <summary>Every clock change of every zone in 180 years, on the days around it.</summary>
    [Fact]
    public void Around_every_clock_change_the_last_day_is_over_at_the_deadline_and_not_before()
    {
        int changes = 0;
        foreach (string id in TzdbDateTimeZoneSource.Default.CanonicalIdMap.Where(pair => pair.Key == pair.Value).Select(pair => pair.Key))
        {
            DateTimeZone zone = DateTimeZoneProviders.Tzdb[id];
            foreach (ZoneInterval interval in zone.GetZoneIntervals(Instant.FromUtc(1870, 1, 1, 0, 0), Instant.FromUtc(2050, 1, 1, 0, 0)).Where(i => i.HasStart && i.Start > Instant.FromUtc(1870, 1, 1, 0, 0)))
            {
                changes++;
                for (int before = 0; before <= 2; before++)
                    AssertRight(ResponseWindow.Compute(interval.Start - Duration.FromDays(1 + before), 1 + before, WindowUnit.Calendar, id, WorkingCalendar.Plain), zone);
            }
        }

        Assert.True(changes > 20_000, $"only {changes} clock changes");
    }

    [Fact]
    public void Whatever_is_counted_holds_and_can_be_read_back() => Prop.ForAll(Windows.ToArbitrary(), window =>
    {
        AssertRight(window, DateTimeZoneProviders.Tzdb[window.Zone]);
        Assert.Null(window.Defect(WorkingCalendar.Plain));
        byte[] bytes = CanonicalJson.Serialize(window.ToJson());
        Assert.Equal(window, ResponseWindow.Parse(CanonicalJson.Parse(bytes)!.AsObject()));
        // It holds for a reader of other data, too.
        Assert.Null((window with { TzdbVersion = "1999z" }).Defect(WorkingCalendar.Plain));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void More_days_and_a_later_beginning_never_end_earlier() => Prop.ForAll(Windows.Zip(Gen.Choose(1, 5)).Zip(Gen.Choose(0, 400_000)).ToArbitrary(), given =>
    {
        ((ResponseWindow window, int more), int seconds) = given;
        ResponseWindow longer = ResponseWindow.Compute(window.From, window.Days + more, window.Unit, window.Zone, WorkingCalendar.Plain);
        ResponseWindow later = ResponseWindow.Compute(window.From + Duration.FromSeconds(seconds), window.Days, window.Unit, window.Zone, WorkingCalendar.Plain);
        Assert.True(longer.Deadline > window.Deadline && longer.LastDay > window.LastDay);
        Assert.True(later.Deadline >= window.Deadline && later.LastDay >= window.LastDay);
        Assert.True(window.Deadline > window.From);
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));

    public static TheoryData<string, string> Altered => new()
    {
        { "days", "9" },
        { "days", "11" },
        { "unit", "\"calendar\"" },
        { "zone", "\"America/Los_Angeles\"" },
        { "calendar", "null" },
        { "from", "\"2012-01-12T17:00:00.000000000Z\"" },
        { "firstDay", "\"2012-01-13\"" },
        { "firstDay", "\"2012-01-15\"" },
        { "lastDay", "\"2012-01-29\"" },
        { "lastDay", "\"2012-01-31\"" },
        { "offset", "\"-04:59\"" },
        { "deadline", "\"2012-01-31T04:59:59.999999999Z\"" },
        { "deadline", "\"2012-01-31T06:00:00.000000000Z\"" },
    };

    [Theory]
    [MemberData(nameof(Altered))]
    public void A_window_with_another_value_in_any_field_does_not_hold(string field, string value)
    {
        JsonObject json = Example().ToJson();
        json[field] = JsonNode.Parse(value);
        if (field == "unit")
            json["calendar"] = null;
        var altered = ResponseWindow.Parse(Canonical(json));
        Assert.NotEqual(Example(), altered);
        Assert.NotNull(altered.Defect(Courts));
    }

    [Fact]
    public void By_other_time_zone_data_an_hour_is_borne_and_no_more()
    {
        ResponseWindow window = Example() with { TzdbVersion = "2011n" };
        Assert.Null(window.Defect(Courts));
        foreach ((int seconds, bool holds) in ((int, bool)[])[(3600, true), (-3600, true), (3601, false), (-3601, false), (1, true)])
        {
            ResponseWindow moved = window with { Deadline = window.Deadline + Duration.FromSeconds(seconds), Offset = Offset.FromSeconds(window.Offset.Seconds - seconds) };
            Assert.Equal(holds, moved.Defect(Courts) is null);
            // By the same data nothing is borne.
            Assert.NotNull((moved with { TzdbVersion = ResponseWindow.CurrentTzdbVersion }).Defect(Courts));
            // And the three must always fit.
            Assert.NotNull((moved with { Offset = window.Offset }).Defect(Courts));
        }

        // Served at 23:30 there; by other data it could have been the next day, but not the one after.
        ResponseWindow late = ResponseWindow.Compute(At("2012-01-14T04:30:00Z"), 5, WindowUnit.Calendar, NewYork, WorkingCalendar.Plain) with { TzdbVersion = "2011n" };
        ResponseWindow next = late with { FirstDay = late.FirstDay.PlusDays(1), LastDay = late.LastDay.PlusDays(1), Deadline = late.Deadline + Duration.FromDays(1) };
        Assert.Null(late.Defect(WorkingCalendar.Plain));
        Assert.Null(next.Defect(WorkingCalendar.Plain));
        Assert.Contains("begins on 2012-01-15", (next with { FirstDay = next.FirstDay.PlusDays(1), LastDay = next.LastDay.PlusDays(1), Deadline = next.Deadline + Duration.FromDays(1) }).Defect(WorkingCalendar.Plain), StringComparison.Ordinal);
    }

    /// <summary>That Samoa leaves out 2011-12-30 was made public in the same year: before, the day was counted.</summary>
    [Fact]
    public void A_day_that_a_zone_left_out_since_or_that_is_not_left_out_after_all_changes_no_count()
    {
        Instant from = At("2011-12-27T20:00:00Z");
        ResponseWindow without = ResponseWindow.Compute(from, 4, WindowUnit.Calendar, Apia, WorkingCalendar.Plain);
        Assert.Equal(new LocalDate(2012, 1, 1), without.LastDay);
        Assert.Null((without with { TzdbVersion = "2011z" }).Defect(WorkingCalendar.Plain));
        // As it was counted before: four days, of which one never came, and the deadline of the 31st.
        ResponseWindow before = ResponseWindow.Compute(from, 3, WindowUnit.Calendar, Apia, WorkingCalendar.Plain) with { Days = 4, TzdbVersion = "2011a" };
        Assert.Null(before.Defect(WorkingCalendar.Plain));
        // One day fewer is never right, nor two more.
        Assert.NotNull((before with { Days = 5 }).Defect(WorkingCalendar.Plain));
        Assert.NotNull((before with { Days = 2 }).Defect(WorkingCalendar.Plain));
    }

    [Fact]
    public void A_window_is_held_against_its_own_calendar_only()
    {
        Assert.Contains("Monday to Friday", Example().Defect(WorkingCalendar.Plain), StringComparison.Ordinal);
        Assert.NotNull(Example().Defect(WorkingCalendarTests.Parse(WorkingCalendarTests.Courts.Replace("Virginia", "Maryland", StringComparison.Ordinal))));
        Assert.NotNull(ResponseWindow.Compute(At("2012-01-13T17:00:00Z"), 10, WindowUnit.Working, NewYork, WorkingCalendar.Plain).Defect(Courts));
    }

    [Fact]
    public void A_window_of_a_zone_that_is_not_known_here_does_not_hold() =>
        Assert.Contains("no time zone in the data", (Example() with { Zone = "America/Atlantis", TzdbVersion = "2099a" }).Defect(Courts), StringComparison.Ordinal);

    public static TheoryData<string, string> Malformed => new()
    {
        { "days", "0" },
        { "days", "3651" },
        { "days", "\"10\"" },
        { "days", "9007199254740991" },
        { "unit", "\"weeks\"" },
        { "unit", "\"calendar\"" },
        { "zone", "\"\"" },
        { "zone", "\"a b\"" },
        { "zone", "null" },
        { "calendar", "\"no digest\"" },
        { "tzdb", "\"2025\"" },
        { "tzdb", "\"TZDB: 2025b\"" },
        { "from", "\"2012-01-13\"" },
        { "firstDay", "\"2012-1-14\"" },
        { "lastDay", "\"2012-02-30\"" },
        { "lastDay", "\"9999-01-01\"" },
        { "offset", "\"-5:00\"" },
        { "offset", "\"-05\"" },
        { "offset", "\"-05:00:00\"" },
        { "offset", "\"-00:00\"" },
        { "offset", "\"-19:00\"" },
        { "offset", "\"Z\"" },
        { "deadline", "null" },
        { "more", "1" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_is_no_window_is_refused_by_its_field(string field, string value)
    {
        JsonObject json = Example().ToJson();
        json[field] = JsonNode.Parse(value);
        string message = Assert.Throws<FormatException>(() => ResponseWindow.Parse(Canonical(json))).Message;
        Assert.Contains(field is "unit" ? "calendar" : $"'{field}'", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_window_without_one_of_its_fields_is_refused()
    {
        foreach (string field in Example().ToJson().Select(pair => pair.Key))
        {
            JsonObject json = Example().ToJson();
            json.Remove(field);
            Assert.Contains($"'{field}' is missing", Assert.Throws<FormatException>(() => ResponseWindow.Parse(json)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_machine_is_where_it_is_said_to_be()
    {
        // In the processes of that other test, which would show nothing if they ran in UTC.
        if (Environment.GetEnvironmentVariable(MachineZoneTests.Variable) is { } zone)
            Assert.Equal(zone, TimeZoneInfo.Local.Id);
    }

    [Fact]
    public void The_culture_changes_no_answer()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        string[] answers = Answers();
        var odd = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        odd.NumberFormat.NegativeSign = "minus ";
        odd.NumberFormat.PositiveSign = "plus ";
        odd.DateTimeFormat.DateSeparator = "~";
        odd.DateTimeFormat.TimeSeparator = "_";
        try
        {
            CultureInfo.CurrentCulture = odd;
            Assert.Equal(answers, Answers(), StringComparer.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static string[] Answers() =>
    [
        .. Zones.Select(zone => ResponseWindow.Parse(ResponseWindow.Compute(At("2026-10-22T12:00:00Z"), 10, WindowUnit.Working, zone, WorkingCalendar.Plain).ToJson()).ToJson().ToJsonString()),
        WorkingCalendarTests.Parse(WorkingCalendarTests.Courts).Holidays.Count.ToString("x", CultureInfo.InvariantCulture),
    ];

    private static Gen<ResponseWindow> Windows =>
        from second in Gen.Choose(-3_000_000, 4_000_000).SelectMany(thousands => Gen.Choose(0, 999).Select(rest => ((long)thousands * 1000) + rest))
        from zone in Gen.Elements(Zones)
        from days in Gen.Choose(1, 60)
        from unit in Gen.Elements(WindowUnit.Working, WindowUnit.Calendar)
        select ResponseWindow.Compute(Instant.FromUnixTimeSeconds(second), days, unit, zone, WorkingCalendar.Plain);

    private static ResponseWindow Example() => ResponseWindow.Compute(At("2012-01-13T17:00:00Z"), 10, WindowUnit.Working, NewYork, Courts);

    /// <summary>Counted once more in another way: by the intervals in which the zone's clock ran evenly.</summary>
    private static void AssertRight(ResponseWindow window, DateTimeZone zone)
    {
        (LocalDateTime Start, LocalDateTime End, Instant Begin, Offset Offset)[] spans =
        [
            .. zone.GetZoneIntervals(window.From - Duration.FromDays(2), window.Deadline + Duration.FromDays(3)).Select(i =>
            {
                Instant begin = Instant.Max(i.HasStart ? i.Start : Instant.MinValue, window.From - Duration.FromDays(2));
                Instant end = Instant.Min(i.HasEnd ? i.End : Instant.MaxValue, window.Deadline + Duration.FromDays(3));
                return (begin.WithOffset(i.WallOffset).LocalDateTime, end.WithOffset(i.WallOffset).LocalDateTime, begin, i.WallOffset);
            }),
        ];
        LocalDate served = window.From.WithOffset(zone.GetUtcOffset(window.From)).Date;
        Assert.Equal(served.PlusDays(1), window.FirstDay);
        int counted = 0;
        for (LocalDate day = window.FirstDay; day <= window.LastDay; day = day.PlusDays(1))
        {
            bool was = spans.Any(s => s.Start < day.PlusDays(1).AtMidnight() && s.End > day.AtMidnight());
            bool counts = was && (window.Unit == WindowUnit.Calendar || day.DayOfWeek is not (IsoDayOfWeek.Saturday or IsoDayOfWeek.Sunday));
            counted += counts ? 1 : 0;
            Assert.True(day < window.LastDay || counts, $"{window}: the last day does not count");
        }

        Assert.True(counted == window.Days, $"{window}: {counted} days");
        LocalDateTime midnight = window.LastDay.PlusDays(1).AtMidnight();
        Instant over = spans.Where(s => s.Start < midnight).Max(s => LocalDateTime.Min(s.End, midnight).WithOffset(s.Offset).ToInstant());
        Assert.True(over == window.Deadline, $"{window}: the last day is over at {over}");
        Assert.Equal(midnight.WithOffset(window.Offset).ToInstant(), window.Deadline);
    }

    private static JsonObject Canonical(JsonObject json) => CanonicalJson.Parse(CanonicalJson.Serialize(json))!.AsObject();

    private static Instant At(string text) => InstantPattern.ExtendedIso.Parse(text).GetValueOrThrow();
}
