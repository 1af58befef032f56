using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Platform;

/// <summary>An advisory lock (flock) that the kernel gives back when the process ends, however it ends.</summary>
internal sealed class FileLock : IDisposable
{
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
    internal static FileLock? TryAcquire(string path)
    {
        SafeFileHandle? opened = null;
        DurableFile.Translate(path, "open the lock file", () =>
            opened = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete));
        while (Posix.Flock(opened!, Posix.LOCK_EX | Posix.LOCK_NB) < 0)
        {
            int error = Marshal.GetLastPInvokeError();
            if (error == Posix.EINTR)
                continue;
            opened!.Dispose();
            return error == Posix.EWOULDBLOCK
                ? null
                : throw new EvidenceException(ErrorCode.InputOutput, $"Cannot lock {path}: {Marshal.GetPInvokeErrorMessage(error)}.");
        }

        return new FileLock(opened!);
    }

    /// <inheritdoc/>
    public void Dispose() => handle.Dispose();
}
