using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Evidence.Sources;

namespace Evidence.Measurement;

/// <summary>
/// A disk that is made up as it is read: half noise, a quarter log text, a quarter zeros. Every sector that is not zero names its disk and its place, so that no two
/// segments are alike, on one disk or on two. Reading it is a copy from memory.
/// </summary>
internal sealed class GeneratedDisk(int number, long length) : Source
{
    private const int Part = 4 << 20;
    private static readonly byte[] Noise = RandomNumberGenerator.GetBytes(Part);
    private static readonly byte[] Text = MakeText();

    public override SourceIdentity Identity { get; } = new() { Kind = SourceKind.Stream, Name = string.Create(null, $"generated-{number}"), Length = length };

    public override long? Length => length;

    /// <summary>Log lines, as many bytes as are compressed at a time.</summary>
    internal static ReadOnlySpan<byte> LogText => Text;

    /// <summary>Bytes that nothing can shrink, others in each process.</summary>
    internal static ReadOnlySpan<byte> Random => Noise;

    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        int within = (int)(offset % Part);
        buffer = buffer[..Math.Min(buffer.Length, Part - within)];
        // Of each four parts two are noise, one is text, one is zeros.
        switch (offset / Part % 4)
        {
            case 3:
                buffer.Clear();
                return buffer.Length;
            case 1:
                Text.AsSpan(within, buffer.Length).CopyTo(buffer);
                break;
            default:
                Noise.AsSpan(within, buffer.Length).CopyTo(buffer);
                break;
        }

        for (int at = (DefaultSectorSize - (within % DefaultSectorSize)) % DefaultSectorSize; at + sizeof(long) <= buffer.Length; at += DefaultSectorSize)
            BinaryPrimitives.WriteInt64LittleEndian(buffer[at..], ((long)number << 48) + ((offset + at) / DefaultSectorSize));
        return buffer.Length;
    }

    private static byte[] MakeText()
    {
        var text = new StringBuilder(Part + 100);
        for (int at = 0; text.Length < Part; at += 2 * sizeof(uint))
        {
            (uint first, uint second) = (BitConverter.ToUInt32(Noise, at), BitConverter.ToUInt32(Noise, at + sizeof(uint)));
            text.Append(null, $"2012-01-19T{first % 24:00}:{second % 60:00}Z storage-7 httpd: GET /d/{first:x8} 200 {second % 10_000_000}\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, Part));
    }
}
