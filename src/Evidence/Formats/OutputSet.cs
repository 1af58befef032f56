using System.Security.Cryptography;
using Evidence.Platform;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Evidence.Formats;

/// <summary>
/// The files of an export that is split. They are written in a folder beside their place, and appear when all are whole and durable: the first one last, for it is
/// the one that people open. A run that was killed leaves the folder, which the next one to the same place removes.
/// </summary>
internal sealed class OutputSet : IDisposable
{
    private const string LockName = "lock";

    private readonly string folder;
    private readonly string staging;
    private readonly FileLock held;
    private readonly List<string> names = [];

    private OutputSet(string folder, string staging, FileLock held)
    {
        this.folder = folder;
        this.staging = staging;
        this.held = held;
    }

    /// <summary>Begins a set.</summary>
    /// <param name="first">The path of its first file.</param>
    /// <param name="logger">Hears of leftovers.</param>
    internal static OutputSet Create(string first, ILogger logger)
    {
        Leftovers.RemoveFolders(first, LockName, logger);
        while (true)
        {
            string made = $"{first}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}.tmp";
            DurableFile.Translate(made, "create the directory", () => Directory.CreateDirectory(made));
            string path = Path.Combine(made, LockName);
            // Between the folder and its lock another run may take it for a leftover.
            if (TryAcquire(path) is { } taken)
            {
                if (File.Exists(path))
                    return new OutputSet(Path.GetDirectoryName(first)!, made, taken);
                taken.Dispose();
            }
        }
    }

    /// <summary>Opens the next file, for writing.</summary>
    /// <param name="path">Where it will be.</param>
    /// <param name="temporary">Where it is until then.</param>
    internal SafeFileHandle Add(string path, out string temporary)
    {
        string name = Path.GetFileName(path);
        string written = Path.Combine(staging, name);
        temporary = written;
        SafeFileHandle? opened = null;
        DurableFile.Translate(written, "create", () => opened = File.OpenHandle(written, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None));
        names.Add(name);
        return opened!;
    }

    /// <summary>Lets all files appear. Each must be flushed and closed.</summary>
    /// <exception cref="EvidenceException">There is a file of such a name meanwhile: then none of these appears.</exception>
    internal void Publish()
    {
        var published = new List<string>();
        try
        {
            foreach (string name in names.AsEnumerable().Reverse())
            {
                string path = Path.Combine(folder, name);
                if (!DurableFile.TryPublish(Path.Combine(staging, name), path))
                    throw new EvidenceException(ErrorCode.DestinationInvalid, $"{path} appeared while the export was running. Nothing is written over: name another file.");
                published.Add(path);
            }
        }
        catch
        {
            published.ForEach(File.Delete);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(staging, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Whoever cleans up was first.
        }
        finally
        {
            held.Dispose();
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
