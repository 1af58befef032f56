using System.Buffers.Binary;
using Evidence.Sources;

namespace Evidence.DiscUtils.Disks;

/// <summary>The formats of virtual disks.</summary>
public enum VirtualDiskFormat
{
    /// <summary>Virtual PC, Hyper-V's first: fixed, dynamic and differencing.</summary>
    Vhd,

    /// <summary>Hyper-V's second.</summary>
    Vhdx,

    /// <summary>VMware's: sparse, flat, compressed for streaming; in one file or several.</summary>
    Vmdk,

    /// <summary>VirtualBox's.</summary>
    Vdi,
}

/// <summary>Tells formats by what their files begin with, and a fixed VHD by what it ends with; never by a name.</summary>
internal static class VirtualDiskFormats
{
    private const int VhdFooterLength = 512;
    private const int VdiSignatureOffset = 0x40;
    private const uint VdiSignature = 0xBEDA107F;

    internal static string NameOf(VirtualDiskFormat format) => format switch
    {
        VirtualDiskFormat.Vhd => "vhd",
        VirtualDiskFormat.Vhdx => "vhdx",
        VirtualDiskFormat.Vmdk => "vmdk",
        VirtualDiskFormat.Vdi => "vdi",
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    /// <summary>The format of a file; null where it is none of these.</summary>
    internal static VirtualDiskFormat? Find(Source file)
    {
        Span<byte> start = stackalloc byte[VdiSignatureOffset + sizeof(uint)];
        int count = file.Read(0, start);
        if (start.StartsWith("vhdxfile"u8))
            return VirtualDiskFormat.Vhdx;
        if (start.StartsWith("KDMV"u8) || start.StartsWith("COWD"u8) || start.StartsWith("# Disk DescriptorFile"u8))
            return VirtualDiskFormat.Vmdk;
        if (count == start.Length && BinaryPrimitives.ReadUInt32LittleEndian(start[VdiSignatureOffset..]) == VdiSignature)
            return VirtualDiskFormat.Vdi;
        if (start.StartsWith("conectix"u8))
            return VirtualDiskFormat.Vhd;
        Span<byte> footer = stackalloc byte["conectix"u8.Length];
        return file.Length >= VhdFooterLength && file.Read(file.Length.Value - VhdFooterLength, footer) == footer.Length && footer.SequenceEqual("conectix"u8)
            ? VirtualDiskFormat.Vhd
            : null;
    }
}
