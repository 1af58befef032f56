using DiscUtils;
using DiscUtils.Streams;
using VhdDisk = DiscUtils.Vhd.Disk;
using VhdxDisk = DiscUtils.Vhdx.Disk;

namespace Evidence.DiscUtils.Tests.Disks;

/// <summary>Differencing disks, made by DiscUtils.</summary>
internal static class Layers
{
    /// <summary>A dynamic disk with a content, none where that is zeros.</summary>
    internal static void Make(string format, string path, byte[] content)
    {
        using VirtualDisk disk = format == "vhd"
            ? VhdDisk.InitializeDynamic(File.Create(path), Ownership.Dispose, content.Length)
            : VhdxDisk.InitializeDynamic(File.Create(path), Ownership.Dispose, content.Length, geometry: null, blockSize: 1 << 20);
        for (int offset = 0; offset < content.Length; offset += 1 << 16)
        {
            if (content.AsSpan(offset, 1 << 16).ContainsAnyExcept((byte)0))
                Write(disk, offset, content.AsSpan(offset, 1 << 16));
        }
    }

    /// <summary>A disk that is its parent but for one change.</summary>
    internal static void MakeChild(string format, string parent, string path, long offset, byte[] change)
    {
        using VirtualDisk disk = format == "vhd" ? VhdDisk.InitializeDifferencing(path, parent) : VhdxDisk.InitializeDifferencing(path, parent);
        Write(disk, offset, change);
    }

    private static void Write(VirtualDisk disk, long offset, ReadOnlySpan<byte> content)
    {
        disk.Content.Position = offset;
        disk.Content.Write(content);
    }
}
