using System.Buffers.Binary;
using System.Text;

namespace Evidence.Sources.Nbd;

/// <summary>The words for what goes wrong.</summary>
internal static class NbdError
{
    /// <summary>The server sent what it must not send. Nothing that it says can be relied on after that, so nothing of this is a bad sector.</summary>
    internal static EvidenceException Violation(NbdUri uri, string what) => new(
        ErrorCode.SourceFailed, $"{uri}: the server broke the NBD protocol: {what}. Try again; where it happens again, use another server for this disk.");

    internal static string Name<T>(T value)
        where T : struct, Enum => Enum.IsDefined(value) ? value.ToString() : $"number {value:D}";

    /// <summary>Eight bytes, in hexadecimal, and as text where they are that.</summary>
    internal static string Show(ulong magic)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, magic);
        string hex = $"0x{magic:x16}";
        return bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? hex : $"{hex} ('{Encoding.ASCII.GetString(bytes)}')";
    }
}
