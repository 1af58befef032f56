using System.Runtime.InteropServices;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Sources;

/// <summary>A descriptor that reads and leaves no trace: no lock, and no access time where the system grants that.</summary>
internal sealed class SourceFile : IDisposable
{
    private readonly string name;

    private SourceFile(string name, SafeFileHandle handle, FileStatus status)
    {
        this.name = name;
        Handle = handle;
        Status = status;
    }

    internal SafeFileHandle Handle { get; }

    /// <summary>What the file system said of it when it was opened.</summary>
    internal FileStatus Status { get; }

    /// <summary>Opens a file that must be of one type. Looks before it opens: to open a pipe waits, to open a device may act on it.</summary>
    internal static SourceFile Open(string path, FileType type)
    {
        FileStatus status = FileStatus.TryGet(path) ?? throw SourceOpener.Failure(path, Marshal.GetLastPInvokeError());
        if (status.Type != type)
            throw SourceOpener.Unsupported(path, status.Type);

        const int Flags = Posix.O_RDONLY | Posix.O_CLOEXEC;
        int fd = Posix.Open(path, Flags | Posix.O_NOATIME, 0);
        // Only a file's owner, or root, may read it without an access time.
        if (fd < 0 && Marshal.GetLastPInvokeError() == Posix.EPERM)
            fd = Posix.Open(path, Flags, 0);
        if (fd < 0)
            throw SourceOpener.Failure(path, Marshal.GetLastPInvokeError());

        var handle = new SafeFileHandle(fd, ownsHandle: true);
        if (FileStatus.TryGet(handle) is { } opened && opened.Type == type)
            return new SourceFile(path, handle, opened);
        handle.Dispose();
        throw new EvidenceException(ErrorCode.SourceFailed, $"{path} was replaced while it was opened. Try again.");
    }

    /// <summary>Tells the kernel to read ahead. Only advice: that it is refused changes no byte.</summary>
    internal void AdviseSequential() => _ = Posix.FileAdvise(Handle, 0, 0, Posix.POSIX_FADV_SEQUENTIAL);

    /// <summary>Reads as much as one call gives.</summary>
    internal unsafe int Read(long offset, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                nint count = Posix.PRead(Handle, start, (nuint)buffer.Length, offset);
                if (count >= 0)
                    return (int)count;
                int error = Marshal.GetLastPInvokeError();
                if (error != Posix.EINTR)
                    throw new SourceReadException(name, offset, buffer.Length, error);
            }
        }
    }

    public void Dispose() => Handle.Dispose();
}
