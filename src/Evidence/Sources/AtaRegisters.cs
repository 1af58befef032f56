namespace Evidence.Sources;

/// <summary>A drive's registers after a command, as SCSI's sense data hold them (SAT-3, 12.2.2.6).</summary>
/// <param name="Address">The logical block address that the command answers with, 48 bits.</param>
internal readonly record struct AtaRegisters(long Address)
{
    private const byte ErrorOrFault = 0x21;

    /// <summary>Reads sense data of either format.</summary>
    /// <returns>Null where they hold no registers, or say that the command failed.</returns>
    internal static AtaRegisters? TryParse(ReadOnlySpan<byte> sense) => sense.IsEmpty ? null : (sense[0] & 0x7F) switch
    {
        0x70 => Fixed(sense),
        0x72 => Descriptors(sense),
        _ => null,
    };

    /// <summary>Fixed format (SPC-4, 4.5.3) has room for 24 bits of the address, and says where there are more.</summary>
    private static AtaRegisters? Fixed(ReadOnlySpan<byte> sense)
    {
        const int Length = 18;
        const byte AddressIsLonger = 1 << 5;
        if (sense.Length < Length || !IsInformation(sense[2], sense[12], sense[13]))
            return null;
        byte error = sense[3], status = sense[4];
        return error != 0 || (status & ErrorOrFault) != 0 || (sense[8] & AddressIsLonger) != 0
            ? null
            : new AtaRegisters(sense[9] | (sense[10] << 8) | (sense[11] << 16));
    }

    /// <summary>Descriptor format (SPC-4, 4.5.2): an ATA Status Return descriptor among others.</summary>
    private static AtaRegisters? Descriptors(ReadOnlySpan<byte> sense)
    {
        const int Header = 8;
        const int Length = 14;
        const byte AtaStatusReturn = 0x09;
        if (sense.Length < Header || !IsInformation(sense[1], sense[2], sense[3]))
            return null;
        for (int at = Header; at + 2 <= sense.Length; at += sense[at + 1] + 2)
        {
            if (sense[at] != AtaStatusReturn || sense.Length - at < Length || sense[at + 1] != Length - 2)
                continue;
            ReadOnlySpan<byte> found = sense.Slice(at, Length);
            byte error = found[3], status = found[13];
            if (error != 0 || (status & ErrorOrFault) != 0)
                return null;
            long low = found[7] | ((long)found[9] << 8) | ((long)found[11] << 16);
            long high = ((long)found[6] << 24) | ((long)found[8] << 32) | ((long)found[10] << 40);
            return new AtaRegisters((found[2] & 1) == 0 ? low | ((long)(found[12] & 0x0F) << 24) : low | high);
        }

        return null;
    }

    /// <summary>Whether the sense is «ATA pass-through information available», under the key «recovered error» or «no sense».</summary>
    private static bool IsInformation(byte key, byte code, byte qualifier) => (key & 0x0F) is 0 or 1 && code == 0 && qualifier == 0x1D;
}
