using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Tests.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Verification;

/// <summary>Files that somebody put there on purpose. Whatever they are, a verification ends with a report.</summary>
public sealed class HostileFileTests
{
    public static TheoryData<string, string, string> Lies => new()
    {
        { "size", "size", "9223372036854775807" },
        { "size", "size", "9223372036787666945" },
        { "size", "size", "0" },
        { "pages", "map.pages", "9223372036854775807" },
        { "offset", "absent.0.offset", "9223372036854775807" },
        { "length", "absent.0.length", "9223372036854775807" },
        { "total", "totals.data", "9223372036854775807" },
        { "average", "segments.average", "9223372036854775807" },
        { "time", "started", "9999-12-31T23:59:60.000000000Z" },
        { "time", "started", "-0001-12-31T23:59:59.00000000Z" },
        { "root", "map.root", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "table", "map.tables.0", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "table", "map.tables.0", "" },
        { "compression", "options.compression", "zip" },
    };

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_manifest_of_nobody_that_lies_is_said_to_and_refutes_nothing(string what, string path, string value)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        JsonObject manifest = CanonicalJson.Parse(vault.First.Manifest.ToBytes()).AsObject();
        // Their scope would contradict another size before anything is computed with it.
        manifest["digests"] = new JsonArray();
        if (path.StartsWith("absent", StringComparison.Ordinal))
            manifest["absent"] = new JsonArray(new JsonObject { ["kind"] = "unread", ["offset"] = "0", ["length"] = "512" });
        JsonNode node = manifest;
        string[] steps = path.Split('.');
        foreach (string step in steps[..^1])
            node = node is JsonArray array ? array[int.Parse(step, null)]! : node[step]!;
        if (node is JsonArray last)
            last[int.Parse(steps[^1], null)] = value;
        else
            node[steps[^1]] = value;
        VerificationReport report = await WithManifestAsync(vault, CanonicalJson.Serialize(manifest));
        Assert.True(report.Content == ContentVerdict.Verified, $"{what}: {SmallVault.Describe(report)}");
        Assert.True(report.Images[2].Findings.Count > 1, $"{what}: {SmallVault.Describe(report)}");
        // It is nobody's image: those that the ledger names are not touched.
        Assert.All(report.Images.Take(2), i => Assert.Equal(ContentVerdict.Verified, i.Content));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"format\":1}")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"format\":\"\\ud800\"}")]
    [InlineData("{\"format\":\"evidence-image\",\"version\":2}")]
    [InlineData("{\"format\":\"evidence-image\",\"version\":-1}")]
    [InlineData("1e999")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")]
    public async Task Garbage_under_its_right_name_is_reported_and_refutes_nothing(string text)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        VerificationReport report = await WithManifestAsync(vault, System.Text.Encoding.UTF8.GetBytes(text));
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(["unrecorded", "manifest"], report.Images[2].Findings.Select(f => f.What).ToArray());
    }

    [Theory]
    [InlineData("packs/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.pack")]
    [InlineData("images/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.json")]
    [InlineData("ledger/tile/0/001")]
    public async Task A_link_that_leads_nowhere_ends_in_a_report(string name)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string path = Path.Combine(vault.Place.Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, "/nowhere/at/all");
        VerificationReport report = await vault.VerifyAsync();
        Assert.Contains(SmallVault.FindingsOf(report), f => f.File == name);
    }

    [Theory]
    [InlineData("vault.json")]
    [InlineData("ledger/checkpoint")]
    [InlineData("ledger/tile/0/000.p/5")]
    [InlineData("images")]
    [InlineData("packs")]
    public async Task A_directory_where_a_file_should_be_or_the_other_way_round_ends_in_a_report(string name)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string path = Path.Combine(vault.Place.Folder, name);
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
            await File.WriteAllTextAsync(path, "a file", TestVault.Stop);
        }
        else
        {
            File.Delete(path);
            Directory.CreateDirectory(path);
        }

        Assert.Equal(ContentVerdict.Refuted, (await vault.VerifyAsync()).Content);
    }

    /// <summary>To open a pipe waits for somebody who writes to it.</summary>
    [Theory]
    [InlineData("vault.json")]
    [InlineData("ledger/checkpoint")]
    [InlineData("ledger/tile/entries/000.p/5")]
    [InlineData("packs/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.pack")]
    [InlineData("images/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855.json")]
    public async Task A_pipe_in_the_place_of_a_file_ends_in_a_report(string name)
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string path = Path.Combine(vault.Place.Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        using (var mkfifo = System.Diagnostics.Process.Start("mkfifo", [path]))
            await mkfifo.WaitForExitAsync(TestVault.Stop);
        VerificationReport report = await vault.VerifyAsync().WaitAsync(TimeSpan.FromSeconds(30), TestVault.Stop);
        // A manifest that no entry names refutes nothing.
        ContentVerdict expected = name.StartsWith("images/", StringComparison.Ordinal) ? ContentVerdict.Verified : ContentVerdict.Refuted;
        Assert.Equal(expected, report.Content);
        Assert.Contains(SmallVault.FindingsOf(report), f => f.File == name && f.Verdict == expected);
    }

    [Fact]
    public async Task A_directory_in_the_place_of_a_manifest_ends_in_a_report()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        string path = vault.Place.Layout.Manifest(vault.First.Image);
        File.Delete(path);
        Directory.CreateDirectory(path);
        Assert.Equal(ContentVerdict.Refuted, (await vault.VerifyAsync()).Content);
    }

    [Fact]
    public async Task Settings_of_many_megabytes_end_in_a_report()
    {
        await using SmallVault vault = await SmallVault.CreateAsync();
        TestVault.Overwrite(Path.Combine(vault.Place.Folder, "vault.json"), new byte[3 << 20]);
        VerificationReport report = await vault.VerifyAsync();
        Assert.Equal(ContentVerdict.Refuted, report.Content);
        Assert.Equal(ErrorCode.VaultInvalid, Assert.Throws<EvidenceException>(vault.Place.Open).Code);
    }

    private static async Task<VerificationReport> WithManifestAsync(SmallVault vault, byte[] bytes)
    {
        await File.WriteAllBytesAsync(vault.Place.Layout.Manifest(Sha256Digest.Compute(bytes)), bytes, TestVault.Stop);
        return await vault.VerifyAsync();
    }
}
