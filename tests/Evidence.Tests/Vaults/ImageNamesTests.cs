using Evidence.Hashing;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class ImageNamesTests
{
    private static readonly ImageRecord[] Images =
    [
        Record("server-7", "aaaaaaaa11"), Record("server-7", "aaaaaaaa22"), Record("server-8", "bbbbbbbb33"), Record("sha256:bbbbbbbb", "cccccccc44"),
    ];

    [Theory]
    [InlineData("server-8", 2)]
    [InlineData("sha256:bbbbbbbb", 2)]
    [InlineData("sha256:BBBBBBBB33", 2)]
    [InlineData("sha256:aaaaaaaa2", 1)]
    public void One_image_is_found(string name, int index) => Assert.Equal(Images[index], ImageNames.Find(Images, name, "vault"));

    [Fact]
    public void Two_entries_of_one_image_are_one_image_and_the_validly_signed_one_counts()
    {
        ImageRecord valid = Record("twice", "eeeeeeee55") with { Entry = 2, Signature = Evidence.Ledger.EntrySignatureStatus.Valid };
        ImageRecord[] images = [Record("twice", "eeeeeeee55"), valid, valid with { Entry = 3 }];
        Assert.Equal(valid, ImageNames.Find(images, "twice", "vault"));
        Assert.Equal(valid, ImageNames.Find(images, "sha256:eeeeeeee", "vault"));
    }

    [Theory]
    [InlineData("server-7")]
    [InlineData("sha256:aaaaaaaa")]
    public void Several_are_listed(string name)
    {
        EvidenceException error = Assert.Throws<EvidenceException>(() => ImageNames.Find(Images, name, "vault"));
        Assert.Equal(ErrorCode.ImageAmbiguous, error.Code);
        Assert.All(Images[..2], i => Assert.Contains($"sha256:{i.Image.ToString()[..16]}", error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("server-9", ErrorCode.ImageNotFound)]
    [InlineData("SERVER-8", ErrorCode.ImageNotFound)]
    [InlineData("sha256:dddddddd", ErrorCode.ImageNotFound)]
    [InlineData("sha256:zzzzzzzz", ErrorCode.ImageNotFound)]
    [InlineData("sha256:aaaaaaa", ErrorCode.Usage)]
    [InlineData("sha256:", ErrorCode.Usage)]
    public void None_is_an_error(string name, string code) =>
        Assert.Equal(code, Assert.Throws<EvidenceException>(() => ImageNames.Find(Images, name, "vault")).Code);

    private static ImageRecord Record(string item, string digits) =>
        new(Sha256Digest.Parse(digits.PadRight(64, '0')), item, null, 1, default, Verified: true, Instant.FromUtc(2026, 1, 2, 3, 4), 1);
}
