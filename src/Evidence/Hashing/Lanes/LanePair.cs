using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Evidence.Hashing.Lanes;

/// <summary>Two vectors, side by side.</summary>
internal struct Pair<TVector>
    where TVector : unmanaged
{
    internal TVector Low;
    internal TVector High;
}

/// <summary>
/// Twice as many lanes, in two vectors that take turns: where each step of a hash waits for the one before it, the processor is at the other vector
/// meanwhile. MD5 is such a hash, and has few enough words for it.
/// </summary>
/// <typeparam name="TLanes">The lanes of one vector.</typeparam>
/// <typeparam name="TVector">That vector.</typeparam>
internal readonly unsafe struct LanePair<TLanes, TVector> : ILanes<Pair<TVector>>
    where TLanes : ILanes<TVector>
    where TVector : unmanaged
{
    /// <inheritdoc/>
    public static int Count => 2 * TLanes.Count;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Broadcast(uint* word)
    {
        TVector words = TLanes.Broadcast(word);
        return new() { Low = words, High = words };
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Add(Pair<TVector> left, Pair<TVector> right) =>
        new() { Low = TLanes.Add(left.Low, right.Low), High = TLanes.Add(left.High, right.High) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> RotateLeft(Pair<TVector> words, [ConstantExpected] byte count) =>
        new() { Low = TLanes.RotateLeft(words.Low, count), High = TLanes.RotateLeft(words.High, count) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> ShiftRight(Pair<TVector> words, [ConstantExpected] byte count) =>
        new() { Low = TLanes.ShiftRight(words.Low, count), High = TLanes.ShiftRight(words.High, count) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Xor(Pair<TVector> left, Pair<TVector> right) =>
        new() { Low = TLanes.Xor(left.Low, right.Low), High = TLanes.Xor(left.High, right.High) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Choose(Pair<TVector> mask, Pair<TVector> set, Pair<TVector> clear) =>
        new() { Low = TLanes.Choose(mask.Low, set.Low, clear.Low), High = TLanes.Choose(mask.High, set.High, clear.High) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Majority(Pair<TVector> x, Pair<TVector> y, Pair<TVector> z) =>
        new() { Low = TLanes.Majority(x.Low, y.Low, z.Low), High = TLanes.Majority(x.High, y.High, z.High) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> Parity(Pair<TVector> x, Pair<TVector> y, Pair<TVector> z) =>
        new() { Low = TLanes.Parity(x.Low, y.Low, z.Low), High = TLanes.Parity(x.High, y.High, z.High) };

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Pair<TVector> ParityOrNot(Pair<TVector> x, Pair<TVector> y, Pair<TVector> z) =>
        new() { Low = TLanes.ParityOrNot(x.Low, y.Low, z.Low), High = TLanes.ParityOrNot(x.High, y.High, z.High) };

    // Not inlined: with it, a kernel is more than the JIT inlines into one method, and what it then leaves out costs nine tenths of the speed.
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Load(byte** inputs, nuint offset, Pair<TVector>* words, int stride, [ConstantExpected] bool bigEndian)
    {
        var vectors = (TVector*)words;
        TLanes.Load(inputs, offset, vectors, 2 * stride, bigEndian);
        TLanes.Load(inputs + TLanes.Count, offset, vectors + 1, 2 * stride, bigEndian);
    }
}
