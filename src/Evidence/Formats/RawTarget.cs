using System.Security.Cryptography;
using Evidence.Platform;
using Evidence.Sources;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Formats;

/// <summary>Where raw bytes go, in order.</summary>
internal abstract class RawTarget : IDisposable
{
    /// <summary>The bytes of a device behind what was written.</summary>
    internal virtual long Remaining => 0;

    /// <summary>The files that are written, in order; none for what is no file.</summary>
    internal virtual IReadOnlyList<string> Files => [];

    /// <summary>A new file, new files, or a block device of at least that length.</summary>
    internal static RawTarget Open(string path, long length, RawExportOptions options, ILogger logger)
    {
        path = Path.GetFullPath(path);
        if (options.PartSize is { } partSize)
            return SplitTarget.Create(path, length, partSize, logger);
        return FileStatus.TryGet(path)?.Type switch
        {
            null => new FileTarget(path, length, logger),
            FileType.BlockDevice => DeviceTarget.OpenDevice(path, length, options.Overwrite),
            FileType.Directory => throw Invalid($"{path} is a directory. Name a file that does not exist yet, or a block device."),
            FileType.Regular => throw Invalid($"{path} exists already. Nothing is written over: name another file, or remove it first."),
            _ => throw Invalid($"{path} is neither a new file nor a block device."),
        };
    }

    internal abstract void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Writes zeros; where nothing was there before, a hole will do.</summary>
    internal virtual void WriteZeros(ReadOnlySpan<byte> zeros) => Write(zeros);

    /// <summary>Makes what was written durable, and a file appear under its name.</summary>
    internal virtual void Complete()
    {
    }

    /// <inheritdoc/>
    public abstract void Dispose();

    /// <summary>Writes at a position, and moves it on.</summary>
    private protected static void Write(SafeFileHandle handle, string path, ReadOnlySpan<byte> bytes, ref long position)
    {
        try
        {
            RandomAccess.Write(handle, bytes, position);
        }
        catch (IOException e)
        {
            throw DurableFile.Failure(e, path, "write");
        }

        position += bytes.Length;
    }

    private protected static EvidenceException Invalid(string message) => new(ErrorCode.DestinationInvalid, message);
}

/// <summary>A stream, such as standard output. It belongs to the caller.</summary>
internal sealed class StreamTarget(Stream stream) : RawTarget
{
    internal override void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            stream.Write(bytes);
        }
        catch (IOException e)
        {
            throw DurableFile.Failure(e, "the output", "write");
        }
    }

    public override void Dispose()
    {
        // The caller's.
    }
}

/// <summary>A file that appears when it is whole.</summary>
internal sealed class FileTarget : RawTarget
{
    private readonly string path;
    private readonly string temporary;
    private readonly long length;
    private readonly SafeFileHandle handle;
    private long position;
    private bool complete;

    internal FileTarget(string path, long length, ILogger logger)
    {
        this.path = path;
        this.length = length;
        Leftovers.RemoveFiles(path, ".part", logger);
        (temporary, handle) = Create(path);
    }

    /// <summary>A new file beside its place, locked as long as it is open: that tells others that it is no leftover.</summary>
    private static (string Path, SafeFileHandle Handle) Create(string path)
    {
        while (true)
        {
            string name = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}.part";
            SafeFileHandle? opened = null;
            DurableFile.Translate(name, "create", () =>
            {
                try
                {
                    opened = File.OpenHandle(name, FileMode.CreateNew, FileAccess.Write, FileShare.None);
                }
                catch (IOException e) when (e.HResult == Posix.EWOULDBLOCK)
                {
                    // Created, and before it was locked taken for a leftover by another export to the same place, which removes it.
                }
            });
            if (opened is not null && FileStatus.TryGet(opened)?.Inode is { } own && FileStatus.TryGet(name)?.Inode == own)
                return (name, opened);
            opened?.Dispose();
        }
    }

    internal override void Write(ReadOnlySpan<byte> bytes) => Write(handle, temporary, bytes, ref position);

    internal override IReadOnlyList<string> Files => [path];

    internal override void WriteZeros(ReadOnlySpan<byte> zeros) => position += zeros.Length;

    internal override void Complete()
    {
        DurableFile.Translate(temporary, "set the length of", () => RandomAccess.SetLength(handle, length));
        DurableFile.Sync(handle, temporary);
        if (!DurableFile.TryPublish(temporary, path))
            throw Invalid($"{path} appeared while the export was running. Nothing is written over: name another file.");
        complete = true;
    }

    public override void Dispose()
    {
        handle.Dispose();
        if (!complete)
            File.Delete(temporary);
    }
}

/// <summary>A block device that is written over from its first byte.</summary>
internal sealed class DeviceTarget : RawTarget
{
    private readonly string path;
    private readonly SafeFileHandle handle;
    private readonly long size;
    private long position;

    private DeviceTarget(string path, SafeFileHandle handle, long size)
    {
        this.path = path;
        this.handle = handle;
        this.size = size;
    }

    internal override long Remaining => size - position;

    internal static DeviceTarget OpenDevice(string path, long length, bool overwrite)
    {
        using Source device = Source.Open(path);
        if (device.Identity.IsLive != false)
            throw Invalid($"{path} is in use (mounted, held or swapped to), or cannot be told to be free. Release it first.");
        long there = device.Length ?? 0;
        if (there < length)
            throw Invalid($"{path} has {there} bytes, fewer than the {length} to be written. Use a device that is large enough, or --range.");
        if (!overwrite && ContentSigns.Find(device) is { } found)
        {
            throw Invalid(
                $"{path} is not empty: it has {found}. Make sure that it is the right device, and that nobody needs what is on it; then name it once more: --overwrite {path} (RawExportOptions.Overwrite).");
        }

        SafeFileHandle? opened = null;
        DurableFile.Translate(path, "open for writing", () => opened = File.OpenHandle(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite));
        return new DeviceTarget(path, opened!, there);
    }

    internal override void Write(ReadOnlySpan<byte> bytes) => Write(handle, path, bytes, ref position);

    internal override void Complete() => DurableFile.Sync(handle, path);

    public override void Dispose() => handle.Dispose();
}
