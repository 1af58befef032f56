using System.Diagnostics.CodeAnalysis;
using Evidence.Files;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.DiscUtils.Files;

/// <summary>
/// Finds the files in an image by DiscUtils, in managed code, with no mount and no other program: in partitions and LVM, ext2 to ext4, NTFS, FAT and XFS. Deleted files it does not find. One thread
/// at a time.
/// </summary>
public sealed partial class DiscUtilsReader : IFileSystemReader
{
    private const string WayOut = "Try The Sleuth Kit; or 'evidence mount' the image and use the kernel's: mount -o loop,ro.";

    /// <summary>Numbers that no inode and no record of an MFT has.</summary>
    private const ulong FirstOwnNumber = 1UL << 48;

    private const int DeepestFolder = 256;
    private const int LongestPath = 1 << 16;

    private readonly string item;
    private readonly ILogger logger;
    private readonly ImageReader? reader;
    private readonly ImageStream image;
    private List<FileSystem>? fileSystems;

    /// <summary>Opens a reader.</summary>
    /// <param name="image">The image; its vault stays open.</param>
    /// <param name="item">What people call it, for messages.</param>
    /// <param name="logger">Hears of what is there and cannot be read.</param>
    public DiscUtilsReader(VaultImage image, string item, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        this.item = item;
        this.logger = logger ?? NullLogger.Instance;
        reader = image.OpenReader(new ImageReadOptions { Absent = AbsentBytes.Zero, ReadAhead = 0 });
        this.image = new ImageStream(reader.Read, reader.Size);
    }

    /// <summary>Reads an image that is in no vault.</summary>
    internal DiscUtilsReader(ImageStream image, string item, ILogger logger)
    {
        this.image = image;
        this.item = item;
        this.logger = logger;
    }

    /// <inheritdoc/>
    public string Name => "DiscUtils";

    /// <summary>Opens an image for its files, as DiscUtils finds them.</summary>
    /// <param name="vault">The vault; it stays open.</param>
    /// <param name="record">The image.</param>
    /// <param name="logger">Hears of what is there and cannot be read.</param>
    /// <exception cref="EvidenceException">It cannot be read.</exception>
    public static ImageFiles OpenFiles(Vault vault, ImageRecord record, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(record);
        return ImageFiles.Open(vault, record, image => new DiscUtilsReader(image, record.Item, logger));
    }

    /// <inheritdoc/>
    public IEnumerable<ImageFile> Walk(CancellationToken cancellation)
    {
        foreach ((int index, FileSystem fileSystem) in FileSystems(cancellation).Index())
        {
            foreach (ImageFile file in Walk(index + 1, fileSystem, cancellation))
                yield return file;
        }
    }

    /// <inheritdoc/>
    public ImageFile Locate(ImageFile file, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Ask(file, () => Find(file, cancellation).Locate(file));
    }

    /// <inheritdoc/>
    public void Read(ImageFile file, Action<Stream> take, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(file);
        ArgumentNullException.ThrowIfNull(take);
        Ask(file, () =>
        {
            using Stream content = Find(file, cancellation).OpenContent(file);
            take(content);
            return true;
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        fileSystems?.ForEach(fileSystem => fileSystem.Dispose());
        image.Dispose();
        reader?.Dispose();
    }

    private static T Ask<T>(ImageFile file, Func<T> ask) => Guard.Ask(ErrorCode.FileRefused, $"The file '{file.Path}' ({file.Id}) is not returned", WayOut, ask);

    private FileSystem Find(ImageFile file, CancellationToken cancellation)
    {
        List<FileSystem> there = FileSystems(cancellation);
        return file.Partition >= 1 && file.Partition <= there.Count
            ? there[file.Partition - 1]
            : throw new EvidenceException(ErrorCode.FileNotFound, $"There is no file system {file.Partition} in {item}.");
    }

    private List<FileSystem> FileSystems(CancellationToken cancellation)
    {
        image.Begin(cancellation);
        return fileSystems ??= Guard.Ask(ErrorCode.FileRefused, $"The partitions of {item} cannot be read", WayOut, OpenAll);
    }

    private List<FileSystem> OpenAll()
    {
        var opened = new List<FileSystem>();
        var failures = new List<string>();
        foreach (Volume volume in ImageVolumes.Find(image, Fail))
            TryOpen(volume);
        // Without partitions; or the boot sector of a file system was taken for a table of them.
        if (opened.Count == 0)
            TryOpen(ImageVolumes.Whole(image));
        return opened.Count > 0
            ? opened
            : throw new EvidenceException(ErrorCode.FileRefused, $"DiscUtils finds no file system in {item} that it can read{(failures.Count > 0 ? $": there is {string.Join("; ", failures)}" : "")}. {WayOut}");

        void TryOpen(Volume volume)
        {
            try
            {
                if (FileSystem.Open(volume) is { } fileSystem)
                    opened.Add(fileSystem);
            }
            catch (Exception e) when (e is not (EvidenceException or OperationCanceledException))
            {
                Fail($"a file system at {volume.Start} that cannot be read. {Guard.Words(e)}");
            }
        }

        void Fail(string what)
        {
            failures.Add(what.TrimEnd('.'));
            LogUnread(item, what);
        }
    }

    private IEnumerable<ImageFile> Walk(int partition, FileSystem fileSystem, CancellationToken cancellation)
    {
        ulong own = FirstOwnNumber;
        var seen = new HashSet<ulong>();
        var folders = new Stack<(string Path, int Depth)>([("", 0)]);
        while (folders.TryPop(out (string Path, int Depth) folder))
        {
            if (!TryAsk(folder.Path, () => fileSystem.Files.GetFileSystemEntries(folder.Path).Order(StringComparer.Ordinal).ToArray(), out string[]? entries, cancellation))
                continue;
            var within = new List<(string Path, int Depth)>();
            foreach (string entry in entries)
            {
                string path = entry.Replace('\\', '/').TrimStart('/');
                // The root of NTFS is in itself.
                if (path.Length > LongestPath || Path.GetFileName(path) is "." or ".." || !TryAsk(path, () => Describe(partition, fileSystem, path, own), out ImageFile? file, cancellation))
                    continue;
                own += file.Inode == own ? 1UL : 0;
                yield return file;
                if (!file.IsFolder)
                    continue;
                // A folder that is found in another, too, would be walked for ever.
                if (folder.Depth < DeepestFolder && (file.Inode >= FirstOwnNumber || seen.Add(file.Inode)))
                    within.Add((path, folder.Depth + 1));
                else
                    LogUnread(item, $"the folder '{path}': it leads back to where it was found");
            }

            for (int i = within.Count - 1; i >= 0; i--)
                folders.Push(within[i]);
        }
    }

    private static ImageFile Describe(int partition, FileSystem fileSystem, string path, ulong own)
    {
        FileAttributes attributes = fileSystem.Files.GetAttributes(path);
        bool isFolder = attributes.HasFlag(FileAttributes.Directory);
        bool isLink = attributes.HasFlag(FileAttributes.ReparsePoint);
        long length = isFolder || isLink ? 0 : fileSystem.LengthOf(path);
        return new ImageFile(partition, fileSystem.Volume.Start, fileSystem.Kind, fileSystem.NumberOf(path) ?? own, path, length, IsDeleted: false, isFolder && !isLink, [])
        {
            IsCompressed = attributes.HasFlag(FileAttributes.Compressed),
        };
    }

    /// <summary>Asks about a part of a file system; what fails is told, and the rest goes on.</summary>
    private bool TryAsk<T>(string path, Func<T> ask, [NotNullWhen(true)] out T? answer, CancellationToken cancellation)
        where T : class
    {
        image.Begin(cancellation);
        try
        {
            answer = ask();
            return true;
        }
        catch (Exception e) when (e is not (EvidenceException or OperationCanceledException))
        {
            LogUnread(item, $"'{path}', and what is in it. {Guard.Words(e)}");
            answer = null;
            return false;
        }
    }

    [LoggerMessage(230, LogLevel.Warning, "In {Item} this is not listed: {What}")]
    private partial void LogUnread(string item, string what);
}
