using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Evidence.Hashing.Lanes;

/// <summary>SHA-256's compression function (FIPS 180-4, section 6.2.2) over the lanes of a vector.</summary>
internal static unsafe class Sha256Kernel
{
    private static ReadOnlySpan<uint> Constants =>
    [
        0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
        0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
        0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
        0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
        0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
        0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
        0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
        0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
    ];

    /// <inheritdoc cref="LaneKernel.Compress"/>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Compress<TLanes, TVector>(uint* states, byte** inputs, nuint blocks)
        where TLanes : ILanes<TVector>
        where TVector : unmanaged
    {
        unchecked
        {
            byte* space = stackalloc byte[(64 + 1) * sizeof(TVector)];
            var w = (TVector*)LaneKernel.Align(space, sizeof(TVector));
            var s = (TVector*)states;
            TVector a0 = s[0], b0 = s[1], c0 = s[2], d0 = s[3], e0 = s[4], f0 = s[5], g0 = s[6], h0 = s[7];
            fixed (uint* constants = Constants)
            {
                for (nuint offset = 0; offset < blocks * HashFunction.BlockSize; offset += HashFunction.BlockSize)
                {
                    TLanes.Load(inputs, offset, w, stride: 1, bigEndian: true);
                    TVector a = a0, b = b0, c = c0, d = d0, e = e0, f = f0, g = g0, h = h0;
                    TVector* v = w;
                    uint* k = constants;
                    for (; v < w + 48; v += 8, k += 8)
                    {
                        Round<TLanes, TVector>(a, b, c, ref d, e, f, g, ref h, k, v, extend: true);
                        Round<TLanes, TVector>(h, a, b, ref c, d, e, f, ref g, k + 1, v + 1, extend: true);
                        Round<TLanes, TVector>(g, h, a, ref b, c, d, e, ref f, k + 2, v + 2, extend: true);
                        Round<TLanes, TVector>(f, g, h, ref a, b, c, d, ref e, k + 3, v + 3, extend: true);
                        Round<TLanes, TVector>(e, f, g, ref h, a, b, c, ref d, k + 4, v + 4, extend: true);
                        Round<TLanes, TVector>(d, e, f, ref g, h, a, b, ref c, k + 5, v + 5, extend: true);
                        Round<TLanes, TVector>(c, d, e, ref f, g, h, a, ref b, k + 6, v + 6, extend: true);
                        Round<TLanes, TVector>(b, c, d, ref e, f, g, h, ref a, k + 7, v + 7, extend: true);
                    }

                    for (; v < w + 64; v += 8, k += 8)
                    {
                        Round<TLanes, TVector>(a, b, c, ref d, e, f, g, ref h, k, v, extend: false);
                        Round<TLanes, TVector>(h, a, b, ref c, d, e, f, ref g, k + 1, v + 1, extend: false);
                        Round<TLanes, TVector>(g, h, a, ref b, c, d, e, ref f, k + 2, v + 2, extend: false);
                        Round<TLanes, TVector>(f, g, h, ref a, b, c, d, ref e, k + 3, v + 3, extend: false);
                        Round<TLanes, TVector>(e, f, g, ref h, a, b, c, ref d, k + 4, v + 4, extend: false);
                        Round<TLanes, TVector>(d, e, f, ref g, h, a, b, ref c, k + 5, v + 5, extend: false);
                        Round<TLanes, TVector>(c, d, e, ref f, g, h, a, ref b, k + 6, v + 6, extend: false);
                        Round<TLanes, TVector>(b, c, d, ref e, f, g, h, ref a, k + 7, v + 7, extend: false);
                    }

                    a0 = TLanes.Add(a0, a);
                    b0 = TLanes.Add(b0, b);
                    c0 = TLanes.Add(c0, c);
                    d0 = TLanes.Add(d0, d);
                    e0 = TLanes.Add(e0, e);
                    f0 = TLanes.Add(f0, f);
                    g0 = TLanes.Add(g0, g);
                    h0 = TLanes.Add(h0, h);
                }
            }

            s[0] = a0;
            s[1] = b0;
            s[2] = c0;
            s[3] = d0;
            s[4] = e0;
            s[5] = f0;
            s[6] = g0;
            s[7] = h0;
        }
    }

    /// <summary>One round: the names take turns, so that of eight words only two change.</summary>
    /// <param name="a">The word a.</param>
    /// <param name="b">The word b.</param>
    /// <param name="c">The word c.</param>
    /// <param name="d">The word d, which becomes e.</param>
    /// <param name="e">The word e.</param>
    /// <param name="f">The word f.</param>
    /// <param name="g">The word g.</param>
    /// <param name="h">The word h, which becomes a.</param>
    /// <param name="k">The constant.</param>
    /// <param name="w">The message's word.</param>
    /// <param name="extend">Whether the message's word 16 rounds on is made, too.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<TLanes, TVector>(
        TVector a, TVector b, TVector c, ref TVector d, TVector e, TVector f, TVector g, ref TVector h, uint* k, TVector* w, [ConstantExpected] bool extend)
        where TLanes : ILanes<TVector>
        where TVector : unmanaged
    {
        unchecked
        {
            TVector sum1 = TLanes.Parity(TLanes.RotateLeft(e, 26), TLanes.RotateLeft(e, 21), TLanes.RotateLeft(e, 7));
            TVector sum = TLanes.Add(TLanes.Add(h, TLanes.Add(w[0], TLanes.Broadcast(k))), TLanes.Add(sum1, TLanes.Choose(e, f, g)));
            d = TLanes.Add(d, sum);
            TVector sum0 = TLanes.Parity(TLanes.RotateLeft(a, 30), TLanes.RotateLeft(a, 19), TLanes.RotateLeft(a, 10));
            h = TLanes.Add(sum, TLanes.Add(sum0, TLanes.Majority(a, b, c)));
            if (!extend)
                return;
            TVector sigma0 = TLanes.Parity(TLanes.RotateLeft(w[1], 25), TLanes.RotateLeft(w[1], 14), TLanes.ShiftRight(w[1], 3));
            TVector sigma1 = TLanes.Parity(TLanes.RotateLeft(w[14], 15), TLanes.RotateLeft(w[14], 13), TLanes.ShiftRight(w[14], 10));
            w[16] = TLanes.Add(TLanes.Add(TLanes.Add(w[0], w[9]), sigma0), sigma1);
        }
    }
}
