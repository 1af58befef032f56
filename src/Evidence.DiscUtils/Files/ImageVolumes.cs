using System.Buffers.Binary;
using DiscUtils;
using DiscUtils.Lvm;
using DiscUtils.Partitions;
using DiscUtils.Streams;
using RawDisk = DiscUtils.Raw.Disk;

namespace Evidence.DiscUtils.Files;

/// <summary>What file systems may lie in: the partitions of an image, the logical volumes of LVM on them or on all of it, or all of it.</summary>
internal static class ImageVolumes
{
    private const int SectorSize = 512;
    private const int LabelSectors = 4;

    /// <summary>The metadata of LVM are read onto the stack: more than this is not LVM's default, and may be meant to break the process.</summary>
    private const ulong LargestMetadata = 2 << 20;

    /// <summary>Room for them.</summary>
    private const int StackSize = 16 << 20;

    /// <summary>All of it.</summary>
    internal static Volume Whole(ImageStream image) => new(image, MappedStream.FromStream(image, Ownership.None));

    /// <summary>Its partitions, and the logical volumes, in the order of their places.</summary>
    /// <param name="image">The image.</param>
    /// <param name="failed">Hears of what there is and cannot be read.</param>
    internal static List<Volume> Find(ImageStream image, Action<string> failed)
    {
        var disk = new RawDisk(image, Ownership.None);
        var partitions = new List<Stream>();
        if (PartitionTable.IsPartitioned(image))
        {
            // One may be empty, or lie behind the end of a disk that was cut short.
            partitions.AddRange(PartitionTable.GetPartitionTables(disk).SelectMany(table => table.Partitions)
                .Where(partition => partition.FirstSector * SectorSize < image.Length).Select(partition => partition.Open()).Where(content => content.Length > 0));
        }

        var volumes = new List<Volume>();
        ulong? largest = null;
        foreach (Stream content in partitions.DefaultIfEmpty(image))
        {
            if (PhysicalVolumeMetadata(content) is { } metadata)
                largest = Math.Max(largest ?? 0, metadata);
            else if (content != image)
                volumes.Add(new Volume(image, content));
        }

        if (largest > LargestMetadata)
            failed($"a physical volume of LVM with {largest} bytes of metadata, more than the {LargestMetadata} that are read");
        else if (largest is not null)
            volumes.AddRange(LogicalVolumes(image, disk, failed));
        return [.. volumes.OrderBy(volume => volume.Start)];
    }

    /// <summary>The length of the metadata of a physical volume of LVM (<c>lib/format_text/layout.h</c>); null where it is none.</summary>
    private static ulong? PhysicalVolumeMetadata(Stream content)
    {
        var label = new byte[SectorSize];
        for (int sector = 0; sector < LabelSectors; sector++)
        {
            content.Position = sector * SectorSize;
            if (content.ReadAtLeast(label, SectorSize, throwOnEndOfStream: false) < SectorSize)
                return null;
            if (!label.AsSpan().StartsWith("LABELONE"u8))
                continue;
            // A UUID, the size, then pairs of offset and size: areas of data up to one of zeros, then of metadata.
            int at = (int)Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(label.AsSpan(20)), SectorSize) + 40;
            for (; at <= SectorSize - 32; at += 16)
            {
                if (label.AsSpan(at, 16).ContainsAnyExcept((byte)0))
                    continue;
                return BinaryPrimitives.ReadUInt64LittleEndian(label.AsSpan(at + 24));
            }

            return ulong.MaxValue;
        }

        return null;
    }

    private static List<Volume> LogicalVolumes(ImageStream image, RawDisk disk, Action<string> failed)
    {
        var volumes = new List<Volume>();
        Exception? failure = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    foreach (LogicalVolumeInfo volume in new LogicalVolumeManager([disk]).GetLogicalVolumes())
                        volumes.Add(new Volume(image, volume.Open()));
                }
                catch (Exception e)
                {
                    failure = e;
                }
            },
            StackSize);
        thread.Start();
        thread.Join();
        if (failure is OperationCanceledException or EvidenceException)
            throw failure;
        if (failure is not null)
            failed($"the logical volumes of LVM: {Guard.Words(failure)}");
        else if (volumes.Count == 0)
            failed("volumes of LVM that are not linear, or lie on other disks, too");
        return volumes;
    }
}
