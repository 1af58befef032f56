namespace Evidence.Ledger.Witnesses.Http;

/// <summary>What a witness's server bears from its clients.</summary>
public sealed record HttpLimits
{
    /// <summary>How many connections are served at once; further ones wait in the system's queue.</summary>
    public int Connections { get; init; } = 128;

    /// <summary>How long a client may take for a whole request, from the connection, or the answer before, to the body's last byte.</summary>
    public TimeSpan Request { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a client may take to receive an answer.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The most bytes of a request's head: its first line and its headers.</summary>
    public int HeadLength { get; init; } = 8 << 10;
}
