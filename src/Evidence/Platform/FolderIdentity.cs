using System.Runtime.InteropServices;

namespace Evidence.Platform;

/// <summary>A folder as its file system knows it: it stays the same when the folder is renamed, and a copy has another.</summary>
internal readonly record struct FolderIdentity(DeviceNumber Device, ulong Inode)
{
    /// <summary>The identity of the folder that a path leads to.</summary>
    /// <exception cref="EvidenceException">It cannot be asked for.</exception>
    internal static FolderIdentity Get(string path)
    {
        FileStatus status = FileStatus.TryGet(path) ?? throw DurableFile.Failure(Marshal.GetLastPInvokeError(), path, "read");
        return new FolderIdentity(status.FileSystem, status.Inode);
    }
}
