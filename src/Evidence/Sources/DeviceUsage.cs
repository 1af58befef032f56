namespace Evidence.Sources;

/// <summary>A place where a device, or one of its partitions, or a device built on them, is mounted.</summary>
/// <param name="Device">The kernel's name for the device.</param>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="FileSystem">The type of its file system.</param>
/// <param name="IsReadOnly">Whether it is mounted without the right to write.</param>
public sealed record DeviceMount(string Device, string MountPoint, string FileSystem, bool IsReadOnly);

/// <summary>
/// What the running system did with a device, or with a file as a disk, when it was opened, as this process sees it: mounts in other mount namespaces
/// (of containers, or of the host from within one) do not show.
/// </summary>
public sealed record DeviceUsage
{
    /// <summary>Where it is mounted, itself or through its partitions or holders.</summary>
    public IReadOnlyList<DeviceMount> Mounts { get; init; } = [];

    /// <summary>
    /// The kernel's names for the devices built on it or its partitions: logical volumes, RAID sets, unlocked volumes; of a file, the loop devices over it
    /// that are in use.
    /// </summary>
    public IReadOnlyList<string> Holders { get; init; } = [];

    /// <summary>The swap areas on it, by the kernel's names for their devices; of a file that is one, its path.</summary>
    public IReadOnlyList<string> Swaps { get; init; } = [];

    /// <summary>Whether anything uses it, so that it may change while it is read.</summary>
    public bool IsLive => Mounts.Count > 0 || Holders.Count > 0 || Swaps.Count > 0;

    /// <summary>This and another one, of a source that is made of both.</summary>
    internal DeviceUsage With(DeviceUsage other) => new()
    {
        Mounts = [.. Mounts, .. other.Mounts],
        Holders = [.. Holders, .. other.Holders],
        Swaps = [.. Swaps, .. other.Swaps],
    };
}
