namespace Evidence.Rescue;

/// <summary>How far a rescue goes. The defaults are those of GNU ddrescue.</summary>
public sealed record RescueOptions
{
    /// <summary>How often each bad sector is read again, in passes of turning direction (ddrescue's <c>-r</c>).</summary>
    public int Retries
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    /// <summary>
    /// Whether the edges of ranges that failed are read sector by sector up to the first bad one (without it, ddrescue's <c>-N</c>).
    /// </summary>
    public bool Trim { get; init; } = true;

    /// <summary>Whether what lies between two bad sectors is read sector by sector (without it, ddrescue's <c>-n</c>).</summary>
    public bool Scrape { get; init; } = true;

    /// <summary>
    /// How long the reading may take, from its first read on; null for no limit. A read that has begun is waited for. What is not read by then
    /// keeps its status.
    /// </summary>
    public TimeSpan? TimeBudget
    {
        get;
        init
        {
            if (value is { } budget)
                ArgumentOutOfRangeException.ThrowIfLessThan(budget, TimeSpan.Zero, nameof(value));
            field = value;
        }
    }
}
