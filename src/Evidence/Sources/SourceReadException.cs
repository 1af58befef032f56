using System.Runtime.InteropServices;
using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>
/// The source refused a read: a failing medium, a lost connection. Somewhere from <see cref="Offset"/> on, within <see cref="Length"/>
/// bytes, at least one byte cannot be read; what came before <see cref="Offset"/> is already in the caller's buffer.
/// </summary>
public sealed class SourceReadException : EvidenceException
{
    /// <summary>Creates the error.</summary>
    /// <param name="sourceName">The source, by <see cref="SourceIdentity.Name"/>.</param>
    /// <param name="offset">Where the read that failed began.</param>
    /// <param name="length">How many bytes it asked for.</param>
    /// <param name="errno">The system's error number, where there is one.</param>
    /// <param name="innerException">The cause, where another error is the cause.</param>
    public SourceReadException(string sourceName, long offset, long length, int? errno, Exception? innerException = null)
        : base(ErrorCode.SourceFailed, Describe(sourceName, offset, length, errno, innerException), innerException)
    {
        SourceName = sourceName;
        Offset = offset;
        Length = length;
        Errno = errno;
    }

    /// <summary>Creates the error of a source that has words of its own for the reason.</summary>
    internal SourceReadException(string sourceName, long offset, long length, int errno, string? words)
        : base(
            ErrorCode.SourceFailed,
            words is null
                ? Describe(sourceName, offset, length, errno, cause: null)
                : string.Create(null, $"Cannot read {length} bytes at offset {offset} of {sourceName}: {words} ({Marshal.GetPInvokeErrorMessage(errno)})."))
    {
        SourceName = sourceName;
        Offset = offset;
        Length = length;
        Errno = errno;
    }

    /// <summary>Creates the error of a container whose own checksums say that what it holds there is damaged.</summary>
    internal SourceReadException(string sourceName, long offset, long length, string reason)
        : base(ErrorCode.SourceFailed, string.Create(null, $"Cannot read {length} bytes at offset {offset} of {sourceName}: {reason}."))
    {
        SourceName = sourceName;
        Offset = offset;
        Length = length;
        Reason = reason;
    }

    /// <summary>The reason in words, where there is no error number; null elsewhere.</summary>
    internal string? Reason { get; }

    /// <summary>The source, by <see cref="SourceIdentity.Name"/>.</summary>
    public string SourceName { get; }

    /// <summary>Where the read that failed began: the first byte that was not read.</summary>
    public long Offset { get; }

    /// <summary>How many bytes the read that failed asked for.</summary>
    public long Length { get; }

    /// <summary>The system's error number (5 for <c>EIO</c>), where there is one.</summary>
    public int? Errno { get; }

    /// <summary>Whether the system says that the source itself is gone, so that no other sector of it can be read either.</summary>
    public bool IsSourceGone => Errno is Posix.ENXIO or Posix.ENODEV or Posix.ENOTCONN or Posix.ENOMEDIUM or Posix.ESTALE;

    private static string Describe(string sourceName, long offset, long length, int? errno, Exception? cause)
    {
        string reason = errno is { } number ? Marshal.GetPInvokeErrorMessage(number) : cause?.Message ?? "no reason given";
        return string.Create(null, $"Cannot read {length} bytes at offset {offset} of {sourceName}: {reason}.");
    }
}
