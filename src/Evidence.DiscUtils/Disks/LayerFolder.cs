using DiscUtils;
using DiscUtils.Streams;
using Evidence.Sources;

namespace Evidence.DiscUtils.Disks;

/// <summary>
/// The files that a virtual disk may be made of: those in the folder where it lies, and in others that the caller names. A disk names its own parents and extents, and whoever made it
/// could name any file of this machine: that would become evidence.
/// </summary>
internal sealed class LayerFolder : ReadOnlyDiscFileSystem
{
    /// <summary>VMware splits at 2 GiB: this is 16 TiB in one chain.</summary>
    private const int MostFiles = 8192;

    /// <summary>A file is opened for its descriptor, and once more for what is in it.</summary>
    private const int MostOpenings = 16;

    private readonly string[] roots;
    private readonly Dictionary<string, (RawFile File, int Openings)> opened = new(StringComparer.Ordinal);
    private readonly List<RawFile> files = [];

    /// <summary>Takes folders to look into, the first of them first.</summary>
    internal LayerFolder(IEnumerable<string> folders) => roots = [.. folders.Select(folder => Resolve(Path.GetFullPath(folder)))];

    public override string FriendlyName => "The folder of a virtual disk";

    public override long Size => throw new NotSupportedException();

    public override long UsedSpace => throw new NotSupportedException();

    public override long AvailableSpace => throw new NotSupportedException();

    /// <summary>The files that were opened, in the order of their first use: the disk's own, then those that it names.</summary>
    internal IReadOnlyList<RawFile> Files => files;

    public override bool FileExists(string path) => Find(path) is not null;

    public override SparseStream OpenFile(string path, FileMode mode, FileAccess access)
    {
        if (mode != FileMode.Open || access != FileAccess.Read)
            throw new NotSupportedException("A virtual disk is only read");
        string found = Find(path) ?? throw new FileNotFoundException($"There is no file {path} beside it");
        if (!opened.TryGetValue(found, out (RawFile File, int Openings) known))
        {
            if (files.Count == MostFiles)
                throw new IOException($"It is made of more than {MostFiles} files");
            known = (RawFile.Open(found), 0);
            files.Add(known.File);
        }

        if (known.Openings == MostOpenings)
            throw new IOException($"{found} is a part of itself: a chain of parents without an end");
        opened[found] = (known.File, known.Openings + 1);
        return new LayerStream(known.File);
    }

    public override DateTime GetLastWriteTimeUtc(string path) => Find(path) is { } found ? File.GetLastWriteTimeUtc(found) : throw new FileNotFoundException(path);

    public override bool DirectoryExists(string path) => throw new NotSupportedException();

    public override IEnumerable<string> GetDirectories(string path, string searchPattern, SearchOption searchOption) => throw new NotSupportedException();

    public override IEnumerable<string> GetFiles(string path, string searchPattern, SearchOption searchOption) => throw new NotSupportedException();

    public override IEnumerable<string> GetFileSystemEntries(string path) => throw new NotSupportedException();

    public override IEnumerable<string> GetFileSystemEntries(string path, string searchPattern) => throw new NotSupportedException();

    public override FileAttributes GetAttributes(string path) => throw new NotSupportedException();

    public override DateTime GetCreationTimeUtc(string path) => throw new NotSupportedException();

    public override DateTime GetLastAccessTimeUtc(string path) => throw new NotSupportedException();

    public override long GetFileLength(string path) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        foreach (RawFile file in files)
            file.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>
    /// Where a name leads: as it is within one of the folders, or else by its last part alone, for the chain may have been copied from another machine. Whether what is found there is the
    /// right one, the ids in the files tell.
    /// </summary>
    private string? Find(string name)
    {
        string path = name.Replace('\\', '/').TrimEnd('\0');
        string last = path[(path.LastIndexOf('/') + 1)..];
        if (last.Length == 0 || last is "." or ".." || path.Contains('\0', StringComparison.Ordinal))
            return null;
        bool isAbsolute = path.StartsWith('/') || path.Contains(':', StringComparison.Ordinal);
        return roots.SelectMany(root => isAbsolute ? [Path.Combine(root, last)] : (string[])[Path.GetFullPath(Path.Combine(root, path)), Path.Combine(root, last)]).FirstOrDefault(IsOurs);
    }

    private bool IsOurs(string path) =>
        File.Exists(path) && Resolve(path) is var real && Array.Exists(roots, root => real.StartsWith(root.EndsWith('/') ? root : root + '/', StringComparison.Ordinal));

    /// <summary>The path without links in its last part.</summary>
    private static string Resolve(string path)
    {
        System.IO.FileSystemInfo? target = Directory.Exists(path) ? Directory.ResolveLinkTarget(path, returnFinalTarget: true) : File.ResolveLinkTarget(path, returnFinalTarget: true);
        return target?.FullName ?? path;
    }
}
