using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Evidence.Hashing.Lanes;

namespace Evidence.Hashing;

/// <summary>A SHA-256 digest (FIPS 180-4): 32 bytes, compared and ordered as a byte string.</summary>
public readonly struct Sha256Digest : IEquatable<Sha256Digest>, IComparable<Sha256Digest>
{
    /// <summary>The length of a digest in bytes.</summary>
    public const int Size = 32;

    // Big-endian words: comparing the numbers in turn is comparing the bytes in turn.
    private readonly ulong a, b, c, d;

    /// <summary>Takes a digest from its 32 bytes.</summary>
    /// <exception cref="ArgumentException">There are not exactly 32 bytes.</exception>
    public Sha256Digest(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size)
            throw new ArgumentException($"A SHA-256 digest has {Size} bytes, not {bytes.Length}.", nameof(bytes));
        a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>The digest's first eight bytes as a number: evenly spread, so it serves as a hash code and for search.</summary>
    internal ulong Prefix => a;

    /// <summary>Hashes a byte string.</summary>
    public static Sha256Digest Compute(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[Size];
        SHA256.HashData(content, hash);
        return new Sha256Digest(hash);
    }

    /// <summary>Hashes many byte strings, side by side where that is faster.</summary>
    /// <param name="contents">The byte strings.</param>
    /// <param name="digests">Receives their digests, in the same order; at least as many.</param>
    internal static void Compute(ReadOnlySpan<LaneMessage> contents, Span<Sha256Digest> digests)
    {
        var bytes = new byte[contents.Length * Size];
        LaneHash.Compute(HashFunction.Sha256, contents, bytes);
        for (int i = 0; i < contents.Length; i++)
            digests[i] = new Sha256Digest(bytes.AsSpan(i * Size, Size));
    }

    /// <summary>Hashes byte strings of one length that lie one behind the other, side by side where that is faster.</summary>
    /// <param name="contents">The byte strings.</param>
    /// <param name="length">The length of each.</param>
    /// <param name="digests">Receives their digests, in the same order; as many as there are byte strings.</param>
    internal static unsafe void Compute(ReadOnlySpan<byte> contents, int length, Span<Sha256Digest> digests)
    {
        var messages = new LaneMessage[digests.Length];
        fixed (byte* start = contents)
        {
            for (int i = 0; i < messages.Length; i++)
                messages[i] = new LaneMessage(start + ((long)i * length), length);
            Compute(messages, digests);
        }
    }

    /// <summary>Reads 64 hexadecimal digits, of either case.</summary>
    /// <returns>False where the text is anything else.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, out Sha256Digest digest)
    {
        Span<byte> bytes = stackalloc byte[Size];
        bool valid = text is { Length: Size * 2 } &&
            Convert.FromHexString(text, bytes, out _, out int written) == System.Buffers.OperationStatus.Done && written == Size;
        digest = valid ? new Sha256Digest(bytes) : default;
        return valid;
    }

    /// <summary>Reads 64 hexadecimal digits, of either case.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static Sha256Digest Parse(string text) =>
        TryParse(text, out Sha256Digest digest) ? digest : throw new FormatException($"'{text}' is not a SHA-256 digest in hexadecimal.");

    /// <summary>Writes the 32 bytes.</summary>
    /// <exception cref="ArgumentException">The destination is shorter than 32 bytes.</exception>
    public void CopyTo(Span<byte> destination)
    {
        if (destination.Length < Size)
            throw new ArgumentException($"A SHA-256 digest needs {Size} bytes.", nameof(destination));
        BinaryPrimitives.WriteUInt64BigEndian(destination, a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], c);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], d);
    }

    /// <summary>The 32 bytes.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Size];
        CopyTo(bytes);
        return bytes;
    }

    /// <summary>The digest as 64 lower-case hexadecimal digits.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <inheritdoc/>
    public bool Equals(Sha256Digest other) => a == other.a && b == other.b && c == other.c && d == other.d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Sha256Digest other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((int)a);

    /// <inheritdoc/>
    public int CompareTo(Sha256Digest other)
    {
        int order = a.CompareTo(other.a);
        if (order == 0)
            order = b.CompareTo(other.b);
        if (order == 0)
            order = c.CompareTo(other.c);
        return order != 0 ? order : d.CompareTo(other.d);
    }

    /// <summary>Whether two digests are equal.</summary>
    public static bool operator ==(Sha256Digest left, Sha256Digest right) => left.Equals(right);

    /// <summary>Whether two digests differ.</summary>
    public static bool operator !=(Sha256Digest left, Sha256Digest right) => !left.Equals(right);

    /// <summary>Whether one digest comes before another.</summary>
    public static bool operator <(Sha256Digest left, Sha256Digest right) => left.CompareTo(right) < 0;

    /// <summary>Whether one digest comes after another.</summary>
    public static bool operator >(Sha256Digest left, Sha256Digest right) => left.CompareTo(right) > 0;

    /// <summary>Whether one digest comes before another, or equals it.</summary>
    public static bool operator <=(Sha256Digest left, Sha256Digest right) => left.CompareTo(right) <= 0;

    /// <summary>Whether one digest comes after another, or equals it.</summary>
    public static bool operator >=(Sha256Digest left, Sha256Digest right) => left.CompareTo(right) >= 0;
}
