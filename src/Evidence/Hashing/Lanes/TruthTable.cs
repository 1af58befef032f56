using System.Runtime.Intrinsics;

namespace Evidence.Hashing.Lanes;

/// <summary>
/// What AVX-512's ternary logic wants to know of a function of three bits: its value for each of their eight combinations. The bits are taken in the order
/// z, y, x.
/// </summary>
internal static class TruthTable
{
    private const byte X = 0b1010_1010;
    private const byte Y = 0b1100_1100;
    private const byte Z = 0b1111_0000;

    internal const byte Choose = (X & Y) | (unchecked((byte)~X) & Z);
    internal const byte Majority = (X & Y) | (X & Z) | (Y & Z);
    internal const byte Parity = X ^ Y ^ Z;
    internal const byte ParityOrNot = Y ^ (X | unchecked((byte)~Z));
}

/// <summary>Shuffles of bytes that turn the order of the bytes in each word round.</summary>
internal static class ByteSwap
{
    /// <summary>In four words.</summary>
    internal static Vector128<byte> Four => Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}
