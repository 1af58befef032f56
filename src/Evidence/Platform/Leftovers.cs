using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace Evidence.Platform;

/// <summary>
/// Temporary files and folders that bear the name of what they were to become: <c>NAME.HEX.tmp</c>, <c>NAME.HEX.part</c>. A run that was killed leaves them; the
/// next one with the same aim removes them. A live process holds a lock on its own, and no link is followed.
/// </summary>
internal static partial class Leftovers
{
    /// <summary>Removes the leftovers of one name that nobody holds.</summary>
    /// <param name="path">What they were to become.</param>
    /// <param name="extension"><c>.tmp</c> or <c>.part</c>.</param>
    /// <param name="logger">Hears of each.</param>
    internal static void RemoveFiles(string path, string extension, ILogger logger)
    {
        foreach (FileInfo file in Of<FileInfo>(path, extension))
        {
            // What cannot be locked is in use, or another user's: either way not ours to remove.
            if (FileStatus.TryGet(file.FullName)?.Type != FileType.Regular || TryLock(file.FullName) is not { } held)
                continue;
            using (held)
                Remove(file, file.Delete, logger);
        }
    }

    /// <summary>Removes the leftovers of one folder that were made by this library, as a lock file in them tells, which nobody holds.</summary>
    /// <param name="path">What they were to become.</param>
    /// <param name="lockFile">The lock file's name in them. A folder without it is left: it may be anybody's.</param>
    /// <param name="logger">Hears of each.</param>
    internal static void RemoveFolders(string path, string lockFile, ILogger logger)
    {
        foreach (DirectoryInfo folder in Of<DirectoryInfo>(path, ".tmp"))
        {
            if (TryLock(Path.Combine(folder.FullName, lockFile)) is not { } held)
                continue;
            using (held)
                Remove(folder, () => folder.Delete(recursive: true), logger);
        }
    }

    private static IEnumerable<T> Of<T>(string path, string extension)
        where T : FileSystemInfo
    {
        string name = Path.GetFileName(path);
        var folder = new DirectoryInfo(Path.GetDirectoryName(Path.GetFullPath(path))!);
        try
        {
            return
            [
                .. folder.EnumerateFileSystemInfos().OfType<T>().Where(e =>
                    e.LinkTarget is null && e.Name.StartsWith(name + ".", StringComparison.Ordinal) && e.Name.EndsWith(extension, StringComparison.Ordinal) &&
                    e.Name.Length > name.Length + extension.Length && Hex().IsMatch(e.Name[name.Length..^extension.Length])),
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be listed: what is in it stays.
            return [];
        }
    }

    private static FileLock? TryLock(string path)
    {
        try
        {
            return FileLock.TryAcquireExisting(path);
        }
        catch (EvidenceException)
        {
            return null;
        }
    }

    private static void Remove(FileSystemInfo leftover, Action remove, ILogger logger)
    {
        try
        {
            remove();
            Log.LeftoverRemoved(logger, leftover.FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It harms nobody: the run goes on, and the next tries again.
            Log.LeftoverKept(logger, leftover.FullName, e);
        }
    }

    [GeneratedRegex("^\\.([0-9a-f]{8}|[0-9a-f]{12})$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Hex();
}
