using System.Buffers.Binary;
using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>What an ATA drive says of its size in the answer to IDENTIFY DEVICE (ACS-3, 7.12.7; words are 16 bits, little-endian).</summary>
/// <param name="Sectors">The logical sectors that it declares.</param>
/// <param name="SectorSize">The logical sector's size in bytes.</param>
/// <param name="IsExtended">Whether it has 48-bit addresses (word 83, bit 10).</param>
/// <param name="HasProtectedArea">Whether it supports the Host Protected Area (word 82, bit 10).</param>
/// <param name="HasAccessibleMaximum">Whether it supports what took its place, the Accessible Max Address Configuration (word 119, bit 8).</param>
/// <param name="HasConfigurationOverlay">Whether it supports the Device Configuration Overlay (word 83, bit 11).</param>
internal readonly record struct AtaIdentify(
    long Sectors, int SectorSize, bool IsExtended, bool HasProtectedArea, bool HasAccessibleMaximum, bool HasConfigurationOverlay)
{
    private const long AddressLimit = 1L << 48;

    /// <summary>The largest that keeps sizes in bytes below 2^63.</summary>
    private const int LargestSector = 1 << 14;

    private const byte Signature = 0xA5;

    /// <summary>Reads the answer.</summary>
    /// <returns>Null where it is damaged, or that of no disk.</returns>
    internal static AtaIdentify? TryParse(ReadOnlySpan<byte> answer)
    {
        if (answer.Length != AtaCommand.DataLength || !IsWhole(answer) || (Word(answer, 0) & 0x8000) != 0)
            return null;
        bool featuresTold = IsTold(Word(answer, 83));
        bool extended = featuresTold && Bit(answer, 83, 10);
        long sectors = DoubleWord(answer, 60);
        if (extended)
            sectors = QuadWord(answer, IsTold(Word(answer, 119)) && Bit(answer, 69, 3) ? 230 : 100);
        long sectorSize = IsTold(Word(answer, 106)) && Bit(answer, 106, 12) ? DoubleWord(answer, 117) * 2 : Source.DefaultSectorSize;
        if (sectors is <= 0 or > AddressLimit || sectorSize is < Source.DefaultSectorSize or > LargestSector)
            return null;
        return new AtaIdentify(
            sectors, (int)sectorSize, extended,
            featuresTold && Bit(answer, 82, 10),
            IsTold(Word(answer, 119)) && Bit(answer, 119, 8),
            featuresTold && Bit(answer, 83, 11));
    }

    /// <summary>The drive's whole range, in sectors, in the answer to DEVICE CONFIGURATION IDENTIFY (ATA8-ACS, 7.9.3: words 3 to 6, the last address).</summary>
    /// <returns>Null where it is damaged.</returns>
    internal static long? FactorySectors(ReadOnlySpan<byte> answer)
    {
        if (answer.Length != AtaCommand.DataLength || answer[^2] != Signature || !IsWhole(answer) || Word(answer, 0) is 0 or 0xFFFF)
            return null;
        long last = QuadWord(answer, 3);
        return last is > 0 and < AddressLimit ? last + 1 : null;
    }

    /// <summary>Where word 255 is signed, the bytes of the whole add up to zero; drives before ATA-5 do not sign it.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        int sum = 0;
        foreach (byte each in answer)
            sum += each;
        return answer[^2] != Signature || (sum & 0xFF) == 0;
    }

    /// <summary>Whether a word of flags means anything: bit 15 is clear and bit 14 set.</summary>
    private static bool IsTold(ushort word) => (word & 0xC000) == 0x4000;

    private static bool Bit(ReadOnlySpan<byte> answer, int word, int bit) => (Word(answer, word) >> bit & 1) != 0;

    private static ushort Word(ReadOnlySpan<byte> answer, int word) => BinaryPrimitives.ReadUInt16LittleEndian(answer[(2 * word)..]);

    private static long DoubleWord(ReadOnlySpan<byte> answer, int word) => BinaryPrimitives.ReadUInt32LittleEndian(answer[(2 * word)..]);

    private static long QuadWord(ReadOnlySpan<byte> answer, int word) => BinaryPrimitives.ReadInt64LittleEndian(answer[(2 * word)..]);
}
