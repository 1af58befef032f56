namespace Evidence.Sources;

/// <summary>
/// What a drive says of sectors beyond those that it shows: its declared against its native size. All sizes are in bytes; one that the drive does not
/// tell is null. None of it has been tried on a drive with hidden sectors; the answers are read as the standards define them.
/// </summary>
public sealed record HiddenSectors
{
    /// <summary>The size that it declares: what reads can reach.</summary>
    public long? Declared { get; init; }

    /// <summary>An ATA drive's native size, up to which its owner may set the declared one.</summary>
    public long? Native { get; init; }

    /// <summary>What an ATA drive's Host Protected Area, or its Accessible Max Address, hides: the native less the declared size.</summary>
    public long? HostProtectedArea { get; init; }

    /// <summary>What an ATA drive's Device Configuration Overlay hides: the factory's size less the native one.</summary>
    public long? ConfigurationOverlay { get; init; }

    /// <summary>What of an NVMe namespace can be allocated (NCAP); less than declared where it is thinly provisioned.</summary>
    public long? NamespaceCapacity { get; init; }

    /// <summary>The size of all of an NVMe device (TNVMCAP), its other namespaces included.</summary>
    public long? DeviceCapacity { get; init; }

    /// <summary>What of an NVMe device is in no namespace (UNVMCAP).</summary>
    public long? Unallocated { get; init; }

    /// <summary>Why something is not told; null where all is.</summary>
    public string? NotTold { get; init; }

    /// <summary>Whether the drive says that it has sectors which this device does not show.</summary>
    public bool AreThere => HostProtectedArea > 0 || ConfigurationOverlay > 0 || Unallocated > 0 || DeviceCapacity > Declared;
}
