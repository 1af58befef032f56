using DiscUtils.Xfs;
using Evidence.Files;

namespace Evidence.DiscUtils.Files;

/// <summary>
/// XFS: DiscUtils lists the files and reads what was written of them; what was, their inodes say. Which inode is a file's it does not tell: it is one of those that it reads on its way.
/// </summary>
internal sealed class XfsVolume(Volume volume, XfsFileSystem files) : FileSystem(volume, files)
{
    private readonly XfsMap map = new(volume);
    private (string Path, List<VolumeExtent> Written)? last;

    internal override string Kind => "xfs";

    internal override ulong? NumberOf(string path) => null;

    internal override ImageFile Locate(ImageFile file) =>
        file with { Runs = [.. Find(file).SelectMany(extent => Volume.Map(extent.FileOffset, extent.Offset, extent.Length))] };

    internal override Stream OpenContent(ImageFile file) => new WrittenStream(OpenFile(file.Path), Find(file), file.Length);

    private List<VolumeExtent> Find(ImageFile file)
    {
        OpenFile(file.Path).Dispose();
        if (file.Length == 0)
            return [];
        if (last is { } known && string.Equals(known.Path, file.Path, StringComparison.Ordinal))
            return known.Written;
        // A file system of its own, which remembers nothing: every inode on the way to the file is read.
        ImageStream image = Volume.Image;
        image.Trace();
        using var own = new XfsFileSystem(Volume.Content);
        using Stream content = own.OpenFile(file.Path, FileMode.Open, FileAccess.Read);
        List<List<VolumeExtent>> candidates = Candidates(file.Length, [.. image.Reads.Where(read => read.Length == map.InodeLength).Select(read => read.Offset).Distinct()]);
        List<List<VolumeExtent>> written = candidates.FindAll(candidate => candidate.Count > 0 && candidate.TrueForAll(extent => Reads(content, extent)));
        // Where none that was written is the file's, one that never was is.
        List<VolumeExtent> found = written.Count > 0 ? written[0] : candidates.Find(candidate => candidate.Count == 0) ?? throw new InvalidDataException("Its inode is not found");
        if (written.Exists(other => !other.SequenceEqual(found)))
            throw new InvalidDataException("Its inode cannot be told from another");
        last = (file.Path, found);
        return found;
    }

    private List<List<VolumeExtent>> Candidates(long length, long[] places)
    {
        var candidates = new List<List<VolumeExtent>>();
        var inode = new byte[map.InodeLength];
        foreach (long place in places)
        {
            Volume.Image.Position = place;
            Volume.Image.ReadExactly(inode);
            if (XfsMap.IsFile(inode, length))
                candidates.Add(map.Find(inode));
        }

        return candidates;
    }

    /// <summary>Whether DiscUtils reads the file's byte there from where this extent begins.</summary>
    private bool Reads(Stream content, VolumeExtent extent)
    {
        ImageStream image = Volume.Image;
        Span<byte> one = stackalloc byte[1];
        long place = Volume.Map(extent.FileOffset, extent.Offset, 1).Single().ImageOffset;
        content.Position = extent.FileOffset;
        image.Trace();
        content.ReadExactly(one);
        return image.Reads is [.., var read] && read.Offset == place;
    }
}
