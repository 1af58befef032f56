using DiscUtils.Ntfs;
using DiscUtils.Streams;
using Evidence.Files;

namespace Evidence.DiscUtils.Files;

/// <summary>NTFS, with its own files and those that it hides.</summary>
internal sealed class NtfsVolume : FileSystem
{
    private const long NumberMask = (1L << 48) - 1;
    private const int UnitClusters = 16;

    private readonly NtfsFileSystem files;

    internal NtfsVolume(Volume volume, NtfsFileSystem files)
        : base(volume, files)
    {
        this.files = files;
        files.NtfsOptions.HideMetafiles = false;
        files.NtfsOptions.HideHiddenFiles = false;
        files.NtfsOptions.HideSystemFiles = false;
        files.NtfsOptions.HideDosFileNames = true;
        files.NtfsOptions.ReadCacheEnabled = false;
        // Those are brought up to date now and then only.
        files.NtfsOptions.FileLengthFromDirectoryEntries = false;
    }

    internal override string Kind => "ntfs";

    internal override ulong? NumberOf(string path) => (ulong)(files.GetFileId(path) & NumberMask);

    /// <summary>The length of the stream without a name; 0 where a file has none, as <c>$Secure</c>.</summary>
    internal override long LengthOf(string path)
    {
        try
        {
            return base.LengthOf(path);
        }
        catch (FileNotFoundException) when (files.FileExists(path))
        {
            return 0;
        }
    }

    internal override ImageFile Locate(ImageFile file)
    {
        OpenFile(file.Path).Dispose();
        FileAttributes attributes = files.GetAttributes(file.Path);
        bool isCompressed = attributes.HasFlag(FileAttributes.Compressed);
        bool isSparse = attributes.HasFlag(FileAttributes.SparseFile);
        if (file.Length > 0 && !isSparse && files.GetAllocatedClustersCount(file.Path) == 0)
            return file with { Runs = [], IsResident = true };
        int cluster = (int)files.ClusterSize;
        if (isCompressed)
            return file with { Runs = TracedFile.FindCompressed(Volume.Image, () => OpenFile(file.Path), UnitClusters * cluster), IsCompressed = true };
        if (isSparse)
            return file with { Runs = TracedFile.Find(Volume.Image, () => OpenFile(file.Path), file.Length, cluster) };
        // In order, and all of it: the master file table itself can be large.
        var runs = new List<FileRun>();
        long at = 0;
        foreach (StreamExtent extent in files.PathToExtents(file.Path))
        {
            long length = Math.Min(extent.Length, file.Length - at);
            if (length <= 0)
                break;
            runs.AddRange(Volume.Map(at, extent.Start, length));
            at += length;
        }

        return file with { Runs = runs };
    }
}
