using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Failures;

public sealed class BadSourceTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData("missing.img", "source-not-found")]
    [InlineData("missing/disk.img", "source-not-found")]
    [InlineData("file/disk.img", "source-not-found")]
    [InlineData("folder", "source-unsupported")]
    [InlineData("loop", "source-failed")]
    public void What_cannot_be_imaged_is_told_and_makes_no_vault(string name, string code)
    {
        Directory.CreateDirectory(evidence.PathOf("folder"));
        File.WriteAllText(evidence.PathOf("file"), "");
        File.CreateSymbolicLink(evidence.PathOf("loop"), evidence.PathOf("loop"));
        string message = evidence.Json("acquire", name).FailsWith(code);
        Assert.Contains(evidence.PathOf(name), message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    [Fact]
    public void A_file_that_may_not_be_read_is_told_and_makes_no_vault()
    {
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, new byte[1000]);
        evidence.BecomeNobody();
        File.SetUnixFileMode(disk, UnixFileMode.None);
        Assert.Contains(disk, evidence.Json("acquire", disk).FailsWith("permission-denied"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    [Fact]
    public void Without_json_the_message_goes_to_standard_error()
    {
        CommandResult result = evidence.Run("acquire", "missing.img").Ends(1);
        Assert.Empty(result.Output);
        Assert.StartsWith("evidence: There is no source at ", result.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("acquire")]
    [InlineData("acquire", "disk.img", "--digest", "crc32")]
    [InlineData("acquire", "disk.img", "--compression", "zip")]
    [InlineData("export", "disk.img")]
    [InlineData("init", "--segment-average", "65537")]
    [InlineData("init", "--segment-average", "many")]
    [InlineData("init", "--origin", "two words")]
    [InlineData("destroy")]
    [InlineData("verify", "--everything")]
    public void A_mistake_of_usage_ends_in_two(params string[] arguments)
    {
        File.WriteAllBytes(evidence.PathOf("disk.img"), new byte[1000]);
        CommandResult result = evidence.Run(arguments).Ends(2);
        Assert.NotEmpty(result.Errors);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    public void Dispose() => evidence.Dispose();
}
