using Evidence.Hashing;
using Evidence.Tests.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>Links in a vault lead nowhere: nothing below them is listed, read or used.</summary>
public sealed class LinkTests
{
    [Theory]
    [InlineData("packs/a", "..")]
    [InlineData("packs/b", "../..")]
    [InlineData("images/root", "/")]
    [InlineData("ledger/up", "..")]
    [InlineData("more", "/")]
    public async Task A_link_to_a_folder_is_foreign_and_not_followed(string name, string target)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        Directory.CreateSymbolicLink(Path.Combine(vault.Place.Folder, name), target);
        Directory.CreateSymbolicLink(Path.Combine(vault.Place.Folder, name + "2"), target);
        VerificationReport report = await vault.VerifyAsync().WaitAsync(TimeSpan.FromSeconds(30), TestVault.Stop);
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal([("foreign", name), ("foreign", name + "2")], SmallVault.FindingsOf(report).Select(f => (f.What, f.File!)));
        vault.Place.Open().Dispose();
    }

    [Fact]
    public async Task Staging_that_is_a_link_is_not_followed()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string staging = vault.Place.Layout.Staging;
        Directory.Delete(staging, recursive: true);
        Directory.CreateSymbolicLink(staging, "/");
        VerificationReport report = await vault.VerifyAsync().WaitAsync(TimeSpan.FromSeconds(30), TestVault.Stop);
        Assert.Equal("staging", Assert.Single(SmallVault.FindingsOf(report)).File);
    }

    [Fact]
    public async Task A_pack_or_a_manifest_that_is_a_link_is_not_used()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        Sha256Digest pack = vault.Place.Layout.ListPacks()[0];
        foreach (string path in (string[])[vault.Place.Layout.Pack(pack), vault.Place.Layout.Manifest(vault.First.Image)])
        {
            string elsewhere = vault.Place.At("elsewhere");
            File.Move(path, elsewhere);
            File.CreateSymbolicLink(path, elsewhere);
            VerificationReport report = await vault.VerifyAsync();
            Assert.Equal(ContentVerdict.Refuted, report.Content);
            Assert.Contains(SmallVault.FindingsOf(report), f => f.File is { } file && path.EndsWith(file, StringComparison.Ordinal) && f.Verdict == ContentVerdict.Refuted);
            File.Delete(path);
            File.Move(elsewhere, path);
        }
    }

    [Fact]
    public async Task A_folder_under_the_name_of_a_manifest_is_foreign()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        Directory.CreateDirectory(vault.Place.Layout.Manifest(Sha256Digest.Compute([1])));
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal("foreign", Assert.Single(SmallVault.FindingsOf(report)).What);
    }
}
