using System.Diagnostics.CodeAnalysis;

namespace Evidence.Hashing.Lanes;

/// <summary>
/// What the hash functions of the MD family are made of, for a vector that has one word of each of several messages: the kernels are written once, over
/// this, and the JIT makes of each operation the instructions that the width has for it.
/// </summary>
/// <typeparam name="TVector">The vector: one 32-bit word for each lane.</typeparam>
internal unsafe interface ILanes<TVector>
    where TVector : unmanaged
{
    /// <summary>The number of lanes.</summary>
    static abstract int Count { get; }

    /// <summary>The same word in every lane.</summary>
    static abstract TVector Broadcast(uint* word);

    /// <summary>The sum, modulo 2^32.</summary>
    static abstract TVector Add(TVector left, TVector right);

    /// <summary>Turns each word to the left, by 1 to 31 bits.</summary>
    static abstract TVector RotateLeft(TVector words, [ConstantExpected] byte count);

    /// <summary>Moves each word's bits down, by 1 to 31.</summary>
    static abstract TVector ShiftRight(TVector words, [ConstantExpected] byte count);

    /// <summary>The bits of one word where the mask's are set, and of the other where they are not: Ch of FIPS 180-4, F and G of RFC 1321.</summary>
    static abstract TVector Choose(TVector mask, TVector set, TVector clear);

    /// <summary>The bits that two of three words have: Maj of FIPS 180-4.</summary>
    static abstract TVector Majority(TVector x, TVector y, TVector z);

    /// <summary>The exclusive or of two words.</summary>
    static abstract TVector Xor(TVector left, TVector right);

    /// <summary>The exclusive or of three words: Parity of FIPS 180-4, H of RFC 1321.</summary>
    static abstract TVector Parity(TVector x, TVector y, TVector z);

    /// <summary><c>y xor (x or not z)</c>: I of RFC 1321.</summary>
    static abstract TVector ParityOrNot(TVector x, TVector y, TVector z);

    /// <summary>Reads the 16 words of one block of each message: word i of every lane becomes vector i.</summary>
    /// <param name="inputs">For each lane, where its message is; need not be aligned.</param>
    /// <param name="offset">How far behind that the block begins, in bytes.</param>
    /// <param name="words">Receives 16 vectors.</param>
    /// <param name="stride">How many vectors each is behind the one before it, at least 1.</param>
    /// <param name="bigEndian">Whether a word's first byte is its highest, as in FIPS 180-4, or its lowest, as in RFC 1321.</param>
    static abstract void Load(byte** inputs, nuint offset, TVector* words, int stride, [ConstantExpected] bool bigEndian);
}
