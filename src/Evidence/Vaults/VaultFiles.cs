using System.IO.Enumeration;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>
/// Goes through folders of a vault. Links are never followed, whatever they lead to: a link to a parent folder would make a listing endless, one to
/// the root would take it over the whole machine.
/// </summary>
internal static class VaultFiles
{
    /// <summary>What is below a folder, hidden things too: everything but the folders in it; a link is there as itself.</summary>
    /// <param name="folder">The folder; where it is a link itself, or is not there, nothing is below it.</param>
    /// <param name="failed">Hears of folders that cannot be listed, and why; null to throw instead.</param>
    /// <exception cref="EvidenceException">A folder cannot be listed.</exception>
    internal static IEnumerable<string> List(string folder, Action<string, EvidenceException>? failed = null) =>
        Entries(folder, failed).Where(e => !e.IsFolder).Select(e => e.Path);

    /// <summary>What is below a folder, the folders in it too.</summary>
    internal static IEnumerable<(string Path, bool IsFolder)> Entries(string folder, Action<string, EvidenceException>? failed = null)
    {
        var folders = new Stack<string>();
        if (Directory.Exists(folder) && !IsLink(folder))
            folders.Push(folder);
        while (folders.TryPop(out string? next))
        {
            foreach ((string Path, bool IsFolder) entry in EntriesOf(next, failed))
            {
                yield return entry;
                if (entry.IsFolder)
                    folders.Push(entry.Path);
            }
        }
    }

    /// <summary>Whether there is something at a path that is no file of bytes: a folder, a link, a pipe.</summary>
    internal static bool IsNoFile(string path) => IsLink(path) || FileStatus.IsNoFile(path);

    /// <summary>Reads a whole file. The framework's errors are the caller's to name.</summary>
    /// <exception cref="FormatException">It is no regular file, or has more bytes than it can have.</exception>
    internal static byte[] ReadBounded(string path, int most)
    {
        if (IsNoFile(path))
            throw new FormatException("it is no regular file.");
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > most)
            throw new FormatException($"it has {file.Length} bytes, more than the {most} that it can have.");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    private static bool IsLink(string path) => new FileInfo(path).LinkTarget is not null;

    private static (string Path, bool IsFolder)[] EntriesOf(string folder, Action<string, EvidenceException>? failed)
    {
        (string Path, bool IsFolder)[] entries = [];
        try
        {
            DurableFile.Translate(folder, "list", () =>
            {
                try
                {
                    entries =
                    [
                        .. new FileSystemEnumerable<(string, bool)>(
                            folder,
                            (ref FileSystemEntry entry) => (entry.ToFullPath(), entry.IsDirectory && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)),
                            new EnumerationOptions { AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false }),
                    ];
                }
                catch (DirectoryNotFoundException)
                {
                    // It went since it was seen: nothing is below it.
                }
            });
        }
        catch (EvidenceException e) when (failed is not null)
        {
            failed(folder, e);
        }

        return entries;
    }
}
