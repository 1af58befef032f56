using System.Buffers.Binary;
using Evidence.Vaults;

namespace Evidence.Files;

/// <summary>Where a file that lies in its own entry of NTFS's master file table lies in the image.</summary>
internal static class MftRecord
{
    private const int SectorSize = 512;
    private const int LargestRecord = 4096;

    /// <summary>Finds the record of a file, and its content in it.</summary>
    /// <param name="reader">The image.</param>
    /// <param name="table">The table itself: <c>$MFT</c>, the file of entry 0.</param>
    /// <param name="file">The file.</param>
    /// <param name="content">Its content.</param>
    /// <returns>The record as a range; null where it is not there, or the content is not in it.</returns>
    internal static FileRun? Find(ImageReader reader, ImageFile table, ImageFile file, ReadOnlySpan<byte> content)
    {
        Span<byte> boot = stackalloc byte[SectorSize];
        if (reader.Read(file.Volume, boot) < SectorSize || RecordLength(boot) is not { } length)
            return null;
        if (file.Inode > (ulong)(table.Length / length))
            return null;
        long at = (long)file.Inode * length;
        foreach (FileRun run in table.Runs)
        {
            if (at < run.FileOffset || at + length > run.FileOffset + run.Length)
                continue;
            long place = run.ImageOffset + at - run.FileOffset;
            var record = new byte[length];
            return reader.Read(place, record) == length && TryFixUp(record) && record.AsSpan().IndexOf(content) >= 0 ? new FileRun(0, place, length) : null;
        }

        return null;
    }

    /// <summary>The bytes of a record: as a power of two where the number is negative, else in clusters.</summary>
    private static int? RecordLength(ReadOnlySpan<byte> boot)
    {
        int clusters = unchecked((sbyte)boot[0x40]);
        int length = clusters < 0
            ? -clusters <= 12 ? 1 << -clusters : 0
            : clusters * boot[0x0D] * BinaryPrimitives.ReadUInt16LittleEndian(boot[0x0B..]);
        return length is >= SectorSize and <= LargestRecord && length % SectorSize == 0 ? length : null;
    }

    /// <summary>Puts back the two bytes at the end of each sector, which stand elsewhere in the record on the medium.</summary>
    private static bool TryFixUp(Span<byte> record)
    {
        if (!record.StartsWith("FILE"u8))
            return false;
        int array = BinaryPrimitives.ReadUInt16LittleEndian(record[4..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(record[6..]);
        if (count != (record.Length / SectorSize) + 1 || array + (2 * count) > SectorSize - 2)
            return false;
        for (int sector = 1; sector < count; sector++)
        {
            Span<byte> end = record.Slice((sector * SectorSize) - 2, 2);
            if (!end.SequenceEqual(record.Slice(array, 2)))
                return false;
            record.Slice(array + (2 * sector), 2).CopyTo(end);
        }

        return true;
    }
}
