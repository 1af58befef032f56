namespace Evidence.Formats.Nbd;

/// <summary>What an NBD server bears from its clients.</summary>
public sealed record NbdLimits
{
    /// <summary>How many connections are served at once; the next waits. 16 by default.</summary>
    public int Connections { get; init; } = 16;

    /// <summary>
    /// How many requests of one connection are answered at once; the next is not read before. 16 by default. Each holds at most 256 KiB, beside the cache of the image's
    /// reader.
    /// </summary>
    public int Requests { get; init; } = 16;

    /// <summary>How long a client may take for the whole negotiation; 30 seconds by default.</summary>
    public TimeSpan Negotiation { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a client may take to accept a piece of an answer; 60 seconds by default.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(60);
}
