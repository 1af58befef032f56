using System.Runtime.InteropServices;
using Evidence.Platform;
using Microsoft.Extensions.Logging;

namespace Evidence.Formats.Fuse;

/// <summary>Answers the kernel's requests, one after another; several do so side by side.</summary>
internal sealed unsafe class FuseWorker(FuseChannel channel, FuseFiles files, ILogger logger)
{
    /// <summary>The most bytes of one read: 256 pages, the most that the kernel asks for unless its administrator says otherwise.</summary>
    private const int LargestRead = MostPages * PageSize;
    private const int MostPages = 256;
    private const int PageSize = 4096;

    /// <summary>No request of a read-only file system is longer; the kernel wants room for 8 KiB at least.</summary>
    private const int LongestRequest = 64 << 10;

    /// <summary>Names and attributes never change: a year, in seconds.</summary>
    private const ulong Valid = 365 * 24 * 3600;

    private static readonly int HeaderLength = sizeof(FuseOutHeader);

    private readonly byte[] request = new byte[LongestRequest];
    private readonly byte[] reply = new byte[sizeof(FuseOutHeader) + LargestRead];

    /// <summary>Answers until the file system is unmounted, or everybody is woken.</summary>
    internal void Run()
    {
        using FuseReceiver receiver = channel.OpenReceiver();
        while (receiver.Receive(request) is > 0 and var length)
            Answer(request.AsSpan(0, length));
    }

    private void Answer(ReadOnlySpan<byte> message)
    {
        FuseInHeader header = MemoryMarshal.Read<FuseInHeader>(message);
        ReadOnlySpan<byte> arguments = message[sizeof(FuseInHeader)..];
        if (header.Operation is FuseOperation.Forget or FuseOperation.BatchForget)
            return;
        int length = 0;
        int error = 0;
        try
        {
            (error, length) = Carry(header, arguments, reply.AsSpan(HeaderLength));
        }
        catch (EvidenceException e)
        {
            FuseReadIn read = header.Operation == FuseOperation.Read ? MemoryMarshal.Read<FuseReadIn>(arguments) : default;
            Log.ServedRangeRefused(logger, (long)read.Offset, read.Size, e.Message);
            error = Posix.EIO;
        }

        channel.Reply(reply.AsSpan(0, HeaderLength + (error == 0 ? length : 0)), header.Unique, error);
    }

    /// <summary>Carries a request out.</summary>
    /// <returns>An error number, 0 for none; and the number of bytes of the answer.</returns>
    private (int Error, int Length) Carry(FuseInHeader header, ReadOnlySpan<byte> arguments, Span<byte> answer)
    {
        if (header.Operation == FuseOperation.Initialise)
            return Initialise(MemoryMarshal.Read<FuseInitIn>(arguments), answer);
        if (!FuseFiles.IsKnown(header.Node) && header.Operation is not (FuseOperation.FileSystemStatus or FuseOperation.Interrupt or FuseOperation.Destroy))
            return (Posix.ENOENT, 0);
        switch (header.Operation)
        {
            case FuseOperation.Lookup:
                return header.Node == FuseProtocol.Root && FuseFiles.Find(arguments.TrimEnd((byte)0)) is { } found
                    ? Write(answer, new FuseEntryOut { Node = found, EntryValid = Valid, AttributesValid = Valid, Attributes = files.AttributesOf(found) })
                    : (Posix.ENOENT, 0);
            case FuseOperation.GetAttributes:
                return Write(answer, new FuseAttributesOut { Valid = Valid, Attributes = files.AttributesOf(header.Node) });
            case FuseOperation.Open when FuseFiles.IsFile(header.Node):
                return (MemoryMarshal.Read<uint>(arguments) & 3) == Posix.O_RDONLY ? Write(answer, new FuseOpenOut { Flags = FuseProtocol.KeepCache }) : (Posix.EROFS, 0);
            case FuseOperation.OpenDirectory:
                return header.Node == FuseProtocol.Root ? Write(answer, default(FuseOpenOut)) : (Posix.ENOTDIR, 0);
            case FuseOperation.Read:
                FuseReadIn read = MemoryMarshal.Read<FuseReadIn>(arguments);
                return !FuseFiles.IsFile(header.Node) ? (Posix.EISDIR, 0)
                    : read.Offset > long.MaxValue ? (Posix.EINVAL, 0)
                    : (0, files.Read(header.Node, (long)read.Offset, answer[..(int)Math.Min(read.Size, LargestRead)]));
            case FuseOperation.ReadDirectory:
                FuseReadIn list = MemoryMarshal.Read<FuseReadIn>(arguments);
                return (0, FuseFiles.List(list.Offset, answer[..(int)Math.Min(list.Size, LargestRead)]));
            case FuseOperation.Seek:
                return Seek(header.Node, MemoryMarshal.Read<FuseSeekIn>(arguments), answer);
            case FuseOperation.FileSystemStatus:
                var blocks = (ulong)((files.SizeOf(2) + PageSize - 1) / PageSize);
                return Write(answer, new FuseStatusOut { Blocks = blocks, Files = 3, BlockSize = PageSize, FragmentSize = PageSize, NameLength = 255 });
            case FuseOperation.Release or FuseOperation.ReleaseDirectory or FuseOperation.Destroy:
                return default;
            case FuseOperation.SetAttributes or FuseOperation.MakeSymbolicLink or FuseOperation.MakeNode or FuseOperation.MakeDirectory or FuseOperation.Unlink or FuseOperation.RemoveDirectory or
                FuseOperation.Rename or FuseOperation.Rename2 or FuseOperation.Link or FuseOperation.Write or FuseOperation.Create:
                return (Posix.EROFS, 0);
            default:
                // The kernel does what it does for every file system then, and does not ask again.
                return (Posix.ENOSYS, 0);
        }
    }

    private static (int Error, int Length) Initialise(FuseInitIn kernel, Span<byte> answer)
    {
        if (kernel.Major != FuseProtocol.Major || kernel.Minor < FuseProtocol.OldestMinor)
            return (Posix.EPROTO, 0);
        const uint Wanted = FuseProtocol.AsyncRead | FuseProtocol.AsyncDirectIO | FuseProtocol.ParallelDirectoryOperations | FuseProtocol.MaxPages;
        return Write(answer, new FuseInitOut
        {
            Major = FuseProtocol.Major,
            Minor = FuseProtocol.Minor,
            MaxReadAhead = LargestRead,
            Flags = kernel.Flags & Wanted,
            MaxBackground = 64,
            CongestionThreshold = 48,
            MaxWrite = PageSize,
            TimeGranularity = 1,
            MaxPages = MostPages,
        });
    }

    private (int Error, int Length) Seek(ulong node, FuseSeekIn seek, Span<byte> answer)
    {
        if (seek.Whence is not (Posix.SEEK_DATA or Posix.SEEK_HOLE) || !FuseFiles.IsFile(node) || seek.Offset > long.MaxValue)
            return (Posix.EINVAL, 0);
        return files.Seek(node, (long)seek.Offset, seek.Whence == Posix.SEEK_HOLE) is { } place ? Write(answer, (ulong)place) : (Posix.ENXIO, 0);
    }

    private static (int Error, int Length) Write<T>(Span<byte> answer, T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(answer, value);
        return (0, sizeof(T));
    }
}
