using DiscUtils;
using DiscUtils.Ext;
using DiscUtils.Fat;
using DiscUtils.Ntfs;
using DiscUtils.Streams;
using DiscUtils.Xfs;
using Evidence.Files;

namespace Evidence.DiscUtils.Files;

/// <summary>A file system in a volume, as DiscUtils reads it.</summary>
/// <param name="volume">The volume.</param>
/// <param name="files">The file system.</param>
internal abstract class FileSystem(Volume volume, DiscFileSystem files) : IDisposable
{
    /// <summary>The kind: <c>ext4</c>, <c>ntfs</c>, <c>fat32</c>, <c>xfs</c>.</summary>
    internal abstract string Kind { get; }

    /// <summary>The volume.</summary>
    internal Volume Volume => volume;

    /// <summary>The file system.</summary>
    internal DiscFileSystem Files => files;

    /// <summary>Opens what is in a volume.</summary>
    /// <returns>Null where it is none of these.</returns>
    internal static FileSystem? Open(Volume volume)
    {
        Span<byte> start = stackalloc byte[512];
        if (volume.Content.Length < 2048)
            return null;
        volume.Read(0, start);
        if (start.StartsWith("XFSB"u8))
            return new XfsVolume(volume, new XfsFileSystem(volume.Content));
        if (NtfsFileSystem.Detect(volume.Content))
            return new NtfsVolume(volume, new NtfsFileSystem(new NtfsRecords(volume.Content)));
        Span<byte> magic = stackalloc byte[2];
        volume.Read(1024 + 56, magic);
        if (magic is [0x53, 0xEF])
            return new ExtVolume(volume, new ExtFileSystem(volume.Content));
        // What else begins with a jump and says of its sectors what FAT says.
        return start is [0xEB, _, 0x90, ..] or [0xE9, ..] && FatFileSystem.Detect(volume.Content) ? new FatVolume(volume, new FatFileSystem(volume.Content)) : null;
    }

    /// <summary>The number of a file's inode; null where there is no such thing, or it is not told.</summary>
    internal abstract ulong? NumberOf(string path);

    /// <summary>The length of a file.</summary>
    internal virtual long LengthOf(string path) => files.GetFileLength(path);

    /// <summary>Finds where a file lies.</summary>
    internal abstract ImageFile Locate(ImageFile file);

    /// <summary>Opens what is in a file.</summary>
    internal virtual Stream OpenContent(ImageFile file) => OpenFile(file.Path);

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();

    /// <summary>Opens a file, which must be one: what a link leads to is another.</summary>
    protected SparseStream OpenFile(string path)
    {
        FileAttributes attributes = files.GetAttributes(path);
        if (attributes.HasFlag(FileAttributes.ReparsePoint))
            throw new InvalidDataException("It is a link, or what else a reparse point may stand for");
        if (attributes.HasFlag(FileAttributes.Encrypted))
            throw new InvalidDataException("It is encrypted");
        return files.OpenFile(path, FileMode.Open, FileAccess.Read);
    }
}
