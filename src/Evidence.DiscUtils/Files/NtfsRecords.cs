using System.Buffers.Binary;

namespace Evidence.DiscUtils.Files;

/// <summary>
/// A volume of NTFS whose file records have attributes that follow one another to an end: of one that begins where it ends, DiscUtils makes as many as memory holds. What is refused is a
/// record that does not end; whether it is right otherwise is for DiscUtils to find.
/// </summary>
/// <param name="content">The volume.</param>
internal sealed class NtfsRecords(Stream content) : PositionalStream
{
    private const int SectorSize = 512;
    private const int LargestRecord = 4096;
    private const int SmallestAttribute = 16;
    private const uint EndOfAttributes = 0xFFFFFFFF;

    private readonly int recordLength = RecordLength(content);

    public override long Length => content.Length;

    protected override int ReadAt(long offset, Span<byte> buffer)
    {
        content.Position = offset;
        int count = content.Read(buffer);
        for (int at = 0; at + recordLength <= count; at += recordLength)
        {
            ReadOnlySpan<byte> record = buffer.Slice(at, recordLength);
            if (IsRecord(record) && !Ends(record))
                throw new InvalidDataException($"The file record at {offset + at} has attributes without an end");
        }

        return count;
    }

    /// <summary>The bytes of a record, by the boot sector: as a power of two where the number is negative, else in clusters.</summary>
    private static int RecordLength(Stream content)
    {
        Span<byte> boot = stackalloc byte[SectorSize];
        content.Position = 0;
        content.ReadExactly(boot);
        int clusters = unchecked((sbyte)boot[0x40]);
        int length = clusters < 0
            ? -clusters <= 12 ? 1 << -clusters : 0
            : clusters * boot[0x0D] * BinaryPrimitives.ReadUInt16LittleEndian(boot[0x0B..]);
        return length is >= SectorSize and <= LargestRecord && length % SectorSize == 0
            ? length
            : throw new InvalidDataException($"The boot sector says that a file record has {length} bytes");
    }

    /// <summary>Whether it begins as a record does, and has room for the array of its sectors' ends. A file may begin so by chance: what is said of its attributes then makes no sense either.</summary>
    private static bool IsRecord(ReadOnlySpan<byte> record) =>
        record.StartsWith("FILE"u8)
            && BinaryPrimitives.ReadUInt16LittleEndian(record[4..]) + (2 * BinaryPrimitives.ReadUInt16LittleEndian(record[6..])) <= record.Length;

    private static bool Ends(ReadOnlySpan<byte> record)
    {
        Span<byte> bytes = stackalloc byte[record.Length];
        record.CopyTo(bytes);
        // The two bytes at the end of each sector stand in the array.
        int array = BinaryPrimitives.ReadUInt16LittleEndian(record[4..]);
        int sectors = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(record[6..]) - 1, record.Length / SectorSize);
        for (int sector = 1; sector <= sectors; sector++)
            record.Slice(array + (2 * sector), 2).CopyTo(bytes[((sector * SectorSize) - 2)..]);
        int at = BinaryPrimitives.ReadUInt16LittleEndian(bytes[20..]);
        while (at <= bytes.Length - sizeof(uint) && BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]) != EndOfAttributes)
        {
            if (at > bytes.Length - SmallestAttribute)
                return false;
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]);
            if (length is < SmallestAttribute or > LargestRecord)
                return false;
            at += (int)length;
        }

        return at <= bytes.Length - sizeof(uint);
    }
}
