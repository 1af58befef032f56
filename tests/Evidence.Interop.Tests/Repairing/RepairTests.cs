using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Reader;
using Xunit;

namespace Evidence.Interop.Tests.Repairing;

/// <summary>The command, on vaults with real damage, and really killed.</summary>
public sealed class RepairTests : IDisposable
{
    private const int Size = 24 << 20;

    private readonly EvidenceCommand evidence = new();
    private readonly byte[] content = new byte[Size];

    public RepairTests()
    {
        RandomNumberGenerator.Fill(content.AsSpan(0, Size / 2));
        content.AsSpan(Size / 2, Size / 4).Fill(0x41);
        RandomNumberGenerator.Fill(content.AsSpan(Size * 7 / 8));
        File.WriteAllBytes(evidence.PathOf("disk.img"), content);
        evidence.Json("acquire", "disk.img", "--item", "disk").Succeeds();
    }

    [Fact]
    public void A_damaged_pack_is_mended_from_an_export_and_recorded()
    {
        evidence.Json("export", "disk", "--output", "export.img").Succeeds();
        string pack = Damage();
        evidence.Json("verify", "--no-record").Ends(3);

        JsonElement alone = evidence.Json("repair").Ends(4).Json;
        Assert.Equal("0", alone.GetProperty("repairedCount").GetString());
        Assert.NotEqual("0", alone.GetProperty("missingCount").GetString(), StringComparer.Ordinal);
        Assert.Contains("evidence repair", evidence.Run("verify", "--no-record").Ends(3).Text, StringComparison.Ordinal);

        JsonElement would = evidence.Json("repair", "--dry-run", "--from", "export.img").Succeeds().Json;
        Assert.Equal(JsonValueKind.Null, would.GetProperty("entry").ValueKind);
        JsonElement did = evidence.Json("repair", "--from", "export.img", "disk").Succeeds().Json;
        Assert.Equal(would.GetProperty("repairedCount").GetString(), did.GetProperty("repairedCount").GetString());
        Assert.Equal(0, did.GetProperty("missing").GetArrayLength());
        Assert.NotNull(did.GetProperty("entry").GetString());
        Whole();
        Assert.True(File.Exists(Path.Combine(evidence.Vault, "damaged", Path.GetFileName(pack))));
        Assert.Contains("Nothing to repair", evidence.Run("repair").Succeeds().Text, StringComparison.Ordinal);
        Assert.Contains("repaired disk", evidence.Run("log").Succeeds().Text, StringComparison.Ordinal);
        evidence.LeavesNothingBehind();
    }

    [Fact]
    public void A_split_export_and_another_vault_serve_too()
    {
        Peer.Require("split");
        Peer.Run("split", "--bytes", "5M", "--numeric-suffixes=1", "--suffix-length=3", evidence.PathOf("disk.img"), evidence.PathOf("part."));
        Peer.Run("cp", "--archive", evidence.Vault, evidence.PathOf("copy"));
        File.Delete(evidence.PathOf("disk.img"));
        Damage();
        evidence.Json("repair", "--from", "part.001").Succeeds();
        Whole();
        foreach (string name in (string[])["packs", "images"])
            Directory.Delete(Path.Combine(evidence.Vault, name), recursive: true);
        JsonElement all = evidence.Json("repair", "--from", "copy").Succeeds().Json;
        Assert.Equal(1, all.GetProperty("manifests").GetArrayLength());
        Whole();
    }

    [Fact]
    public void The_independent_reader_takes_what_was_repaired()
    {
        ReaderVault.Require();
        Peer.Run("cp", "--archive", evidence.Vault, evidence.PathOf("copy"));
        Damage();
        Assert.Equal(3, ReaderVault.Read(evidence.Vault, "check", "--no-checksums").ExitCode);
        evidence.Json("repair", "--from", "copy").Succeeds();
        (int exitCode, string output, _) = ReaderVault.Read(evidence.Vault, "check", "--no-checksums");
        Assert.Equal(0, exitCode);
        Assert.Contains("damaged, set aside by a repair, and not used", output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_serve_is_told()
    {
        Directory.CreateDirectory(evidence.PathOf("empty"));
        Assert.Contains("empty", evidence.Json("repair", "--from", "empty").FailsWith("vault-invalid"), StringComparison.Ordinal);
        Assert.Contains("nowhere", evidence.Json("repair", "--from", "nowhere").FailsWith("source-not-found"), StringComparison.Ordinal);
        evidence.Json("repair", "--from", evidence.Vault).FailsWith("usage", 2);
        evidence.Json("repair", "unheard-of").FailsWith("image-not-found");
    }

    [Fact]
    public void A_repair_that_is_killed_at_any_moment_is_finished_by_the_next()
    {
        Peer.Run("cp", "--archive", evidence.Vault, evidence.PathOf("copy"));
        for (int step = 0; step < 8; step++)
        {
            Damage();
            using (RunningProcess running = evidence.Start("--json", "repair", "--from", "copy"))
            {
                // Spread over the run by what it has done so far, and not by the clock: until staging, until packs, until the move.
                int before = Packs().Length;
                int asideBefore = Aside();
                running.WaitUntil(() => step switch
                {
                    0 => true,
                    1 or 2 => Directory.EnumerateDirectories(Path.Combine(evidence.Vault, "staging"), "w-*").Any(),
                    3 or 4 => Directory.EnumerateFiles(Path.Combine(evidence.Vault, "staging"), "*.pack", SearchOption.AllDirectories).Any(),
                    5 or 6 => Packs().Length > before,
                    _ => Aside() > asideBefore,
                });
                if (!running.HasExited)
                    running.Signal("KILL");
                running.Wait();
            }

            evidence.Json("repair", "--from", "copy").Succeeds();
            Whole();
            evidence.LeavesNothingBehind();
        }
    }

    public void Dispose() => evidence.Dispose();

    private string[] Packs() => Directory.GetFiles(Path.Combine(evidence.Vault, "packs"), "*.pack", SearchOption.AllDirectories);

    private int Aside() =>
        Directory.Exists(Path.Combine(evidence.Vault, "damaged")) ? Directory.EnumerateFiles(Path.Combine(evidence.Vault, "damaged"), "*.pack").Count() : 0;

    /// <summary>Changes the first stored byte of a record in the largest pack.</summary>
    private string Damage()
    {
        string pack = Packs().MaxBy(p => new FileInfo(p).Length)!;
        File.SetUnixFileMode(pack, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        using var file = new FileStream(pack, FileMode.Open, FileAccess.ReadWrite);
        file.Position = 64 + 64 + 100;
        int value = file.ReadByte();
        file.Position--;
        file.WriteByte((byte)(value ^ 0x10));
        return pack;
    }

    private void Whole()
    {
        JsonElement report = evidence.Json("verify", "--no-record", "--digests").Succeeds().Json;
        Assert.Equal("verified", report.GetProperty("content").GetString());
        string output = evidence.PathOf($"out-{Guid.NewGuid():n}.img");
        evidence.Json("export", "disk", "--output", output, "--no-record").Succeeds();
        Assert.Equal(content, File.ReadAllBytes(output));
        File.Delete(output);
    }
}
