using System.Security.Cryptography;

namespace Evidence.Hashing;

/// <summary>The digests that courts and tools ask of a whole image.</summary>
public enum DigestAlgorithm
{
    /// <summary>MD5 (RFC 1321): broken against forgers, and still what most tools compare.</summary>
    Md5,

    /// <summary>SHA-1 (FIPS 180-4): broken against forgers.</summary>
    Sha1,

    /// <summary>SHA-256 (FIPS 180-4).</summary>
    Sha256,

    /// <summary>SHA-512 (FIPS 180-4).</summary>
    Sha512,
}

/// <summary>The names of digest algorithms, as they stand in manifests and on the command line.</summary>
public static class DigestAlgorithms
{
    /// <summary>The name: <c>md5</c>, <c>sha1</c>, <c>sha256</c> or <c>sha512</c>.</summary>
    public static string Name(this DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Md5 => "md5",
        DigestAlgorithm.Sha1 => "sha1",
        DigestAlgorithm.Sha256 => "sha256",
        DigestAlgorithm.Sha512 => "sha512",
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };

    /// <summary>Reads a name.</summary>
    /// <returns>False where no algorithm has it.</returns>
    public static bool TryParse(string? name, out DigestAlgorithm algorithm)
    {
        foreach (DigestAlgorithm candidate in Enum.GetValues<DigestAlgorithm>())
        {
            if (string.Equals(candidate.Name(), name, StringComparison.Ordinal))
            {
                algorithm = candidate;
                return true;
            }
        }

        algorithm = default;
        return false;
    }

    internal static IncrementalHash Create(this DigestAlgorithm algorithm) => IncrementalHash.CreateHash(algorithm.FrameworkName());

    /// <summary>The framework's name for it.</summary>
    internal static HashAlgorithmName FrameworkName(this DigestAlgorithm algorithm) => algorithm switch
    {
        DigestAlgorithm.Md5 => HashAlgorithmName.MD5,
        DigestAlgorithm.Sha1 => HashAlgorithmName.SHA1,
        DigestAlgorithm.Sha256 => HashAlgorithmName.SHA256,
        DigestAlgorithm.Sha512 => HashAlgorithmName.SHA512,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm)),
    };
}
