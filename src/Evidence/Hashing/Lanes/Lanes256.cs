using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Evidence.Hashing.Lanes;

/// <summary>Eight lanes: AVX2, and what AVX-512 has for its width where that is there.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector256<uint>>
{
    internal static bool IsSupported => Avx2.IsSupported;

    /// <inheritdoc/>
    public static int Count => 8;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Broadcast(uint* word) => Vector256.Create(*word);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Add(Vector256<uint> left, Vector256<uint> right) => left + right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> RotateLeft(Vector256<uint> words, [ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(words, count) : (words << count) | (words >>> (32 - count));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> ShiftRight(Vector256<uint> words, [ConstantExpected] byte count) => words >>> count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Xor(Vector256<uint> left, Vector256<uint> right) => left ^ right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Choose(Vector256<uint> mask, Vector256<uint> set, Vector256<uint> clear) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(clear, set, mask, TruthTable.Choose) : ((set ^ clear) & mask) ^ clear;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Majority(Vector256<uint> x, Vector256<uint> y, Vector256<uint> z) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(z, y, x, TruthTable.Majority) : (x & y) | (z & (x | y));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Parity(Vector256<uint> x, Vector256<uint> y, Vector256<uint> z) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(z, y, x, TruthTable.Parity) : x ^ y ^ z;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> ParityOrNot(Vector256<uint> x, Vector256<uint> y, Vector256<uint> z) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(z, y, x, TruthTable.ParityOrNot) : y ^ (x | ~z);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte** inputs, nuint offset, Vector256<uint>* words, int stride, [ConstantExpected] bool bigEndian)
    {
        unchecked
        {
            for (int half = 0; half < 16; half += 8)
            {
                TransposeFour(inputs, offset + (nuint)(4 * half), words + (half * stride), stride);
                TransposeFour(inputs + 4, offset + (nuint)(4 * half), words + ((half + 4) * stride), stride);
                for (int word = half; word < half + 4; word++)
                    Exchange(words + (word * stride), 4 * stride, bigEndian);
            }
        }
    }

    /// <summary>Reads 32 bytes of four lanes; half h of result i has, for these lanes, the words 4h + i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeFour(byte** inputs, nuint offset, Vector256<uint>* words, int stride)
    {
        unchecked
        {
            Vector256<uint> a = Vector256.Load((uint*)(inputs[0] + offset));
            Vector256<uint> b = Vector256.Load((uint*)(inputs[1] + offset));
            Vector256<uint> c = Vector256.Load((uint*)(inputs[2] + offset));
            Vector256<uint> d = Vector256.Load((uint*)(inputs[3] + offset));
            Vector256<ulong> lowAB = Avx2.UnpackLow(a, b).AsUInt64();
            Vector256<ulong> highAB = Avx2.UnpackHigh(a, b).AsUInt64();
            Vector256<ulong> lowCD = Avx2.UnpackLow(c, d).AsUInt64();
            Vector256<ulong> highCD = Avx2.UnpackHigh(c, d).AsUInt64();
            words[0] = Avx2.UnpackLow(lowAB, lowCD).AsUInt32();
            words[stride] = Avx2.UnpackHigh(lowAB, lowCD).AsUInt32();
            words[2 * stride] = Avx2.UnpackLow(highAB, highCD).AsUInt32();
            words[3 * stride] = Avx2.UnpackHigh(highAB, highCD).AsUInt32();
        }
    }

    /// <summary>Exchanges the halves of two vectors, so that each has one word of all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Exchange(Vector256<uint>* words, int stride, [ConstantExpected] bool bigEndian)
    {
        unchecked
        {
            Vector256<uint> first = words[0];
            Vector256<uint> second = words[stride];
            words[0] = Order(Avx2.Permute2x128(first, second, 0x20), bigEndian);
            words[stride] = Order(Avx2.Permute2x128(first, second, 0x31), bigEndian);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Order(Vector256<uint> words, bool bigEndian) =>
        bigEndian ? Avx2.Shuffle(words.AsByte(), Vector256.Create(ByteSwap.Four)).AsUInt32() : words;
}
