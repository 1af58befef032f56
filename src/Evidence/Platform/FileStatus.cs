using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using NodaTime;

namespace Evidence.Platform;

/// <summary>The type bits of a file's mode (<c>S_IFMT</c>).</summary>
internal enum FileType
{
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    Socket = 0xC000,
}

/// <summary>A block device's number, <c>MAJ:MIN</c>, by which the kernel knows it whatever its name.</summary>
internal readonly record struct DeviceNumber(uint Major, uint Minor)
{
    public override string ToString() => string.Create(null, $"{Major}:{Minor}");
}

/// <summary>What the file system says of a file: statx(2), whose layout is the same on every architecture.</summary>
internal readonly unsafe record struct FileStatus(
    FileType Type, long Length, ulong Inode, DeviceNumber Device, DeviceNumber FileSystem, Instant? Modified, int? DirectAlignment, uint Owner)
{
    private const uint Fields = Posix.STATX_BASIC_STATS | Posix.STATX_DIOALIGN;

    /// <summary>The status of what a path leads to, symbolic links followed.</summary>
    /// <returns>Null on failure; <see cref="Marshal.GetLastPInvokeError"/> then tells why.</returns>
    internal static FileStatus? TryGet(string path)
    {
        Raw raw;
        return Posix.StatX(Posix.AT_FDCWD, path, 0, Fields, &raw) < 0 ? null : From(in raw);
    }

    /// <summary>The status of an open file.</summary>
    /// <returns>Null on failure; <see cref="Marshal.GetLastPInvokeError"/> then tells why.</returns>
    internal static FileStatus? TryGet(SafeFileHandle file)
    {
        Raw raw;
        return Posix.StatX(file, string.Empty, Posix.AT_EMPTY_PATH, Fields, &raw) < 0 ? null : From(in raw);
    }

    /// <summary>The year 1 begins.</summary>
    private const long FirstSecond = -62_135_596_800;

    /// <summary>The year 9999 ends.</summary>
    private const long LastSecond = 253_402_300_799;

    /// <summary>Whether a path leads to something that is no file of bytes. To open a pipe would wait for a writer, perhaps for ever.</summary>
    internal static bool IsNoFile(string path) => TryGet(path) is { Type: not FileType.Regular };

    private static FileStatus From(in Raw raw) => new(
        (FileType)(raw.Mode & 0xF000),
        checked((long)raw.Size),
        raw.Inode,
        new DeviceNumber(raw.DeviceMajor, raw.DeviceMinor),
        new DeviceNumber(raw.FileSystemMajor, raw.FileSystemMinor),
        // A file system can hold times that a calendar of four digits cannot; they are left out.
        raw.ModifiedSeconds is >= FirstSecond and <= LastSecond
            ? Instant.FromUnixTimeSeconds(raw.ModifiedSeconds).PlusNanoseconds(raw.ModifiedNanoseconds)
            : null,
        (raw.Mask & Posix.STATX_DIOALIGN) != 0 ? checked((int)raw.DirectOffsetAlignment) : null,
        raw.Owner);

    /// <summary>
    /// The fields that are used of <c>struct statx</c>: the device that the file stands for (<c>stx_rdev</c>), and the one that it is on (<c>stx_dev</c>).
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Raw
    {
        [FieldOffset(0)]
        internal uint Mask;
        [FieldOffset(20)]
        internal uint Owner;
        [FieldOffset(28)]
        internal ushort Mode;
        [FieldOffset(32)]
        internal ulong Inode;
        [FieldOffset(40)]
        internal ulong Size;
        [FieldOffset(112)]
        internal long ModifiedSeconds;
        [FieldOffset(120)]
        internal uint ModifiedNanoseconds;
        [FieldOffset(128)]
        internal uint DeviceMajor;
        [FieldOffset(132)]
        internal uint DeviceMinor;
        [FieldOffset(136)]
        internal uint FileSystemMajor;
        [FieldOffset(140)]
        internal uint FileSystemMinor;
        [FieldOffset(156)]
        internal uint DirectOffsetAlignment;
    }
}
