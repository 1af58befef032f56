namespace Evidence.Sources;

/// <summary>What the kernel says of a block device. Strings are the device's own, without the padding around them.</summary>
public sealed record DeviceIdentity
{
    /// <summary>The kernel's name for it: <c>sda</c>, <c>nvme0n1p2</c>.</summary>
    public string? KernelName { get; init; }

    /// <summary>Its number, <c>MAJ:MIN</c>.</summary>
    public required string Number { get; init; }

    /// <summary>For a partition, the kernel's name for the disk that it is on.</summary>
    public string? PartitionOf { get; init; }

    /// <summary>Whether the kernel refuses writes to it (<c>BLKROGET</c>): a write blocker, a lock switch, <c>blockdev --setro</c>.</summary>
    public bool? IsReadOnly { get; init; }

    /// <summary>Who made it.</summary>
    public string? Vendor { get; init; }

    /// <summary>Its model.</summary>
    public string? Model { get; init; }

    /// <summary>Its serial number.</summary>
    public string? Serial { get; init; }

    /// <summary>The revision of its firmware.</summary>
    public string? Firmware { get; init; }

    /// <summary>Its world wide identifier: <c>naa.…</c>, <c>eui.…</c>, <c>t10.…</c>.</summary>
    public string? Wwid { get; init; }

    /// <summary>For a loop device, the file behind it.</summary>
    public string? BackingFile { get; init; }

    /// <summary>For a device-mapper device, its name.</summary>
    public string? MapperName { get; init; }

    /// <summary>For a device-mapper device, its identifier (<c>LVM-…</c>, <c>CRYPT-LUKS2-…</c>).</summary>
    public string? MapperUuid { get; init; }

    /// <summary>What it says of sectors that it does not show.</summary>
    public HiddenSectors? HiddenSectors { get; init; }
}
