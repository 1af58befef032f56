using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>
/// Finds out whether the running system uses a regular file as a disk: as a swap area, or through loop devices. A program that has it open is not told.
/// </summary>
internal static class FileUsageReader
{
    /// <summary>What the system does with a file; null where it does not show its mounts, so that nothing can be said.</summary>
    internal static DeviceUsage? Read(FileStatus file)
    {
        if (Sysfs.Lines("/proc/self/mountinfo") is null)
            return null;
        var usage = new DeviceUsage
        {
            Swaps = [.. MountTable.ParseSwaps(Sysfs.Lines("/proc/swaps") ?? []).Where(path => IsAt(file, path))],
        };
        foreach (SysfsBlockDevice loop in SysfsBlockDevice.LoopDevices())
        {
            // A loop device that nobody uses does nothing to the file behind it.
            if (IsAt(file, loop.Attribute("loop/backing_file")) && DeviceUsageReader.Read(loop) is { IsLive: true } live)
                usage = usage.With(live).With(new DeviceUsage { Holders = [loop.Name] });
        }

        return usage;
    }

    private static bool IsAt(FileStatus file, string? path) =>
        path is not null && FileStatus.TryGet(path) is { Type: FileType.Regular } there && there.Inode == file.Inode && there.FileSystem == file.FileSystem;
}
