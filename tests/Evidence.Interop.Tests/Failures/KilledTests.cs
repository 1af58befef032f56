using System.Globalization;
using System.Security.Cryptography;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Failures;

/// <summary>Runs that are killed leave files; the same command, run again, removes them, and nothing else.</summary>
public sealed class KilledTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    public KilledTests() => File.WriteAllBytes(evidence.PathOf("disk.img"), RandomNumberGenerator.GetBytes(300_000));

    /// <summary>
    /// Every file that is written whole is renamed into its place, so between any two renames there is everything that a run can leave. The kernel kills the
    /// run in the middle of a thread's nth.
    /// </summary>
    [Fact]
    public void An_acquisition_killed_at_any_rename_leaves_nothing_for_long()
    {
        Peer.Require("strace");
        bool ended = false;
        int number = 0;
        while (!ended)
        {
            Assert.True(++number < 100, "it never ended by itself");
            evidence.Vault = evidence.PathOf($"vault-{number}");
            evidence.Home = evidence.PathOf($"home-{number}");
            evidence.Cache = evidence.PathOf($"cache-{number}");
            ended = Killed("renameat2", number, "acquire", "disk.img", "--item", "killed").ExitCode == 0;
            evidence.Json("acquire", "disk.img", "--item", "killed").Succeeds();
            evidence.LeavesNothingBehind();
            string[] left =
            [
                .. Directory.EnumerateFileSystemEntries(evidence.Folder).Where(p => p.EndsWith(".tmp", StringComparison.Ordinal)),
                .. Directory.EnumerateFiles(evidence.Home, "*.tmp", SearchOption.AllDirectories),
                .. Directory.EnumerateFiles(evidence.Vault, "*.tmp", SearchOption.AllDirectories),
            ];
            Assert.True(left.Length == 0, string.Create(CultureInfo.InvariantCulture, $"rename {number} left {string.Join(", ", left)}"));
            evidence.Json("verify", "--no-record").Succeeds();
        }

        // Keys, drafts, tiles, checkpoints, packs, a manifest: there are many.
        Assert.True(number > 4, string.Create(CultureInfo.InvariantCulture, $"it was killed {number - 1} times only"));
    }

    [Fact]
    public void A_killed_export_leaves_a_part_that_the_next_one_removes()
    {
        Peer.Require("strace");
        evidence.Json("acquire", "disk.img", "--item", "disk").Succeeds();
        // The export's file is the only one that this command renames without its being recorded.
        Assert.NotEqual(0, Killed("renameat2", 1, "export", "disk", "--output", "out.img", "--no-record").ExitCode);
        Assert.Single(Parts());
        File.WriteAllText(evidence.PathOf("out.img.mine.part"), "mine");
        File.WriteAllText(evidence.PathOf("out2.img.01234567.part"), "another's");
        evidence.Json("export", "disk", "--output", "out.img").Succeeds();
        Assert.Equal(["out.img.mine.part", "out2.img.01234567.part"], Parts());
        Assert.Equal(File.ReadAllBytes(evidence.PathOf("disk.img")), File.ReadAllBytes(evidence.PathOf("out.img")));
    }

    [Fact]
    public void A_killed_verification_leaves_a_folder_that_the_next_one_removes()
    {
        File.WriteAllBytes(evidence.PathOf("large.img"), RandomNumberGenerator.GetBytes(64 << 20));
        evidence.Json("acquire", "large.img", "--no-verify", "--digest", "none").Succeeds();
        using (RunningProcess running = evidence.Start("--json", "verify", "--no-record"))
        {
            running.WaitUntil(() => Directory.EnumerateFiles(evidence.Temporary, "lock", SearchOption.AllDirectories).Any());
            running.Signal("KILL");
            running.Wait();
        }

        Assert.Single(Directory.GetDirectories(evidence.Temporary));
        evidence.Json("verify", "--no-record").Succeeds();
        evidence.LeavesNothingBehind();
    }

    public void Dispose() => evidence.Dispose();

    private string[] Parts() =>
        [.. Directory.GetFiles(evidence.Folder, "*.part").Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal)];

    private CommandResult Killed(string call, int number, params string[] arguments) => evidence.RunInShell(
        string.Create(CultureInfo.InvariantCulture, $"strace -f -qq -o /dev/null -e trace={call} -e inject={call}:signal=KILL:when={number} \"$@\""), ["--json", .. arguments]);
}
