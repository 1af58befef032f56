using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Evidence.Hashing.Lanes;

/// <summary>Sixteen lanes: AVX-512, which turns words in one instruction, and combines three of them in one.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<uint>>
{
    internal static bool IsSupported => Vector512.IsHardwareAccelerated && Avx512BW.IsSupported;

    /// <inheritdoc/>
    public static int Count => 16;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Broadcast(uint* word) => Vector512.Create(*word);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Add(Vector512<uint> left, Vector512<uint> right) => left + right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> RotateLeft(Vector512<uint> words, [ConstantExpected] byte count) => Avx512F.RotateLeft(words, count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ShiftRight(Vector512<uint> words, [ConstantExpected] byte count) => Avx512F.ShiftRightLogical(words, count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Xor(Vector512<uint> left, Vector512<uint> right) => left ^ right;

    // The instruction overwrites its first operand. The word that a hash made last is given as the third: it is not held up by being copied.
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Choose(Vector512<uint> mask, Vector512<uint> set, Vector512<uint> clear) =>
        Avx512F.TernaryLogic(clear, set, mask, TruthTable.Choose);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Majority(Vector512<uint> x, Vector512<uint> y, Vector512<uint> z) =>
        Avx512F.TernaryLogic(z, y, x, TruthTable.Majority);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Parity(Vector512<uint> x, Vector512<uint> y, Vector512<uint> z) =>
        Avx512F.TernaryLogic(z, y, x, TruthTable.Parity);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> ParityOrNot(Vector512<uint> x, Vector512<uint> y, Vector512<uint> z) =>
        Avx512F.TernaryLogic(z, y, x, TruthTable.ParityOrNot);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte** inputs, nuint offset, Vector512<uint>* words, int stride, [ConstantExpected] bool bigEndian)
    {
        unchecked
        {
            for (int group = 0; group < 16; group += 4)
                TransposeFour(inputs + group, offset, words + (group * stride), stride);
            for (int word = 0; word < 4; word++)
                Exchange(words + (word * stride), 4 * stride, bigEndian);
        }
    }

    /// <summary>Reads the blocks of four lanes; quarter q of result i has, for these lanes, the words 4q + i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TransposeFour(byte** inputs, nuint offset, Vector512<uint>* words, int stride)
    {
        unchecked
        {
            Vector512<uint> a = Vector512.Load((uint*)(inputs[0] + offset));
            Vector512<uint> b = Vector512.Load((uint*)(inputs[1] + offset));
            Vector512<uint> c = Vector512.Load((uint*)(inputs[2] + offset));
            Vector512<uint> d = Vector512.Load((uint*)(inputs[3] + offset));
            Vector512<ulong> lowAB = Avx512F.UnpackLow(a, b).AsUInt64();
            Vector512<ulong> highAB = Avx512F.UnpackHigh(a, b).AsUInt64();
            Vector512<ulong> lowCD = Avx512F.UnpackLow(c, d).AsUInt64();
            Vector512<ulong> highCD = Avx512F.UnpackHigh(c, d).AsUInt64();
            words[0] = Avx512F.UnpackLow(lowAB, lowCD).AsUInt32();
            words[stride] = Avx512F.UnpackHigh(lowAB, lowCD).AsUInt32();
            words[2 * stride] = Avx512F.UnpackLow(highAB, highCD).AsUInt32();
            words[3 * stride] = Avx512F.UnpackHigh(highAB, highCD).AsUInt32();
        }
    }

    /// <summary>Exchanges the quarters of four vectors, so that each has one word of all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Exchange(Vector512<uint>* words, int stride, [ConstantExpected] bool bigEndian)
    {
        unchecked
        {
            Vector512<uint> evenAB = Avx512F.Shuffle4x128(words[0], words[stride], 0x88);
            Vector512<uint> oddAB = Avx512F.Shuffle4x128(words[0], words[stride], 0xDD);
            Vector512<uint> evenCD = Avx512F.Shuffle4x128(words[2 * stride], words[3 * stride], 0x88);
            Vector512<uint> oddCD = Avx512F.Shuffle4x128(words[2 * stride], words[3 * stride], 0xDD);
            words[0] = Order(Avx512F.Shuffle4x128(evenAB, evenCD, 0x88), bigEndian);
            words[stride] = Order(Avx512F.Shuffle4x128(oddAB, oddCD, 0x88), bigEndian);
            words[2 * stride] = Order(Avx512F.Shuffle4x128(evenAB, evenCD, 0xDD), bigEndian);
            words[3 * stride] = Order(Avx512F.Shuffle4x128(oddAB, oddCD, 0xDD), bigEndian);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Order(Vector512<uint> words, bool bigEndian) =>
        bigEndian ? Avx512BW.Shuffle(words.AsByte(), Vector512.Create(Vector256.Create(ByteSwap.Four))).AsUInt32() : words;
}
