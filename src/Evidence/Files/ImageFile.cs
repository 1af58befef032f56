namespace Evidence.Files;

/// <summary>A file in a file system in an image, as a reader of file systems finds it.</summary>
/// <param name="Partition">The number of its file system in the image, from 1.</param>
/// <param name="Volume">Where that file system begins in the image, in bytes.</param>
/// <param name="FileSystem">What kind that is: <c>ext4</c>, <c>ntfs</c>.</param>
/// <param name="Inode">The number of its inode, or of its entry in the MFT; where its file system has no such numbers, one that the reader gives it.</param>
/// <param name="Path">Its path, as the file system has it: whatever characters somebody chose.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="IsDeleted">Whether it was deleted: others may have written over it since.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="Runs">Where its content lies; none where the file system says nothing of that.</param>
public sealed record ImageFile(
    int Partition, long Volume, string FileSystem, ulong Inode, string Path, long Length, bool IsDeleted, bool IsFolder, IReadOnlyList<FileRun> Runs)
{
    /// <summary>A name for it that is the only one in its image: <c>PARTITION:INODE</c>.</summary>
    public string Id => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Partition}:{Inode}");

    /// <summary>Whether the file system may hold it compressed.</summary>
    public bool IsCompressed { get; init; }

    /// <summary>Whether it lies within its own entry of the file system's table.</summary>
    public bool IsResident { get; init; }
}

/// <summary>A run of a file's content.</summary>
/// <param name="FileOffset">Where it begins in the file.</param>
/// <param name="ImageOffset">Where it lies in the image.</param>
/// <param name="Length">Its length in bytes, at least 1.</param>
public readonly record struct FileRun(long FileOffset, long ImageOffset, long Length);
