using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Evidence.Hashing.Lanes;

/// <summary>One lane, on any processor: each operation as the standards write it.</summary>
internal readonly unsafe struct OneLane : ILanes<uint>
{
    /// <inheritdoc/>
    public static int Count => 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Broadcast(uint* word) => *word;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Add(uint left, uint right) => unchecked(left + right);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint RotateLeft(uint words, [ConstantExpected] byte count) => BitOperations.RotateLeft(words, count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ShiftRight(uint words, [ConstantExpected] byte count) => words >> count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Xor(uint left, uint right) => left ^ right;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Choose(uint mask, uint set, uint clear) => (mask & set) | (~mask & clear);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Majority(uint x, uint y, uint z) => (x & y) | (x & z) | (y & z);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Parity(uint x, uint y, uint z) => x ^ y ^ z;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ParityOrNot(uint x, uint y, uint z) => y ^ (x | ~z);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(byte** inputs, nuint offset, uint* words, int stride, [ConstantExpected] bool bigEndian)
    {
        unchecked
        {
            var block = new ReadOnlySpan<byte>(inputs[0] + offset, HashFunction.BlockSize);
            for (int word = 0; word < 16; word++)
            {
                words[word * stride] = bigEndian
                    ? BinaryPrimitives.ReadUInt32BigEndian(block[(4 * word)..])
                    : BinaryPrimitives.ReadUInt32LittleEndian(block[(4 * word)..]);
            }
        }
    }
}
