using System.Text;
using Evidence.Hashing;
using Evidence.Preservation;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Preservation;

public sealed class WorkingCalendarTests
{
    internal const string Courts =
        """
        # Days on which the clerk's office is closed.
        version: 1
        name: Federal courts in Virginia
        weekend: [saturday, sunday]
        years: [2012, 2013]
        holidays:
          2012-01-02: New Year's Day, observed
          2012-01-16: Birthday of Martin Luther King, Jr.
          2012-02-20: Washington's Birthday
          2012-12-25: Christmas Day
          2013-01-01: New Year's Day

        """;

    [Fact]
    public void A_calendar_says_which_days_are_working_days()
    {
        WorkingCalendar calendar = Parse(Courts);
        Assert.Equal("Federal courts in Virginia", calendar.Name);
        Assert.Equal(Sha256Digest.Compute(Encoding.UTF8.GetBytes(Courts)), calendar.Digest);
        Assert.Equal([2012, 2013], calendar.Years);
        Assert.Equal("New Year's Day, observed", calendar.Holidays[new LocalDate(2012, 1, 2)]);
        Assert.Equal(5, calendar.Holidays.Count);
        Assert.False(calendar.IsWorkingDay(new LocalDate(2012, 1, 2)));
        Assert.True(calendar.IsWorkingDay(new LocalDate(2012, 1, 3)));
        Assert.False(calendar.IsWorkingDay(new LocalDate(2012, 1, 7)));
        Assert.False(calendar.IsWorkingDay(new LocalDate(2012, 1, 8)));
    }

    [Theory]
    [InlineData(2011, 12, 30)]
    [InlineData(2014, 1, 1)]
    // A Saturday: where nothing is known, not even that.
    [InlineData(2014, 1, 4)]
    public void Of_years_that_it_does_not_cover_it_says_nothing(int year, int month, int day)
    {
        var date = new LocalDate(year, month, day);
        Assert.False(Parse(Courts).Covers(date));
        EvidenceException refused = Assert.Throws<EvidenceException>(() => Parse(Courts).IsWorkingDay(date));
        Assert.Equal(ErrorCode.CalendarInvalid, refused.Code);
        Assert.Contains("covers 2012, 2013, and says nothing of 201", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_document_Monday_to_Friday_are_working_days()
    {
        Assert.Null(WorkingCalendar.Plain.Digest);
        Assert.Empty(WorkingCalendar.Plain.Years);
        var monday = new LocalDate(2026, 11, 23);
        Assert.Equal([true, true, true, true, true, false, false], Enumerable.Range(0, 7).Select(n => WorkingCalendar.Plain.IsWorkingDay(monday.PlusDays(n))));
        Assert.True(WorkingCalendar.Plain.IsWorkingDay(new LocalDate(1, 1, 1)));
    }

    [Fact]
    public void Other_weekends_and_a_year_without_holidays_are_a_calendar()
    {
        WorkingCalendar calendar = Parse("version: 1\nname: Cairo\nweekend:\n- friday\n- saturday\nyears:\n  - 2026\nholidays: {}\n");
        Assert.False(calendar.IsWorkingDay(new LocalDate(2026, 11, 20)));
        Assert.True(calendar.IsWorkingDay(new LocalDate(2026, 11, 22)));
        Assert.True(Parse("version: 1\nname: always\nweekend: []\nyears: [2026]\nholidays: {}\n").IsWorkingDay(new LocalDate(2026, 11, 22)));
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "version: 1", "version: 2", "Line 2 of the calendar: 'version' is '2', and must be a whole number from 1 to 1." },
        { "version: 1\n", "", "Line 2 of the calendar lacks the key 'version'" },
        { "name:", "Name:", "Line 3 of the calendar: 'Name' is no key that is known here. Known are: version, name, weekend, years, holidays." },
        { "name: Federal courts in Virginia", "name:", "Line 3 of the calendar: 'name' has no value." },
        { "name: Federal courts in Virginia", "name: [a]", "Line 3 of the calendar: 'name' must be one value" },
        { "[saturday, sunday]", "[saturday, sonntag]", "Line 4 of the calendar: 'weekend[1]' is 'sonntag', and must be one of: monday," },
        { "[saturday, sunday]", "[saturday, saturday]", "Line 4 of the calendar: 'weekend[1]' stands in the list already." },
        { "[saturday, sunday]", "saturday", "Line 4 of the calendar: 'weekend' must be a list" },
        { "[saturday, sunday]", "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]", "Line 4 of the calendar: 'weekend' leaves no day to work." },
        { "[2012, 2013]", "[]", "Line 5 of the calendar: 'years' names no year" },
        { "[2012, 2013]", "[2012, 2012]", "Line 5 of the calendar: 'years[1]' stands in the list already." },
        { "[2012, 2013]", "[2012, 10000]", "Line 5 of the calendar: 'years[1]' is '10000'" },
        { "[2012, 2013]", "[2012, 2013, 2014]", "Line 5 of the calendar: 'years' names 2014, and no holiday is in that year" },
        { "[2012, 2013]", "[2013]", "Line 7 of the calendar: 'holidays.2012-01-02' is in a year that 'years' does not name." },
        { "2012-02-20", "2012-02-30", "Line 9 of the calendar: 'holidays.2012-02-30' is no date" },
        { "2012-02-20", "2012-2-20", "Line 9 of the calendar: 'holidays.2012-2-20' is no date" },
        { "2012-02-20", "20.2.2012", "Line 9 of the calendar: 'holidays.20.2.2012' is no date" },
        { "2012-02-20", "2012-01-16", "Line 9 of the calendar has the key 'holidays.2012-01-16' a second time." },
        { ": Washington's Birthday", ":", "Line 9 of the calendar: 'holidays.2012-02-20' has no value." },
        { ": Washington's Birthday", ": {of: Washington}", "Line 9 of the calendar: 'holidays.2012-02-20' must be one value" },
        { "version: 1", "---\nversion: 1", "begins with a directive or '---'" },
        { "version: 1", "%YAML 1.2\n---\nversion: 1", "begins with a directive or '---'" },
        { "  2013-01-01: New Year's Day\n", "  2013-01-01: New Year's Day\n---\nversion: 1\n", "one file is one document" },
        { "  2013-01-01: New Year's Day\n", "  2013-01-01: New Year's Day\n...\n", "one file is one document" },
        { "  2013-01-01: New Year's Day\n", "  2013-01-01: New Year's Day", "Line 11 of the calendar does not end in a line feed" },
        { "[saturday, sunday]", "&w [saturday, sunday]", "Line 4 of the calendar has an anchor or a tag" },
        { "[2012, 2013]", "*w", "Line 5 of the calendar" },
        { "[2012, 2013]", "!!seq [2012, 2013]", "Line 5 of the calendar has an anchor or a tag" },
        { "name:", "!!str name:", "Line 3 of the calendar has a key that is no plain word." },
        { "name:", "? [name]\n:", "Line 3 of the calendar has a key that is no plain word." },
        { "Federal courts in Virginia", "Federal courts\n  in Virginia", "Line 3 of the calendar has a value that goes over several lines" },
        { "Federal courts in Virginia", "|\n  Federal courts\n", "Line 3 of the calendar has a value that goes over several lines" },
        { "Federal courts in Virginia", "\"Federal \\x1b[2J\"", "Line 3 of the calendar has a value with a control character." },
        { "Federal courts in Virginia", "\"Federal", "of the calendar is no YAML" },
        { "weekend: [saturday, sunday]", "\tweekend: [saturday, sunday]", "Line 3 of the calendar is no YAML" },
        { "[saturday, sunday]", "[[[[[[[[[[[saturday]]]]]]]]]]]", "Line 4 of the calendar is nested too deeply." },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_no_calendar_is_refused_by_its_line(string right, string wrong, string reason)
    {
        Assert.Contains(right, Courts, StringComparison.Ordinal);
        Assert.Contains(reason, Assert.Throws<FormatException>(() => Parse(Courts.Replace(right, wrong, StringComparison.Ordinal))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("# nothing\n")]
    [InlineData("- a list\n")]
    [InlineData("a text\n")]
    [InlineData("[\n")]
    [InlineData("{\n")]
    [InlineData("\0\n")]
    [InlineData("*\n")]
    [InlineData("!<\n")]
    [InlineData("\"\\U00110000\"\n")]
    [InlineData("\"\\ud800\"\n")]
    public void Nothing_of_another_shape_is_a_calendar(string text) => Assert.Contains("the calendar", Assert.Throws<FormatException>(() => Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Bytes_that_are_no_text_are_refused_by_their_line()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Courts);
        bytes[Courts.IndexOf("Washington", StringComparison.Ordinal)] = 0xFF;
        Assert.Equal("Line 9 of the calendar is no UTF-8.", Assert.Throws<FormatException>(() => WorkingCalendar.Parse(bytes)).Message);
        Assert.Contains("1048576 bytes", Assert.Throws<FormatException>(() => WorkingCalendar.Parse(new byte[WorkingCalendar.MaximumLength + 1])).Message, StringComparison.Ordinal);
    }

    /// <summary>Whatever the bytes are, the answer is a calendar or a <see cref="FormatException"/>.</summary>
    [Fact]
    public void No_bytes_lead_astray()
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Courts);
        Gen<(int At, byte[] Put, int Out)> change =
            from at in Gen.Choose(0, bytes.Length)
            from put in Gen.OneOf(
                Gen.Choose(0, 255).Select(b => new[] { (byte)b }),
                Gen.Elements("[", "]", "{", "}", "- ", "? ", ": ", "&a ", "*a", "!t ", "|\n", ">-\n", "\"", "'", "%", "@", "`", "\r", "\u0085", "\u2028", "\ufeff", "---\n", "...\n", "<<: *a\n", "\\U00110000", "#").Select(Encoding.UTF8.GetBytes))
            from taken in Gen.Choose(0, 12)
            select (at, put, taken);
        Prop.ForAll(change.ListOf().Where(list => list.Count < 6).ToArbitrary(), changes =>
        {
            List<byte> changed = [.. bytes];
            foreach ((int at, byte[] put, int taken) in changes)
            {
                int place = Math.Min(at, changed.Count);
                changed.RemoveRange(place, Math.Min(taken, changed.Count - place));
                changed.InsertRange(place, put);
            }

            changed.Add((byte)'\n');
            try
            {
                _ = WorkingCalendar.Parse([.. changed]);
            }
            catch (FormatException e)
            {
                Assert.Contains("the calendar", e.Message, StringComparison.Ordinal);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));
    }

    [Fact]
    public void A_file_that_is_none_is_named()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "calendar.yaml");
        Assert.Contains(path, Assert.Throws<EvidenceException>(() => WorkingCalendar.Load(path)).Message, StringComparison.Ordinal);
        File.WriteAllText(path, Courts);
        Assert.Equal(Parse(Courts).Digest, WorkingCalendar.Load(path).Digest);
        File.WriteAllText(path, "version: 2\n");
        EvidenceException refused = Assert.Throws<EvidenceException>(() => WorkingCalendar.Load(path));
        Assert.Equal(ErrorCode.CalendarInvalid, refused.Code);
        Assert.StartsWith($"{path} is no calendar of working days: Line 1 of the calendar", refused.Message, StringComparison.Ordinal);
    }

    internal static WorkingCalendar Parse(string text) => WorkingCalendar.Parse(Encoding.UTF8.GetBytes(text));
}
