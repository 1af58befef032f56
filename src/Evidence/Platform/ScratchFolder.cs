using Microsoft.Extensions.Logging;

namespace Evidence.Platform;

/// <summary>
/// A folder of this process in the folder for temporary files, which goes with it. Those of processes that were killed go when the next one is made: they are
/// known by their name, their owner, and a lock that nobody holds.
/// </summary>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "evidence-scratch-";
    private const string LockName = "lock";

    private readonly FileLock held;

    private ScratchFolder(string path, FileLock held)
    {
        FolderPath = path;
        this.held = held;
    }

    /// <summary>Where it is.</summary>
    internal string FolderPath { get; }

    /// <summary>Makes a folder, which only the user may look into.</summary>
    internal static ScratchFolder Create(ILogger logger)
    {
        RemoveLeftovers(logger);
        while (true)
        {
            string folder = "";
            DurableFile.Translate(Path.GetTempPath(), "make a folder in", () => folder = Directory.CreateTempSubdirectory(Prefix).FullName);
            string path = Path.Combine(folder, LockName);
            // Between the folder and its lock another process may take it for a leftover; then there is no lock file any more.
            FileLock? taken = TryAcquire(path);
            if (taken is not null && File.Exists(path))
                return new ScratchFolder(folder, taken);
            taken?.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(FolderPath, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody who cleans up temporary files was first.
        }
        finally
        {
            held.Dispose();
        }
    }

    private static void RemoveLeftovers(ILogger logger)
    {
        uint self = Posix.GetEffectiveUserId();
        try
        {
            foreach (DirectoryInfo folder in new DirectoryInfo(Path.GetTempPath()).EnumerateDirectories(Prefix + "*"))
            {
                // In a folder that all may write to, names prove nothing: only what is this user's own is touched.
                if (folder.LinkTarget is not null || FileStatus.TryGet(folder.FullName)?.Owner != self)
                    continue;
                using FileLock? dead = FileLock.TryAcquireExisting(Path.Combine(folder.FullName, LockName));
                if (dead is null)
                    continue;
                folder.Delete(recursive: true);
                Log.LeftoverRemoved(logger, folder.FullName);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or EvidenceException)
        {
            // Somebody else removes them at the same time, or they are not to be removed: neither is this run's concern.
            Log.LeftoverKept(logger, Path.Combine(Path.GetTempPath(), Prefix + "*"), e);
        }
    }

    private static FileLock? TryAcquire(string path)
    {
        try
        {
            return FileLock.TryAcquire(path);
        }
        catch (EvidenceException) when (!Directory.Exists(Path.GetDirectoryName(path)))
        {
            return null;
        }
    }
}
