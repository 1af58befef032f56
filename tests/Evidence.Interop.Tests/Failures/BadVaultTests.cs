using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Failures;

public sealed class BadVaultTests : IDisposable
{
    private static readonly string[][] Readers = [["images"], ["log"], ["verify"], ["show", "disk.img"], ["export", "disk.img", "--output", "out.img"]];

    private readonly EvidenceCommand evidence = new();

    public BadVaultTests() => File.WriteAllBytes(evidence.PathOf("disk.img"), new byte[100_000]);

    [Fact]
    public void No_vault_is_told()
    {
        foreach (string[] command in Readers)
            Assert.Contains(evidence.Vault, evidence.Json(command).FailsWith("vault-not-found"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    [Fact]
    public void A_folder_of_something_else_is_no_vault_and_stays_as_it_is()
    {
        Directory.CreateDirectory(evidence.Vault);
        File.WriteAllText(Path.Combine(evidence.Vault, "diary.txt"), "dear diary");
        foreach (string[] command in (string[][])[.. Readers, ["acquire", "disk.img"], ["init"]])
            Assert.Contains(evidence.Vault, evidence.Json(command).FailsWith("vault-invalid"), StringComparison.Ordinal);
        Assert.Equal("diary.txt", Path.GetFileName(Assert.Single(Directory.EnumerateFileSystemEntries(evidence.Vault))));
        Assert.False(Directory.Exists(evidence.Home) && Directory.EnumerateFiles(evidence.Home, "*.pem", SearchOption.AllDirectories).Any());
    }

    [Fact]
    public void A_file_is_no_vault()
    {
        File.WriteAllText(evidence.Vault, "a file");
        foreach (string[] command in (string[][])[.. Readers, ["acquire", "disk.img"], ["init"]])
            evidence.Json(command).Ends(1).Json.GetProperty("error");
        Assert.Equal("a file", File.ReadAllText(evidence.Vault));
    }

    [Theory]
    [InlineData("\"version\":1", "\"version\":2", "version 2")]
    [InlineData("\"required\":[]", "\"required\":[\"sealed\"]", "sealed")]
    public void A_newer_format_is_told_as_such(string from, string to, string word)
    {
        evidence.Json("acquire", "disk.img").Succeeds();
        Edit("vault.json", text => text.Replace(from, to, StringComparison.Ordinal));
        foreach (string[] command in (string[][])[["images"], ["log"], ["show", "disk.img"], ["acquire", "disk.img"]])
            Assert.Contains(word, evidence.Json(command).FailsWith("vault-too-new"), StringComparison.Ordinal);
        // To who knows the ledger, a vault.json that is not the declared one is changed, whatever it says.
        Assert.Equal("refuted", evidence.Json("verify").Ends(3).Json.GetProperty("content").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[1,2,3]")]
    [InlineData("{\"format\":\"evidence-vault\"}")]
    [InlineData("{\"format\":7,\"version\":\"one\"}")]
    public void A_damaged_vault_json_is_told_and_refuted(string content)
    {
        evidence.Json("acquire", "disk.img").Succeeds();
        Edit("vault.json", _ => content);
        foreach (string[] command in (string[][])[["images"], ["log"], ["show", "disk.img"], ["acquire", "disk.img"]])
            Assert.Contains("vault.json", evidence.Json(command).FailsWith("vault-invalid"), StringComparison.Ordinal);
        Assert.Equal("refuted", evidence.Json("verify").Ends(3).Json.GetProperty("content").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\n")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void A_damaged_key_is_told_with_its_file(string content)
    {
        evidence.Json("acquire", "disk.img").Succeeds();
        foreach (string key in Directory.EnumerateFiles(evidence.Home, "*.pem", SearchOption.AllDirectories))
        {
            byte[] good = File.ReadAllBytes(key);
            File.WriteAllText(key, content);
            Assert.Contains(key, evidence.Json("acquire", "disk.img").ImageFailsWith("key-missing"), StringComparison.Ordinal);
            // To read needs no key.
            evidence.Json("images").Succeeds();
            evidence.Json("verify", "--no-record").Succeeds();
            File.WriteAllBytes(key, good);
        }

        evidence.Json("acquire", "disk.img", "--item", "again").Succeeds();
        evidence.VerifyAll();
        evidence.LeavesNothingBehind();
    }

    [Fact]
    public void A_vault_without_its_keys_can_be_read_by_anybody()
    {
        evidence.Json("acquire", "disk.img").Succeeds();
        evidence.Home = evidence.PathOf("stranger");
        evidence.VerifyAll();
        foreach (string[] command in Readers)
            evidence.Json(command).Succeeds();
        evidence.Json("acquire", "disk.img", "--item", "again").Ends(0);
    }

    [Fact]
    public void A_vault_that_is_there_is_not_made_again()
    {
        evidence.Json("init").Succeeds();
        evidence.Json("init").FailsWith("vault-exists");
        evidence.VerifyAll();
    }

    public void Dispose() => evidence.Dispose();

    private void Edit(string name, Func<string, string> edit)
    {
        string path = Path.Combine(evidence.Vault, name);
        string text = edit(File.ReadAllText(path));
        File.Delete(path);
        File.WriteAllText(path, text);
    }
}
