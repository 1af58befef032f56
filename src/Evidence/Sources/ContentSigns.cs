namespace Evidence.Sources;

/// <summary>
/// Tells whether a disk holds something that somebody may miss: a partition table, a file system, a part of a volume or an array, an encrypted volume. By signatures at their
/// places; that none is found does not say that the disk is empty.
/// </summary>
internal static class ContentSigns
{
    /// <summary>The signatures: what it is, where it stands in bytes, and its bytes.</summary>
    private static readonly (string What, int Offset, byte[] Bytes)[] Signatures =
    [
        ("a GUID partition table", 512, "EFI PART"u8.ToArray()),
        ("a GUID partition table", 4096, "EFI PART"u8.ToArray()),
        ("an XFS file system", 0, "XFSB"u8.ToArray()),
        ("a Btrfs file system", 0x10040, "_BHRfS_M"u8.ToArray()),
        ("an NTFS file system", 3, "NTFS    "u8.ToArray()),
        ("an exFAT file system", 3, "EXFAT   "u8.ToArray()),
        ("a FAT file system", 54, "FAT"u8.ToArray()),
        ("a FAT file system", 82, "FAT32"u8.ToArray()),
        ("a ReFS file system", 3, "ReFS"u8.ToArray()),
        ("an APFS container", 32, "NXSB"u8.ToArray()),
        ("an HFS+ file system", 1024, [0x48, 0x2B, 0x00, 0x04]),
        ("an HFS+ file system", 1024, [0x48, 0x58, 0x00, 0x05]),
        ("an ISO 9660 file system", 0x8001, "CD001"u8.ToArray()),
        ("a SquashFS file system", 0, "hsqs"u8.ToArray()),
        ("an F2FS file system", 1024, [0x10, 0x20, 0xF5, 0xF2]),
        ("a physical volume of LVM", 0, "LABELONE"u8.ToArray()),
        ("a physical volume of LVM", 512, "LABELONE"u8.ToArray()),
        ("a physical volume of LVM", 1024, "LABELONE"u8.ToArray()),
        ("a physical volume of LVM", 1536, "LABELONE"u8.ToArray()),
        ("a part of a RAID", 0, [0xFC, 0x4E, 0x2B, 0xA9]),
        ("a part of a RAID", 4096, [0xFC, 0x4E, 0x2B, 0xA9]),
        ("a swap area", 4086, "SWAPSPACE2"u8.ToArray()),
    ];

    /// <summary>Where the signature of ext file systems stands; 20 bytes behind it, their revision.</summary>
    private const int ExtMagic = 0x438;

    /// <summary>The bytes that hold every place where a signature stands.</summary>
    private const int Length = 256 << 10;

    /// <summary>What there is, in words; null where nothing is known of it.</summary>
    /// <exception cref="EvidenceException">The disk's beginning cannot be read, so that nothing can be told.</exception>
    internal static string? Find(Source disk)
    {
        var start = new byte[Length];
        int length = disk.Read(0, start);
        IEnumerable<string> found = Signatures
            .Where(s => s.Offset + s.Bytes.Length <= length && start.AsSpan(s.Offset, s.Bytes.Length).SequenceEqual(s.Bytes))
            .Select(s => s.What);
        // Two bytes are no signature by themselves; the revision behind them is 0 or 1.
        if (length >= ExtMagic + 24 && start.AsSpan(ExtMagic, 2) is [0x53, 0xEF] && start.AsSpan(ExtMagic + 20, 4) is [0 or 1, 0, 0, 0])
            found = found.Append("an ext file system");
        if (EncryptionSign.Tell(start.AsSpan(0, EncryptionSign.HeaderLength)) is not null)
            found = found.Append("an encrypted volume");
        int partitions = new PartitionTable(disk.Length ?? 0, disk.Identity.LogicalSectorSize, (offset, buffer) => TryRead(disk, offset, buffer)).Starts().Count;
        if (partitions > 0)
            found = found.Append(partitions == 1 ? "one partition" : string.Create(null, $"{partitions} partitions"));
        string all = string.Join(", ", found.Distinct(StringComparer.Ordinal));
        return all.Length > 0 ? all : null;
    }

    private static bool TryRead(Source disk, long offset, Span<byte> buffer)
    {
        try
        {
            disk.Read(offset, buffer);
            return true;
        }
        catch (SourceReadException)
        {
            return false;
        }
    }
}
