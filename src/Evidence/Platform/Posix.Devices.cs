using System.Runtime.InteropServices;

namespace Evidence.Platform;

/// <summary>The system calls that ask a drive, and the clock, what they are.</summary>
internal static unsafe partial class Posix
{
    /// <summary>Sends a SCSI command (scsi/sg.h, version 3 of its header).</summary>
    internal const uint SG_IO = 0x2285;

    /// <summary>Sends an NVMe admin command (linux/nvme_ioctl.h): <c>_IOWR('N', 0x41, struct nvme_admin_cmd)</c>.</summary>
    internal const uint NVME_IOCTL_ADMIN_CMD = 0xC0484E41;

    /// <summary>The kernel's clock is not held to any other (sys/timex.h).</summary>
    internal const int STA_UNSYNC = 0x40;

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    internal static partial int AdjustTime(ClockState.Raw* state);
}
