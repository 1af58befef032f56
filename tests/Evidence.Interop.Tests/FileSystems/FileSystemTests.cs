using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.FileSystems;

public sealed class FileSystemTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    [InlineData("ntfs")]
    [InlineData("vfat")]
    [Trait("Requirement", "ACQ-1")]
    public void A_file_system_comes_back_bit_for_bit(string kind)
    {
        string image = FileSystemImage.Make(kind, evidence.Folder);
        string before = Peer.Sum("sha256", image);
        JsonElement acquired = evidence.Json("acquire", image, "--item", "server-7", "--case", "2026-117", "--examiner", "A. Turing").Succeeds().Image();
        foreach (string algorithm in (string[])["md5", "sha1", "sha256"])
            Assert.Equal(Peer.Sum(algorithm, image), acquired.GetProperty("digests").GetProperty(algorithm).GetString());
        Assert.Equal(before, Peer.Sum("sha256", image));
        Assert.True(acquired.GetProperty("verified").GetBoolean());
        evidence.VerifyAll();

        string export = evidence.PathOf("export.img");
        JsonElement exported = evidence.Json("export", "server-7", "--output", export).Succeeds().Json;
        Assert.True(exported.GetProperty("matches").GetBoolean());
        Assert.Equal(before, exported.GetProperty("sha256").GetString());
        Peer.Compare(image, export);
        PeersAgree(kind, image, export);
        evidence.LeavesNothingBehind();
    }

    public void Dispose() => evidence.Dispose();

    private static void PeersAgree(string kind, string image, string export)
    {
        Peer.Require("qemu-img", "fls", "fiwalk");
        Assert.Contains("Images are identical", Peer.Run("qemu-img", "compare", "-f", "raw", "-F", "raw", image, export), StringComparison.Ordinal);
        if (kind == "ext4")
        {
            Peer.Require("e2fsck");
            Peer.Run("e2fsck", "-f", "-n", export);
        }

        // The Sleuth Kit of Debian 12 knows no XFS; its own tools do.
        if (kind == "xfs")
        {
            Peer.Require("xfs_repair");
            Peer.Run("xfs_repair", "-n", export);
            return;
        }

        string listing = Peer.Run("fls", "-r", "-p", export);
        Assert.Equal(Peer.Run("fls", "-r", "-p", image), listing);
        Assert.Equal(Files(image), Files(export));
        Assert.All(FileSystemImage.Names, name => Assert.Contains(Path.GetFileName(name), listing, StringComparison.Ordinal));
    }

    /// <summary>Every file with its name, size and hashes, without what names the image and the moment.</summary>
    private static string[] Files(string image) =>
        [.. Peer.Run("fiwalk", "-M", "-1", image).Split('\n').Where(line =>
            line.Contains("<filename>", StringComparison.Ordinal) || line.Contains("<filesize>", StringComparison.Ordinal) || line.Contains("<hashdigest", StringComparison.Ordinal))];
}
