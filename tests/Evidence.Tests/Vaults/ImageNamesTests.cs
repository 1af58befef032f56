using Evidence.Hashing;
using Evidence.Ledger;
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
        ImageRecord valid = Record("twice", "eeeeeeee55") with { Entry = 2, Signature = EntrySignatureStatus.Valid };
        ImageRecord[] images = [Record("twice", "eeeeeeee55"), valid, valid with { Entry = 3 }];
        Assert.Equal(valid, ImageNames.Find(images, "twice", "vault"));
        Assert.Equal(valid, ImageNames.Find(images, "sha256:eeeeeeee", "vault"));
    }

    [Fact]
    public void Of_passes_over_one_source_the_last_is_meant_and_each_is_found_by_its_id()
    {
        ImageRecord first = Record("dying", "eeeeeeee01") with { Entry = 2, Signature = EntrySignatureStatus.Valid };
        ImageRecord second = Record("dying", "eeeeeeee02") with { Entry = 3, Signature = EntrySignatureStatus.Valid, Continues = first.Image };
        ImageRecord third = Record("dying", "eeeeeeee03") with { Entry = 4, Signature = EntrySignatureStatus.Valid, Continues = second.Image };
        Assert.Equal(third, ImageNames.Find([first, second, third], "dying", "vault"));
        Assert.Equal(first, ImageNames.Find([first, second, third], "sha256:eeeeeeee01", "vault"));
        Assert.Throws<EvidenceException>(() => ImageNames.Find([first, second, third], "sha256:eeeeeeee", "vault"));
        // Another image of the same item is another matter, and so is one that nobody known vouches for.
        Assert.Throws<EvidenceException>(() => ImageNames.Find([first, second, third, Record("dying", "ffffffff04")], "dying", "vault"));
        Assert.Throws<EvidenceException>(() => ImageNames.Find([first, second with { Signature = EntrySignatureStatus.Invalid }], "dying", "vault"));
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
