using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Platform;

/// <summary>An advisory lock (flock) that the kernel gives back when the process ends, however it ends.</summary>
internal sealed class FileLock : IDisposable
{
    // rw-r--r--: who may not write to the folder need not lock it.
    private const int LockFileMode = 0x1A4;

    private readonly SafeFileHandle handle;

    private FileLock(SafeFileHandle handle) => this.handle = handle;

    /// <summary>Waits for the lock.</summary>
    internal static FileLock Acquire(string path, CancellationToken cancellation)
    {
        while (true)
        {
            if (TryAcquire(path) is { } taken)
                return taken;
            // flock cannot be interrupted from managed code without leaving a thread behind, so it is asked at intervals.
            if (cancellation.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(10)))
                cancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Takes the lock, or returns null where another holds it.</summary>
    internal static FileLock? TryAcquire(string path) => TryAcquire(path, Posix.O_RDWR | Posix.O_CREAT);

    /// <summary>Takes the lock on a file that is there, through no link; null where there is none, or another holds it.</summary>
    /// <exception cref="EvidenceException">It may not be opened.</exception>
    internal static FileLock? TryAcquireExisting(string path) =>
        // Only a regular file can be a lock's: to open a pipe would wait.
        FileStatus.TryGet(path)?.Type == FileType.Regular ? TryAcquire(path, Posix.O_RDONLY | Posix.O_NOFOLLOW) : null;

    private static FileLock? TryAcquire(string path, int flags)
    {
        // Not through File.OpenHandle: .NET acts out FileShare by a shared flock of its own, and throws where another holds the exclusive
        // one.
        int fd = Posix.Open(path, flags | Posix.O_CLOEXEC, LockFileMode);
        if (fd < 0)
        {
            int reason = Marshal.GetLastPInvokeError();
            return reason == Posix.ENOENT && (flags & Posix.O_CREAT) == 0 ? null : throw DurableFile.Failure(reason, path, "open the lock file");
        }

        var opened = new SafeFileHandle(fd, ownsHandle: true);
        while (Posix.Flock(opened, Posix.LOCK_EX | Posix.LOCK_NB) < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error == Posix.EINTR)
                continue;
            opened.Dispose();
            return error == Posix.EWOULDBLOCK
                ? null
                : throw new EvidenceException(ErrorCode.InputOutput, $"Cannot lock {path}: {Marshal.GetPInvokeErrorMessage(error)}.");
        }

        return new FileLock(opened);
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();
}
