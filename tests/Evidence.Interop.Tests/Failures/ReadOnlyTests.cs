using System.Security.Cryptography;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Failures;

public sealed class ReadOnlyTests : IDisposable
{
    private static readonly string[][] Readers =
        [["images"], ["log"], ["show", "disk"], ["verify", "--no-record"], ["export", "disk", "--output", "out.img", "--no-record"]];

    private readonly EvidenceCommand evidence = new();
    private readonly string disk;

    public ReadOnlyTests()
    {
        disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(300_000));
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_vault_on_a_read_only_file_system_can_be_read_and_says_why_it_cannot_be_written(bool knownToThisMachine)
    {
        Peer.RequireRoot("A read-only mount");
        if (!knownToThisMachine)
            evidence.Home = evidence.PathOf("stranger");
        using var bound = new Mount(evidence.PathOf("bound"), "--bind", evidence.Vault);
        Peer.Run("mount", "-o", "remount,bind,ro", bound.Folder);
        evidence.Vault = bound.Folder;
        foreach (string[] command in Readers)
            evidence.Json(command).Succeeds();
        CannotWrite(bound.Folder);
    }

    [Fact]
    public void A_vault_whose_folders_may_not_be_written_says_so()
    {
        evidence.BecomeNobody();
        foreach (string folder in (string[])[evidence.Vault, .. Directory.EnumerateDirectories(evidence.Vault, "*", SearchOption.AllDirectories)])
            File.SetUnixFileMode(folder, (UnixFileMode)0b101_101_101);
        File.SetUnixFileMode(Path.Combine(evidence.Vault, "staging", "lock"), (UnixFileMode)0b100_100_100);
        foreach (string[] command in Readers)
            evidence.Json(command).Succeeds();
        CannotWrite(evidence.Vault);
    }

    [Fact]
    public void A_vault_that_may_not_be_read_says_so()
    {
        evidence.BecomeNobody();
        string packs = Path.Combine(evidence.Vault, "packs");
        foreach (string path in (string[])[packs, Path.Combine(evidence.Vault, "vault.json"), evidence.Vault])
        {
            UnixFileMode mode = File.GetUnixFileMode(path);
            File.SetUnixFileMode(path, UnixFileMode.None);
            Assert.Contains(evidence.Vault, evidence.Json("export", "disk", "--output", "out.img").FailsWith("permission-denied"), StringComparison.Ordinal);
            Assert.Contains(evidence.Vault, evidence.Json("acquire", disk).ImageFailsWith("permission-denied"), StringComparison.Ordinal);
            File.SetUnixFileMode(path, mode);
        }
    }

    [Fact]
    public void Keys_that_may_not_be_written_hinder_no_reader()
    {
        evidence.BecomeNobody();
        foreach (string folder in (string[])[evidence.Home, .. Directory.EnumerateDirectories(evidence.Home, "*", SearchOption.AllDirectories)])
            File.SetUnixFileMode(folder, (UnixFileMode)0b101_101_101);
        foreach (string[] command in Readers)
            evidence.Json(command).Succeeds();
        evidence.Home = Path.Combine(evidence.Home, "none");
        foreach (string[] command in Readers)
            evidence.Json([.. command.Select(word => word == "out.img" ? "other.img" : word)]).Succeeds();
    }

    [Fact]
    public void A_cache_that_may_not_be_written_is_done_without()
    {
        evidence.BecomeNobody();
        Directory.CreateDirectory(evidence.Cache, UnixFileMode.None);
        evidence.Json("acquire", disk, "--item", "again").Succeeds();
        evidence.VerifyAll();
    }

    public void Dispose() => evidence.Dispose();

    private void CannotWrite(string folder)
    {
        File.WriteAllBytes(evidence.PathOf("new.img"), RandomNumberGenerator.GetBytes(300_000));
        string message = evidence.Json("acquire", "new.img").ImageFailsWith("permission-denied");
        Assert.Contains(folder, message, StringComparison.Ordinal);
    }
}
