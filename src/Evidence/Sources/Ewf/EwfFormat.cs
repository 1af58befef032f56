namespace Evidence.Sources.Ewf;

/// <summary>What segment files of the Expert Witness Compression Format (EWF-E01 and EWF-S01) have in common (<c>docs/format/e01.md</c>).</summary>
internal static class EwfFormat
{
    /// <summary>The length of a segment file's header, in bytes: signature, 01, segment number, 0000.</summary>
    internal const int HeaderLength = 13;

    /// <summary>The sectors of a chunk, unless the volume says otherwise.</summary>
    internal const int SectorsPerChunk = 64;

    /// <summary>The most entries that a table of EnCase 5 and older may have; newer ones allow more.</summary>
    internal const int EntriesPerTable = 16_375;

    /// <summary>The bit of a table's entry that marks a chunk that is a zlib stream; the others are an offset.</summary>
    internal const uint Compressed = 0x8000_0000;

    /// <summary>The length of a checksum in bytes.</summary>
    internal const int ChecksumLength = sizeof(uint);

    /// <summary>The length of a table's header in bytes: the number of entries, the offset that they count from, a checksum.</summary>
    internal const int TableHeaderLength = 24;

    /// <summary>The length of the header of an error2 section, in bytes.</summary>
    internal const int ErrorHeaderLength = 520;

    /// <summary>The length of an entry of an error2 section, in bytes: a first sector, and a number of sectors.</summary>
    internal const int ErrorEntryLength = 8;

    /// <summary>The length of a digest section's content in bytes.</summary>
    internal const int DigestLength = 80;

    /// <summary>The length of a hash section's content in bytes.</summary>
    internal const int HashLength = 36;

    /// <summary>The first bytes of every segment file.</summary>
    internal static ReadOnlySpan<byte> Signature => [0x45, 0x56, 0x46, 0x09, 0x0D, 0x0A, 0xFF, 0x00];

    /// <summary>The bytes that a table takes as a section, in bytes.</summary>
    internal static long TableSectionLength(int entries) => EwfSection.DescriptorLength + TableHeaderLength + (sizeof(uint) * (long)entries) + ChecksumLength;

    /// <summary>The bytes that an error2 section takes.</summary>
    internal static long ErrorSectionLength(int entries) =>
        EwfSection.DescriptorLength + ErrorHeaderLength + (ErrorEntryLength * (long)entries) + ChecksumLength;
}
