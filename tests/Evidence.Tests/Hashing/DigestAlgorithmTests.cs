using System.Security.Cryptography;
using Evidence.Hashing;
using Xunit;

namespace Evidence.Tests.Hashing;

public sealed class DigestAlgorithmTests
{
    public static TheoryData<DigestAlgorithm> All => [.. Enum.GetValues<DigestAlgorithm>()];

    [Theory]
    [MemberData(nameof(All))]
    public void Names_round_trip(DigestAlgorithm algorithm)
    {
        Assert.True(DigestAlgorithms.TryParse(algorithm.Name(), out DigestAlgorithm parsed));
        Assert.Equal(algorithm, parsed);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("MD5")]
    [InlineData("sha-1")]
    [InlineData("sha3")]
    public void Any_other_name_is_none(string? name) => Assert.False(DigestAlgorithms.TryParse(name, out _));

    [Fact]
    public void A_number_that_is_no_algorithm_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => ((DigestAlgorithm)99).Name());
        Assert.Throws<ArgumentOutOfRangeException>(() => ((DigestAlgorithm)99).Create());
    }

    // RFC 1321 and FIPS 180-4, over "abc".
    [Theory]
    [InlineData(DigestAlgorithm.Md5, "900150983cd24fb0d6963f7d28e17f72")]
    [InlineData(DigestAlgorithm.Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d")]
    [InlineData(DigestAlgorithm.Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData(DigestAlgorithm.Sha512, "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")]
    public void Known_vectors_hold(DigestAlgorithm algorithm, string value)
    {
        using IncrementalHash hash = algorithm.Create();
        hash.AppendData("abc"u8);
        Assert.Equal(value, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
