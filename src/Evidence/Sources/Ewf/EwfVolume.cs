using System.Buffers.Binary;

namespace Evidence.Sources.Ewf;

/// <summary>What the sections <c>volume</c>, <c>disk</c> and <c>data</c> say of an image. Numbers are unsigned, and are read into types that hold them all.</summary>
internal sealed record EwfVolume
{
    /// <summary>The length of the content that EnCase, FTK and linen write, in bytes.</summary>
    internal const int Length = 1052;

    /// <summary>The length of the content by the format's first description, which SMART uses, in bytes.</summary>
    internal const int ShortLength = 94;

    /// <summary>A fixed disk.</summary>
    internal const byte FixedMedia = 1;

    /// <summary>An image, of a physical device.</summary>
    internal const byte PhysicalImage = 3;

    /// <summary>The kind of medium; 0 in the short form.</summary>
    internal byte MediaType { get; init; }

    /// <summary>The number of chunks.</summary>
    internal required long Chunks { get; init; }

    /// <summary>The sectors of a chunk.</summary>
    internal required long SectorsPerChunk { get; init; }

    /// <summary>The bytes of a sector.</summary>
    internal required long BytesPerSector { get; init; }

    /// <summary>The number of sectors. 64 bits in the long form, of which no file can fill the highest.</summary>
    internal required long Sectors { get; init; }

    /// <summary>Whether it is of a physical device; 0 in the short form.</summary>
    internal byte MediaFlags { get; init; }

    /// <summary>0: not compressed; 1: fast; 2: best. A remark: each chunk says for itself what it is.</summary>
    internal byte CompressionLevel { get; init; }

    /// <summary>The sectors that a reading error took away together.</summary>
    internal long ErrorGranularity { get; init; }

    /// <summary>The identifier that the segment files of a set share; zeros where the writer gave none.</summary>
    internal Guid Set { get; init; }

    internal byte[] Encode()
    {
        var content = new byte[Length];
        content[0] = MediaType;
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(4), (uint)Chunks);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(8), (uint)SectorsPerChunk);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(12), (uint)BytesPerSector);
        BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(16), Sectors);
        content[36] = MediaFlags;
        content[52] = CompressionLevel;
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(56), (uint)ErrorGranularity);
        Set.TryWriteBytes(content.AsSpan(64));
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(Length - EwfFormat.ChecksumLength), Adler32.Compute(content.AsSpan(0, Length - EwfFormat.ChecksumLength)));
        return content;
    }

    /// <summary>Reads a content of either length; the checksum is the caller's to look at.</summary>
    internal static EwfVolume Decode(ReadOnlySpan<byte> content, out bool isChecksumRight)
    {
        int end = content.Length - EwfFormat.ChecksumLength;
        isChecksumRight = BinaryPrimitives.ReadUInt32LittleEndian(content[end..]) == Adler32.Compute(content[..end]);
        bool isLong = content.Length >= Length;
        return new EwfVolume
        {
            MediaType = isLong ? content[0] : (byte)0,
            Chunks = BinaryPrimitives.ReadUInt32LittleEndian(content[4..]),
            SectorsPerChunk = BinaryPrimitives.ReadUInt32LittleEndian(content[8..]),
            BytesPerSector = BinaryPrimitives.ReadUInt32LittleEndian(content[12..]),
            Sectors = isLong ? BinaryPrimitives.ReadInt64LittleEndian(content[16..]) : BinaryPrimitives.ReadUInt32LittleEndian(content[16..]),
            MediaFlags = isLong ? content[36] : (byte)0,
            CompressionLevel = isLong ? content[52] : (byte)0,
            ErrorGranularity = isLong ? BinaryPrimitives.ReadUInt32LittleEndian(content[56..]) : 0,
            Set = isLong ? new Guid(content.Slice(64, 16)) : Guid.Empty,
        };
    }
}
