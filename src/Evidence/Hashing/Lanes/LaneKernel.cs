using System.Runtime.Intrinsics;

namespace Evidence.Hashing.Lanes;

/// <summary>The vectors that a kernel works on.</summary>
internal enum LaneWidth
{
    /// <summary>None: one word at a time, on any processor.</summary>
    Scalar,

    /// <summary>Four words: SSSE3, and Arm64.</summary>
    Vector128,

    /// <summary>Eight words: AVX2.</summary>
    Vector256,

    /// <summary>Sixteen words: AVX-512.</summary>
    Vector512,
}

/// <summary>A hash function's block function, over as many hashes at once as its vectors have words.</summary>
internal sealed unsafe class LaneKernel
{
    private static readonly LaneKernel[] Md5Vectors = [.. All(HashFunction.Md5).Where(k => k.Width != LaneWidth.Scalar)];
    private static readonly LaneKernel[] Sha1Vectors = [.. All(HashFunction.Sha1).Where(k => k.Width != LaneWidth.Scalar)];
    private static readonly LaneKernel[] Sha256Vectors = [.. All(HashFunction.Sha256).Where(k => k.Width != LaneWidth.Scalar)];

    private static readonly LaneKernel Md5Alone = AloneOf(HashFunction.Md5);
    private static readonly LaneKernel Sha1Alone = AloneOf(HashFunction.Sha1);
    private static readonly LaneKernel Sha256Alone = AloneOf(HashFunction.Sha256);

    private readonly delegate*<uint*, byte**, nuint, void> compress;

    private LaneKernel(
        HashFunction function, LaneWidth width, bool paired, int lanes, delegate*<uint*, byte**, nuint, void> compress, bool library = false)
    {
        IsLibrary = library;
        Function = function;
        Width = width;
        IsPaired = paired;
        Lanes = lanes;
        this.compress = compress;
    }

    internal HashFunction Function { get; }

    internal LaneWidth Width { get; }

    /// <summary>Whether two vectors take turns.</summary>
    internal bool IsPaired { get; }

    /// <summary>Whether it is the system's library that does it: see <see cref="LibraryKernel"/>.</summary>
    internal bool IsLibrary { get; }

    /// <summary>How many hashes at once.</summary>
    internal int Lanes { get; }

    /// <summary>Whether this machine has the instructions of a width. (They can be switched off: <c>DOTNET_EnableAVX512=0</c>, and the like.)</summary>
    internal static bool IsSupported(LaneWidth width) => width switch
    {
        LaneWidth.Scalar => true,
        LaneWidth.Vector128 => Lanes128.IsSupported,
        LaneWidth.Vector256 => Lanes256.IsSupported,
        LaneWidth.Vector512 => Lanes512.IsSupported,
        _ => false,
    };

    /// <summary>The kernel of a function and a width.</summary>
    /// <param name="function">The function.</param>
    /// <param name="width">The vectors.</param>
    /// <param name="paired">Whether two of them take turns; only MD5's do.</param>
    /// <exception cref="PlatformNotSupportedException">This machine lacks the instructions. (They would be emulated, a hundred times slower.)</exception>
    internal static LaneKernel Of(HashFunction function, LaneWidth width, bool paired = false)
    {
        if (!IsSupported(width))
            throw new PlatformNotSupportedException($"This processor has no instructions for {width}.");
        return (width, paired) switch
        {
            (LaneWidth.Vector512, false) => Of<Lanes512, Vector512<uint>>(function, width),
            (LaneWidth.Vector256, false) => Of<Lanes256, Vector256<uint>>(function, width),
            (LaneWidth.Vector128, false) => Of<Lanes128, Vector128<uint>>(function, width),
            (LaneWidth.Scalar, false) => Of<OneLane, uint>(function, width),
            (LaneWidth.Vector512, true) => PairOf<Lanes512, Vector512<uint>>(function, width),
            (LaneWidth.Vector256, true) => PairOf<Lanes256, Vector256<uint>>(function, width),
            (LaneWidth.Vector128, true) => PairOf<Lanes128, Vector128<uint>>(function, width),
            _ => throw new ArgumentOutOfRangeException(nameof(width)),
        };
    }

    /// <summary>Every kernel of a function that this machine has the instructions for.</summary>
    internal static IEnumerable<LaneKernel> All(HashFunction function)
    {
        foreach (LaneWidth width in Enum.GetValues<LaneWidth>().Where(IsSupported))
        {
            yield return Of(function, width);
            if (function == HashFunction.Md5 && width != LaneWidth.Scalar)
                yield return Of(function, width, paired: true);
        }

        if (LibraryOf(function) is { } library)
            yield return library;
    }

    /// <summary>The kernel for one hash: the library's, where there is one. Made once for each function.</summary>
    internal static LaneKernel Alone(HashFunction function) => function.Algorithm switch
    {
        DigestAlgorithm.Md5 => Md5Alone,
        DigestAlgorithm.Sha1 => Sha1Alone,
        _ => Sha256Alone,
    };

    /// <summary>Those that are worth choosing from for more than one: all that have more than one lane. Made once for each function.</summary>
    internal static ReadOnlySpan<LaneKernel> Vectors(HashFunction function) => function.Algorithm switch
    {
        DigestAlgorithm.Md5 => Md5Vectors,
        DigestAlgorithm.Sha1 => Sha1Vectors,
        _ => Sha256Vectors,
    };

    /// <summary>Takes every lane's hash through some blocks.</summary>
    /// <param name="states">The hashes' words: the first of every lane, then the second of every lane, and so on; see <see cref="Align"/>.</param>
    /// <param name="inputs">For each lane, where its blocks are.</param>
    /// <param name="blocks">How many blocks of 64 bytes.</param>
    internal void Compress(uint* states, byte** inputs, nuint blocks) => compress(states, inputs, blocks);

    /// <inheritdoc/>
    public override string ToString() => $"{Function.Algorithm.Name()}, {(IsLibrary ? "library" : IsPaired ? $"two {Width}" : $"{Width}")}, lanes: {Lanes}";

    /// <summary>The first address in a space at which a vector does not lie across two lines of the cache.</summary>
    /// <param name="space">The space: one vector larger than it needs to be.</param>
    /// <param name="size">The bytes of a vector, a power of two.</param>
    internal static void* Align(byte* space, int size) => (void*)(((nuint)space + (nuint)size - 1) & ~((nuint)size - 1));

    private static LaneKernel AloneOf(HashFunction function) => LibraryOf(function) ?? Of(function, LaneWidth.Scalar);

    private static LaneKernel? LibraryOf(HashFunction function)
    {
        delegate*<uint*, byte**, nuint, void> found = LibraryKernel.Find(function);
        return found == null ? null : new LaneKernel(function, LaneWidth.Scalar, paired: false, 1, found, library: true);
    }

    private static LaneKernel Of<TLanes, TVector>(HashFunction function, LaneWidth width)
        where TLanes : ILanes<TVector>
        where TVector : unmanaged => new(function, width, paired: false, TLanes.Count, function.Algorithm switch
        {
            DigestAlgorithm.Md5 => &Md5Kernel.Compress<TLanes, TVector>,
            DigestAlgorithm.Sha1 => &Sha1Kernel.Compress<TLanes, TVector>,
            _ => &Sha256Kernel.Compress<TLanes, TVector>,
        });

    private static LaneKernel PairOf<TLanes, TVector>(HashFunction function, LaneWidth width)
        where TLanes : ILanes<TVector>
        where TVector : unmanaged => function == HashFunction.Md5
            ? new(function, width, paired: true, 2 * TLanes.Count, &Md5Kernel.Compress<LanePair<TLanes, TVector>, Pair<TVector>>)
            : throw new ArgumentOutOfRangeException(nameof(function));
}
