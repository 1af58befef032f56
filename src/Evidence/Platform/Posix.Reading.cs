using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Platform;

/// <summary>The system calls that read a source and ask what it is.</summary>
internal static unsafe partial class Posix
{
    internal const int O_NOATIME = 0x40000;
    internal const int F_GETFL = 3;
    internal const int F_SETFL = 4;
    internal const int SEEK_DATA = 3;
    internal const int SEEK_HOLE = 4;
    internal const int AT_EMPTY_PATH = 0x1000;
    internal const uint STATX_BASIC_STATS = 0x7FF;

    /// <summary>The alignment that direct I/O wants; older kernels leave it out.</summary>
    internal const uint STATX_DIOALIGN = 0x2000;

    internal const int EPERM = 1;
    internal const int ENXIO = 6;
    internal const int ENODEV = 19;
    internal const int ENOTDIR = 20;
    internal const int EOPNOTSUPP = 95;
    internal const int ENOTCONN = 107;
    internal const int ESTALE = 116;
    internal const int ENOMEDIUM = 123;

    /// <summary>The size of a block device in bytes, as an unsigned 64-bit number.</summary>
    internal const uint BLKGETSIZE64 = 0x80081272;

    /// <summary>The logical sector size, as an int.</summary>
    internal const uint BLKSSZGET = 0x1268;

    /// <summary>The physical sector size, as an unsigned int.</summary>
    internal const uint BLKPBSZGET = 0x127B;

    /// <summary>Whether the device refuses writes, as an int.</summary>
    internal const uint BLKROGET = 0x125E;

    /// <summary>On ARM another number than elsewhere, where this one means O_DIRECTORY; see there.</summary>
    internal static int O_DIRECT => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x10000 : 0x4000;

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FileControl(SafeFileHandle fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    internal static partial nint PRead(SafeFileHandle fd, void* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatX(int dir, string path, int flags, uint mask, FileStatus.Raw* result);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatX(SafeFileHandle file, string path, int flags, uint mask, FileStatus.Raw* result);
}
