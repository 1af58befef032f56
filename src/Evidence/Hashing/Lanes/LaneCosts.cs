using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Evidence.Hashing.Lanes;

/// <summary>
/// What hashing takes, in cycles of the processor that docs/benchmarks.md names: enough to say which of two ways is the faster one, on others too. Whether
/// the processor has instructions for SHA-1 and SHA-256 makes a factor of four for the framework's hashers, and whether it has AVX-512 one of two for lanes.
/// </summary>
internal static class LaneCosts
{
    /// <summary>Starting and ending one of the framework's hashers.</summary>
    internal const int Call = 2000;

    private static readonly bool HasShaInstructions = Sha256.IsSupported || (X86Base.IsSupported && (X86Base.CpuId(7, 0).Ebx & (1 << 29)) != 0);

    /// <summary>One block through the framework's hasher.</summary>
    internal static int Alone(HashFunction function) => function.Algorithm switch
    {
        DigestAlgorithm.Md5 => 308,
        DigestAlgorithm.Sha1 => HasShaInstructions ? 119 : 263,
        _ => HasShaInstructions ? 133 : 522,
    };

    /// <summary>One block in every lane of a kernel.</summary>
    internal static int Together(LaneKernel kernel) => kernel.IsLibrary ? Alone(kernel.Function) : (kernel.Function.Algorithm, kernel.Width, kernel.IsPaired, Avx512F.VL.IsSupported) switch
    {
        (DigestAlgorithm.Md5, LaneWidth.Vector512, false, _) => 320,
        (DigestAlgorithm.Md5, LaneWidth.Vector512, true, _) => 600,
        (DigestAlgorithm.Md5, LaneWidth.Vector256, false, true) => 269,
        (DigestAlgorithm.Md5, LaneWidth.Vector256, false, false) => 455,
        (DigestAlgorithm.Md5, LaneWidth.Vector256, true, true) => 425,
        (DigestAlgorithm.Md5, LaneWidth.Vector256, true, false) => 646,
        (DigestAlgorithm.Md5, LaneWidth.Vector128, false, true) => 259,
        (DigestAlgorithm.Md5, LaneWidth.Vector128, false, false) => 430,
        (DigestAlgorithm.Md5, LaneWidth.Vector128, true, true) => 348,
        (DigestAlgorithm.Md5, LaneWidth.Vector128, true, false) => 570,
        (DigestAlgorithm.Md5, LaneWidth.Scalar, _, _) => 328,
        (DigestAlgorithm.Sha1, LaneWidth.Vector512, _, _) => 548,
        (DigestAlgorithm.Sha1, LaneWidth.Vector256, _, true) => 331,
        (DigestAlgorithm.Sha1, LaneWidth.Vector256, _, false) => 520,
        (DigestAlgorithm.Sha1, LaneWidth.Vector128, _, true) => 278,
        (DigestAlgorithm.Sha1, LaneWidth.Vector128, _, false) => 504,
        (DigestAlgorithm.Sha1, LaneWidth.Scalar, _, _) => 290,
        (DigestAlgorithm.Sha256, LaneWidth.Vector512, _, _) => 931,
        (DigestAlgorithm.Sha256, LaneWidth.Vector256, _, true) => 611,
        (DigestAlgorithm.Sha256, LaneWidth.Vector256, _, false) => 1181,
        (DigestAlgorithm.Sha256, LaneWidth.Vector128, _, true) => 594,
        (DigestAlgorithm.Sha256, LaneWidth.Vector128, _, false) => 1160,
        (DigestAlgorithm.Sha256, LaneWidth.Scalar, _, _) => 657,
        _ => throw new ArgumentOutOfRangeException(nameof(kernel)),
    };
}
