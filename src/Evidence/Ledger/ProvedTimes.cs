using NodaTime;

namespace Evidence.Ledger;

/// <summary>By when the log had which size, as others prove it.</summary>
public sealed class ProvedTimes
{
    // By size, the largest first; each with the earliest instant of all sizes from its own up.
    private readonly List<ProvedTime> times = [];

    /// <summary>Takes what is proved.</summary>
    public ProvedTimes(IEnumerable<ProvedTime> proved)
    {
        ArgumentNullException.ThrowIfNull(proved);
        foreach (ProvedTime time in proved.OrderByDescending(time => time.Size).ThenBy(time => time.NoLaterThan))
        {
            if (times is not [.., var last] || time.NoLaterThan < last.NoLaterThan)
                times.Add(time);
        }
    }

    /// <summary>Nothing is proved from outside.</summary>
    public static ProvedTimes None { get; } = new([]);

    /// <summary>These proofs, and others.</summary>
    public ProvedTimes With(ProvedTimes others)
    {
        ArgumentNullException.ThrowIfNull(others);
        return new ProvedTimes([.. times, .. others.times]);
    }

    /// <summary>By when an entry was at its place: the earliest proof of a size that holds it; null where there is none.</summary>
    /// <param name="index">The entry.</param>
    public ProvedTime? Find(long index)
    {
        // A larger log at an earlier instant held all smaller ones by then: what is later in the list is both smaller and earlier.
        int low = 0;
        int high = times.Count;
        while (low < high)
        {
            int middle = low + ((high - low) / 2);
            if (times[middle].Size > index)
                low = middle + 1;
            else
                high = middle;
        }

        return low == 0 ? null : times[low - 1];
    }
}

/// <summary>A proof from outside that the log had a size by an instant.</summary>
/// <param name="Size">The size.</param>
/// <param name="NoLaterThan">By when, with what the prover's clock may be off included.</param>
/// <param name="By">Who proves it, as it is to be said in a sentence.</param>
public sealed record ProvedTime(long Size, Instant NoLaterThan, string By);
