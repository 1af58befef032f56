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

    public override long Length => content.Length;

    protected override int ReadAt(long offset, Span<byte> buffer)
    {
        content.Position = offset;
        int count = content.Read(buffer);
        if (count is >= SectorSize and <= LargestRecord && IsRecord(buffer[..count]) && !Ends(buffer[..count]))
            throw new InvalidDataException($"The file record at {offset} has attributes without an end");
        return count;
    }

    /// <summary>Whether it begins as a record does, and has the array that such a one has for its sectors' ends.</summary>
    private static bool IsRecord(ReadOnlySpan<byte> buffer) =>
        buffer.StartsWith("FILE"u8) && BinaryPrimitives.ReadUInt16LittleEndian(buffer[6..]) == (buffer.Length / SectorSize) + 1
            && BinaryPrimitives.ReadUInt16LittleEndian(buffer[4..]) + (2 * ((buffer.Length / SectorSize) + 1)) <= SectorSize - 2;

    private static bool Ends(ReadOnlySpan<byte> record)
    {
        Span<byte> bytes = stackalloc byte[record.Length];
        record.CopyTo(bytes);
        // The two bytes at the end of each sector stand in the array.
        int array = BinaryPrimitives.ReadUInt16LittleEndian(record[4..]);
        for (int sector = 1; sector <= record.Length / SectorSize; sector++)
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
