namespace Evidence.Sources.Nbd;

/// <summary>What a negotiation ended with.</summary>
internal sealed record NbdExport
{
    internal required string Server { get; init; }

    internal required long Size { get; init; }

    internal required NbdTransmissionFlags Flags { get; init; }

    internal string? Name { get; init; }

    internal string? Description { get; init; }

    internal NbdBlockSizes? BlockSizes { get; init; }

    internal bool HasStructuredReplies { get; init; }

    /// <summary>The number that the server gave to <see cref="NbdProtocol.AllocationContext"/> for this connection.</summary>
    internal uint? AllocationContext { get; init; }

    internal NbdTlsIdentity? Tls { get; init; }

    /// <summary>What offsets and lengths of requests must be a multiple of.</summary>
    internal int MinimumBlock => BlockSizes?.Minimum ?? 1;

    /// <summary>The most bytes that one request may read.</summary>
    internal long MaximumPayload => BlockSizes?.Maximum ?? NbdProtocol.DefaultMaximumPayload;

    /// <summary>What differs from another connection's export of the same length, in words, or null where it is the same one.</summary>
    internal string? DifferenceFrom(NbdExport earlier)
    {
        if (Name != earlier.Name)
            return "it has another name";
        if (Description != earlier.Description)
            return "it has another description";
        if (BlockSizes != earlier.BlockSizes)
            return "it has other block sizes";
        if (HasStructuredReplies != earlier.HasStructuredReplies || AllocationContext is null != earlier.AllocationContext is null)
            return "its server offers other features";
        // Who verifies certificates lets a server have a new one.
        return Tls is { IsVerified: false } now && now.Certificate != earlier.Tls?.Certificate ? "its server has another certificate" : null;
    }
}
