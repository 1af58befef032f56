using Evidence.Ledger;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>A ledger's files in a folder, <c>ledger/</c> of a vault.</summary>
internal sealed class LedgerDirectory(string root) : ILedgerStorage
{
    private const string Staging = "staging/";

    // Temporary files of the sequencer lie apart from the tiles, so that what a crash leaves is no foreign file among them.
    private const string Temporary = "staging/tmp";

    /// <inheritdoc/>
    public byte[]? TryRead(string name, int maximumLength)
    {
        string path = PathOf(name);
        // Here not even a link to a file is one.
        return VaultFiles.IsNoFile(path)
            ? throw new EvidenceException(ErrorCode.InputOutput, $"Cannot read {path}: it is no regular file.")
            : SmallFile.TryRead(path, maximumLength);
    }

    /// <inheritdoc/>
    public bool TryCreate(string name, ReadOnlySpan<byte> content)
    {
        string path = PathOf(name);
        if (File.Exists(path))
        {
            // It may be an interrupted append's, renamed and not flushed: what is signed next counts on it.
            DurableFile.SyncName(path);
            return false;
        }

        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        // Actors without the log's keys leave entries there without its lock, so their temporary files are not among those that the sequencer removes.
        if (name.StartsWith(StagedEntries.Prefix, StringComparison.Ordinal))
            return DurableFile.TryCreate(path, content);
        DurableFile.CreateDirectory(PathOf(Temporary));
        return DurableFile.TryCreate(path, content, PathOf(Temporary));
    }

    /// <inheritdoc/>
    public void Replace(string name, ReadOnlySpan<byte> content)
    {
        string path = PathOf(name);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.CreateDirectory(PathOf(Temporary));
        DurableFile.Replace(path, content, temporaryDirectory: PathOf(Temporary));
    }

    /// <inheritdoc/>
    public void Flush(string name) => DurableFile.SyncName(PathOf(name));

    /// <inheritdoc/>
    public void Delete(string name)
    {
        string path = PathOf(name);
        if (!File.Exists(path))
            return;
        DurableFile.Translate(path, "remove", () => File.Delete(path));
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string prefix)
    {
        // A prefix need not end at a folder; the folder that it reaches into is where to look.
        string folder = PathOf(prefix[..(prefix.LastIndexOf('/') + 1)]);
        return
        [
            .. VaultFiles.List(folder).Select(path => Path.GetRelativePath(root, path).Replace(Path.DirectorySeparatorChar, '/'))
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <inheritdoc/>
    public IDisposable Lock(CancellationToken cancellation)
    {
        DurableFile.CreateDirectory(PathOf(Staging));
        var taken = FileLock.Acquire(PathOf("staging/lock"), cancellation);
        try
        {
            foreach (string leftover in List(Temporary + "/"))
                Delete(leftover);
            return taken;
        }
        catch
        {
            // Whoever shares this process would wait for it for ever.
            taken.Dispose();
            throw;
        }
    }

    private string PathOf(string name) => Path.Combine(root, name.TrimEnd('/'));
}
