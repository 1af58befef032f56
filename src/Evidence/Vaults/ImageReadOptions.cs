namespace Evidence.Vaults;

/// <summary>What a reader gets for bytes that are not in the image: those that the source refused to give, and those that were never asked of it.</summary>
public enum AbsentBytes
{
    /// <summary>An <see cref="AbsentRangeException"/>, which says what range is missing, and why.</summary>
    Refuse,

    /// <summary>Zeros. Nothing tells them from zeros that were read, but <see cref="VaultImage.Runs"/>.</summary>
    Zero,
}

/// <summary>How an image is read at random.</summary>
public sealed record ImageReadOptions
{
    /// <summary>
    /// The most bytes of content and map that are kept for the next read, 0 to <see cref="long.MaxValue"/>; 64 MiB by default. Besides, each read that is under way holds the one
    /// segment and the one page of the map that it is at; and up to twice as many as there are cores load ahead, 2 MiB of the image each, to the end of the last segment.
    /// </summary>
    public long CacheSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    = 64L << 20;

    /// <summary>
    /// How far ahead of whoever reads in order segments are read and expanded on other cores, in bytes; 8 MiB by default, less than 64 KiB for not at all. A quarter of the cache
    /// is the most.
    /// </summary>
    public int ReadAhead
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }

    = 8 << 20;

    /// <summary>What a reader gets for bytes that are not in the image.</summary>
    public AbsentBytes Absent { get; init; }
}
