using System.Security.Cryptography;
using Evidence.Interop.Tests.Crashes;
using Evidence.Interop.Tests.Harness;
using Evidence.Ledger;
using Evidence.Verification;
using Xunit;

namespace Evidence.Interop.Tests.Replicating;

/// <summary>
/// A replication that is killed, or fails, at any of its system calls leaves a sound older replica, and the same command goes on to what an unbroken one gives.
/// </summary>
/// <remarks>With EVIDENCE_LONG=1 at every call, killed and failing; else killed at every rename, and at a few of the other calls.</remarks>
public sealed class ReplicationCrashTests : IDisposable
{
    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    private readonly EvidenceCommand evidence = new();
    private readonly string replica;
    private readonly string[] command;

    public ReplicationCrashTests()
    {
        replica = evidence.PathOf("replica");
        command = ["--json", "replicate", "--to", replica];
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_replication_that_ends_anywhere_leaves_a_sound_replica_and_is_gone_on_with(bool isThereAlready)
    {
        Acquire("first");
        if (isThereAlready)
            evidence.Run(command).Succeeds();
        Keep("home");
        if (isThereAlready)
            Keep("replica");
        Acquire("second");
        File.WriteAllBytes(evidence.PathOf("letter"), RandomNumberGenerator.GetBytes(3000));
        evidence.Json("document", "add", evidence.PathOf("letter")).Succeeds();
        evidence.Json("note", "text").Succeeds();
        // What the vault's growth left beside the keys belongs to the beginning as well.
        Directory.Delete(evidence.PathOf("home.kept"), recursive: true);
        Keep("home");

        var calls = new List<SystemCall>();
        Begin(isThereAlready);
        SystemCallTracer.Run(evidence.StartInfo(command), evidence.Folder, _ => Fault.None, calls.Add).Succeeds();
        string[] whole = Files();
        SystemCall[] made = [.. calls.Where(IsCounted)];
        int killed = 0;
        foreach ((int number, Fault fault) in Chosen(made))
        {
            Begin(isThereAlready);
            int seen = 0;
            CommandResult ended = SystemCallTracer.Run(evidence.StartInfo(command), evidence.Folder, call => IsCounted(call) && seen++ == number ? fault : Fault.None);
            string what = $"{fault} at {number}, {made[number].Name} {made[number].Path}: {ended}";
            Assert.True(ended.ExitCode == (fault == Fault.Kill ? 137 : 1) || ended.ExitCode == 0, what);
            killed += ended.ExitCode == 137 ? 1 : 0;
            await IsSoundAsync(what);

            evidence.Run(command).Succeeds();
            Assert.True(whole.SequenceEqual(Files(), StringComparer.Ordinal), $"{what}\nis gone on with to other files.");
            Assert.Equal(Path.Combine(replica, "staging", "lock"), Assert.Single(Directory.GetFileSystemEntries(Path.Combine(replica, "staging"))));
        }

        // The record that the last one went on with says what is there.
        Assert.Equal(0, evidence.Json("replicate", "--to", replica, "--check").Succeeds().Json.GetProperty("differences").GetArrayLength());
        TestContext.Current.TestOutputHelper!.WriteLine($"{made.Length} calls, killed at {killed}.");
        Assert.True(killed > 5, $"killed only {killed} times");
    }

    public void Dispose() => evidence.Dispose();

    private static IEnumerable<(int Number, Fault Fault)> Chosen(SystemCall[] calls)
    {
        for (int number = 0; number < calls.Length; number++)
        {
            if (Long || calls[number].Name == "rename" || number % 40 == 0)
                yield return (number, Fault.Kill);
            if (Long || number % 40 == 20)
                yield return (number, number % 2 == 0 ? Fault.InputOutput : Fault.NoSpace);
        }
    }

    /// <summary>Calls that change the replica, or the sender's record of it.</summary>
    private static bool IsCounted(SystemCall call) =>
        call.IsWriteSide && (call.Path.StartsWith("replica/", StringComparison.Ordinal) || call.Path.EndsWith(".record", StringComparison.Ordinal));

    /// <summary>Whoever has the replica, and nothing else, finds it in order, up to one size or the other.</summary>
    private async Task IsSoundAsync(string what)
    {
        if (!File.Exists(Path.Combine(replica, "ledger", "checkpoint")))
            return;
        VerificationReport report = await VaultVerifier.VerifyAsync(replica, new VerificationOptions { Keys = new KeyStore(evidence.PathOf("custodian")) });
        Assert.True(report.Content == ContentVerdict.Verified, $"{what}\n{Slot.Describe(report)}");
    }

    private void Acquire(string item)
    {
        byte[] content = [.. RandomNumberGenerator.GetBytes(150_000), .. new byte[50_000]];
        File.WriteAllBytes(evidence.PathOf(item), content);
        evidence.Json("acquire", evidence.PathOf(item), "--item", item).Succeeds();
    }

    private void Keep(string name) => Copy(evidence.PathOf(name), evidence.PathOf(name + ".kept"));

    private void Begin(bool isThereAlready)
    {
        foreach (string folder in (string[])[replica, evidence.Home])
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }

        Copy(evidence.PathOf("home.kept"), evidence.Home);
        if (isThereAlready)
            Copy(evidence.PathOf("replica.kept"), replica);
    }

    /// <summary>The replica's files with what is in them; which replica it is, is random.</summary>
    private string[] Files() =>
    [
        .. Directory.EnumerateFiles(replica, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(replica, path))
            .Where(name => !name.StartsWith("staging/", StringComparison.Ordinal) && name != "replica.json").Order(StringComparer.Ordinal)
            .Select(name => $"{name} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(Path.Combine(replica, name))))}"),
    ];

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }
}
