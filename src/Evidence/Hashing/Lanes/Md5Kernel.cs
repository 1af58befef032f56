using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Evidence.Hashing.Lanes;

/// <summary>MD5's block function (RFC 1321, section 3.4) over the lanes of a vector.</summary>
internal static unsafe class Md5Kernel
{
    private static ReadOnlySpan<uint> Constants =>
    [
        0xD76AA478, 0xE8C7B756, 0x242070DB, 0xC1BDCEEE, 0xF57C0FAF, 0x4787C62A, 0xA8304613, 0xFD469501,
        0x698098D8, 0x8B44F7AF, 0xFFFF5BB1, 0x895CD7BE, 0x6B901122, 0xFD987193, 0xA679438E, 0x49B40821,
        0xF61E2562, 0xC040B340, 0x265E5A51, 0xE9B6C7AA, 0xD62F105D, 0x02441453, 0xD8A1E681, 0xE7D3FBC8,
        0x21E1CDE6, 0xC33707D6, 0xF4D50D87, 0x455A14ED, 0xA9E3E905, 0xFCEFA3F8, 0x676F02D9, 0x8D2A4C8A,
        0xFFFA3942, 0x8771F681, 0x6D9D6122, 0xFDE5380C, 0xA4BEEA44, 0x4BDECFA9, 0xF6BB4B60, 0xBEBFBC70,
        0x289B7EC6, 0xEAA127FA, 0xD4EF3085, 0x04881D05, 0xD9D4D039, 0xE6DB99E5, 0x1FA27CF8, 0xC4AC5665,
        0xF4292244, 0x432AFF97, 0xAB9423A7, 0xFC93A039, 0x655B59C3, 0x8F0CCC92, 0xFFEFF47D, 0x85845DD1,
        0x6FA87E4F, 0xFE2CE6E0, 0xA3014314, 0x4E0811A1, 0xF7537E82, 0xBD3AF235, 0x2AD7D2BB, 0xEB86D391,
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
            byte* space = stackalloc byte[(16 + 1) * sizeof(TVector)];
            var w = (TVector*)LaneKernel.Align(space, sizeof(TVector));
            var s = (TVector*)states;
            TVector a0 = s[0], b0 = s[1], c0 = s[2], d0 = s[3];
            fixed (uint* k = Constants)
            {
                for (nuint offset = 0; offset < blocks * HashFunction.BlockSize; offset += HashFunction.BlockSize)
                {
                    TLanes.Load(inputs, offset, w, stride: 1, bigEndian: false);
                    TVector a = a0, b = b0, c = c0, d = d0;
                    // RFC 1321 takes word 5i + 1, 3i + 5 and 7i of the message in rounds 2 to 4; where i is a multiple of 4, these are i + 1, 5 - i and -i, modulo 16.
                    nuint i = 0;
                    for (; i < 16; i += 4)
                    {
                        a = Step<TLanes, TVector>(a, b, TLanes.Choose(b, c, d), w + i, k + i, 7);
                        d = Step<TLanes, TVector>(d, a, TLanes.Choose(a, b, c), w + i + 1, k + i + 1, 12);
                        c = Step<TLanes, TVector>(c, d, TLanes.Choose(d, a, b), w + i + 2, k + i + 2, 17);
                        b = Step<TLanes, TVector>(b, c, TLanes.Choose(c, d, a), w + i + 3, k + i + 3, 22);
                    }

                    for (; i < 32; i += 4)
                    {
                        a = Step<TLanes, TVector>(a, b, TLanes.Choose(d, b, c), w + ((i + 1) % 16), k + i, 5);
                        d = Step<TLanes, TVector>(d, a, TLanes.Choose(c, a, b), w + ((i + 6) % 16), k + i + 1, 9);
                        c = Step<TLanes, TVector>(c, d, TLanes.Choose(b, d, a), w + ((i + 11) % 16), k + i + 2, 14);
                        b = Step<TLanes, TVector>(b, c, TLanes.Choose(a, c, d), w + (i % 16), k + i + 3, 20);
                    }

                    for (; i < 48; i += 4)
                    {
                        a = Step<TLanes, TVector>(a, b, TLanes.Parity(b, c, d), w + ((53 - i) % 16), k + i, 4);
                        d = Step<TLanes, TVector>(d, a, TLanes.Parity(a, b, c), w + ((56 - i) % 16), k + i + 1, 11);
                        c = Step<TLanes, TVector>(c, d, TLanes.Parity(d, a, b), w + ((59 - i) % 16), k + i + 2, 16);
                        b = Step<TLanes, TVector>(b, c, TLanes.Parity(c, d, a), w + ((62 - i) % 16), k + i + 3, 23);
                    }

                    for (; i < 64; i += 4)
                    {
                        a = Step<TLanes, TVector>(a, b, TLanes.ParityOrNot(b, c, d), w + ((64 - i) % 16), k + i, 6);
                        d = Step<TLanes, TVector>(d, a, TLanes.ParityOrNot(a, b, c), w + ((71 - i) % 16), k + i + 1, 10);
                        c = Step<TLanes, TVector>(c, d, TLanes.ParityOrNot(d, a, b), w + ((78 - i) % 16), k + i + 2, 15);
                        b = Step<TLanes, TVector>(b, c, TLanes.ParityOrNot(c, d, a), w + ((69 - i) % 16), k + i + 3, 21);
                    }

                    a0 = TLanes.Add(a0, a);
                    b0 = TLanes.Add(b0, b);
                    c0 = TLanes.Add(c0, c);
                    d0 = TLanes.Add(d0, d);
                }

                s[0] = a0;
                s[1] = b0;
                s[2] = c0;
                s[3] = d0;
            }
        }
    }

    /// <summary>One step: <c>b + ((a + f + word + constant) turned left)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Step<TLanes, TVector>(TVector a, TVector b, TVector f, TVector* word, uint* constant, [ConstantExpected] byte turn)
        where TLanes : ILanes<TVector>
        where TVector : unmanaged =>
        TLanes.Add(b, TLanes.RotateLeft(TLanes.Add(TLanes.Add(TLanes.Add(a, TLanes.Broadcast(constant)), *word), f), turn));
}
