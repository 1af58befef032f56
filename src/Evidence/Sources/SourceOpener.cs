using System.Runtime.InteropServices;
using Evidence.Platform;
using Evidence.Sources.Ewf;
using Evidence.Sources.Nbd;

namespace Evidence.Sources;

/// <summary>Decides by a name, and by what is at a path, which source it is, and says in words why something is none.</summary>
internal static class SourceOpener
{
    private static readonly string[] RawExtensions = [".img", ".raw", ".dd", ".bin", ".iso"];

    internal static Source Open(string path, SourceOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (NbdUri.IsMeant(path))
            return NbdSource.Open(path, options);
        path = Path.GetFullPath(path);
        FileStatus status = FileStatus.TryGet(path) ?? throw Failure(path, Marshal.GetLastPInvokeError());
        return status.Type switch
        {
            FileType.BlockDevice => BlockDevice.Open(path, options.DirectIO),
            FileType.Regular when !options.SingleFile && !IsNamedRaw(path) && IsEwf(path) => EwfSource.Open(path),
            FileType.Regular when !options.SingleFile && SplitRawName.TryParse(path) is { IsLikelyPart: true } =>
                SplitRawSet.Open(path, options.SectorSize, options.DirectIO),
            FileType.Regular => RawFile.Open(path, options.SectorSize, options.DirectIO),
            FileType.Fifo or FileType.CharacterDevice => OpenSequential(path, status.Type, options),
            _ => throw Unsupported(path, status.Type),
        };
    }

    internal static EvidenceException Failure(string path, int error)
    {
        string reason = Marshal.GetPInvokeErrorMessage(error);
        return error switch
        {
            Posix.ENOENT or Posix.ENOTDIR => new EvidenceException(
                ErrorCode.SourceNotFound, $"There is no source at {path}. Name an image file or a block device."),
            Posix.EACCES or Posix.EPERM => new EvidenceException(
                ErrorCode.PermissionDenied,
                $"Cannot read {path}: {reason}. Run as a user who may read it; for a device, as root or as a member of the group that owns it."),
            Posix.ENOMEDIUM => new EvidenceException(ErrorCode.SourceFailed, $"There is no medium in {path}. Insert it, then try again."),
            _ => new EvidenceException(ErrorCode.SourceFailed, $"Cannot open {path}: {reason}."),
        };
    }

    internal static EvidenceException Unsupported(string path, FileType type)
    {
        string what = type switch
        {
            FileType.Directory => "a directory",
            FileType.Socket => "a socket",
            FileType.Regular => "a regular file",
            FileType.BlockDevice => "a block device",
            FileType.CharacterDevice => "a character device",
            FileType.Fifo => "a pipe",
            _ => "nothing that can be imaged",
        };
        return new EvidenceException(ErrorCode.SourceUnsupported, $"{path} is {what}. Name an image file or a block device.");
    }

    /// <summary>
    /// Whether a name says that a file is a raw image. Then nobody looks into it: on a failing disk the look would be one more read of its first sectors, and of what the kernel reads ahead
    /// of them.
    /// </summary>
    private static bool IsNamedRaw(string path) =>
        SplitRawName.TryParse(path) is { IsLikelyPart: true } || RawExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a file begins as an E01 does. One that may not be read is whatever its name says, and says so when it is opened.</summary>
    /// <exception cref="EvidenceException">It begins as a container does that is not read.</exception>
    private static bool IsEwf(string path)
    {
        Span<byte> start = stackalloc byte[ForeignContainer.Length];
        try
        {
            using SourceFile file = SourceFile.Open(path, FileType.Regular, directIO: false);
            start = start[..file.Read(0, start)];
        }
        catch (EvidenceException)
        {
            return false;
        }

        ForeignContainer.Refuse(path, start);
        return start.StartsWith(EwfFormat.Signature);
    }

    private static StreamSource OpenSequential(string path, FileType type, SourceOptions options) =>
        StreamSource.Sequential(SourceFile.Open(path, type, directIO: false).Handle, path, options.SectorSize);
}
