using System.Runtime.InteropServices;
using Evidence.Platform;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Sources;

/// <summary>
/// A descriptor that reads and leaves no trace: no lock, and no access time where the system grants that. It reads through the page cache or
/// past it: through the cache one bad sector costs a page, and what is read ahead meets bad sectors that nobody asked for.
/// </summary>
internal sealed class SourceFile : IDisposable
{
    /// <summary>What a file system may want direct reads to be aligned to, where it refuses smaller multiples and does not tell.</summary>
    private const int LargerAlignment = 4096;

    /// <summary>No piece in which the kernel caches a file is larger, in bytes, or lies across a multiple of it.</summary>
    private const long LargestCached = 4 << 20;

    private readonly string name;
    private readonly Lock gate = new();

    /// <summary>What direct reads are aligned to, in bytes; 0 while reads go through the page cache.</summary>
    private volatile int alignment;

    /// <summary>Whether the first read that fails makes the others direct.</summary>
    private volatile bool turnsDirect;

    private SourceFile(string name, SafeFileHandle handle, FileStatus status)
    {
        this.name = name;
        Handle = handle;
        Status = status;
    }

    internal SafeFileHandle Handle { get; }

    /// <summary>What the file system said of it when it was opened.</summary>
    internal FileStatus Status { get; }

    /// <summary>Whether reads go past the page cache now.</summary>
    internal bool IsDirect => alignment != 0;

    /// <summary>The smallest aligned piece whose failure tells nothing of its neighbours, in bytes.</summary>
    internal int ErrorGranularity => alignment is not 0 and var sector ? sector : Environment.SystemPageSize;

    /// <summary>Opens a file that must be of one type. Looks before it opens: to open a pipe waits, to open a device may act on it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">What it must be.</param>
    /// <param name="directIO">See <see cref="SourceOptions.DirectIO"/>.</param>
    internal static SourceFile Open(string path, FileType type, bool? directIO)
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
        {
            var file = new SourceFile(path, handle, opened) { turnsDirect = directIO is null };
            if (directIO ?? type == FileType.BlockDevice)
                file.TurnDirect();
            return file;
        }

        handle.Dispose();
        throw new EvidenceException(ErrorCode.SourceFailed, $"{path} was replaced while it was opened. Try again.");
    }

    /// <summary>Tells the kernel to read ahead. Only advice: that it is refused changes no byte.</summary>
    internal void AdviseSequential() => _ = Posix.FileAdvise(Handle, 0, 0, Posix.POSIX_FADV_SEQUENTIAL);

    /// <summary>Reads as much as one call gives.</summary>
    internal int Read(long offset, Span<byte> buffer)
    {
        while (true)
        {
            int aligned = alignment;
            nint count = aligned == 0 ? ReadCached(offset, buffer) : DirectRead.Read(Handle, aligned, offset, buffer);
            if (count >= 0)
                return (int)count;
            int error = Marshal.GetLastPInvokeError();
            if (error == Posix.EINTR || (error == Posix.EINVAL && Realign(aligned)))
                continue;
            TurnAfterError();
            if (!IsDirect)
                ReadNothingAhead(offset, buffer.Length);
            throw new SourceReadException(name, offset, buffer.Length, error);
        }
    }

    /// <summary>Where the first error makes reads direct, this is it.</summary>
    internal void TurnAfterError()
    {
        if (turnsDirect)
            TurnDirect();
    }

    public void Dispose() => Handle.Dispose();

    /// <summary>
    /// After an error in the page cache. What is read ahead is cached in large pieces, and of one with a bad sector in it the next read of a good page fails
    /// as well: so those of around the error are given up, and no more are made. Only advice, as above.
    /// </summary>
    private void ReadNothingAhead(long offset, int length)
    {
        long start = offset / LargestCached * LargestCached;
        long end = (offset + length + LargestCached - 1) / LargestCached * LargestCached;
        _ = Posix.FileAdvise(Handle, 0, 0, Posix.POSIX_FADV_RANDOM);
        _ = Posix.FileAdvise(Handle, start, end - start, Posix.POSIX_FADV_DONTNEED);
    }

    private unsafe nint ReadCached(long offset, Span<byte> buffer)
    {
        fixed (byte* start = buffer)
            return Posix.PRead(Handle, start, (nuint)buffer.Length, offset);
    }

    /// <summary>Makes reads direct from now on, where the system grants that.</summary>
    private void TurnDirect()
    {
        lock (gate)
        {
            turnsDirect = false;
            int wanted = Status.DirectAlignment ?? BlockDeviceControl.LogicalSectorSize(Handle) ?? Source.DefaultSectorSize;
            if (alignment == 0 && wanted > 0 && Set(Posix.O_DIRECT, on: true))
                alignment = wanted;
        }
    }

    /// <summary>After a read was refused as invalid: larger pieces, or else the page cache again.</summary>
    /// <param name="refused">The alignment of that read.</param>
    /// <returns>Whether another read may be granted.</returns>
    private bool Realign(int refused)
    {
        lock (gate)
        {
            // Another thread was here first, perhaps between this read's choice and its call.
            if (alignment != refused)
                return true;
            if (refused is 0)
                return false;
            if (refused < LargerAlignment)
                alignment = LargerAlignment;
            else if (Set(Posix.O_DIRECT, on: false))
                alignment = 0;
            else
                return false;
            return true;
        }
    }

    private bool Set(int flag, bool on)
    {
        int flags = Posix.FileControl(Handle, Posix.F_GETFL, 0);
        return flags >= 0 && Posix.FileControl(Handle, Posix.F_SETFL, on ? flags | flag : flags & ~flag) >= 0;
    }
}
