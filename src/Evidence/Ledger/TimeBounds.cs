using NodaTime;

namespace Evidence.Ledger;

/// <summary>Between which instants entries came into a log, as others prove it: a time stamp or a witness from above, a time stamp that an entry names from below.</summary>
public sealed class TimeBounds
{
    private readonly ProvedTimes times;

    // In the log's order, with rising instants.
    private readonly List<NamedTime> named = [];

    /// <summary>Takes what is proved from outside.</summary>
    /// <param name="times">By when the log had which size.</param>
    /// <param name="named">The entries that name time stamps: nobody could write one before its stamp was made.</param>
    public TimeBounds(ProvedTimes times, IEnumerable<NamedTime> named)
    {
        ArgumentNullException.ThrowIfNull(times);
        ArgumentNullException.ThrowIfNull(named);
        this.times = times;
        foreach (NamedTime time in named.OrderBy(time => time.Entry))
        {
            if (this.named is not [.., var last] || time.Instant > last.Instant)
                this.named.Add(time);
        }
    }

    /// <summary>What is proved of an entry.</summary>
    /// <param name="index">Its place.</param>
    public EntryBounds Of(long index) => new(index, times.Find(index), named.FindLast(time => time.Entry < index));
}

/// <summary>An entry that names a time stamp.</summary>
/// <param name="Entry">Its place.</param>
/// <param name="Instant">The earliest instant at which that stamp can have been made.</param>
public sealed record NamedTime(long Entry, Instant Instant);

/// <summary>Between which instants an entry came into the log.</summary>
/// <param name="Entry">Its place.</param>
/// <param name="NoLaterThan">By when it was there; null where nobody says.</param>
/// <param name="NotBefore">What it came after; null where nobody says.</param>
public sealed record EntryBounds(long Entry, ProvedTime? NoLaterThan, NamedTime? NotBefore);
