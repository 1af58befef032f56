namespace Evidence.Rescue;

/// <summary>A length of time that begins to run when it is first asked for.</summary>
internal sealed class TimeBudget(TimeSpan? budget, TimeProvider time)
{
    private long? started;

    /// <summary>Whether it has begun, and is over.</summary>
    internal bool IsUsedUp => started is { } start && time.GetElapsedTime(start) >= budget;

    /// <summary>Whether there is time for one more read.</summary>
    internal bool Allows()
    {
        started ??= time.GetTimestamp();
        return !IsUsedUp;
    }
}
