namespace Evidence.Sources.Nbd;

/// <summary>What an NBD server said of itself and of its export when the source was opened. What it did not tell is null.</summary>
public sealed record NbdIdentity
{
    /// <summary>Where the connection ended: an address and a port, or the path of a Unix domain socket (<c>@</c> and a name for an abstract one).</summary>
    public required string Server { get; init; }

    /// <summary>Whether the connection did not leave the machine's own sockets.</summary>
    public bool IsLocal => Server is ['/' or '@', ..];

    /// <summary>The name of the export that was asked for; empty for the server's default export.</summary>
    public required string Export { get; init; }

    /// <summary>The server's own name for the export, where it gave one.</summary>
    public string? CanonicalName { get; init; }

    /// <summary>The server's description of the export.</summary>
    public string? Description { get; init; }

    /// <summary>The server's constraints on requests.</summary>
    public NbdBlockSizes? BlockSizes { get; init; }

    /// <summary>Whether the server refuses writes to the export (<c>NBD_FLAG_READ_ONLY</c>). Evidence itself never sends one.</summary>
    public required bool IsReadOnly { get; init; }

    /// <summary>Whether reads are answered in structured replies, which tell where a read failed.</summary>
    public required bool HasStructuredReplies { get; init; }

    /// <summary>Whether the server tells holes from data (<c>base:allocation</c>).</summary>
    public required bool TellsHoles { get; init; }

    /// <summary>The encryption of the connection; null where it had none.</summary>
    public NbdTlsIdentity? Tls { get; init; }
}

/// <summary>A server's constraints on requests (<c>NBD_INFO_BLOCK_SIZE</c>), in bytes.</summary>
/// <param name="Minimum">What offsets and lengths must be a multiple of: a power of two, 1 to 65536.</param>
/// <param name="Preferred">What they had better be a multiple of.</param>
/// <param name="Maximum">The most that one request may read, 4294967295 for no limit.</param>
public sealed record NbdBlockSizes(int Minimum, long Preferred, long Maximum);

/// <summary>The encryption of a connection.</summary>
/// <param name="Protocol">The protocol's name: <c>Tls12</c>, <c>Tls13</c>.</param>
/// <param name="Certificate">The SHA-256 of the server's certificate, in lower-case hexadecimal.</param>
/// <param name="IsVerified">Whether the certificate was verified; false only where the URI said <c>tls-verify-peer=false</c>.</param>
public sealed record NbdTlsIdentity(string Protocol, string Certificate, bool IsVerified);
