using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using Xunit;

namespace Evidence.Tests.Hashing.Lanes;

/// <summary>Every kernel that this machine can run.</summary>
internal static class Kernels
{
    public static HashFunction[] Functions { get; } = [HashFunction.Md5, HashFunction.Sha1, HashFunction.Sha256];

    public static LaneKernel[] All { get; } = [.. Functions.SelectMany(LaneKernel.All)];

    /// <summary>Their names, for a theory: a kernel itself has no text that it could be read from.</summary>
    public static TheoryData<string> Names => [.. All.Select(k => k.ToString())];

    public static LaneKernel Named(string name) => All.Single(k => k.ToString() == name);

    public static HashFunction Of(DigestAlgorithm algorithm) => Functions.Single(f => f.Algorithm == algorithm);

    /// <summary>What the framework makes of a message.</summary>
    public static byte[] Expected(HashFunction function, ReadOnlySpan<byte> message) =>
        CryptographicOperations.HashData(function.Algorithm.FrameworkName(), message);
}
