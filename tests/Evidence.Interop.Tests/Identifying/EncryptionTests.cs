using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Identifying;

/// <summary>Disks that cryptsetup has encrypted, found without their keys.</summary>
[Trait("Requirement", "SRC-1")]
public sealed class EncryptionTests : IDisposable
{
    private const long MiB = 1 << 20;

    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData("luks1", 512)]
    [InlineData("luks2", 512)]
    [InlineData("luks2", 4096)]
    public void SRC_1_a_disk_that_is_encrypted_as_a_whole_is_told(string type, int sectorSize)
    {
        Assert.Equal([(type, 0)], Signs(Encrypted(type, sectorSize)));
        string text = evidence.Run("show", "disk.img").Text;
        Assert.Contains($"a sign of encryption at offset 0: {type}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void SRC_1_a_pipe_is_looked_at_too()
    {
        string disk = Encrypted("luks2", 512);
        JsonElement image = evidence.RunInShell($"\"$@\" < '{disk}'", "--json", "acquire", "-").Succeeds().Image();
        Assert.Equal([("luks2", 0)], SignsOf(image.GetProperty("image").GetString()!));
    }

    [Theory]
    [InlineData("gpt", 512)]
    [InlineData("gpt", 4096)]
    [InlineData("dos", 512)]
    [InlineData("dos", 4096)]
    public void SRC_1_encrypted_partitions_of_a_device_are_told(string label, int sectorSize)
    {
        LoopDevice.Require();
        Peer.Require("sfdisk");
        string encrypted = Encrypted("luks2", 512);
        using var loop = new LoopDevice(new byte[64 * MiB], "--sector-size", $"{sectorSize}");
        string logical = label == "dos" ? "start=30MiB, size=33MiB, type=extended\nstart=31MiB, size=20MiB\n" : "start=31MiB, size=20MiB\n";
        Script(loop, $"label: {label}\nstart=1MiB, size=20MiB\n{logical}");
        foreach (int at in (int[])[1, 31])
            Peer.Run("dd", "if=" + encrypted, "of=" + loop.BackingFile, "bs=1M", $"seek={at}", "conv=notrunc", "status=none");
        LoopDevice.Run("blockdev", "--flushbufs", loop.Node);
        Assert.Equal([("luks2", MiB), ("luks2", 31 * MiB)], Signs(loop.Node));
        // The same as a file, whose sector size nobody tells.
        Assert.Equal([("luks2", MiB), ("luks2", 31 * MiB)], Signs(loop.BackingFile));
    }

    [Fact]
    public void SRC_1_a_disk_that_is_not_encrypted_has_no_sign()
    {
        Peer.Require("mkfs.ext4");
        string disk = evidence.PathOf("plain.img");
        Peer.Run("truncate", "--size=16M", disk);
        Peer.Run("mkfs.ext4", "-q", disk);
        Assert.Empty(Signs(disk));
        Assert.DoesNotContain("encryption at", evidence.Run("show", "plain.img").Text, StringComparison.Ordinal);
    }

    public void Dispose() => evidence.Dispose();

    private string Encrypted(string type, int sectorSize)
    {
        Peer.Require("cryptsetup", "truncate");
        string disk = evidence.PathOf("disk.img"), key = evidence.PathOf("key");
        File.WriteAllText(key, "not a secret");
        Peer.Run("truncate", "--size=20M", disk);
        string[] size = type == "luks2" ? ["--sector-size", $"{sectorSize}"] : [];
        Peer.Run("cryptsetup", ["--batch-mode", "luksFormat", "--type", type, "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", .. size, disk, key]);
        return disk;
    }

    private void Script(LoopDevice loop, string script)
    {
        string path = evidence.PathOf("table.sfdisk");
        File.WriteAllText(path, script);
        LoopDevice.Run("sh", "-c", $"sfdisk --quiet --no-reread '{loop.Node}' < '{path}'");
    }

    private (string Scheme, long Offset)[] Signs(string source) =>
        SignsOf(evidence.Json("acquire", source, "--digest", "none").Succeeds().Image().GetProperty("image").GetString()!);

    private (string Scheme, long Offset)[] SignsOf(string image)
    {
        JsonElement source = evidence.Json("show", image).Succeeds().Json.GetProperty("manifest").GetProperty("source");
        Assert.False(source.TryGetProperty("encryptionNotLookedAt", out _));
        return
        [
            .. source.GetProperty("encryption").EnumerateArray().Select(sign =>
                (sign.GetProperty("scheme").GetString()!, long.Parse(sign.GetProperty("offset").GetString()!, System.Globalization.CultureInfo.InvariantCulture))),
        ];
    }
}
