using System.Buffers.Binary;
using System.Text;

namespace Evidence.Tests.Sources;

/// <summary>
/// Answers of ATA drives, built from the field definitions of ACS-3 and ATA8-ACS: no drive with hidden sectors was at hand. That the fields stand where they
/// should is held against hdparm in the interop tests.
/// </summary>
internal static class AtaAnswers
{
    internal const int HostProtectedArea = 10;
    internal const int ConfigurationOverlay = 11;

    /// <summary>IDENTIFY DEVICE of a drive with 48-bit addresses.</summary>
    internal static byte[] Identify(
        long sectors, int sectorSize = 512, bool hpa = true, bool dco = true, bool extended = true, bool accessibleMaximum = false, bool signed = true)
    {
        var answer = new byte[512];
        Set(answer, 0, 0x0040);
        Swapped(answer, 10, "TESTSERIAL0001", 20);
        Swapped(answer, 23, "FW01", 8);
        Swapped(answer, 27, "TEST DISK OF NO MAKER", 40);
        Set(answer, 49, 0x0B00);
        BinaryPrimitives.WriteUInt32LittleEndian(answer.AsSpan(2 * 60), (uint)Math.Min(sectors, 0x0FFFFFFF));
        Set(answer, 80, 0x01F0);
        Set(answer, 82, (ushort)(hpa ? 1 << HostProtectedArea : 0));
        Set(answer, 83, (ushort)(0x4000 | (extended ? 1 << 10 : 0) | (dco ? 1 << ConfigurationOverlay : 0)));
        Set(answer, 84, 0x4000);
        if (extended)
            BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(2 * 100), sectors);
        Set(answer, 106, (ushort)(0x4000 | (sectorSize == 512 ? 0 : 1 << 12)));
        if (sectorSize != 512)
            BinaryPrimitives.WriteInt32LittleEndian(answer.AsSpan(2 * 117), sectorSize / 2);
        Set(answer, 119, (ushort)(0x4000 | (accessibleMaximum ? 1 << 8 : 0)));
        return signed ? Sign(answer) : answer;
    }

    /// <summary>DEVICE CONFIGURATION IDENTIFY: revision 2, and the last address of the factory.</summary>
    internal static byte[] Configuration(long sectors)
    {
        var answer = new byte[512];
        Set(answer, 0, 2);
        BinaryPrimitives.WriteInt64LittleEndian(answer.AsSpan(2 * 3), sectors - 1);
        return Sign(answer);
    }

    /// <summary>Sense data with the registers, in descriptor format.</summary>
    internal static byte[] Descriptor(long address, bool extended = true, byte status = 0x50, byte error = 0)
    {
        byte[] sense = new byte[22];
        (sense[0], sense[1], sense[3], sense[7]) = (0x72, 0x01, 0x1D, 14);
        Span<byte> registers = sense.AsSpan(8);
        (registers[0], registers[1], registers[2], registers[3]) = (0x09, 0x0C, (byte)(extended ? 1 : 0), error);
        (registers[7], registers[9], registers[11]) = (Byte(address, 0), Byte(address, 1), Byte(address, 2));
        if (extended)
            (registers[6], registers[8], registers[10]) = (Byte(address, 3), Byte(address, 4), Byte(address, 5));
        registers[12] = (byte)(0x40 | (extended ? 0 : (address >> 24) & 0x0F));
        registers[13] = status;
        return sense;
    }

    internal static byte[] Sign(byte[] answer)
    {
        answer[510] = 0xA5;
        answer[511] = 0;
        answer[511] = unchecked((byte)-answer.Sum(each => each));
        return answer;
    }

    private static byte Byte(long value, int index) => (byte)(value >> (8 * index) & 0xFF);

    private static void Set(byte[] answer, int word, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(answer.AsSpan(2 * word), value);

    /// <summary>Text has its bytes exchanged in each word.</summary>
    private static void Swapped(byte[] answer, int word, string text, int length)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text.PadRight(length));
        for (int i = 0; i < length; i++)
            answer[(2 * word) + (i ^ 1)] = bytes[i];
    }
}
