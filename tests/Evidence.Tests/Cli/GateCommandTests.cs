using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Cli;

/// <summary>The commands of the gate as scripts see them: exit codes, one JSON object, errors that name the way out. What they are for, the replay shows.</summary>
public sealed class GateCommandTests : IDisposable
{
    private readonly TestVault place = new();

    public GateCommandTests() => place.Create(folder: place.At("evidence.vault"), access: place.Access with { Actor = VaultAccess.DefaultActor }).Dispose();

    public void Dispose() => place.Dispose();

    [Fact]
    public async Task Default_is_no_and_exits_with_5()
    {
        CommandRun shut = await RunAsync("--json", "gate", "server-7");
        Assert.Equal(5, shut.ExitCode);
        Assert.False((bool)shut.Json["cleared"]!);
        Assert.Equal("refused", (string?)shut.Json["rules"]![0]!["outcome"]);
        CommandRun explained = await RunAsync("gate", "server-7", "--explain");
        Assert.Equal(5, explained.ExitCode);
        Assert.StartsWith("NO   server-7 may not be wiped", explained.Output, StringComparison.Ordinal);
        Assert.Contains("-> Somebody of the firm records one", explained.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("gate")).ExitCode);
        Assert.Equal(2, (await RunAsync("gate", "server-7", "--at", "yesterday")).ExitCode);
        Assert.Equal(5, (await RunAsync("clear", "grant", "server-7")).ExitCode);
    }

    [Fact]
    public async Task An_inventory_comes_in_once_and_whole_or_not_at_all()
    {
        await WriteAsync("good.csv", "asset,serials,disks\nserver-7,SN-7,\"server-7/sda,serial=W7\"\nserver-8,SN-8,\n");
        CommandRun dry = await RunAsync("--json", "asset", "import", "good.csv", "--dry-run");
        Assert.Equal(("2", "0", null), ((string?)dry.Json["assets"], (string?)dry.Json["declared"], (string?)dry.Json["firstEntry"]));
        CommandRun imported = await RunAsync("--json", "asset", "import", "good.csv");
        Assert.Equal(("2", "2", "3"), ((string?)imported.Json["declared"], (string?)imported.Json["firstEntry"], (string?)imported.Json["lastEntry"]));
        CommandRun again = await RunAsync("--json", "asset", "import", "good.csv");
        Assert.Equal(("0", "2"), ((string?)again.Json["declared"], (string?)again.Json["known"]));

        await WriteAsync("bad.csv", "asset,serials,disks\nserver-9,SN-9,\nserver-10,SN-10,\"x,size=big\"\n");
        CommandRun bad = await RunAsync("asset", "import", "bad.csv");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("bad.csv, line 3, column 'disks'", bad.Error, StringComparison.Ordinal);
        // A file of names goes through to the selector, whole.
        await WriteAsync("names", "server-7\nserver-8\n");
        JsonArray listed = (await RunAsync("--json", "asset", "list", "@names")).Json["assets"]!.AsArray();
        Assert.Equal(["server-7", "server-8"], listed.Select(asset => (string?)asset!["asset"]), StringComparer.Ordinal);
        CommandRun stranger = await RunAsync("hold", "place", "--party", "nobody", "--form", "order", "--authority", "x", "--assets", "all");
        Assert.Equal(1, stranger.ExitCode);
        Assert.Contains("'evidence party add' adds one", stranger.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_does_not_speak_for_the_firm_is_told_before_anything_is_recorded()
    {
        CommandRun refused = await RunAsync("--actor", "clerk", "asset", "add", "server-7", "--serial", "SN-7");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains($"clerk does not speak for the firm in this ledger, so this would count for nothing. {VaultAccess.DefaultActor} does, by --actor", refused.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("--actor", "clerk", "identity", "create")).ExitCode);
        string key = (string)(await RunAsync("--json", "--actor", "clerk", "identity", "show")).Json["key"]!;
        Assert.Equal(1, (await RunAsync("--actor", "clerk", "party", "add", "desk", "--role", "provider", "--name", "Desk", "--key", key)).ExitCode);
        Assert.Equal(0, (await RunAsync("party", "add", "desk", "--role", "provider", "--name", "Desk", "--key", key)).ExitCode);
        Assert.Equal(0, (await RunAsync("--actor", "clerk", "asset", "add", "server-7", "--serial", "SN-7")).ExitCode);
        // That it runs anybody may say, that it does not only the firm.
        Assert.Equal(0, (await RunAsync("--actor", "guest", "asset", "state", "server-7", "in-service")).ExitCode);
        Assert.Equal(1, (await RunAsync("--actor", "guest", "asset", "state", "server-7", "isolated")).ExitCode);
    }

    [Fact]
    public async Task Whom_to_write_to_is_kept_beside_the_ledger_and_can_be_forgotten()
    {
        const string Mail = "clerk@court.example";
        Assert.Equal(0, (await RunAsync("party", "add", "court", "--role", "court", "--name", "District Court", "--contact", $"A clerk, {Mail}")).ExitCode);
        Assert.Equal(0, (await RunAsync("party", "add", "court", "--contact", $"The clerk, {Mail}")).ExitCode);
        // What else is said later leaves it as it was.
        Assert.Equal(0, (await RunAsync("party", "add", "court", "--zone", "America/New_York")).ExitCode);
        Assert.Equal($"The clerk, {Mail}", (string?)(await RunAsync("--json", "party", "show", "court")).Json["contactText"]);
        Assert.Contains($"contact   The clerk, {Mail}", (await RunAsync("party", "show", "court")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Mail, (await RunAsync("--json", "log")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("verify")).ExitCode);

        CommandRun forgotten = await RunAsync("--json", "party", "forget", "court", "--reason", "asked for by letter");
        Assert.Equal((2, 2), ((int)forgotten.Json["destroyed"]!, forgotten.Json["entries"]!.AsArray().Count));
        CommandRun show = await RunAsync("--json", "party", "show", "court");
        Assert.Null(show.Json["contactText"]);
        Assert.NotNull(show.Json["contact"]);
        Assert.All(Directory.EnumerateFiles(place.At("evidence.vault"), "*", SearchOption.AllDirectories), file => Assert.DoesNotContain(Mail, File.ReadAllText(file), StringComparison.Ordinal));
        Assert.Equal(0, (await RunAsync("verify")).ExitCode);
        Assert.Contains("No contact of court is kept here", (await RunAsync("party", "forget", "court")).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await RunAsync("party", "show", "nobody")).ExitCode);
    }

    [Fact]
    public async Task A_party_answers_from_a_file_on_a_machine_of_its_own()
    {
        Assert.Equal(0, (await RunAsync("identity", "create", "counsel")).ExitCode);
        string key = (string)(await RunAsync("--json", "--actor", "counsel", "identity", "show")).Json["key"]!;
        Assert.Equal(0, (await RunAsync("party", "add", "counsel", "--role", "counsel", "--name", "Counsel", "--key", key, "--zone", "America/Los_Angeles")).ExitCode);
        Assert.Equal(0, (await RunAsync("asset", "add", "server-7", "--serial", "SN-7", "--disk", "server-7/sda,serial=W7", "--party", "counsel")).ExitCode);

        // A template leads nowhere, and is not taken.
        Assert.Equal(0, (await RunAsync("policy", "default", "--output", "template.yaml")).ExitCode);
        CommandRun template = await RunAsync("--json", "policy", "set", "template.yaml");
        Assert.Equal((1, "policy-invalid"), (template.ExitCode, (string?)template.Json["error"]!["code"]));
        string[] approvers = [.. "ab".Select(c => $"sha256:{new string(c, 64)}")];
        Assert.Equal(0, (await RunAsync(
            "policy", "default", "--authority", Sha256Digest.Compute("root"u8).ToString(), "--approver", approvers[0], "--approver", approvers[1], "--output", "wipe.yaml")).ExitCode);
        Assert.Equal(0, (await RunAsync("policy", "set", "wipe.yaml")).ExitCode);

        CommandRun sent = await RunAsync("--json", "notice", "send", "--party", "counsel", "--assets", "all");
        string notice = (string)sent.Json["notices"]![0]!["entries"]![0]!;
        Assert.Equal(20, (int)sent.Json["notices"]![0]!["window"]!["days"]!);
        Assert.Equal(0, (await RunAsync("notice", "write", notice, "--output", "notice.file")).ExitCode);
        Assert.Equal(2, (await RunAsync("response", "object", "notice.file", "--party", "counsel")).ExitCode);
        Assert.Equal(2, (await RunAsync("--actor", "counsel", "response", "object", "notice.file", "--party", "customer", "--output", "answer.file")).ExitCode);
        // There is no vault where this is signed.
        CommandRun signed = await RunAsync("--vault", "none", "--actor", "counsel", "response", "object", "notice.file", "--party", "counsel", "--text", "No.", "--output", "answer.file");
        Assert.Equal(0, signed.ExitCode);

        // As long as it is not taken in, counsel can show that from the proof of all that the ledger has on the server; and when it is, that as well.
        Assert.Equal(0, (await RunAsync("witness", "policy", "--output", "policy")).ExitCode);
        Assert.Equal(0, (await RunAsync("log", "--item", "server-7", "--prove", "before.proof")).ExitCode);
        string[] held = ["--policy", "policy", "--against", "answer.file"];
        CommandRun dropped = await RunAsync(["--json", "check", "before.proof", .. held]);
        Assert.Equal((5, false, null), (dropped.ExitCode, (bool)dropped.Json["against"]!["recorded"]!, (string?)dropped.Json["against"]!["entry"]));
        Assert.Contains("is not in the ledger: it is none of the", (await RunAsync(["check", "before.proof", .. held])).Output, StringComparison.Ordinal);
        CommandRun taken = await RunAsync("--json", "response", "take", "answer.file");
        Assert.Equal(key, (string?)taken.Json["key"]);
        string entry = (string)taken.Json["entries"]![0]!;
        // Once more changes nothing.
        Assert.Equal(entry, (string?)(await RunAsync("--json", "response", "take", "answer.file")).Json["entries"]![0]);
        Assert.Contains($"counsel objects, by entry {entry} to the notice in entry {notice}: \"No.\"", (await RunAsync("gate", "server-7")).Output, StringComparison.Ordinal);
        JsonObject state = (await RunAsync("--json", "gate", "--all")).Json["assets"]![0]!.AsObject();
        Assert.Contains("objected", state["state"]!.AsArray().Select(word => (string?)word), StringComparer.Ordinal);
        Assert.Equal("objected", (string?)(await RunAsync("--json", "notice", "due")).Json["tasks"]![0]!["step"]);

        // Somebody else's copy of the vault, in another place, gives the same answer for the same instant.
        string[] asked = ["--json", "gate", "server-7", "--at", "2031-01-02T03:04:05Z"];
        using (var other = new TestVault())
        {
            TestVault.Copy(place.At("evidence.vault"), other.At("copy.vault"));
            CommandRun copied = await CommandRun.StartAsync(other, ["--vault", "copy.vault", .. asked]);
            Assert.Equal((5, (await RunAsync(asked)).Output), (copied.ExitCode, copied.Output));
        }

        Assert.Equal(0, (await RunAsync("log", "--item", "server-7", "--prove", "after.proof")).ExitCode);
        CommandRun recorded = await RunAsync(["--json", "check", "after.proof", .. held]);
        Assert.Equal((0, true, entry), (recorded.ExitCode, (bool)recorded.Json["against"]!["recorded"]!, (string?)recorded.Json["against"]!["entry"]));
        Assert.Equal(0, (await RunAsync("log", "--item", "server-8", "--prove", "other.proof")).ExitCode);
        CommandRun about = await RunAsync(["check", "other.proof", .. held]);
        Assert.Equal(1, about.ExitCode);
        Assert.Contains("from that nothing follows", about.Error, StringComparison.Ordinal);

        // A proof of something else is no clearance.
        Assert.Equal(0, (await RunAsync("prove", entry, "--output", "entry.proof")).ExitCode);
        Assert.Equal(2, (await RunAsync(["check", "entry.proof", .. held])).ExitCode);
        CommandRun check = await RunAsync("--json", "check", "entry.proof", "--asset-serial", "SN-7");
        Assert.Equal(5, check.ExitCode);
        Assert.False((bool)check.Json["clearance"]!["good"]!);
    }

    [Fact]
    public async Task The_gate_hears_a_hold_that_somebody_left_in_staging()
    {
        Assert.Equal(0, (await RunAsync("party", "add", "counsel", "--role", "counsel", "--name", "Counsel")).ExitCode);
        Assert.Equal(0, (await RunAsync("asset", "add", "server-7", "--serial", "SN-7")).ExitCode);
        Assert.Equal(0, (await RunAsync("policy", "default", "--authority", Sha256Digest.Compute("root"u8).ToString(), "--output", "template.yaml",
            "--approver", $"sha256:{new string('a', 64)}", "--approver", $"sha256:{new string('b', 64)}")).ExitCode);
        Assert.Equal(0, (await RunAsync("policy", "set", "template.yaml")).ExitCode);
        Assert.DoesNotContain("The hold of", (await RunAsync("gate", "server-7")).Output, StringComparison.Ordinal);
        // Counsel writes into the same vault, and has not the log's keys.
        using var elsewhere = new TestVault();
        string vault = place.At("evidence.vault");
        CommandRun left = await CommandRun.StartAsync(
            elsewhere, "--vault", vault, "--actor", "counsel", "hold", "place", "--party", "counsel", "--form", "letter", "--authority", "Letter", "--assets", "all");
        Assert.Equal(0, left.ExitCode);
        Assert.Contains("it waits in staging", left.Output, StringComparison.Ordinal);
        Assert.Contains("The hold of counsel (entry", (await RunAsync("gate", "server-7")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approver_signs_on_a_machine_of_their_own()
    {
        Assert.Equal(0, (await RunAsync("asset", "add", "server-7", "--serial", "SN-7")).ExitCode);
        string request = (string)(await RunAsync("--json", "clear", "request", "server-7")).Json["entries"]![0]!;
        CommandRun no = await RunAsync("clear", "write", "1", "--output", "wish.file");
        Assert.Equal(1, no.ExitCode);
        Assert.Contains("'evidence clear list' shows", no.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("clear", "write", request, "--output", "wish.file")).ExitCode);
        CommandRun own = await RunAsync("--vault", "none", "clear", "approve", "wish.file", "--output", "approval.file");
        Assert.Equal(1, own.ExitCode);
        Assert.Contains("made the request, and cannot approve it", own.Error, StringComparison.Ordinal);

        using var elsewhere = new TestVault();
        File.Copy(place.At("wish.file"), elsewhere.At("wish.file"));
        Assert.Equal(0, (await CommandRun.StartAsync(elsewhere, "identity", "create", "alice")).ExitCode);
        CommandRun signed = await CommandRun.StartAsync(elsewhere, "--json", "--actor", "alice", "clear", "approve", "wish.file", "--output", "approval.file");
        Assert.Equal((0, "server-7"), (signed.ExitCode, (string?)signed.Json["assets"]![0]));
        Assert.Equal(2, (await CommandRun.StartAsync(elsewhere, "--actor", "alice", "clear", "approve", "wish.file")).ExitCode);
        File.Copy(elsewhere.At("approval.file"), place.At("approval.file"));
        Assert.Equal(1, (await RunAsync("clear", "take", "wish.file")).ExitCode);
        CommandRun taken = await RunAsync("--json", "clear", "take", "approval.file");
        Assert.Equal((0, "alice"), (taken.ExitCode, (string?)taken.Json["signer"]));
        JsonNode listed = (await RunAsync("--json", "clear", "list")).Json["requests"]![0]!["approvals"]![0]!;
        Assert.Equal(("alice", (string?)taken.Json["entries"]![0]), ((string?)listed["approver"], (string?)listed["entry"]));
    }

    private Task<CommandRun> RunAsync(params string[] arguments) => CommandRun.StartAsync(place, arguments);

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(place.At(name), text, TestVault.Stop);
}
