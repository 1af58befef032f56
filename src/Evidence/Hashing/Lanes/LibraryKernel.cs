using System.Runtime.InteropServices;

namespace Evidence.Hashing.Lanes;

/// <summary>
/// The block functions of OpenSSL's libcrypto, where the system has it: through the processor's SHA instructions, which .NET does not offer. The framework hashes by the same
/// library, but keeps a running digest's words to itself; here they can go on in the lanes and come back, as other digests come and go.
/// </summary>
/// <remarks><c>MD5_Update</c>, <c>SHA1_Update</c> and <c>SHA256_Update</c> (openssl/md5.h, openssl/sha.h), in libraries of OpenSSL 1.1 and 3; without them there is the scalar kernel.</remarks>
internal static unsafe class LibraryKernel
{
    // Behind the words in MD5_CTX, SHA_CTX and SHA256_CTX: the length in two words, an unfinished block, and how much of that there is; SHA256_CTX has the digest's size, too.
    private const int LengthWords = 2;
    private const int ContextWords = HashFunction.MostWords + LengthWords + (HashFunction.BlockSize / sizeof(uint)) + 2;

    private static readonly delegate* unmanaged<uint*, byte*, nuint, int> Md5Update = Find("MD5_Update");
    private static readonly delegate* unmanaged<uint*, byte*, nuint, int> Sha1Update = Find("SHA1_Update");
    private static readonly delegate* unmanaged<uint*, byte*, nuint, int> Sha256Update = Find("SHA256_Update");

    /// <summary>The block function of one hash; null where the system has none, or another than the one that is meant.</summary>
    internal static delegate*<uint*, byte**, nuint, void> Find(HashFunction function)
    {
        delegate*<uint*, byte**, nuint, void> compress = function.Algorithm switch
        {
            DigestAlgorithm.Md5 when Md5Update != null => &CompressMd5,
            DigestAlgorithm.Sha1 when Sha1Update != null => &CompressSha1,
            DigestAlgorithm.Sha256 when Sha256Update != null => &CompressSha256,
            _ => null,
        };
        return compress != null && IsRight(function, compress) ? compress : null;
    }

    private static void CompressMd5(uint* words, byte** inputs, nuint blocks) => Compress(Md5Update, 4, words, inputs, blocks);

    private static void CompressSha1(uint* words, byte** inputs, nuint blocks) => Compress(Sha1Update, 5, words, inputs, blocks);

    private static void CompressSha256(uint* words, byte** inputs, nuint blocks) => Compress(Sha256Update, 8, words, inputs, blocks);

    private static void Compress(delegate* unmanaged<uint*, byte*, nuint, int> update, int count, uint* words, byte** inputs, nuint blocks)
    {
        uint* context = stackalloc uint[ContextWords];
        new Span<uint>(context, ContextWords).Clear();
        new ReadOnlySpan<uint>(words, count).CopyTo(new Span<uint>(context, count));
        _ = update(context, inputs[0], blocks * HashFunction.BlockSize);
        new ReadOnlySpan<uint>(context, count).CopyTo(new Span<uint>(words, count));
    }

    /// <summary>Whether it does with some blocks what the scalar kernel does: what has the right name may have another layout.</summary>
    private static bool IsRight(HashFunction function, delegate*<uint*, byte**, nuint, void> compress)
    {
        const int Blocks = 3;
        byte* content = stackalloc byte[Blocks * HashFunction.BlockSize];
        for (int i = 0; i < Blocks * HashFunction.BlockSize; i++)
            content[i] = (byte)i;
        uint* words = stackalloc uint[HashFunction.MostWords];
        uint* expected = stackalloc uint[HashFunction.MostWords];
        function.Start.CopyTo(new Span<uint>(words, HashFunction.MostWords));
        function.Start.CopyTo(new Span<uint>(expected, HashFunction.MostWords));
        byte* input = content;
        compress(words, &input, Blocks);
        input = content;
        LaneKernel.Of(function, LaneWidth.Scalar).Compress(expected, &input, Blocks);
        return new ReadOnlySpan<uint>(words, function.Start.Length).SequenceEqual(new ReadOnlySpan<uint>(expected, function.Start.Length));
    }

    private static delegate* unmanaged<uint*, byte*, nuint, int> Find(string name)
    {
        foreach (string library in (ReadOnlySpan<string>)["libcrypto.so.3", "libcrypto.so.1.1"])
        {
            if (NativeLibrary.TryLoad(library, out nint handle) && NativeLibrary.TryGetExport(handle, name, out nint found))
                return (delegate* unmanaged<uint*, byte*, nuint, int>)found;
        }

        return null;
    }
}
