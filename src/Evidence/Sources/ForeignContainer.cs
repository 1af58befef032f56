namespace Evidence.Sources;

/// <summary>Tells, by how a file begins, that it holds a disk in a format that is not read here: its own bytes are no disk's.</summary>
internal static class ForeignContainer
{
    /// <summary>How many bytes of the file's beginning are looked at.</summary>
    internal const int Length = 68;

    /// <summary>The formats: what each is called, where its signature stands in bytes, and the signature. A VHD of a fixed size has its own at the end, and is a disk's bytes before that.</summary>
    private static readonly (string Name, int Offset, byte[] Signature, bool IsVirtual)[] Formats =
    [
        ("Ex01 (EVF2)", 0, [0x45, 0x56, 0x46, 0x32, 0x0D, 0x0A, 0x81, 0x00], false),
        ("L01 (LVF)", 0, [0x4C, 0x56, 0x46, 0x09, 0x0D, 0x0A, 0xFF, 0x00], false),
        ("Lx01 (LEF2)", 0, [0x4C, 0x45, 0x46, 0x32, 0x0D, 0x0A, 0x81, 0x00], false),
        ("VHDX", 0, "vhdxfile"u8.ToArray(), true),
        ("VHD", 0, "conectix"u8.ToArray(), true),
        ("VMDK", 0, "KDMV"u8.ToArray(), true),
        ("VMDK", 0, "# Disk DescriptorFile"u8.ToArray(), true),
        ("VDI", 64, [0x7F, 0x10, 0xDA, 0xBE], true),
        ("qcow2", 0, [0x51, 0x46, 0x49, 0xFB], true),
    ];

    /// <summary>Refuses a file that is one.</summary>
    /// <param name="path">The file, for the words.</param>
    /// <param name="start">Its first bytes, <see cref="Length"/> of them or all that there are.</param>
    /// <exception cref="EvidenceException">It is one (<see cref="ErrorCode.SourceUnsupported"/>).</exception>
    internal static void Refuse(string path, ReadOnlySpan<byte> start)
    {
        foreach ((string name, int offset, byte[] signature, bool isVirtual) in Formats)
        {
            if (start.Length < offset + signature.Length || !start.Slice(offset, signature.Length).SequenceEqual(signature))
                continue;
            string way = isVirtual
                ? $"Serve the disk in it ('qemu-nbd --read-only --persistent --socket=/run/vm.sock {path}'), and image that: 'evidence acquire nbd+unix:///?socket=/run/vm.sock'; a program can use the package Evidence.DiscUtils"
                : "Make an E01 of it";
            throw new EvidenceException(ErrorCode.SourceUnsupported, $"{path} is of the format {name}, which is not read here. {way}. Or image the file's own bytes with --single-file.");
        }
    }
}
