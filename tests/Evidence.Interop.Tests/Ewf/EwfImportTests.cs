using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.FileSystems;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Ewf;

/// <summary>What ewfacquire makes comes in with the digests that it stored.</summary>
public sealed class EwfImportTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence = new();

    public EwfImportTests() => EwfPeer.Require();

    [Theory]
    [InlineData("encase6", "none")]
    [InlineData("encase6", "empty-block")]
    [InlineData("encase6", "fast")]
    [InlineData("encase6", "best")]
    [InlineData("encase7", "fast")]
    [InlineData("encase5", "best")]
    [InlineData("encase2", "fast")]
    [InlineData("ftk", "none")]
    [InlineData("ftk", "fast")]
    [InlineData("linen6", "fast")]
    [InlineData("ewf", "fast")]
    [InlineData("ewfx", "fast")]
    [InlineData("smart", "best")]
    public void Every_flavour_and_compression_comes_in_with_the_same_digests(string format, string compression)
    {
        string disk = MakeDisk();
        string first = EwfPeer.Acquire(disk, evidence.Folder, "image", "-f", format, "-c", $"deflate:{compression}", "-S", "1MiB", "-d", "sha1");
        JsonElement image = evidence.Json("acquire", first, "--item", "disk").Succeeds().Image();
        foreach (string algorithm in (string[])["md5", "sha1", "sha256"])
            Assert.Equal(Peer.Sum(algorithm, disk), image.GetProperty("digests").GetProperty(algorithm).GetString());
        JsonElement container = image.GetProperty("container");
        Assert.Equal("match", container.GetProperty("verdict").GetString());
        Assert.Empty(container.GetProperty("findings").EnumerateArray());
        Assert.Equal("2026-117", container.GetProperty("details").GetProperty("caseNumber").GetString());
        Assert.Equal("A. Turing", container.GetProperty("details").GetProperty("examiner").GetString());
        string export = evidence.PathOf("export.img");
        evidence.Json("export", "disk", "--output", export).Succeeds();
        Peer.Compare(disk, export);
        evidence.VerifyAll();
        Assert.Contains("\"digests\":\"match\"", evidence.Json("log", "--kind", "acquisition").Succeeds().Text.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-b", "16")]
    [InlineData("-b", "2048")]
    [InlineData("-P", "4096")]
    public void Other_chunks_and_sectors_come_in(string option, string value)
    {
        string disk = MakeDisk();
        string first = EwfPeer.Acquire(disk, evidence.Folder, "image", "-c", "deflate:fast", option, value);
        JsonElement image = evidence.Json("acquire", first).Succeeds().Image();
        Assert.Equal(Peer.Sum("md5", disk), image.GetProperty("digests").GetProperty("md5").GetString());
    }

    /// <summary>ewfacquire hashes 4097 bytes, and stores 4096 of them.</summary>
    [Theory]
    [InlineData("none")]
    [InlineData("fast")]
    public void What_ewfacquire_makes_of_4097_bytes_is_told_as_a_mismatch_and_kept(string compression)
    {
        string disk = evidence.PathOf("disk.img");
        byte[] content = [.. RandomNumberGenerator.GetBytes(97), .. new byte[4000]];
        File.WriteAllBytes(disk, content);
        string first = EwfPeer.Acquire(disk, evidence.Folder, "image", "-c", $"deflate:{compression}");
        CommandResult result = evidence.Json("acquire", first, "--item", "disk").Ends(3);
        JsonElement container = result.Image().GetProperty("container");
        Assert.Equal("mismatch", container.GetProperty("verdict").GetString());
        JsonElement md5 = Assert.Single(container.GetProperty("digests").EnumerateArray());
        Assert.Equal(Peer.Sum("md5", disk), md5.GetProperty("stored").GetString());
        Assert.Contains("1 bytes more", Assert.Single(container.GetProperty("findings").EnumerateArray()).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(md5.GetProperty("stored").GetString(), md5.GetProperty("computed").GetString(), StringComparer.Ordinal);
        Assert.Equal(content[..4096], evidence.Run("export", "disk", "--output", "-").Succeeds().Output);
        evidence.Json("verify", "disk").Ends(3);
    }

    [Fact]
    public void A_stored_digest_that_is_zeros_is_none_where_ewfverify_says_success()
    {
        string disk = MakeDisk();
        string first = EwfPeer.Acquire(disk, evidence.Folder, "image", "-f", "encase5", "-c", "deflate:fast");
        byte[] file = File.ReadAllBytes(first);
        int hash = file.AsSpan().LastIndexOf("hash\0"u8) + 76;
        file.AsSpan(hash, 36).Clear();
        // The Adler-32 of 32 zeros.
        new byte[] { 1, 0, 32, 0 }.CopyTo(file, hash + 32);
        File.WriteAllBytes(first, file);
        Assert.Contains("SUCCESS", Peer.Run("ewfverify", "-q", first), StringComparison.Ordinal);
        Assert.Equal("none", evidence.Json("acquire", first).Ends(4).Image().GetProperty("container").GetProperty("verdict").GetString());
    }

    [Fact]
    public void A_broken_table2_which_ewfverify_passes_over_is_found()
    {
        string disk = MakeDisk();
        string first = EwfPeer.Acquire(disk, evidence.Folder, "image", "-c", "deflate:fast");
        byte[] file = File.ReadAllBytes(first);
        int entry = file.AsSpan().IndexOf("table2\0"u8) + 76 + 24 + 8;
        file[entry] ^= 4;
        File.WriteAllBytes(first, file);
        Assert.Contains("SUCCESS", Peer.Run("ewfverify", "-q", first), StringComparison.Ordinal);
        JsonElement finding = Assert.Single(evidence.Json("acquire", first).Succeeds().Image().GetProperty("container").GetProperty("findings").EnumerateArray());
        Assert.Equal("checksum", finding.GetProperty("what").GetString());
        Assert.Equal($"{entry - 8}", finding.GetProperty("offset").GetString());
    }

    [Fact]
    public void A_missing_segment_is_named()
    {
        string disk = MakeDisk();
        string first = EwfPeer.Acquire(disk, evidence.Folder, "image", "-c", "deflate:none", "-S", "1MiB");
        File.Delete(Path.ChangeExtension(first, ".E03"));
        Assert.Contains("image.E03", evidence.Json("acquire", first).ImageFailsWith("source-unsupported"), StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Requirement", "ACQ-2")]
    public void The_files_of_an_E01_stay_as_they_are()
    {
        string disk = MakeDisk();
        string first = EwfPeer.Acquire(disk, evidence.Folder, "image", "-c", "deflate:fast", "-S", "1MiB");
        string[] files = [.. Directory.GetFiles(evidence.Folder, "image.E??")];
        string[] before = [.. files.Select(f => $"{Peer.Sum("sha256", f)} {File.GetLastWriteTimeUtc(f):O}")];
        evidence.Json("acquire", first).Succeeds();
        Assert.Equal(before, files.Select(f => $"{Peer.Sum("sha256", f)} {File.GetLastWriteTimeUtc(f):O}"), StringComparer.Ordinal);
    }

    public void Dispose() => evidence.Dispose();

    /// <summary>Something of every kind, in whole sectors of 4096 bytes.</summary>
    private string MakeDisk()
    {
        string disk = FileSystemImage.Make("vfat", evidence.Folder);
        using var file = new FileStream(disk, FileMode.Open);
        file.Position = 8 * MiB;
        file.Write(RandomNumberGenerator.GetBytes(2 * MiB));
        return disk;
    }
}
