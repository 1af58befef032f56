using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Failures;

[Trait("Requirement", "ACQ-6")]
public sealed class FullDiskTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence = new();
    private readonly string disk;

    public FullDiskTests()
    {
        disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(6 * MiB));
    }

    [Theory]
    // Room for nothing, for the vault alone, for half the content, for all but the last pages.
    [InlineData(16 << 10)]
    [InlineData(256 << 10)]
    [InlineData(3 * MiB)]
    [InlineData((6 * MiB) + (32 << 10))]
    public void A_full_disk_loses_nothing_and_the_same_command_goes_on_later(long room)
    {
        using var small = Mount.InMemory(evidence.PathOf("small"), room);
        evidence.Vault = Path.Combine(small.Folder, "vault");
        string message = evidence.Json("acquire", disk).ImageFailsWith("disk-full");
        Assert.Contains(small.Folder, message, StringComparison.Ordinal);
        Assert.Contains("make room", message, StringComparison.Ordinal);
        if (Directory.Exists(evidence.Vault))
        {
            Assert.NotEqual("refuted", evidence.Json("verify", "--no-record").Json.GetProperty("content").GetString()!, StringComparer.Ordinal);
            Assert.Empty(evidence.Json("images").Succeeds().Json.GetProperty("images").EnumerateArray());
        }

        small.Resize(32 * MiB);
        evidence.Json("acquire", disk, "--item", "again").Succeeds();
        Assert.NotEqual("refuted", evidence.Json("verify", "--no-record").Json.GetProperty("content").GetString()!, StringComparer.Ordinal);
        evidence.Json("export", "again", "--output", "export.img").Succeeds();
        Peer.Compare(disk, evidence.PathOf("export.img"));
        evidence.LeavesNothingBehind();
    }

    [Fact]
    public void However_little_room_is_missing_the_vault_stays_good()
    {
        evidence.Json("init").Succeeds();
        string vault = evidence.Vault;
        string home = evidence.Home;
        using var small = Mount.InMemory(evidence.PathOf("small"), 32 * MiB);
        evidence.Vault = Path.Combine(small.Folder, "vault");
        bool done = false;
        for (int room = (6 * MiB) + (64 << 10); !done; room += 12 << 10)
        {
            // What was seen of a ledger goes with it: a ledger set back is refused.
            evidence.Home = evidence.PathOf($"home-{room}");
            Peer.Run("cp", "--archive", home, evidence.Home);
            Peer.Run("cp", "--archive", vault, evidence.Vault);
            // The copy is the vault from now on, as the command's own message says how.
            foreach (string place in Directory.GetFiles(evidence.Home, "place", SearchOption.AllDirectories))
                File.Delete(place);
            small.Resize(room);
            CommandResult result = evidence.Json("acquire", disk, "--no-verify", "--digest", "none");
            // Where all but the ledger's last files had room, the entry is signed and waits: that is no failure, and no image yet.
            bool waits = result.ExitCode == 0 && result.Image().GetProperty("entry").ValueKind == JsonValueKind.Null;
            done = result.ExitCode == 0 && !waits;
            if (result.ExitCode != 0)
                result.ImageFailsWith("disk-full");
            Assert.NotEqual("refuted", evidence.Json("verify", "--no-record").Json.GetProperty("content").GetString()!, StringComparer.Ordinal);

            small.Resize(32 * MiB);
            // The same command goes on, however far it had come; of a run that had only its ledger entry left there is one image, not two.
            if (waits)
                evidence.Json("note", "There is room again").Succeeds();
            else if (!done)
                evidence.Json("acquire", disk, "--no-verify", "--digest", "none").Succeeds();
            Assert.Equal(1, evidence.Json("images").Json.GetProperty("images").GetArrayLength());
            Assert.NotEqual("refuted", evidence.Json("verify", "--no-record").Json.GetProperty("content").GetString()!, StringComparer.Ordinal);
            evidence.LeavesNothingBehind();
            Directory.Delete(evidence.Vault, recursive: true);
        }
    }

    [Theory]
    [InlineData(5 * MiB, true)]
    [InlineData(32 * MiB, false)]
    public void ACQ_6_what_may_not_fit_is_said_before_and_tried_all_the_same(long room, bool isSaid)
    {
        using var small = Mount.InMemory(evidence.PathOf("small"), room);
        evidence.Vault = Path.Combine(small.Folder, "vault");
        // It compresses to nearly nothing, and nobody can know that before.
        File.WriteAllText(disk, string.Concat(Enumerable.Repeat("the same line again and again\n", 200_000)));
        CommandResult result = evidence.Json("acquire", disk).Succeeds();
        JsonElement space = result.Json.GetProperty("space");
        Assert.InRange(long.Parse(space.GetProperty("free").GetString()!, CultureInfo.InvariantCulture), 1, room);
        Assert.InRange(long.Parse(space.GetProperty("atMost").GetString()!, CultureInfo.InvariantCulture), 6_000_000, 8_000_000);
        Assert.Equal(isSaid, result.Errors.Contains("may take up to", StringComparison.Ordinal));
    }

    [Fact]
    public void A_full_disk_leaves_no_half_export()
    {
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        using var small = Mount.InMemory(evidence.PathOf("small"), 2 * MiB);
        string message = evidence.Json("export", "disk", "--output", Path.Combine(small.Folder, "export.img")).FailsWith("disk-full");
        Assert.Contains(small.Folder, message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(small.Folder));
        Assert.Empty(evidence.Json("log", "--kind", "export").Json.GetProperty("entries").EnumerateArray());
    }

    [Fact]
    public void A_full_place_for_keys_or_cache_is_told_or_done_without()
    {
        using var small = Mount.InMemory(evidence.PathOf("small"), 4096);
        File.WriteAllBytes(Path.Combine(small.Folder, "filler"), new byte[4096]);
        evidence.Cache = small.Folder;
        evidence.Json("acquire", disk, "--item", "without-cache").Succeeds();
        evidence.VerifyAll();
        evidence.Home = Path.Combine(small.Folder, "home");
        evidence.Vault = evidence.PathOf("other");
        Assert.Contains(small.Folder, evidence.Json("acquire", disk).ImageFailsWith("disk-full"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(evidence.Vault));
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(evidence.Folder), path => path.Contains("other.", StringComparison.Ordinal));
    }

    public void Dispose() => evidence.Dispose();
}
