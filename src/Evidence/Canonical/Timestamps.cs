using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Evidence.Canonical;

/// <summary>Instants as text: RFC 3339 in UTC, always with nine decimals, so that an instant has one spelling and sorts as text.</summary>
public static class Timestamps
{
    private const int Length = 30;

    private static readonly InstantPattern Pattern =
        InstantPattern.Create("uuuu'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Writes an instant, such as <c>2026-02-03T04:05:06.000000007Z</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The instant lies before the year 0, for which RFC 3339 has no spelling.</exception>
    public static string Format(Instant instant)
    {
        string text = Pattern.Format(instant);
        ArgumentOutOfRangeException.ThrowIfNotEqual(text.Length, Length, nameof(instant));
        return text;
    }

    /// <summary>Reads what <see cref="Format"/> writes, and nothing else.</summary>
    /// <exception cref="FormatException">The text is not exactly such an instant.</exception>
    public static Instant Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ParseResult<Instant> result = Pattern.Parse(text);
        // Written again and compared: the pattern also takes 24:00:00 for the next day's midnight.
        return text.Length == Length && result.Success && string.Equals(Pattern.Format(result.Value), text, StringComparison.Ordinal)
            ? result.Value
            : throw new FormatException($"'{text}' is not an RFC 3339 instant in UTC with nine decimals.");
    }
}
