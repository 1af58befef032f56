namespace Evidence.Sources.Nbd;

/// <summary>How patient to be with an NBD server.</summary>
public sealed record NbdOptions
{
    /// <summary>
    /// After how long without any byte from the server a connection counts as lost, and how long a new one may take; more than zero, and at
    /// most <see cref="int.MaxValue"/> milliseconds. 30 seconds unless told otherwise.
    /// </summary>
    public TimeSpan Timeout
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1), nameof(value));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMilliseconds(int.MaxValue), nameof(value));
            field = value;
        }
    }
    = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long to try to connect again after a connection was lost, counted from the last request that was answered; zero for not at all. One
    /// minute unless told otherwise. After it the source counts as gone.
    /// </summary>
    public TimeSpan ReconnectTime
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, nameof(value));
            field = value;
        }
    }
    = TimeSpan.FromMinutes(1);
}
