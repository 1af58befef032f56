using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// What outsiders prove of the time, both ways, from time stamps that entries name. One over the first entries of the log says that these were there by its time; and the entry that
/// names it, with all after it, was made later than that. Whose stamps count, the policy says.
/// </summary>
public sealed class OutsideTimes
{
    private readonly List<OutsideTime> times;
    private readonly TimeBounds bounds;

    /// <summary>Takes what is proved.</summary>
    /// <param name="times">What is proved.</param>
    /// <param name="lost">The stamps that entries name and that cannot be read; null for none.</param>
    public OutsideTimes(IEnumerable<OutsideTime> times, IReadOnlyList<LostStamp>? lost = null)
    {
        ArgumentNullException.ThrowIfNull(times);
        Lost = lost ?? [];
        this.times = [.. times.OrderBy(time => time.Entry)];
        Proved = new ProvedTimes(this.times.Select(time => new ProvedTime(time.Size, time.NoLaterThan, time.By)));
        bounds = new TimeBounds(Proved, this.times.Select(time => new NamedTime(time.Entry, time.NotBefore)));
        Latest = this.times.MaxBy(time => time.NotBefore);
    }

    /// <summary>The stamps that entries name and that cannot be read: what they would prove is not known, so that nobody can say what follows from the others alone.</summary>
    public IReadOnlyList<LostStamp> Lost { get; }

    /// <summary>The latest of them; null where there is none.</summary>
    public OutsideTime? Latest { get; }

    /// <summary>What is proved, as upper bounds.</summary>
    public ProvedTimes Proved { get; }

    /// <summary>By when an entry was in the log; null where nothing proves it.</summary>
    public ProvedTime? NoLaterThan(long entry) => Proved.Find(entry);

    /// <summary>After when an entry was put into the log; null where nothing proves it.</summary>
    public NamedTime? NotBefore(long entry) => bounds.Of(entry).NotBefore;

    /// <summary>
    /// How old something may be: when it was made at the earliest, by what is proved, or by its own word where that says earlier. Null where nothing proves it: then it may be of any
    /// age. What it says of its time makes it older, and never younger.
    /// </summary>
    /// <param name="after">It was made when the log had at least the entries before this one.</param>
    /// <param name="claimed">What it says.</param>
    public Instant? Oldest(long after, Instant claimed) => NotBefore(after) is { } proved ? Instant.Min(proved.Instant, claimed) : null;

    /// <summary>The first of them that is not before an instant; null where there is none.</summary>
    public OutsideTime? Reached(Instant instant) => times.Find(time => time.NotBefore >= instant);

    /// <summary>Why an entry's own word of its time cannot be true; null where nothing speaks against it.</summary>
    /// <param name="entry">The entry's index.</param>
    /// <param name="claimed">What it says.</param>
    /// <param name="tolerance">How far clocks may be off.</param>
    /// <param name="mayTravel">Whether it may have been signed elsewhere, and put in later.</param>
    public string? Contradiction(long entry, Instant claimed, Duration tolerance, bool mayTravel = false) =>
        !mayTravel && NotBefore(entry) is { } earliest && claimed < earliest.Instant - tolerance
            ? $"entry {entry} says that it is of {Words.Of(claimed)}, and entry {earliest.Entry} before it names a time stamp of {Words.Of(earliest.Instant)}: it was put in later than it says"
        : NoLaterThan(entry) is { } latest && claimed > latest.NoLaterThan + tolerance
            ? $"entry {entry} says that it is of {Words.Of(claimed)}, and was in the ledger by {Words.Of(latest.NoLaterThan)}, by {latest.By}: its clock was ahead"
        : null;
}

/// <summary>A time stamp that an entry names and that cannot be read.</summary>
/// <param name="Entry">The index of the entry.</param>
/// <param name="File">The stamp's file, below <c>ledger/</c>.</param>
/// <param name="IsThere">Whether there is a file of that name, with other content; else there is none.</param>
public sealed record LostStamp(long Entry, string File, bool IsThere);

/// <summary>An instant that an outsider proves.</summary>
/// <param name="Entry">The index of the entry that names the proof: it, and all after it, came after <paramref name="NotBefore"/>.</param>
/// <param name="Size">How many entries were there by <paramref name="NoLaterThan"/>.</param>
/// <param name="NotBefore">The earliest that the instant can have been.</param>
/// <param name="NoLaterThan">The latest that it can have been.</param>
/// <param name="By">Who proves it.</param>
public sealed record OutsideTime(long Entry, long Size, Instant NotBefore, Instant NoLaterThan, string By);
