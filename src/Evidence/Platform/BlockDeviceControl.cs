using Microsoft.Win32.SafeHandles;

namespace Evidence.Platform;

/// <summary>What a block device answers of itself (ioctl_list(2), linux/fs.h). Null where it does not answer.</summary>
internal static unsafe class BlockDeviceControl
{
    /// <summary>The size in bytes; on failure the last P/Invoke error tells why.</summary>
    internal static long? Size(SafeFileHandle device)
    {
        ulong size;
        return Posix.IoControl(device, Posix.BLKGETSIZE64, &size) < 0 ? null : checked((long)size);
    }

    internal static int? LogicalSectorSize(SafeFileHandle device) => Get(device, Posix.BLKSSZGET);

    internal static int? PhysicalSectorSize(SafeFileHandle device) => Get(device, Posix.BLKPBSZGET);

    internal static bool? IsReadOnly(SafeFileHandle device) => Get(device, Posix.BLKROGET) is { } answer ? answer != 0 : null;

    private static int? Get(SafeFileHandle device, uint request)
    {
        int value;
        return Posix.IoControl(device, request, &value) < 0 ? null : value;
    }
}
