using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Acquiring;

public sealed class SizeTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(513)]
    [InlineData(4095)]
    [InlineData(4097)]
    [InlineData(67_108_865)]
    [Trait("Requirement", "ACQ-3")]
    public void Digests_are_what_other_tools_say(int size)
    {
        string disk = evidence.PathOf("disk.img");
        byte[] content = RandomNumberGenerator.GetBytes(size);
        File.WriteAllBytes(disk, content);
        JsonElement image = evidence.Json("acquire", disk, "--digest", "md5,sha1,sha256,sha512").Succeeds().Image();
        Assert.Equal($"{size}", image.GetProperty("size").GetString());
        foreach (string algorithm in (string[])["md5", "sha1", "sha256", "sha512"])
            Assert.Equal(Peer.Sum(algorithm, disk), image.GetProperty("digests").GetProperty(algorithm).GetString());
        Assert.Equal("verified", evidence.Json("verify", "--digests").Succeeds().Json.GetProperty("content").GetString());
        string export = evidence.PathOf("export.img");
        evidence.Run("export", "disk.img", "--output", export).Succeeds();
        Peer.Compare(disk, export);
    }

    [Theory]
    [InlineData((1L << 32) - 1)]
    [InlineData(1L << 32)]
    [InlineData((1L << 32) + 1)]
    [Trait("Requirement", "ACQ-3")]
    public void Sizes_around_four_gibibytes_are_not_cut(long size)
    {
        Peer.Require("openssl");
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, size, (0, 5_000), (size - 3_001, 3_001));
        JsonElement image = evidence.Json("acquire", disk, "--digest", "sha256").Succeeds().Image();
        Assert.Equal($"{size}", image.GetProperty("size").GetString());
        Assert.EndsWith(
            image.GetProperty("digests").GetProperty("sha256").GetString()!, Peer.Run("openssl", "dgst", "-sha256", disk).Trim(), StringComparison.Ordinal);

        string tail = evidence.PathOf("tail.img");
        evidence.Run("export", "disk.img", "--output", tail, "--range", $"{size - 10_000}+10000").Succeeds();
        Peer.Require("cmp");
        Peer.Run("cmp", $"--ignore-initial={size - 10_000}:0", disk, tail);
        Assert.Equal(10_000, new FileInfo(tail).Length);
        evidence.Json("export", "disk.img", "--output", evidence.PathOf("beyond.img"), "--range", $"{size}+1").FailsWith("usage", 2);
    }

    public void Dispose() => evidence.Dispose();
}
