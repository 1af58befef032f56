using DiscUtils.Ext;
using Evidence.Files;

namespace Evidence.DiscUtils.Files;

/// <summary>ext2, ext3 and ext4: DiscUtils lists the files and reads what was written of them; what was, their inodes say.</summary>
internal sealed class ExtVolume(Volume volume, ExtFileSystem files) : FileSystem(volume, files)
{
    private readonly ExtMap map = new(volume);

    internal override string Kind => map.Kind;

    internal override ulong? NumberOf(string path) =>
        files.GetAttributes(path).HasFlag(FileAttributes.ReparsePoint) ? null : (ulong)files.GetUnixFileInfo(path).Inode;

    internal override ImageFile Locate(ImageFile file)
    {
        OpenFile(file.Path).Dispose();
        return file with { Runs = [.. map.Find(file.Inode, file.Length).SelectMany(extent => Volume.Map(extent.FileOffset, extent.Offset, extent.Length))] };
    }

    internal override Stream OpenContent(ImageFile file) => new WrittenStream(OpenFile(file.Path), map.Find(file.Inode, file.Length), file.Length);
}
