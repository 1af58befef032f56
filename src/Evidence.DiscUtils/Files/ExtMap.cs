using System.Buffers.Binary;

namespace Evidence.DiscUtils.Files;

/// <summary>
/// Where a file of ext2, ext3 or ext4 lies, from its inode (the kernel's <c>Documentation/filesystems/ext4</c>, "Dynamic Structures"). DiscUtils takes what it finds behind an extent for
/// the file, and what was set aside and never written (<c>fallocate</c>) as well, so that what it says of holes cannot be relied on.
/// </summary>
internal sealed class ExtMap
{
    private const int SuperblockOffset = 1024;
    private const int DirectBlocks = 12;
    private const int DeepestTree = 5;
    private const int MostExtents = 1 << 20;
    private const int LongestWritten = 32768;
    private const ushort ExtentMagic = 0xF30A;
    private const uint Extents = 0x80000;
    private const uint Compressed = 0x4;
    private const uint Encrypted = 0x800;
    private const uint InlineData = 0x10000000;

    private readonly Volume volume;
    private readonly int blockSize;
    private readonly uint inodesPerGroup;
    private readonly int inodeSize;
    private readonly int descriptorSize;
    private readonly long descriptors;

    /// <summary>Reads the superblock.</summary>
    /// <exception cref="InvalidDataException">It makes no sense.</exception>
    internal ExtMap(Volume volume)
    {
        this.volume = volume;
        Span<byte> superblock = stackalloc byte[1024];
        volume.Read(SuperblockOffset, superblock);
        uint log = BinaryPrimitives.ReadUInt32LittleEndian(superblock[24..]);
        inodesPerGroup = BinaryPrimitives.ReadUInt32LittleEndian(superblock[40..]);
        inodeSize = BinaryPrimitives.ReadUInt16LittleEndian(superblock[88..]);
        uint compatible = BinaryPrimitives.ReadUInt32LittleEndian(superblock[92..]);
        uint incompatible = BinaryPrimitives.ReadUInt32LittleEndian(superblock[96..]);
        if (log > 6 || inodesPerGroup == 0 || inodeSize < 128)
            throw new InvalidDataException("The superblock makes no sense");
        blockSize = 1024 << (int)log;
        descriptorSize = (incompatible & 0x80) != 0 ? Math.Max((ushort)32, BinaryPrimitives.ReadUInt16LittleEndian(superblock[254..])) : 32;
        descriptors = (BinaryPrimitives.ReadUInt32LittleEndian(superblock[20..]) + 1L) * blockSize;
        Kind = (incompatible & 0x40) != 0 ? "ext4" : (compatible & 0x4) != 0 ? "ext3" : "ext2";
    }

    /// <summary>The kind, by what it uses: <c>ext2</c>, <c>ext3</c>, <c>ext4</c>.</summary>
    internal string Kind { get; }

    /// <summary>What of a file was written, in the file's order.</summary>
    /// <param name="inode">The number of its inode.</param>
    /// <param name="length">Its length.</param>
    /// <exception cref="InvalidDataException">The inode makes no sense, or its content does not lie in blocks.</exception>
    internal List<VolumeExtent> Find(ulong inode, long length)
    {
        byte[] bytes = ReadInode(inode);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(32));
        if ((flags & (Compressed | Encrypted | InlineData)) != 0)
            throw new InvalidDataException($"It is {((flags & InlineData) != 0 ? "within its inode" : (flags & Encrypted) != 0 ? "encrypted" : "compressed")}, which is not read here");
        long size = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)) | ((long)BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(108)) << 32);
        if (size != length)
            throw new InvalidDataException($"Its inode says {size} bytes");
        var found = new List<VolumeExtent>();
        if ((flags & Extents) != 0)
        {
            AddTree(bytes.AsSpan(40, 60), DeepestTree + 1, found);
        }
        else
        {
            for (int i = 0; i < DirectBlocks; i++)
                AddBlock(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(40 + (4 * i))), i, found);
            long first = DirectBlocks;
            long covered = 1;
            for (int depth = 1; depth <= 3; depth++)
            {
                covered *= blockSize / 4;
                AddIndirect(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(40 + (4 * (DirectBlocks + depth - 1)))), depth, first, length, found);
                first += covered;
            }
        }

        found.Sort((a, b) => a.FileOffset.CompareTo(b.FileOffset));
        return VolumeExtent.Checked(found, length, volume.Content.Length);
    }

    private byte[] ReadInode(ulong inode)
    {
        if (inode is 0 or > uint.MaxValue)
            throw new InvalidDataException($"There is no inode {inode}");
        (uint group, uint index) = Math.DivRem((uint)inode - 1, inodesPerGroup);
        var descriptor = new byte[descriptorSize];
        volume.Read(descriptors + ((long)group * descriptorSize), descriptor);
        long table = BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(8)) | (descriptorSize >= 64 ? (long)BinaryPrimitives.ReadUInt32LittleEndian(descriptor.AsSpan(40)) << 32 : 0);
        var bytes = new byte[inodeSize];
        volume.Read((table * blockSize) + ((long)index * inodeSize), bytes);
        return bytes;
    }

    private void AddTree(ReadOnlySpan<byte> node, int above, List<VolumeExtent> found)
    {
        int entries = BinaryPrimitives.ReadUInt16LittleEndian(node[2..]);
        int depth = BinaryPrimitives.ReadUInt16LittleEndian(node[6..]);
        // Each level is one deeper than the next: a tree that leads back into itself is none.
        if (BinaryPrimitives.ReadUInt16LittleEndian(node) != ExtentMagic || depth >= above || 12 * (entries + 1) > node.Length)
            throw new InvalidDataException("Its tree of extents makes no sense");
        for (int i = 1; i <= entries; i++)
        {
            ReadOnlySpan<byte> entry = node.Slice(12 * i, 12);
            if (depth > 0)
            {
                var child = new byte[blockSize];
                volume.Read((BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]) << 32)) * blockSize, child);
                AddTree(child, depth, found);
                continue;
            }

            int count = BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]);
            // More than that is the sign of one that was set aside and never written.
            if (count is 0 or > LongestWritten)
                continue;
            long block = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]) | ((long)BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]) << 32);
            Add(BinaryPrimitives.ReadUInt32LittleEndian(entry), block, count, found);
        }
    }

    private void AddIndirect(uint block, int depth, long first, long length, List<VolumeExtent> found)
    {
        if (block == 0 || first * blockSize >= length)
            return;
        var pointers = new byte[blockSize];
        volume.Read((long)block * blockSize, pointers);
        long covered = 1;
        for (int i = 1; i < depth; i++)
            covered *= blockSize / 4;
        for (int i = 0; i < blockSize / 4; i++)
        {
            uint pointer = BinaryPrimitives.ReadUInt32LittleEndian(pointers.AsSpan(4 * i));
            if (depth == 1)
                AddBlock(pointer, first + i, found);
            else
                AddIndirect(pointer, depth - 1, first + (i * covered), length, found);
        }
    }

    private void AddBlock(uint block, long fileBlock, List<VolumeExtent> found)
    {
        if (block != 0)
            Add(fileBlock, block, 1, found);
    }

    private void Add(long fileBlock, long block, int count, List<VolumeExtent> found)
    {
        var extent = new VolumeExtent(fileBlock * blockSize, block * blockSize, (long)count * blockSize);
        if (found is [.., var last] && last.FileOffset + last.Length == extent.FileOffset && last.Offset + last.Length == extent.Offset)
            found[^1] = last with { Length = last.Length + extent.Length };
        else if (found.Count < MostExtents)
            found.Add(extent);
        else
            throw new InvalidDataException($"It is in more than {MostExtents} pieces");
    }
}
