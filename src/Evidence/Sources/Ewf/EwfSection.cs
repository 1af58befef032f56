using System.Buffers.Binary;
using System.Text;

namespace Evidence.Sources.Ewf;

/// <summary>The descriptor that a section of a segment file begins with.</summary>
/// <param name="Type">The section's type.</param>
/// <param name="Next">Where the next section begins in the file; the section's own place where it is the last.</param>
/// <param name="Size">The section's length with the descriptor, in bytes; EnCase writes 0 for the last section.</param>
internal readonly record struct EwfSection(string Type, long Next, long Size)
{
    /// <summary>The descriptor's length in bytes.</summary>
    internal const int DescriptorLength = 76;

    private const int TypeLength = 16;

    internal void Encode(Span<byte> descriptor)
    {
        descriptor[..DescriptorLength].Clear();
        Encoding.ASCII.GetBytes(Type, descriptor);
        BinaryPrimitives.WriteInt64LittleEndian(descriptor[16..], Next);
        BinaryPrimitives.WriteInt64LittleEndian(descriptor[24..], Size);
        BinaryPrimitives.WriteUInt32LittleEndian(descriptor[72..], Adler32.Compute(descriptor[..72]));
    }

    /// <summary>Reads a descriptor; the checksum is the caller's to look at.</summary>
    internal static EwfSection Decode(ReadOnlySpan<byte> descriptor, out bool isChecksumRight)
    {
        isChecksumRight = BinaryPrimitives.ReadUInt32LittleEndian(descriptor[72..]) == Adler32.Compute(descriptor[..72]);
        ReadOnlySpan<byte> type = descriptor[..TypeLength];
        int end = type.IndexOf((byte)0);
        return new EwfSection(
            Encoding.Latin1.GetString(end < 0 ? type : type[..end]),
            BinaryPrimitives.ReadInt64LittleEndian(descriptor[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(descriptor[24..]));
    }
}
