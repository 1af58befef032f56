using DiscUtils.Fat;
using Evidence.Files;

namespace Evidence.DiscUtils.Files;

/// <summary>FAT12, FAT16 and FAT32.</summary>
internal sealed class FatVolume(Volume volume, FatFileSystem files) : FileSystem(volume, files)
{
    internal override string Kind => files.FatVariant.ToString().ToLowerInvariant();

    /// <summary>There are no inodes.</summary>
    internal override ulong? NumberOf(string path) => null;

    internal override ImageFile Locate(ImageFile file) =>
        file with { Runs = TracedFile.Find(Volume.Image, () => OpenFile(file.Path), file.Length, (int)files.ClusterSize) };
}
