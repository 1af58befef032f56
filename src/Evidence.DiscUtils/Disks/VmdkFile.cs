using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Evidence.Sources;

namespace Evidence.DiscUtils.Disks;

/// <summary>What a file of a VMDK says that DiscUtils does not heed.</summary>
/// <param name="HasZeroedGrains">Whether an entry of its grain tables may say that a grain is zeros: DiscUtils takes that for the place of the grain.</param>
/// <param name="ContentId">The id of its content, which changes when that is written to; null where the file has no descriptor.</param>
/// <param name="ParentContentId">The id that its parent's content has to have; null where it has no parent.</param>
internal readonly record struct VmdkFile(bool HasZeroedGrains, uint? ContentId, uint? ParentContentId)
{
    private const int SectorSize = 512;
    private const int HeaderLength = 44;
    private const int LongestDescriptor = 20 << 10;
    private const uint NoParent = uint.MaxValue;
    private const uint ZeroedGrains = 1 << 2;

    /// <summary>Reads the header and the descriptor (Virtual Disk Format 5.0, sections "Hosted Sparse Extents" and "The Descriptor File").</summary>
    internal static VmdkFile Read(Source file)
    {
        var header = new byte[HeaderLength];
        int count = file.Read(0, header);
        if (count < HeaderLength || !header.AsSpan().StartsWith("KDMV"u8))
            return header.AsSpan().StartsWith("# Disk"u8) ? OfDescriptor(file, 0, false) : default;
        bool hasZeroedGrains = (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(8)) & ZeroedGrains) != 0;
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(28));
        return sector is 0 or > uint.MaxValue ? new VmdkFile(hasZeroedGrains, null, null) : OfDescriptor(file, (long)sector * SectorSize, hasZeroedGrains);
    }

    private static VmdkFile OfDescriptor(Source file, long offset, bool hasZeroedGrains)
    {
        var text = new byte[LongestDescriptor];
        int count = file.Read(offset, text);
        uint? content = null;
        uint? parent = null;
        foreach (string line in Encoding.Latin1.GetString(text, 0, count).Split('\n'))
        {
            if (line.Split('=', 2, StringSplitOptions.TrimEntries) is not [var name, var value] || !uint.TryParse(value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint id))
                continue;
            if (name is "CID")
                content ??= id;
            else if (name is "parentCID" && id != NoParent)
                parent ??= id;
        }

        return new VmdkFile(hasZeroedGrains, content, parent);
    }
}
