using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Tests.Vaults;
using Xunit;

namespace Evidence.Tests.Cli;

/// <summary>What people and scripts get to see: exit codes, one JSON object, and messages that name the thing and the way out.</summary>
public sealed class CommandTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task From_nothing_to_a_verified_image_and_back()
    {
        byte[] content = TestBytes.Disk(300_000, 1);
        string source = place.At("disk.img");
        string output = place.At("out.img");
        await File.WriteAllBytesAsync(source, content, TestVault.Stop);

        CommandRun acquired = await CommandRun.StartAsync(place, "--json", "acquire", source, "--case", "c-1", "--read-holes");
        Assert.Equal(0, acquired.ExitCode);
        JsonObject image = acquired.Json["images"]![0]!.AsObject();
        Assert.Equal("disk.img", (string?)image["item"]);
        Assert.Equal("300000", (string?)image["size"]);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)), (string?)image["digests"]!["sha256"]);
        Assert.True((bool)image["verified"]!);

        Assert.Equal(0, (await CommandRun.StartAsync(place, "verify", "--digests")).ExitCode);
        Assert.Equal(0, (await CommandRun.StartAsync(place, "export", "disk.img", "--output", output)).ExitCode);
        Assert.Equal(content, await File.ReadAllBytesAsync(output, TestVault.Stop));
        CommandRun log = await CommandRun.StartAsync(place, "log");
        Assert.Equal(0, log.ExitCode);
        Assert.Contains("imaged disk.img", log.Output, StringComparison.Ordinal);

        // Nothing is written over.
        CommandRun again = await CommandRun.StartAsync(place, "export", "disk.img", "--output", output);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains(output, again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_keepers_published_log_keys_are_pinned()
    {
        await MakeVaultAsync();
        string[] keys = [.. (await RunAsync("--json", "identity", "list")).Json["log"]!.AsArray().Select(key => (string)key!)];
        Assert.Equal(2, keys.Length);
        Assert.Equal(0, (await RunAsync(["identity", "pin", .. keys])).ExitCode);
        Assert.Equal(2, (await RunAsync("identity", "pin", "no key")).ExitCode);
        // Another set of keys for the same log is not what was pinned.
        Assert.Equal(3, (await RunAsync("identity", "pin", keys[0])).ExitCode);
    }

    [Fact]
    public async Task Who_signs_is_named_and_a_mistyped_name_becomes_no_actor()
    {
        await MakeVaultAsync();
        Assert.Equal(0, (await RunAsync("identity", "create", "a.turing")).ExitCode);
        CommandRun mistyped = await RunAsync("identity", "declare", "a.turin");
        Assert.Equal(1, mistyped.ExitCode);
        Assert.Contains("a.turin", mistyped.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("a.turin", place.Keys.ListActors(), StringComparer.Ordinal);
        Assert.Equal(0, (await RunAsync("--actor", "a.turing", "note", "seen and signed")).ExitCode);
        CommandRun list = await RunAsync("--json", "identity", "list");
        Assert.Contains(list.Json["declared"]!.AsArray(), actor => (string?)actor!["name"] == "a.turing");
    }

    [Fact]
    public async Task Damage_ends_in_three()
    {
        await MakeVaultAsync();
        TestVault.Flip(place.Layout.Pack(place.Layout.ListPacks()[0]), 200);
        CommandRun run = await RunAsync("--json", "verify");
        Assert.Equal(3, run.ExitCode);
        Assert.Equal("refuted", (string?)run.Json["content"]);
        Assert.Equal(3, (await RunAsync("verify", "--scrub", "--no-record")).ExitCode);
    }

    [Theory]
    [InlineData("source-not-found", "no/such/disk.img")]
    [InlineData("source-unsupported", ".")]
    public async Task A_source_that_cannot_be_imaged_is_named_and_no_vault_is_made_for_it(string code, string source)
    {
        CommandRun run = await RunAsync("acquire", source);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(Path.GetFullPath(Path.Combine(place.At(""), source)).TrimEnd('/'), run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
        Assert.False(Directory.Exists(place.Folder));
        CommandRun json = await RunAsync("--json", "acquire", source);
        Assert.Equal((1, code), (json.ExitCode, (string?)json.Json["error"]!["code"]));
        Assert.Equal(["error"], json.Json.Select(p => p.Key).ToArray());
    }

    [Fact]
    public async Task One_source_that_fails_does_not_touch_the_others()
    {
        string source = place.At("good.img");
        await File.WriteAllBytesAsync(source, TestBytes.Random(10_000, 1), TestVault.Stop);
        CommandRun run = await RunAsync("--json", "acquire", source, place.At("missing.img"));
        Assert.Equal(1, run.ExitCode);
        Assert.True((bool)run.Json["images"]![0]!["verified"]!);
        Assert.Equal("source-not-found", (string?)run.Json["images"]![1]!["error"]!["code"]);
    }

    [Theory]
    [InlineData("images")]
    [InlineData("log")]
    [InlineData("verify")]
    [InlineData("show", "x")]
    [InlineData("export", "x", "--output", "y")]
    public async Task A_vault_that_is_not_there_is_named_with_the_way_out(params string[] command)
    {
        CommandRun run = await RunAsync(command);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(place.Folder, run.Error, StringComparison.Ordinal);
        Assert.Contains("evidence init", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_newer_vault_is_refused_with_the_way_out()
    {
        await MakeVaultAsync();
        string settings = Path.Combine(place.Folder, "vault.json");
        JsonObject json = CanonicalJson.Parse(await File.ReadAllBytesAsync(settings, TestVault.Stop)).AsObject();
        json["version"] = 2;
        TestVault.Overwrite(settings, CanonicalJson.Serialize(json));
        CommandRun run = await RunAsync("--json", "images");
        Assert.Equal((1, "vault-too-new"), (run.ExitCode, (string?)run.Json["error"]!["code"]));
        Assert.Contains(settings, (string?)run.Json["error"]!["message"], StringComparison.Ordinal);
        Assert.Contains("newer", (string?)run.Json["error"]!["message"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_no_vault_is_said_to_be_none()
    {
        Directory.CreateDirectory(place.Folder);
        await File.WriteAllTextAsync(Path.Combine(place.Folder, "thesis.txt"), "mine", TestVault.Stop);
        CommandRun run = await RunAsync("--json", "init");
        Assert.Equal((1, "vault-invalid"), (run.ExitCode, (string?)run.Json["error"]!["code"]));
        Assert.Equal(1, (await RunAsync("images")).ExitCode);
    }

    [Theory]
    [InlineData("acquire")]
    [InlineData("acquire", "a", "b", "--item", "x")]
    [InlineData("acquire", "a", "--digest", "crc32")]
    [InlineData("acquire", "a", "--compression", "zip")]
    [InlineData("acquire", "-", "-")]
    [InlineData("init", "--segment-average", "65KiB")]
    [InlineData("init", "--segment-average", "much")]
    [InlineData("init", "--origin", "two words")]
    [InlineData("export", "x", "--output", "y", "--range", "1-2")]
    [InlineData("nonsense")]
    [InlineData("init", "--no-such-option")]
    public async Task A_wrong_call_ends_in_two(params string[] command)
    {
        CommandRun run = await RunAsync(command);
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}: {run.Output}{run.Error}");
        Assert.NotEmpty(run.Error);
        CommandRun json = await RunAsync(["--json", .. command]);
        Assert.Equal((2, "usage"), (json.ExitCode, (string?)json.Json["error"]!["code"]));
    }

    [Theory]
    [InlineData("There is no command 'list' here. There are: init, acquire, ", "list", "--quiet")]
    [InlineData("There is no command 'sign' here. There are: key, serve, ", "witness", "sign")]
    [InlineData("Name a command: init, acquire, ")]
    [InlineData("Name a command: key, serve, ", "witness")]
    [InlineData("There is no option --bad here.", "--bad", "verify")]
    [InlineData("There is no option --bad here.", "witness", "--bad")]
    [InlineData("Required argument missing for option: '--vault'.", "images", "--vault")]
    public async Task What_is_no_command_is_told_with_those_that_there_are(string message, params string[] arguments)
    {
        CommandRun run = await CommandRun.StartAsync(place, ["--json", .. arguments]);
        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith(message, (string)run.Json["error"]!["message"]!, StringComparison.Ordinal);
    }

    private Task<CommandRun> RunAsync(params string[] command) => CommandRun.StartAsync(place, ["--vault", place.Folder, "--quiet", .. command]);

    private async Task MakeVaultAsync()
    {
        using var vault = place.Create();
        await TestVault.AcquireAsync(vault, TestBytes.Random(10_000, 1), new() { Item = "x" });
    }

    public void Dispose() => place.Dispose();
}
