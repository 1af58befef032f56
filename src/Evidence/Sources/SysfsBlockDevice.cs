using System.Globalization;
using System.Numerics;
using System.Text;
using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>A block device as the kernel shows it under <c>/sys/dev/block</c> (sysfs-block in the kernel's ABI documentation).</summary>
internal sealed class SysfsBlockDevice
{
    private readonly string directory;
    private readonly string diskDirectory;

    private SysfsBlockDevice(string directory)
    {
        this.directory = directory;
        bool isPartition = IsPartition(directory);
        diskDirectory = isPartition ? Path.GetDirectoryName(directory)! : directory;
        PartitionOf = isPartition ? Path.GetFileName(diskDirectory) : null;
    }

    /// <summary>The kernel's name for it.</summary>
    internal string Name => Path.GetFileName(directory);

    /// <summary>Its number, <c>MAJ:MIN</c>.</summary>
    internal string? Number => Sysfs.Text(Path.Combine(directory, "dev"));

    /// <summary>For a partition, the name of its disk.</summary>
    internal string? PartitionOf { get; }

    /// <summary>
    /// Whether it is an ATA disk: its vendor is then told as <c>ATA</c> (SAT-3, 8.2.1). One behind a USB bridge is not taken for one, even where it says
    /// so: some bridges hang on commands that they do not know.
    /// </summary>
    internal bool IsAtaDisk => PartitionOf is null && Sysfs.Text(Path.Combine(directory, "device/vendor")) is "ATA" && !directory.Contains("/usb", StringComparison.Ordinal);

    /// <summary>The number of an NVMe namespace; null where it is none.</summary>
    internal uint? NvmeNamespace => Name.StartsWith("nvme", StringComparison.Ordinal) && PartitionOf is null
        && uint.TryParse(Sysfs.Text(Path.Combine(directory, "nsid")), NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
            ? number
            : null;

    /// <summary>The loop devices that there are, whatever is behind them.</summary>
    internal static IEnumerable<SysfsBlockDevice> LoopDevices(string root = "/sys") =>
        (Sysfs.Directories(Path.Combine(root, "block")) ?? [])
            .Where(device => Path.GetFileName(device).StartsWith("loop", StringComparison.Ordinal)).Select(Follow).OfType<SysfsBlockDevice>();

    /// <summary>Finds a device by its number.</summary>
    /// <param name="number">The device's number.</param>
    /// <param name="root">Where sysfs is mounted.</param>
    /// <returns>Null where sysfs does not show it.</returns>
    internal static SysfsBlockDevice? Find(DeviceNumber number, string root = "/sys") =>
        Follow(Path.Combine(root, "dev/block", number.ToString()));

    /// <summary>
    /// The groups of devices that a mounted btrfs file system lies on. It is mounted under the name of one of them, and has a number of
    /// its own, so that <c>mountinfo</c> does not show the others.
    /// </summary>
    internal static IEnumerable<SysfsBlockDevice[]> BtrfsGroups(string root = "/sys") =>
        from fileSystem in Sysfs.Directories(Path.Combine(root, "fs/btrfs")) ?? []
        let members = Sysfs.Directories(Path.Combine(fileSystem, "devices"))
        where members is not null
        select members.Select(Follow).OfType<SysfsBlockDevice>().ToArray();

    /// <summary>The text of the first of some attributes that the device has; a partition has those of its disk.</summary>
    internal string? Attribute(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
        {
            if (Sysfs.Text(Path.Combine(diskDirectory, name)) is { } text)
                return text;
        }

        return null;
    }

    /// <summary>
    /// The bytes that the device takes in one request, whatever memory they go to: a power of two of at most 1 MiB. Null where the kernel does
    /// not tell.
    /// </summary>
    internal int? LargestRequest()
    {
        const int Largest = 1 << 20;
        if (Number("queue/max_sectors_kb") is not { } kibibytes || Number("queue/max_segments") is not { } segments)
            return null;
        // Memory that is contiguous to a process is so to the device only page by page.
        long bytes = Math.Min(Math.Min(kibibytes, Largest / 1024) * 1024, Math.Min(segments, Largest) * Environment.SystemPageSize);
        return bytes > 0 ? 1 << BitOperations.Log2((ulong)Math.Min(bytes, Largest)) : null;

        long? Number(string name) =>
            long.TryParse(Attribute(name), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
    }

    /// <summary>The serial number that a SCSI or ATA disk tells in its vital product data, page 0x80 (SPC-5, unit serial number).</summary>
    internal string? UnitSerialNumber()
    {
        const int HeaderLength = 4;
        return Sysfs.Bytes(Path.Combine(diskDirectory, "device/vpd_pg80")) is { Length: > HeaderLength } page
            ? Sysfs.Trimmed(Encoding.Latin1.GetString(page.AsSpan(HeaderLength)))
            : null;
    }

    /// <summary>The device itself, its partitions, and every device built on one of them.</summary>
    internal IEnumerable<SysfsBlockDevice> WithDependents() =>
        Partitions().Concat(Holders()).SelectMany(device => device.WithDependents()).Prepend(this);

    /// <summary>The devices built on this very one.</summary>
    internal IEnumerable<SysfsBlockDevice> Holders() =>
        (Sysfs.Directories(Path.Combine(directory, "holders")) ?? []).Select(Follow).OfType<SysfsBlockDevice>();

    private IEnumerable<SysfsBlockDevice> Partitions() =>
        (Sysfs.Directories(directory) ?? []).Where(IsPartition).Select(partition => new SysfsBlockDevice(partition));

    private static bool IsPartition(string directory) => File.Exists(Path.Combine(directory, "partition"));

    private static SysfsBlockDevice? Follow(string link) => Sysfs.LinkTarget(link) is { } target ? new SysfsBlockDevice(target) : null;
}
