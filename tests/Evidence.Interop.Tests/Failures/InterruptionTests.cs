using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Failures;

public sealed class InterruptionTests : IDisposable
{
    private const int Size = 160 << 20;

    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [Trait("Requirement", "OUT-6")]
    public void An_interrupted_run_says_so_and_the_next_one_works(string signal)
    {
        string disk = MakeDisk();
        using (RunningProcess running = evidence.Start("--json", "acquire", disk))
        {
            running.WaitUntil(IsWriting);
            running.Signal(signal);
            running.Wait().ImageFailsWith("interrupted", 130);
        }

        evidence.LeavesNothingBehind(interrupted: true);
        GoesOn(disk);
    }

    [Fact]
    [Trait("Requirement", "OUT-6")]
    public void A_killed_run_leaves_what_the_next_one_removes()
    {
        string disk = MakeDisk();
        using (RunningProcess running = evidence.Start("--json", "acquire", disk))
        {
            running.WaitUntil(() => Directory.Exists(Path.Combine(evidence.Vault, "packs")) && Packs().Length > 0);
            running.Signal("KILL");
            Assert.Equal(137, running.Wait().ExitCode);
        }

        Assert.NotEmpty(Directory.EnumerateDirectories(Path.Combine(evidence.Vault, "staging")));
        GoesOn(disk);
    }

    [Fact]
    [Trait("Requirement", "OUT-6")]
    public void A_run_killed_at_any_moment_harms_nothing()
    {
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(2 << 20));
        evidence.Json("init").Succeeds();
        for (int milliseconds = 100; milliseconds < 700; milliseconds += 75)
        {
            using RunningProcess running = evidence.Start("--json", "acquire", disk, "--item", $"at-{milliseconds}");
            Thread.Sleep(milliseconds);
            if (!running.HasExited)
                running.Signal("KILL");
            running.Wait();
            JsonElement report = evidence.Json("verify", "--no-record").Json;
            Assert.NotEqual("refuted", report.GetProperty("content").GetString()!, StringComparer.Ordinal);
        }

        evidence.Json("acquire", disk, "--item", "last").Succeeds();
        evidence.LeavesNothingBehind(interrupted: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Requirement", "OUT-6")]
    public void A_run_that_waits_for_a_silent_pipe_can_be_interrupted(bool named)
    {
        string source = "-";
        if (named)
        {
            Peer.Require("mkfifo");
            source = evidence.PathOf("pipe");
            Peer.Run("mkfifo", source);
        }

        evidence.Json("init").Succeeds();
        using RunningProcess running = evidence.Start("--json", "acquire", source);
        // What has no writer yet is waited for where it is opened; on standard input, once there is somewhere to put it.
        running.WaitUntil(() => named ? running.WaitsIn("wait_for_partner") : Directory.EnumerateDirectories(Path.Combine(evidence.Vault, "staging")).Any());
        running.Signal("INT");
        running.WaitWithOpenInput(TimeSpan.FromSeconds(10)).ImageFailsWith("interrupted", 130);
        evidence.VerifyAll();
    }

    [Fact]
    public void An_interrupted_export_leaves_no_file()
    {
        string disk = MakeDisk();
        evidence.Json("acquire", disk, "--item", "disk", "--no-verify", "--digest", "none").Succeeds();
        using RunningProcess running = evidence.Start("--json", "export", "disk", "--output", evidence.PathOf("export.img"));
        running.WaitUntil(() => Directory.EnumerateFiles(evidence.Folder, "export.img*").Any());
        running.Signal("INT");
        running.Wait().FailsWith("interrupted", 130);
        Assert.Empty(Directory.EnumerateFiles(evidence.Folder, "export.img*"));
    }

    [Fact]
    public void An_interrupted_verification_says_so()
    {
        string disk = MakeDisk();
        evidence.Json("acquire", disk, "--no-verify", "--digest", "none").Succeeds();
        using RunningProcess running = evidence.Start("--json", "verify", "--digests");
        running.WaitUntil(() => Directory.EnumerateFileSystemEntries(evidence.Temporary).Any());
        running.Signal("INT");
        running.Wait().FailsWith("interrupted", 130);
        evidence.LeavesNothingBehind();
    }

    public void Dispose() => evidence.Dispose();

    private void GoesOn(string disk)
    {
        JsonElement report = evidence.Json("verify", "--no-record").Succeeds().Json;
        Assert.Equal("verified", report.GetProperty("content").GetString());
        evidence.Json("acquire", disk, "--digest", "sha256").Succeeds();
        Assert.Equal("verified", evidence.Json("verify", "--no-record").Succeeds().Json.GetProperty("content").GetString());
        evidence.LeavesNothingBehind();
    }

    private bool IsWriting()
    {
        string staging = Path.Combine(evidence.Vault, "staging");
        return Directory.Exists(staging) && Directory.EnumerateFiles(staging, "*.pack", SearchOption.AllDirectories).Any();
    }

    private string[] Packs() => Directory.GetFiles(Path.Combine(evidence.Vault, "packs"), "*.pack", SearchOption.AllDirectories);

    private string MakeDisk()
    {
        string disk = evidence.PathOf("disk.img");
        using var file = new FileStream(disk, FileMode.CreateNew);
        byte[] part = RandomNumberGenerator.GetBytes(Size / 10);
        for (int n = 0; n < 10; n++)
        {
            // Other bytes in every part, at no cost.
            for (int at = n; at < part.Length; at += 4096)
                part[at] = unchecked((byte)(part[at] + 1));
            file.Write(part);
        }

        return disk;
    }
}
