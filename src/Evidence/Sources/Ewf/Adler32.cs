using System.Runtime.Intrinsics;

namespace Evidence.Sources.Ewf;

/// <summary>The checksum of zlib streams (RFC 1950, section 8.2), which EWF uses for everything else, too.</summary>
internal static class Adler32
{
    private const uint Modulus = 65521;

    /// <summary>The most bytes after which both sums must be reduced, in whole vectors: as zlib has it, 5,552, rounded down.</summary>
    private const int LongestPart = 5536;

    /// <summary>The checksum of bytes.</summary>
    internal static uint Compute(ReadOnlySpan<byte> bytes)
    {
        uint low = 1;
        uint high = 0;
        while (!bytes.IsEmpty)
        {
            ReadOnlySpan<byte> part = bytes[..Math.Min(bytes.Length, LongestPart)];
            bytes = bytes[part.Length..];
            if (Vector256.IsHardwareAccelerated)
                part = part[AppendVectors(part, ref low, ref high)..];
            foreach (byte value in part)
            {
                low += value;
                high += low;
            }

            low %= Modulus;
            high %= Modulus;
        }

        return (high << 16) | low;
    }

    /// <summary>Takes whole vectors; returns how many bytes that were.</summary>
    private static int AppendVectors(ReadOnlySpan<byte> part, ref uint low, ref uint high)
    {
        var first = Vector256.Create((ushort)32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17);
        var second = Vector256.Create((ushort)16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
        Vector256<uint> sums = default;
        Vector256<uint> before = default;
        Vector256<uint> weighted = default;
        int taken = 0;
        for (; part.Length - taken >= Vector256<byte>.Count; taken += Vector256<byte>.Count)
        {
            (Vector256<ushort> a, Vector256<ushort> b) = Vector256.Widen(Vector256.Create(part.Slice(taken, Vector256<byte>.Count)));
            // What was summed before this vector counts once more for each of its bytes.
            before += sums;
            (Vector256<uint> sumsLow, Vector256<uint> sumsHigh) = Vector256.Widen(a + b);
            sums += sumsLow + sumsHigh;
            (Vector256<uint> weightedLow, Vector256<uint> weightedHigh) = Vector256.Widen((a * first) + (b * second));
            weighted += weightedLow + weightedHigh;
        }

        ulong total = high + ((ulong)low * (uint)taken) + ((ulong)Vector256.Sum(before) * (uint)Vector256<byte>.Count) + Vector256.Sum(weighted);
        high = (uint)(total % Modulus);
        low += Vector256.Sum(sums);
        return taken;
    }
}
