using System.Runtime.InteropServices;

namespace Evidence.Platform;

/// <summary>A folder as its file system knows it: it stays the same when the folder is renamed, and a copy has another.</summary>
internal readonly unsafe record struct FolderIdentity(DeviceNumber Device, ulong Inode)
{
    // stx_dev_major and stx_dev_minor of struct statx, the device that holds the file.
    private const int DeviceMajor = 136;
    private const int DeviceMinor = 140;

    /// <summary>The identity of the folder that a path leads to.</summary>
    /// <exception cref="EvidenceException">It cannot be asked for.</exception>
    internal static FolderIdentity Get(string path)
    {
        FileStatus.Raw raw;
        if (Posix.StatX(Posix.AT_FDCWD, path, 0, Posix.STATX_BASIC_STATS, &raw) < 0)
            throw DurableFile.Failure(Marshal.GetLastPInvokeError(), path, "read");
        byte* bytes = (byte*)&raw;
        return new FolderIdentity(new DeviceNumber(*(uint*)(bytes + DeviceMajor), *(uint*)(bytes + DeviceMinor)), raw.Inode);
    }
}
