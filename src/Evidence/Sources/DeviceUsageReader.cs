using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>
/// Finds out whether the running system uses a device: from mounts, holders and swap areas. It does not try to open the device for itself
/// alone, which would disturb others.
/// </summary>
internal static class DeviceUsageReader
{
    /// <summary>What the system does with a device; null where it does not show its mounts, so that nothing can be said.</summary>
    internal static DeviceUsage? Read(SysfsBlockDevice device)
    {
        if (Sysfs.Lines("/proc/self/mountinfo") is not { } mountInfo)
            return null;
        SysfsBlockDevice[] devices = [.. device.WithDependents()];
        Dictionary<string, string> names = NamesByNumber(devices);
        IEnumerable<string> swaps = MountTable.ParseSwaps(Sysfs.Lines("/proc/swaps") ?? []);
        return new DeviceUsage
        {
            Mounts = [.. Mounts(MountTable.ParseMounts(mountInfo), NamesByNumber([.. devices, .. BtrfsSiblings(names)]))],
            Holders = [.. devices.SelectMany(each => each.Holders()).Select(holder => holder.Name).Distinct(StringComparer.Ordinal)],
            Swaps = [.. swaps.Select(path => NumberOf(path) is { } number ? names.GetValueOrDefault(number) : null).OfType<string>()],
        };
    }

    private static IEnumerable<DeviceMount> Mounts(IEnumerable<MountTable.Entry> mounts, Dictionary<string, string> names)
    {
        foreach (MountTable.Entry mount in mounts)
        {
            if (names.TryGetValue(mount.Number, out string? name) || names.TryGetValue(NumberOf(mount.Source) ?? string.Empty, out name))
                yield return new DeviceMount(name, mount.MountPoint, mount.FileSystem, mount.IsReadOnly);
        }
    }

    private static IEnumerable<SysfsBlockDevice> BtrfsSiblings(Dictionary<string, string> names) =>
        SysfsBlockDevice.BtrfsGroups().Where(group => group.Any(member => names.ContainsValue(member.Name))).SelectMany(group => group);

    private static Dictionary<string, string> NamesByNumber(SysfsBlockDevice[] devices)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SysfsBlockDevice device in devices)
        {
            if (device.Number is { } number)
                names[number] = device.Name;
        }

        return names;
    }

    /// <summary>The number of the device that a path leads to, whatever its name (<c>/dev/mapper/vg-root</c>).</summary>
    private static string? NumberOf(string path) =>
        path.StartsWith('/') && FileStatus.TryGet(path) is { Type: FileType.BlockDevice } status ? status.Device.ToString() : null;
}
