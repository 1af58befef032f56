using System.Globalization;
using NodaTime;
using NodaTime.Text;

namespace Evidence.Preservation;

/// <summary>How instants and lists stand in sentences.</summary>
internal static class Words
{
    private static readonly InstantPattern Whole = InstantPattern.CreateWithInvariantCulture("uuuu'-'MM'-'dd' 'HH':'mm':'ss'Z'");

    internal static string Of(Instant instant) => Whole.Format(instant);

    internal static string Of(Duration duration) => duration.TotalDays >= 2 || (duration.Days >= 1 && duration == Duration.FromDays(duration.Days))
        ? string.Create(CultureInfo.InvariantCulture, $"{duration.TotalDays:0.#} days")
        : string.Create(CultureInfo.InvariantCulture, $"{duration.TotalHours:0.#} hours");

    /// <summary>The first of some names, and how many more there are.</summary>
    internal static string Of(IReadOnlyCollection<string> names, int most = 5) => names.Count <= most
        ? string.Join(", ", names)
        : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", names.Take(most))} and {names.Count - most} more");
}
