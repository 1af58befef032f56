using NodaTime;
using NodaTime.TimeZones;

namespace Evidence.Preservation;

/// <summary>The days of a zone, by the time-zone data that NodaTime brings along: never the machine's.</summary>
internal sealed class ZoneDays(DateTimeZone zone)
{
    /// <summary>The version of the data, as IANA calls it.</summary>
    internal static string Version => TzdbDateTimeZoneSource.Default.TzdbVersion;

    /// <summary>The zone of an IANA name; null where there is none.</summary>
    internal static ZoneDays? Find(string name) =>
        // The provider also knows names that IANA does not, such as UTC+05:30.
        TzdbDateTimeZoneSource.Default.CanonicalIdMap.ContainsKey(name) ? new ZoneDays(DateTimeZoneProviders.Tzdb[name]) : null;

    /// <summary>What day it is at an instant.</summary>
    internal LocalDate DateAt(Instant instant) => instant.InZone(zone).Date;

    /// <summary>Whether there is such a day: a zone that crosses the date line can leave one out (Pacific/Apia: 2011-12-30).</summary>
    internal bool Has(LocalDate day) => zone.MapLocal(day.AtMidnight()) is not { Count: 0 } gap || gap.LateInterval.IsoLocalStart.Date == day;

    /// <summary>When a day is over: the instant from which on it is a later one, and stays so.</summary>
    internal Instant EndOf(LocalDate day)
    {
        ZoneLocalMapping midnight = zone.MapLocal(day.PlusDays(1).AtMidnight());
        return midnight.Count switch
        {
            // The clock jumps over it, and so into a later day.
            0 => midnight.LateInterval.Start,
            1 => midnight.Single().ToInstant(),
            // It comes twice. Where the clock goes back behind it (America/St_Johns, at a minute past midnight), the day goes on after the first.
            _ => midnight.LateInterval.IsoLocalStart.Date <= day ? midnight.Last().ToInstant() : midnight.First().ToInstant(),
        };
    }
}
