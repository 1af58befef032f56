using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Evidence.Hashing.Lanes;

/// <summary>Four lanes: SSSE3, and Arm64's AdvSimd.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<uint>>
{
    internal static bool IsSupported => Ssse3.IsSupported || AdvSimd.Arm64.IsSupported;

    /// <inheritdoc/>
    public static int Count => 4;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Broadcast(uint* word) => Vector128.Create(*word);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Add(Vector128<uint> left, Vector128<uint> right) => left + right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> RotateLeft(Vector128<uint> words, [ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(words, count) : (words << count) | (words >>> (32 - count));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> ShiftRight(Vector128<uint> words, [ConstantExpected] byte count) => words >>> count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Xor(Vector128<uint> left, Vector128<uint> right) => left ^ right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Choose(Vector128<uint> mask, Vector128<uint> set, Vector128<uint> clear) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(clear, set, mask, TruthTable.Choose) : Vector128.ConditionalSelect(mask, set, clear);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Majority(Vector128<uint> x, Vector128<uint> y, Vector128<uint> z) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(z, y, x, TruthTable.Majority) : Vector128.ConditionalSelect(x ^ y, z, x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Parity(Vector128<uint> x, Vector128<uint> y, Vector128<uint> z) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(z, y, x, TruthTable.Parity) : x ^ y ^ z;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> ParityOrNot(Vector128<uint> x, Vector128<uint> y, Vector128<uint> z) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(z, y, x, TruthTable.ParityOrNot) : y ^ (x | ~z);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte** inputs, nuint offset, Vector128<uint>* words, int stride, [ConstantExpected] bool bigEndian)
    {
        unchecked
        {
            for (int quarter = 0; quarter < 16; quarter += 4)
                TransposeFour(inputs, offset + (nuint)(4 * quarter), words + (quarter * stride), stride, bigEndian);
        }
    }

    /// <summary>Reads 16 bytes of each lane: four words, of which each result has one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeFour(byte** inputs, nuint offset, Vector128<uint>* words, int stride, [ConstantExpected] bool bigEndian)
    {
        unchecked
        {
            Vector128<uint> a = Vector128.Load((uint*)(inputs[0] + offset));
            Vector128<uint> b = Vector128.Load((uint*)(inputs[1] + offset));
            Vector128<uint> c = Vector128.Load((uint*)(inputs[2] + offset));
            Vector128<uint> d = Vector128.Load((uint*)(inputs[3] + offset));
            Vector128<ulong> lowAB = ZipLow(a, b).AsUInt64();
            Vector128<ulong> highAB = ZipHigh(a, b).AsUInt64();
            Vector128<ulong> lowCD = ZipLow(c, d).AsUInt64();
            Vector128<ulong> highCD = ZipHigh(c, d).AsUInt64();
            words[0] = Order(ZipLow(lowAB, lowCD), bigEndian);
            words[stride] = Order(ZipHigh(lowAB, lowCD), bigEndian);
            words[2 * stride] = Order(ZipLow(highAB, highCD), bigEndian);
            words[3 * stride] = Order(ZipHigh(highAB, highCD), bigEndian);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Order(Vector128<ulong> words, bool bigEndian) =>
        bigEndian ? Vector128.Shuffle(words.AsByte(), ByteSwap.Four).AsUInt32() : words.AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> ZipLow(Vector128<uint> a, Vector128<uint> b) => Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> ZipHigh(Vector128<uint> a, Vector128<uint> b) => Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> ZipLow(Vector128<ulong> a, Vector128<ulong> b) => Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.ZipLow(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> ZipHigh(Vector128<ulong> a, Vector128<ulong> b) => Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.ZipHigh(a, b);
}
