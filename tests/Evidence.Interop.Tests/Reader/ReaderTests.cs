using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Xunit;

namespace Evidence.Interop.Tests.Reader;

/// <summary>
/// What the library writes is what the pages in docs/format say: a reader written from them alone gives the images back, and finds
/// what was changed.
/// </summary>
public sealed class ReaderTests : IClassFixture<ReaderVault>
{
    private readonly ReaderVault made;

    public ReaderTests(ReaderVault made)
    {
        ReaderVault.Require();
        this.made = made;
    }

    public static TheoryData<string> Items => [.. ReaderVault.Images.Keys, "sparse"];

    [Fact]
    public void Lists_the_images_that_the_ledger_names()
    {
        (int exitCode, string output, _) = ReaderVault.Read(made.Vault, "list");
        Assert.Equal(0, exitCode);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Items.Count, lines.Length);
        foreach ((string item, byte[] content) in ReaderVault.Images)
        {
            string line = Assert.Single(lines, line => line.StartsWith(item + "  case case-1  sha256:", StringComparison.Ordinal));
            Assert.Contains($"  {content.Length} bytes  root ", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Finds_nothing_wrong_in_what_the_command_wrote()
    {
        (int exitCode, JsonNode result) = Check(made.Vault, "--digests");
        Assert.Equal("[]", result["findings"]!.ToJsonString());
        Assert.Equal(0, exitCode);
        // The note's text is in no output; a control character of a vault never reaches the terminal.
        Assert.DoesNotContain('\u001b', ReaderVault.Read(made.Vault, "check").Output);
    }

    [Fact]
    public void Finds_the_signatures_right_through_openssl()
    {
        if (!File.Exists("/usr/bin/openssl"))
            Assert.Skip("There is no openssl.");
        (int exitCode, JsonNode result) = Check(made.Vault, "--openssl");
        Assert.Equal("[]", result["findings"]!.ToJsonString());
        Assert.Equal(0, exitCode);

        // A signature that is no longer over the checkpoint's text. Without openssl the reader says that it did not look.
        string copy = Copy("signature");
        Change(Path.Combine(copy, "ledger/checkpoint"), note =>
        {
            int line = note.AsSpan().LastIndexOf((byte)' ') + 20;
            note[line] = note[line] == (byte)'A' ? (byte)'B' : (byte)'A';
            return note;
        });
        Assert.Equal(0, Check(copy).ExitCode);
        Assert.Contains("NOT CHECKED: the signatures", ReaderVault.Read(copy, "check").Output, StringComparison.Ordinal);
        AssertRefuted(Check(copy, "--openssl"), "ledger/checkpoint");
    }

    [Theory]
    [MemberData(nameof(Items))]
    public void Exports_an_image_byte_for_byte(string item)
    {
        string exported = made.At("export-" + item);
        (int exitCode, _, string errors) = ReaderVault.Read(made.Vault, "export", item, exported, "--digests");
        Assert.Equal((0, true), (exitCode, errors.Contains("the export is whole", StringComparison.Ordinal)));
        using FileStream expected = File.OpenRead(made.At("images", item)), actual = File.OpenRead(exported);
        Assert.Equal(SHA256.HashData(expected), SHA256.HashData(actual));
        Assert.Equal(expected.Length, actual.Length);
        // An export replaces no file.
        Assert.Equal(1, ReaderVault.Read(made.Vault, "export", item, exported).ExitCode);
    }

    [Theory]
    [InlineData("vault.json", 40)]
    [InlineData("vault.json", -1)]
    [InlineData("images/", 200)]
    [InlineData("images/", -1)]
    [InlineData("documents/", 0)]
    [InlineData("documents/", -1)]
    [InlineData("packs/", 3)] // the header's magic
    [InlineData("packs/", 60)] // its checksum
    [InlineData("packs/", 64)] // the first record: id
    [InlineData("packs/", 104)] // content length
    [InlineData("packs/", 110)] // reserved
    [InlineData("packs/", 120)] // checksum
    [InlineData("packs/", 200)] // stored bytes
    [InlineData("packs/", -65)] // the index's last byte
    [InlineData("packs/", -64)] // the footer: offset of the index
    [InlineData("packs/", -40)] // name
    [InlineData("packs/", -10)] // reserved
    [InlineData("packs/", -1)] // magic
    [InlineData("ledger/checkpoint", 3)]
    [InlineData("ledger/checkpoint", 21)] // the size
    [InlineData("ledger/checkpoint", 40)] // the root
    [InlineData("ledger/tile/0/000", 8000)]
    [InlineData("ledger/tile/0/001.p/", 0)]
    [InlineData("ledger/tile/1/000.p/1", 31)]
    [InlineData("ledger/tile/entries/000", 0)]
    [InlineData("ledger/tile/entries/000", 5000)]
    [InlineData("ledger/tile/entries/001.p/", -1)]
    [Trait("Requirement", "OUT-1")]
    public void Finds_a_changed_byte_and_names_the_file(string file, int offset)
    {
        string copy = Copy("byte");
        string name = Largest(copy, file);
        Change(Path.Combine(copy, name), bytes =>
        {
            bytes[offset < 0 ? bytes.Length + offset : offset] ^= 1;
            return bytes;
        });
        AssertRefuted(Check(copy), name);
    }

    [Theory]
    [InlineData("vault.json")]
    [InlineData("images/")]
    [InlineData("packs/")]
    [InlineData("documents/")]
    [InlineData("ledger/checkpoint")]
    [InlineData("ledger/tile/0/000")]
    [InlineData("ledger/tile/1/000.p/1")]
    [InlineData("ledger/tile/entries/000")]
    public void Finds_what_was_cut_off_or_put_on_or_deleted(string file)
    {
        string copy = Copy("length");
        string name = Largest(copy, file), path = Path.Combine(copy, name);
        byte[] whole = File.ReadAllBytes(path);
        foreach (int length in (int[])[0, whole.Length / 2, whole.Length - 1, whole.Length + 1])
        {
            Change(path, _ => [.. whole.AsSpan(0, Math.Min(length, whole.Length)), .. new byte[Math.Max(0, length - whole.Length)]]);
            AssertRefuted(Check(copy), name);
        }

        File.Delete(path);
        (int exitCode, JsonNode result) = Check(copy);
        Assert.Equal(3, exitCode);
        // A pack that is gone is named by nothing; the images that need it are.
        string expected = name.StartsWith("packs/", StringComparison.Ordinal) ? "images/" : name;
        Assert.Contains(Files(result), found => found.StartsWith(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("packs/")]
    [InlineData("images/")]
    [InlineData("documents/")]
    public void Finds_files_that_changed_places(string folder)
    {
        string copy = Copy("swap");
        string[] two =
            [.. Names(copy).Where(name => name.StartsWith(folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal).Take(2)];
        byte[] first = File.ReadAllBytes(Path.Combine(copy, two[0])), second = File.ReadAllBytes(Path.Combine(copy, two[1]));
        Change(Path.Combine(copy, two[0]), _ => second);
        Change(Path.Combine(copy, two[1]), _ => first);
        AssertRefuted(Check(copy), two);
    }

    [Fact]
    public void Says_which_bytes_of_which_image_a_damage_touches()
    {
        string copy = Copy("touched");
        // The pack with the 513 bytes, which are all of one image.
        string pack = Names(copy).Single(name => name.StartsWith("packs/", StringComparison.Ordinal)
            && File.ReadAllBytes(Path.Combine(copy, name)).AsSpan().IndexOf(ReaderVault.Images["over"]) >= 0
            && new FileInfo(Path.Combine(copy, name)).Length < 10_000);
        Change(Path.Combine(copy, pack), bytes =>
        {
            bytes[bytes.AsSpan().IndexOf(ReaderVault.Images["over"])] ^= 1;
            return bytes;
        });
        (int exitCode, JsonNode result) = Check(copy);
        Assert.Equal(3, exitCode);
        Assert.Contains(result["findings"]!.AsArray(), each =>
            string.Equals((string?)each!["file"], pack, StringComparison.Ordinal) && (int?)each["offset"] == 64);
        Assert.Contains(
            result["findings"]!.AsArray(),
            each => ((string)each!["what"]!).StartsWith("Bytes 0 to 512 of the image (over) are lost", StringComparison.Ordinal));

        (exitCode, _, string errors) = ReaderVault.Read(copy, "export", "over", "-");
        Assert.Equal((3, true), (exitCode, errors.Contains("THE EXPORT IS NOT WHOLE", StringComparison.Ordinal)));
        Assert.Equal(0, ReaderVault.Read(copy, "export", "mixed", "-").ExitCode);
    }

    [Fact]
    public void Foreign_files_and_running_writers_refute_nothing()
    {
        string copy = Copy("foreign");
        foreach (string name in (string[])["readme.txt", "images/x", "packs/zz/y", "ledger/tile/0/x", "ledger/tile/0/000.p/300"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(copy, name))!);
            File.WriteAllText(Path.Combine(copy, name), "\u001b");
        }

        File.WriteAllText(Path.Combine(copy, "staging", "running.pack"), "");
        (int exitCode, JsonNode result) = Check(copy);
        Assert.Equal(0, exitCode);
        Assert.Equal(5, result["notes"]!.AsArray().Count(note => ((string)note!).EndsWith("not used", StringComparison.Ordinal)));
    }

    private static (int ExitCode, JsonNode Result) Check(string vault, params string[] options)
    {
        (int exitCode, string output, string errors) = ReaderVault.Read([vault, "check", "--json", .. options]);
        Assert.Empty(errors);
        return (exitCode, JsonNode.Parse(output)!);
    }

    private static void AssertRefuted((int ExitCode, JsonNode Result) check, params string[] names)
    {
        Assert.Equal(3, check.ExitCode);
        foreach (string name in names)
            Assert.Contains(name, Files(check.Result), StringComparer.Ordinal);
    }

    private static IEnumerable<string> Files(JsonNode result) => result["findings"]!.AsArray().Select(finding => (string)finding!["file"]!);

    /// <summary>A copy of the vault, without what its writers are about.</summary>
    private string Copy(string name)
    {
        string copy = made.At($"{name}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.Combine(copy, "staging"));
        foreach (string file in Names(made.Vault))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(copy, file))!);
            File.Copy(Path.Combine(made.Vault, file), Path.Combine(copy, file));
        }

        return copy;
    }

    private static IEnumerable<string> Names(string vault) => Directory.EnumerateFiles(vault, "*", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(vault, path)).Where(name => !name.Contains("staging/", StringComparison.Ordinal));

    /// <summary>The largest file of that name, or whose name begins so.</summary>
    private static string Largest(string vault, string name) => File.Exists(Path.Combine(vault, name))
        ? name
        : Names(vault).Where(each => each.StartsWith(name, StringComparison.Ordinal))
            .MaxBy(each => new FileInfo(Path.Combine(vault, each)).Length)!;

    private static void Change(string path, Func<byte[], byte[]> change)
    {
        byte[] changed = change(File.ReadAllBytes(path));
        File.Delete(path);
        File.WriteAllBytes(path, changed);
    }
}
