using System.Security.Cryptography;
using Evidence.Hashing;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Hashing;

public sealed class RunningDigestTests
{
    public static TheoryData<DigestAlgorithm> Algorithms => [.. Enum.GetValues<DigestAlgorithm>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_message_in_parts_gives_the_digest_of_the_whole(DigestAlgorithm algorithm) =>
        Prop.ForAll(TestBytes.Disks(3000).ArrayOf().ToArbitrary(), parts =>
        {
            using var digest = RunningDigest.Begin(algorithm);
            foreach (byte[] part in parts)
                digest.Append(part);
            return digest.ToHex() == Convert.ToHexStringLower(CryptographicOperations.HashData(algorithm.FrameworkName(), parts.SelectMany(p => p).ToArray()));
        }).QuickCheckThrowOnFailure();
}
