namespace Evidence.Sources;

/// <summary>The schemes of whole-disk and partition encryption whose headers can be told.</summary>
public enum EncryptionScheme
{
    /// <summary>LUKS, version 1 (LUKS On-Disk Format Specification 1.2.3).</summary>
    Luks1,

    /// <summary>LUKS, version 2 (LUKS2 On-Disk Format Specification 1.1.1).</summary>
    Luks2,

    /// <summary>BitLocker, by the identifier in place of the file system's name. A volume whose protection is suspended has it too.</summary>
    BitLocker,

    /// <summary>BitLocker To Go, by the identifier behind a file system for show.</summary>
    BitLockerToGo,

    /// <summary>FileVault 2: a volume of Core Storage whose header names an encryption method.</summary>
    CoreStorage,

    /// <summary>An APFS container with a key bag, which is one that has, or had, an encrypted volume (Apple File System Reference).</summary>
    Apfs,
}

/// <summary>A sign of encryption, by the header that is there. A sign, not a proof: nothing is decrypted.</summary>
/// <param name="Scheme">Whose header it is.</param>
/// <param name="Offset">Where it begins in the source, in bytes.</param>
public sealed record EncryptionSign(EncryptionScheme Scheme, long Offset)
{
    /// <summary>How many bytes from a volume's start are looked at.</summary>
    internal const int HeaderLength = 4096;

    /// <summary>Identifiers of BitLocker, as GUIDs are stored: as Windows makes them, and with only used space encrypted.</summary>
    private static readonly byte[][] BitLockerIdentifiers =
    [
        new Guid("4967D63B-2E29-4AD8-8399-F6A339E3D001").ToByteArray(), new Guid("92A84D3B-DD80-4D0E-9E4E-B1E3284EAED8").ToByteArray(),
    ];

    /// <summary>Tells the scheme by a volume's first bytes, at least <see cref="HeaderLength"/> of them; null where there is no sign.</summary>
    internal static EncryptionScheme? Tell(ReadOnlySpan<byte> header)
    {
        if (header.StartsWith((ReadOnlySpan<byte>)[(byte)'L', (byte)'U', (byte)'K', (byte)'S', 0xBA, 0xBE, 0]))
        {
            return header[7] switch
            {
                1 => EncryptionScheme.Luks1,
                2 => EncryptionScheme.Luks2,
                _ => null,
            };
        }

        if (header[3..].StartsWith("-FVE-FS-"u8))
            return EncryptionScheme.BitLocker;
        if (header[3..].StartsWith("MSWIN4.1"u8) && IsBitLockerIdentifier(header[424..]))
            return EncryptionScheme.BitLockerToGo;
        if (IsCoreStorage(header))
            return EncryptionScheme.CoreStorage;
        return IsApfsWithKeys(header) ? EncryptionScheme.Apfs : null;
    }

    private static bool IsBitLockerIdentifier(ReadOnlySpan<byte> at)
    {
        foreach (byte[] identifier in BitLockerIdentifiers)
        {
            if (at.StartsWith(identifier))
                return true;
        }

        return false;
    }

    /// <summary>A physical volume's header: the block's type 10h, the signature, and AES-XTS as the method.</summary>
    private static bool IsCoreStorage(ReadOnlySpan<byte> header) =>
        header[88..].StartsWith("CS"u8) && header[10] == 0x10 && header[11] == 0 && header[172..].StartsWith("\x02\0\0\0"u8);

    /// <summary>A container's superblock (<c>nx_superblock_t</c>) with a place for its key bag (<c>nx_keylocker</c>).</summary>
    private static bool IsApfsWithKeys(ReadOnlySpan<byte> header)
    {
        const int Magic = 32, KeyBagStart = 1296, KeyBagBlocks = 1304, PlaceLength = 8;
        return header[Magic..].StartsWith("NXSB"u8)
            && header.Slice(KeyBagStart, PlaceLength).ContainsAnyExcept((byte)0)
            && header.Slice(KeyBagBlocks, PlaceLength).ContainsAnyExcept((byte)0);
    }
}
