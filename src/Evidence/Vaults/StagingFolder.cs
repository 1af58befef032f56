using System.Security.Cryptography;
using Evidence.Platform;
using Microsoft.Extensions.Logging;

namespace Evidence.Vaults;

/// <summary>
/// A writer's own folder below <c>staging/</c>, held by a lock that the kernel gives back however the writer ends. Folders whose lock is free are
/// leftovers of dead runs: they hold nothing that was acknowledged, and the next writer removes them.
/// </summary>
internal sealed class StagingFolder : IDisposable
{
    internal const string LockName = "lock";

    private readonly string path;
    private readonly FileLock held;
    private readonly ILogger logger;

    private StagingFolder(string path, FileLock held, ILogger logger)
    {
        this.path = path;
        this.held = held;
        this.logger = logger;
    }

    internal static StagingFolder Create(VaultLayout layout, ILogger logger)
    {
        DurableFile.CreateDirectory(layout.Staging);
        // One at a time between making a folder and locking it, or a neighbour would take the folder for a leftover.
        using FileLock door = FileLock.Acquire(Path.Combine(layout.Staging, LockName), CancellationToken.None);
        RemoveLeftovers(layout, logger);
        string folder = Path.Combine(layout.Staging, "w-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)));
        DurableFile.CreateDirectory(folder);
        return new StagingFolder(folder, FileLock.TryAcquire(Path.Combine(folder, LockName))!, logger);
    }

    /// <summary>Where it is.</summary>
    internal string FolderPath => path;

    internal string NewFile(string name) => Path.Combine(path, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            // Behind the same door as the removal of leftovers, or a neighbour meets half of a folder.
            using FileLock door = FileLock.Acquire(Path.Combine(Path.GetDirectoryName(path)!, LockName), CancellationToken.None);
            Directory.Delete(path, recursive: true);
        }
        catch (Exception e) when (e is DirectoryNotFoundException or EvidenceException && !Directory.Exists(path))
        {
            // Already gone: what this wanted.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or EvidenceException)
        {
            // What this run did is done and told, or failed for a reason of its own. The next writer removes the folder.
            Log.FolderKept(logger, path, e);
        }
        finally
        {
            held.Dispose();
        }
    }

    private static void RemoveLeftovers(VaultLayout layout, ILogger logger)
    {
        foreach (string folder in Directory.EnumerateDirectories(layout.Staging, "w-*"))
        {
            try
            {
                using FileLock? dead = FileLock.TryAcquire(Path.Combine(folder, LockName));
                if (dead is null)
                    continue;
                Directory.Delete(folder, recursive: true);
                Log.LeftoverRemoved(logger, folder);
            }
            catch (Exception e) when (e is UnauthorizedAccessException or EvidenceException { Code: ErrorCode.PermissionDenied })
            {
                // Another user's: that user's next run removes it.
                Log.LeftoverKept(logger, folder, e);
            }
        }
    }
}
