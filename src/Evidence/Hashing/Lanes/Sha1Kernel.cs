using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Evidence.Hashing.Lanes;

/// <summary>SHA-1's compression function (FIPS 180-4, section 6.1.2) over the lanes of a vector.</summary>
internal static unsafe class Sha1Kernel
{
    private static ReadOnlySpan<uint> Constants => [0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6];

    /// <inheritdoc cref="LaneKernel.Compress"/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Compress<TLanes, TVector>(uint* states, byte** inputs, nuint blocks)
        where TLanes : ILanes<TVector>
        where TVector : unmanaged
    {
        unchecked
        {
            byte* space = stackalloc byte[(81 + 1) * sizeof(TVector)];
            var w = (TVector*)LaneKernel.Align(space, sizeof(TVector));
            var s = (TVector*)states;
            TVector a0 = s[0], b0 = s[1], c0 = s[2], d0 = s[3], e0 = s[4];
            fixed (uint* constants = Constants)
            {
                for (nuint offset = 0; offset < blocks * HashFunction.BlockSize; offset += HashFunction.BlockSize)
                {
                    TLanes.Load(inputs, offset, w, stride: 1, bigEndian: true);
                    TVector a = a0, b = b0, c = c0, d = d0, e = e0;
                    TVector x = w[13], y = w[14], z = w[15];
                    TVector* v = w;
                    TVector k = TLanes.Broadcast(constants);
                    for (; v < w + 20; v += 5)
                    {
                        Round<TLanes, TVector>(a, ref b, ref e, TLanes.Choose(b, c, d), k, v, ref x, extend: true);
                        Round<TLanes, TVector>(e, ref a, ref d, TLanes.Choose(a, b, c), k, v + 1, ref y, extend: true);
                        Round<TLanes, TVector>(d, ref e, ref c, TLanes.Choose(e, a, b), k, v + 2, ref z, extend: true);
                        Round<TLanes, TVector>(c, ref d, ref b, TLanes.Choose(d, e, a), k, v + 3, ref x, extend: true);
                        Round<TLanes, TVector>(b, ref c, ref a, TLanes.Choose(c, d, e), k, v + 4, ref y, extend: true);
                        (x, y, z) = (z, x, y);
                    }

                    k = TLanes.Broadcast(constants + 1);
                    for (; v < w + 40; v += 5)
                    {
                        Round<TLanes, TVector>(a, ref b, ref e, TLanes.Parity(b, c, d), k, v, ref x, extend: true);
                        Round<TLanes, TVector>(e, ref a, ref d, TLanes.Parity(a, b, c), k, v + 1, ref y, extend: true);
                        Round<TLanes, TVector>(d, ref e, ref c, TLanes.Parity(e, a, b), k, v + 2, ref z, extend: true);
                        Round<TLanes, TVector>(c, ref d, ref b, TLanes.Parity(d, e, a), k, v + 3, ref x, extend: true);
                        Round<TLanes, TVector>(b, ref c, ref a, TLanes.Parity(c, d, e), k, v + 4, ref y, extend: true);
                        (x, y, z) = (z, x, y);
                    }

                    k = TLanes.Broadcast(constants + 2);
                    for (; v < w + 60; v += 5)
                    {
                        Round<TLanes, TVector>(a, ref b, ref e, TLanes.Majority(b, c, d), k, v, ref x, extend: true);
                        Round<TLanes, TVector>(e, ref a, ref d, TLanes.Majority(a, b, c), k, v + 1, ref y, extend: true);
                        Round<TLanes, TVector>(d, ref e, ref c, TLanes.Majority(e, a, b), k, v + 2, ref z, extend: true);
                        Round<TLanes, TVector>(c, ref d, ref b, TLanes.Majority(d, e, a), k, v + 3, ref x, extend: true);
                        Round<TLanes, TVector>(b, ref c, ref a, TLanes.Majority(c, d, e), k, v + 4, ref y, extend: true);
                        (x, y, z) = (z, x, y);
                    }

                    k = TLanes.Broadcast(constants + 3);
                    for (; v < w + 65; v += 5)
                    {
                        Round<TLanes, TVector>(a, ref b, ref e, TLanes.Parity(b, c, d), k, v, ref x, extend: true);
                        Round<TLanes, TVector>(e, ref a, ref d, TLanes.Parity(a, b, c), k, v + 1, ref y, extend: true);
                        Round<TLanes, TVector>(d, ref e, ref c, TLanes.Parity(e, a, b), k, v + 2, ref z, extend: true);
                        Round<TLanes, TVector>(c, ref d, ref b, TLanes.Parity(d, e, a), k, v + 3, ref x, extend: true);
                        Round<TLanes, TVector>(b, ref c, ref a, TLanes.Parity(c, d, e), k, v + 4, ref y, extend: true);
                        (x, y, z) = (z, x, y);
                    }

                    for (; v < w + 80; v += 5)
                    {
                        Round<TLanes, TVector>(a, ref b, ref e, TLanes.Parity(b, c, d), k, v, ref x, extend: false);
                        Round<TLanes, TVector>(e, ref a, ref d, TLanes.Parity(a, b, c), k, v + 1, ref y, extend: false);
                        Round<TLanes, TVector>(d, ref e, ref c, TLanes.Parity(e, a, b), k, v + 2, ref z, extend: false);
                        Round<TLanes, TVector>(c, ref d, ref b, TLanes.Parity(d, e, a), k, v + 3, ref x, extend: false);
                        Round<TLanes, TVector>(b, ref c, ref a, TLanes.Parity(c, d, e), k, v + 4, ref y, extend: false);
                    }

                    a0 = TLanes.Add(a0, a);
                    b0 = TLanes.Add(b0, b);
                    c0 = TLanes.Add(c0, c);
                    d0 = TLanes.Add(d0, d);
                    e0 = TLanes.Add(e0, e);
                }
            }

            s[0] = a0;
            s[1] = b0;
            s[2] = c0;
            s[3] = d0;
            s[4] = e0;
        }
    }

    /// <summary>One round: the names take turns, so that of five words only two change.</summary>
    /// <param name="a">The word a.</param>
    /// <param name="b">The word b, which becomes c.</param>
    /// <param name="e">The word e, which becomes a.</param>
    /// <param name="f">The function of b, c and d.</param>
    /// <param name="k">The constant.</param>
    /// <param name="w">The message's word.</param>
    /// <param name="last">The message's word 13 rounds on, which becomes the one 16 rounds on: from memory it would be waited for.</param>
    /// <param name="extend">Whether the message's word 16 rounds on is made, too.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<TLanes, TVector>(
        TVector a, ref TVector b, ref TVector e, TVector f, TVector k, TVector* w, ref TVector last, [ConstantExpected] bool extend)
        where TLanes : ILanes<TVector>
        where TVector : unmanaged
    {
        unchecked
        {
            e = TLanes.Add(TLanes.Add(TLanes.Add(e, TLanes.Add(w[0], k)), f), TLanes.RotateLeft(a, 5));
            b = TLanes.RotateLeft(b, 30);
            if (extend)
                w[16] = last = TLanes.RotateLeft(TLanes.Xor(TLanes.Parity(w[0], w[2], w[8]), last), 1);
        }
    }
}
