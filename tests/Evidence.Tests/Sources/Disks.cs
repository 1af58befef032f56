using System.Buffers.Binary;
using System.IO.Hashing;

namespace Evidence.Tests.Sources;

/// <summary>Partition tables, by the UEFI specification (2.10, 5.2 and 5.3).</summary>
internal static class Disks
{
    internal const byte Linux = 0x83;

    /// <summary>An entry of a boot record, in sectors.</summary>
    internal static void BootEntry(Span<byte> record, int index, byte type, uint first, uint sectors, byte flag = 0)
    {
        Span<byte> entry = record.Slice(446 + (16 * index), 16);
        (entry[0], entry[4]) = (flag, type);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], first);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], sectors);
        (record[510], record[511]) = (0x55, 0xAA);
    }

    /// <summary>A GPT, with its protective boot record and no second copy, in sectors of a size.</summary>
    internal static void GuidTable(Span<byte> disk, int sectorSize, params ReadOnlySpan<(long First, long Last)> partitions)
    {
        const int Count = 128, Length = 128;
        BootEntry(disk, 0, 0xEE, 1, uint.MaxValue);
        Span<byte> entries = disk.Slice(2 * sectorSize, Count * Length);
        for (int i = 0; i < partitions.Length; i++)
        {
            Span<byte> entry = entries[(Length * i)..];
            entry[..32].Fill(0x5A);
            BinaryPrimitives.WriteInt64LittleEndian(entry[32..], partitions[i].First);
            BinaryPrimitives.WriteInt64LittleEndian(entry[40..], partitions[i].Last);
        }

        Span<byte> header = disk.Slice(sectorSize, 92);
        "EFI PART"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], 0x10000);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], 92);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], 1);
        BinaryPrimitives.WriteInt64LittleEndian(header[72..], 2);
        BinaryPrimitives.WriteInt32LittleEndian(header[80..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(header[84..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[88..], Crc32.HashToUInt32(entries));
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32.HashToUInt32(header));
    }
}
