using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Platform;

/// <summary>
/// Files that are either wholly there, and will be after a power cut, or not there at all: temporary file, write, fsync, rename without
/// overwrite, fsync of the directory.
/// </summary>
internal static class DurableFile
{
    /// <summary>Writes a new immutable file (mode 0444).</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of it.</param>
    /// <param name="temporaryDirectory">Where its temporary file lies, on the same file system; beside it by default.</param>
    /// <param name="writable">Whether it is one that its owner may go on writing (mode 0644).</param>
    /// <param name="secret">Whether only its owner may read it (mode 0400).</param>
    /// <returns>False where a file of that name exists already; it is left as it is.</returns>
    internal static bool TryCreate(string path, ReadOnlySpan<byte> content, string? temporaryDirectory = null, bool writable = false, bool secret = false)
    {
        path = Path.GetFullPath(path);
        UnixFileMode mode = secret ? UnixFileMode.UserRead : UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        string temporary = WriteTemporary(TemporaryPath(path, temporaryDirectory), content, writable ? mode | UnixFileMode.UserWrite : mode);
        return TryPublish(temporary, path);
    }

    /// <summary>Writes and flushes a temporary file beside a file that it may become by <see cref="TryPublish"/>. Where writing fails, nothing is left of it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="write">Writes it.</param>
    /// <param name="writable">As with <see cref="TryCreate"/>.</param>
    /// <returns>The temporary file.</returns>
    internal static string WriteBeside(string path, Action<Stream> write, bool writable = false)
    {
        string temporary = TemporaryPath(Path.GetFullPath(path), null);
        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        try
        {
            return WriteTemporary(temporary, write, static (stream, act) => act(stream), writable ? mode | UnixFileMode.UserWrite : mode, bufferSize: 1 << 16);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>
    /// Replaces a file, or creates it (mode 0644, or 0600 where <paramref name="secret"/>): readers see the old bytes or the new.
    /// </summary>
    internal static void Replace(string path, ReadOnlySpan<byte> content, bool secret = false, string? temporaryDirectory = null)
    {
        path = Path.GetFullPath(path);
        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        string temporary = WriteTemporary(
            TemporaryPath(path, temporaryDirectory), content, secret ? mode : mode | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        Rename(temporary, path);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// Overwrites a file's bytes with zeros, where they lie, and removes it, durably. A file system that never writes in place, a snapshot, or the medium may keep what was there.
    /// </summary>
    internal static void Erase(string path)
    {
        Translate(path, "destroy", () =>
        {
            if (new FileInfo(path).LinkTarget is null && !FileStatus.IsNoFile(path))
                Overwrite(path);
            File.Delete(path);
        });
        SyncDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    private static void Overwrite(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var zeros = new byte[4096];
        for (long left = file.Length; left > 0; left -= zeros.Length)
            file.Write(zeros.AsSpan(0, (int)Math.Min(left, zeros.Length)));
        Sync(file.SafeFileHandle, path);
    }

    /// <summary>Renames, replacing what is there. Not durable by itself.</summary>
    internal static void Rename(string from, string to) =>
        Check(Posix.RenameAt2(Posix.AT_FDCWD, from, Posix.AT_FDCWD, to, 0), to, "replace");

    /// <summary>Moves a file to a place where there is nothing yet, durably.</summary>
    /// <exception cref="EvidenceException">There is something already, or the file system refuses.</exception>
    internal static void Move(string from, string to)
    {
        int result = Posix.RenameAt2(Posix.AT_FDCWD, from, Posix.AT_FDCWD, to, Posix.RENAME_NOREPLACE);
        if (result < 0 && Marshal.GetLastPInvokeError() is Posix.EINVAL or Posix.ENOSYS)
        {
            // The file system knows no RENAME_NOREPLACE. A hard link does not overwrite either.
            result = Posix.Link(from, to);
            if (result == 0)
                Translate(from, "remove", () => File.Delete(from));
        }

        Check(result, from, $"move to {to}");
        // What is at both places for a moment, after a power cut, harms nobody; what is at neither is lost.
        SyncDirectory(Path.GetDirectoryName(to)!);
        SyncDirectory(Path.GetDirectoryName(from)!);
    }

    /// <summary>Puts each of two files into the other's place, in one step and durably.</summary>
    internal static void Exchange(string one, string other)
    {
        int result = Posix.RenameAt2(Posix.AT_FDCWD, one, Posix.AT_FDCWD, other, Posix.RENAME_EXCHANGE);
        if (result < 0 && Marshal.GetLastPInvokeError() is Posix.EINVAL or Posix.ENOSYS)
        {
            // The file system knows no RENAME_EXCHANGE: three steps, in which the other's place is empty for a moment, and nothing is lost.
            string between = one + ".exchanged";
            Move(other, between);
            Move(one, other);
            Move(between, one);
            return;
        }

        Check(result, other, "replace");
        SyncDirectory(Path.GetDirectoryName(other)!);
        SyncDirectory(Path.GetDirectoryName(one)!);
    }

    /// <summary>Gives a file that is already written and flushed its final name, without overwriting, and flushes the directory.</summary>
    /// <returns>False where a file of that name exists already; the temporary file is then removed.</returns>
    internal static bool TryPublish(string temporary, string path)
    {
        int result = Posix.RenameAt2(Posix.AT_FDCWD, temporary, Posix.AT_FDCWD, path, Posix.RENAME_NOREPLACE);
        int error = result < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (error is Posix.EINVAL or Posix.ENOSYS)
        {
            // The file system knows no RENAME_NOREPLACE. A hard link does not overwrite either.
            result = Posix.Link(temporary, path);
            error = result < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (error == 0)
                File.Delete(temporary);
        }

        if (error == Posix.EEXIST)
        {
            File.Delete(temporary);
            // Whoever gave the file its name may not have flushed the name yet, or may have died before: the caller counts on it now.
            SyncDirectory(Path.GetDirectoryName(path)!);
            return false;
        }

        if (error != 0)
            throw Failure(error, path, "publish");
        SyncDirectory(Path.GetDirectoryName(path)!);
        return true;
    }

    /// <summary>Makes a directory and its missing parents, durably. One that is there already is durable on return, too.</summary>
    internal static void CreateDirectory(string path)
    {
        path = Path.GetFullPath(path);
        if (Directory.Exists(path))
        {
            // Its parent's name was flushed before anything was made in that.
            SyncName(path);
            return;
        }

        string? parent = Path.GetDirectoryName(path);
        if (parent is not null)
            CreateDirectory(parent);
        Translate(path, "create the directory", () => Directory.CreateDirectory(path));
        if (parent is not null)
            SyncDirectory(parent);
    }

    /// <summary>Flushes a file's bytes and length to the medium.</summary>
    internal static void Sync(SafeFileHandle file, string path) => CheckSync(Posix.Fsync(file), path);

    /// <summary>Flushes a directory's names to the medium.</summary>
    internal static void SyncDirectory(string path)
    {
        int fd = Posix.Open(path, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0);
        Check(fd, path, "open the directory");
        SyncOpenDirectory(fd, path, []);
    }

    /// <summary>
    /// Flushes the name of a file or directory that is there already. Whoever gave it its name may not have done so, or may have died before; what is
    /// written next counts on it.
    /// </summary>
    internal static void SyncName(string path)
    {
        if (Path.GetDirectoryName(path) is not { } parent)
            return;
        int fd = Posix.Open(parent, Posix.O_RDONLY | Posix.O_DIRECTORY | Posix.O_CLOEXEC, 0);
        // Who may not read the parent, as with a home below another's folder, did not make names in it; they were there before.
        if (fd < 0 && Marshal.GetLastPInvokeError() == Posix.EACCES)
            return;
        Check(fd, parent, "open the directory");
        // What cannot be written to has nothing to flush.
        SyncOpenDirectory(fd, parent, [Posix.EROFS, Posix.EINVAL]);
    }

    private static void SyncOpenDirectory(int fd, string path, ReadOnlySpan<int> passedOver)
    {
        try
        {
            int result = Posix.Fsync(fd);
            if (result >= 0 || !passedOver.Contains(Marshal.GetLastPInvokeError()))
                CheckSync(result, path);
        }
        finally
        {
            // Nothing was written through this descriptor, so its close can lose nothing.
            _ = Posix.Close(fd);
        }
    }

    /// <summary>Runs a write and turns the framework's errors into this library's, which name the file and the way out.</summary>
    internal static void Translate(string path, string what, Action action) => Translate(path, what, () =>
    {
        action();
        return 0;
    });

    /// <summary>Runs what reads or writes a file and turns the framework's errors into this library's, which name the file and the way out.</summary>
    internal static T Translate<T>(string path, string what, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EvidenceException(ErrorCode.PermissionDenied, $"Cannot {what} {path}: permission denied.", e);
        }
        catch (IOException e)
        {
            throw Failure(e, path, what);
        }
    }

    /// <summary>This library's error for an <see cref="IOException"/> met while writing.</summary>
    internal static EvidenceException Failure(IOException e, string path, string what) =>
        // On Unix .NET keeps the raw errno in HResult for errors without a mapping of their own.
        e.HResult is Posix.ENOSPC or Posix.EDQUOT || IsDiskFull(e)
            ? Failure(Posix.ENOSPC, path, what)
            : new EvidenceException(ErrorCode.InputOutput, $"Cannot {what} {path}: {e.Message}", e);

    private static bool IsDiskFull(IOException e) => (e.HResult & 0xFFFF) is 0x70 or 0x27;

    /// <summary>Whether a file is named as only the temporary files of this class are: <c>NAME.HEX.tmp</c>.</summary>
    internal static bool IsTemporary(string path) =>
        Path.GetFileName(path).Split('.') is [_, .., { Length: 12 } hex, "tmp"] && hex.All(char.IsAsciiHexDigitLower);

    private static string TemporaryPath(string path, string? directory)
    {
        string beside = directory is null ? path : Path.Combine(directory, Path.GetFileName(path));
        return $"{beside}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}.tmp";
    }

    private static string WriteTemporary<T>(string temporary, T content, Action<Stream, T> write, UnixFileMode mode, int bufferSize)
        where T : allows ref struct
    {
        try
        {
            using FileStream stream = CreateTemporary(temporary, mode, bufferSize);
            write(stream, content);
            stream.Flush();
            Sync(stream.SafeFileHandle, temporary);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EvidenceException(ErrorCode.PermissionDenied, $"Cannot write {temporary}: permission denied.", e);
        }
        catch (IOException e)
        {
            throw Failure(e, temporary, "write");
        }

        return temporary;
    }

    private static string WriteTemporary(string temporary, ReadOnlySpan<byte> content, UnixFileMode mode) =>
        WriteTemporary(temporary, content, static (stream, bytes) => stream.Write(bytes), mode, bufferSize: 0);

    private static FileStream CreateTemporary(string temporary, UnixFileMode mode, int bufferSize)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = bufferSize,
        };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        return new FileStream(temporary, options);
    }

    private static void Check(int result, string path, string what)
    {
        if (result < 0)
            throw Failure(Marshal.GetLastPInvokeError(), path, what);
    }

    private static void CheckSync(int result, string path)
    {
        if (result >= 0)
            return;
        int error = Marshal.GetLastPInvokeError();
        throw new EvidenceException(
            ErrorCode.DurabilityLost,
            $"The system could not flush {path} to its medium ({Marshal.GetPInvokeErrorMessage(error)}). What was written since the last " +
            "acknowledged step is in doubt, so writing stops here. Check the medium before you go on.");
    }

    /// <summary>This library's error for an <c>errno</c>.</summary>
    internal static EvidenceException Failure(int error, string path, string what) => error switch
    {
        Posix.ENOSPC or Posix.EDQUOT => new EvidenceException(
            ErrorCode.DiskFull,
            $"Cannot {what} {path}: no room is left. Nothing acknowledged is lost; make room before you go on."),
        Posix.EACCES or Posix.EROFS or 1 => new EvidenceException(
            ErrorCode.PermissionDenied, $"Cannot {what} {path}: {Marshal.GetPInvokeErrorMessage(error)}."),
        _ => new EvidenceException(ErrorCode.InputOutput, $"Cannot {what} {path}: {Marshal.GetPInvokeErrorMessage(error)}."),
    };
}
