using System.Runtime.InteropServices;

namespace Evidence.Formats.Fuse;

/// <summary>The kernel's side of FUSE (<c>linux/fuse.h</c>, version 7.31), as far as a read-only file system of a few files needs it. Numbers are in the machine's own order.</summary>
internal static class FuseProtocol
{
    internal const uint Major = 7;
    internal const uint Minor = 31;

    /// <summary>Linux 4.20: the first that lets one request have more than 32 pages.</summary>
    internal const uint OldestMinor = 28;

    /// <summary>Several reads of one file at once.</summary>
    internal const uint AsyncRead = 1;
    internal const uint AsyncDirectIO = 1 << 15;
    internal const uint ParallelDirectoryOperations = 1 << 18;
    internal const uint MaxPages = 1 << 22;

    /// <summary>What the kernel has of the file is good after it was closed, too.</summary>
    internal const uint KeepCache = 1 << 1;

    internal const ulong Root = 1;

    /// <summary>The type of an entry of a directory (<c>DT_DIR</c>, <c>DT_REG</c>).</summary>
    internal const uint DirectoryEntry = 4;
    internal const uint FileEntry = 8;
}

internal enum FuseOperation : uint
{
    Lookup = 1,
    Forget = 2,
    GetAttributes = 3,
    SetAttributes = 4,
    MakeSymbolicLink = 6,
    MakeNode = 8,
    MakeDirectory = 9,
    Unlink = 10,
    RemoveDirectory = 11,
    Rename = 12,
    Link = 13,
    Open = 14,
    Read = 15,
    Write = 16,
    FileSystemStatus = 17,
    Release = 18,
    Initialise = 26,
    OpenDirectory = 27,
    ReadDirectory = 28,
    ReleaseDirectory = 29,
    Create = 35,
    Interrupt = 36,
    Destroy = 38,
    BatchForget = 42,
    Rename2 = 45,
    Seek = 46,
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseInHeader
{
    internal uint Length;
    internal FuseOperation Operation;
    internal ulong Unique;
    internal ulong Node;
    internal uint User;
    internal uint Group;
    internal uint Process;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseOutHeader
{
    internal uint Length;
    internal int Error;
    internal ulong Unique;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseInitIn
{
    internal uint Major;
    internal uint Minor;
    internal uint MaxReadAhead;
    internal uint Flags;
}

[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct FuseInitOut
{
    internal uint Major;
    internal uint Minor;
    internal uint MaxReadAhead;
    internal uint Flags;
    internal ushort MaxBackground;
    internal ushort CongestionThreshold;
    internal uint MaxWrite;
    internal uint TimeGranularity;
    internal ushort MaxPages;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseAttributes
{
    internal ulong Inode;
    internal ulong Size;
    internal ulong Blocks;
    internal ulong AccessTime;
    internal ulong ModifyTime;
    internal ulong ChangeTime;
    internal uint AccessNanoseconds;
    internal uint ModifyNanoseconds;
    internal uint ChangeNanoseconds;
    internal uint Mode;
    internal uint Links;
    internal uint User;
    internal uint Group;
    internal uint Device;
    internal uint BlockSize;
    internal uint Flags;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseEntryOut
{
    internal ulong Node;
    internal ulong Generation;
    internal ulong EntryValid;
    internal ulong AttributesValid;
    internal uint EntryValidNanoseconds;
    internal uint AttributesValidNanoseconds;
    internal FuseAttributes Attributes;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseAttributesOut
{
    internal ulong Valid;
    internal uint ValidNanoseconds;
    internal uint Padding;
    internal FuseAttributes Attributes;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseOpenOut
{
    internal ulong Handle;
    internal uint Flags;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseReadIn
{
    internal ulong Handle;
    internal ulong Offset;
    internal uint Size;
    internal uint Flags;
    internal ulong LockOwner;
    internal uint OpenFlags;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseSeekIn
{
    internal ulong Handle;
    internal ulong Offset;
    internal uint Whence;
    internal uint Padding;
}

[StructLayout(LayoutKind.Sequential, Size = 80)]
internal struct FuseStatusOut
{
    internal ulong Blocks;
    internal ulong FreeBlocks;
    internal ulong AvailableBlocks;
    internal ulong Files;
    internal ulong FreeFiles;
    internal uint BlockSize;
    internal uint NameLength;
    internal uint FragmentSize;
}

[StructLayout(LayoutKind.Sequential)]
internal struct FuseDirectoryEntry
{
    internal ulong Inode;
    internal ulong Next;
    internal uint NameLength;
    internal uint Type;
}
