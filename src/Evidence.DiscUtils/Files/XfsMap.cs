using System.Buffers.Binary;

namespace Evidence.DiscUtils.Files;

/// <summary>Where a file of XFS lies, from its inode (XFS Algorithms and Data Structures, "Data Fork"). DiscUtils takes what was set aside and never written for content.</summary>
internal sealed class XfsMap
{
    private const int SmallestInode = 256;
    private const int SuperblockLength = 264;
    private const int MostExtents = 1 << 20;
    private const int RecordLength = 16;
    private const uint LargeCounters = 1 << 5;
    private const ushort Realtime = 1;
    private const int Regular = 8;

    private readonly Volume volume;
    private readonly int blockSize;
    private readonly long groupBlocks;
    private readonly int groupBits;

    /// <summary>Reads the superblock.</summary>
    /// <exception cref="InvalidDataException">It makes no sense, or says of something that is not read here.</exception>
    internal XfsMap(Volume volume)
    {
        this.volume = volume;
        Span<byte> superblock = stackalloc byte[SuperblockLength];
        volume.Read(0, superblock);
        blockSize = BinaryPrimitives.ReadInt32BigEndian(superblock[4..]);
        groupBlocks = BinaryPrimitives.ReadUInt32BigEndian(superblock[84..]);
        InodeLength = BinaryPrimitives.ReadUInt16BigEndian(superblock[104..]);
        groupBits = superblock[124];
        if (blockSize is < 512 or > 65536 || groupBlocks == 0 || groupBits is 0 or > 31 || InodeLength < SmallestInode || InodeLength > blockSize)
            throw new InvalidDataException("The superblock makes no sense");
        bool isVersion5 = (BinaryPrimitives.ReadUInt16BigEndian(superblock[100..]) & 0xF) == 5;
        if (isVersion5 && (BinaryPrimitives.ReadUInt32BigEndian(superblock[216..]) & LargeCounters) != 0)
            throw new InvalidDataException("It has large counters of extents (nrext64), which are not read here");
    }

    /// <summary>The length of an inode.</summary>
    internal int InodeLength { get; }

    /// <summary>Whether this is the inode of a regular file of a length.</summary>
    internal static bool IsFile(ReadOnlySpan<byte> inode, long length) =>
        inode.StartsWith("IN"u8) && inode[2] >> 4 == Regular && BinaryPrimitives.ReadInt64BigEndian(inode[56..]) == length;

    /// <summary>What of a file was written, in the file's order.</summary>
    /// <param name="inode">Its inode.</param>
    /// <exception cref="InvalidDataException">It makes no sense, or its content does not lie in extents of this volume.</exception>
    internal List<VolumeExtent> Find(ReadOnlySpan<byte> inode)
    {
        if ((BinaryPrimitives.ReadUInt16BigEndian(inode[90..]) & Realtime) != 0)
            throw new InvalidDataException("It lies on another device, for real time");
        int start = inode[4] >= 3 ? 176 : 100;
        int end = inode[82] == 0 ? inode.Length : start + (8 * inode[82]);
        if (end > inode.Length)
            throw new InvalidDataException("Its inode makes no sense");
        ReadOnlySpan<byte> fork = inode[start..end];
        var found = new List<VolumeExtent>();
        switch (inode[5])
        {
            case 2:
                long count = BinaryPrimitives.ReadUInt32BigEndian(inode[76..]);
                if (count > fork.Length / RecordLength)
                    throw new InvalidDataException("Its inode makes no sense");
                AddRecords(fork, (int)count, found);
                break;
            case 3:
                AddNode(fork, 0, BinaryPrimitives.ReadUInt16BigEndian(fork), BinaryPrimitives.ReadUInt16BigEndian(fork[2..]), 4, found);
                break;
            default:
                throw new InvalidDataException("It lies within its inode, which is not read here");
        }

        found.Sort((a, b) => a.FileOffset.CompareTo(b.FileOffset));
        return VolumeExtent.Checked(found, BinaryPrimitives.ReadInt64BigEndian(inode[56..]), volume.Content.Length);
    }

    /// <summary>A node of the tree: its keys, then as many pointers, both with room for as many as there could be.</summary>
    private void AddNode(ReadOnlySpan<byte> node, int depth, int level, int count, int header, List<VolumeExtent> found)
    {
        int most = (node.Length - header) / RecordLength;
        if (level == 0 || count > most || depth > 8)
            throw new InvalidDataException("Its tree of extents makes no sense");
        for (int i = 0; i < count; i++)
        {
            var child = new byte[blockSize];
            volume.Read(PlaceOf(BinaryPrimitives.ReadInt64BigEndian(node[(header + (8 * most) + (8 * i))..])), child);
            bool isVersion5 = child.AsSpan().StartsWith("BMA3"u8);
            int childLevel = BinaryPrimitives.ReadUInt16BigEndian(child.AsSpan(4));
            int childCount = BinaryPrimitives.ReadUInt16BigEndian(child.AsSpan(6));
            int childHeader = isVersion5 ? 72 : 24;
            // Each level is one deeper than the next: a tree that leads back into itself is none.
            if ((!isVersion5 && !child.AsSpan().StartsWith("BMAP"u8)) || childLevel != level - 1)
                throw new InvalidDataException("Its tree of extents makes no sense");
            if (childLevel > 0)
                AddNode(child, depth + 1, childLevel, childCount, childHeader, found);
            else if (childCount > (blockSize - childHeader) / RecordLength)
                throw new InvalidDataException("Its tree of extents makes no sense");
            else
                AddRecords(child.AsSpan(childHeader), childCount, found);
        }
    }

    /// <summary>Records of 128 bits: a sign of what was never written, 54 bits of the place in the file, 52 of that in the volume, 21 of the length, all in blocks.</summary>
    private void AddRecords(ReadOnlySpan<byte> records, int count, List<VolumeExtent> found)
    {
        if (found.Count + count > MostExtents)
            throw new InvalidDataException($"It is in more than {MostExtents} pieces");
        for (int i = 0; i < count; i++)
        {
            ulong high = BinaryPrimitives.ReadUInt64BigEndian(records[(RecordLength * i)..]);
            ulong low = BinaryPrimitives.ReadUInt64BigEndian(records[((RecordLength * i) + 8)..]);
            if (high >> 63 == 0)
                found.Add(new VolumeExtent((long)(high >> 9) * blockSize, PlaceOf((long)(((high & 0x1FF) << 43) | (low >> 21))), (long)(low & 0x1FFFFF) * blockSize));
        }
    }

    /// <summary>Blocks are numbered by allocation groups, with a power of two for each.</summary>
    private long PlaceOf(long block) => ((block >> groupBits) * groupBlocks + (block & ((1L << groupBits) - 1))) * blockSize;
}
