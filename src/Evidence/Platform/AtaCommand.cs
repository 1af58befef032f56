namespace Evidence.Platform;

/// <summary>
/// An ATA command that asks and changes nothing. There are no others: only these can be made, so that whatever is sent to evidence is one of them.
/// </summary>
internal sealed class AtaCommand
{
    /// <summary>Bytes of an answer that comes as data: one block.</summary>
    internal const int DataLength = 512;

    /// <summary>IDENTIFY DEVICE (ACS-3, 7.12).</summary>
    internal static readonly AtaCommand IdentifyDevice = new("IDENTIFY DEVICE", 0xEC, 0x00, hasData: true, isExtended: false);

    /// <summary>READ NATIVE MAX ADDRESS (ATA8-ACS, 7.33), for devices of 28-bit addresses.</summary>
    internal static readonly AtaCommand ReadNativeMaxAddress = new("READ NATIVE MAX ADDRESS", 0xF8, 0x00, hasData: false, isExtended: false);

    /// <summary>READ NATIVE MAX ADDRESS EXT (ATA8-ACS, 7.34), for devices of 48-bit addresses.</summary>
    internal static readonly AtaCommand ReadNativeMaxAddressExt = new("READ NATIVE MAX ADDRESS EXT", 0x27, 0x00, hasData: false, isExtended: true);

    /// <summary>GET NATIVE MAX ADDRESS EXT (ACS-3, 7.2.2), which took the place of the other two.</summary>
    internal static readonly AtaCommand GetNativeMaxAddressExt = new("GET NATIVE MAX ADDRESS EXT", 0x78, 0x00, hasData: false, isExtended: true);

    /// <summary>DEVICE CONFIGURATION IDENTIFY (ATA8-ACS, 7.9.3).</summary>
    internal static readonly AtaCommand DeviceConfigurationIdentify = new("DEVICE CONFIGURATION IDENTIFY", 0xB1, 0xC2, hasData: true, isExtended: false);

    private readonly byte code;
    private readonly byte feature;
    private readonly bool isExtended;

    private AtaCommand(string name, byte code, byte feature, bool hasData, bool isExtended)
    {
        Name = name;
        HasData = hasData;
        this.code = code;
        this.feature = feature;
        this.isExtended = isExtended;
    }

    /// <summary>The standard's name for it.</summary>
    internal string Name { get; }

    /// <summary>Whether the answer is a block of data; otherwise it is in the registers.</summary>
    internal bool HasData { get; }

    /// <summary>The command as SCSI's ATA PASS-THROUGH (16) (SAT-3, 12.2.2.3).</summary>
    internal byte[] ToPassThrough()
    {
        const byte PassThrough16 = 0x85;
        const byte NoData = 3 << 1;
        const byte DataIn = 4 << 1;
        const byte FromDevice = 1 << 3;
        const byte InBlocks = 1 << 2;
        const byte LengthIsCount = 2;
        const byte TellRegisters = 1 << 5;
        const byte AddressIsLogical = 0x40;
        var cdb = new byte[16];
        cdb[0] = PassThrough16;
        cdb[1] = (byte)((HasData ? DataIn : NoData) | (isExtended ? 1 : 0));
        cdb[2] = HasData ? (byte)(FromDevice | InBlocks | LengthIsCount) : TellRegisters;
        cdb[4] = feature;
        cdb[6] = (byte)(HasData ? 1 : 0);
        cdb[13] = AddressIsLogical;
        cdb[14] = code;
        return cdb;
    }
}
