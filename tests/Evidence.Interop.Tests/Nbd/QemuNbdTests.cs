using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Nbd;

/// <summary>Virtual disks of every kind that qemu reads, through its server.</summary>
[Trait("Requirement", "ACQ-1")]
public sealed class QemuNbdTests : IDisposable
{
    private const int Size = 24 << 20;

    private static readonly string[] Formats = ["raw", "qcow2", "vmdk", "vhdx", "vdi"];

    private readonly EvidenceCommand evidence = new();
    private readonly List<NbdPeer> servers = [];

    [Fact]
    public void Virtual_disks_are_imaged_as_qemu_reads_them_with_their_holes()
    {
        Peer.Require("qemu-img", "qemu-nbd");
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, Size, (0, 1 << 20), ((7 << 20) + 4096, 65536), (Size - 512, 512));
        string[] addresses = [.. Formats.Select(format => Serve(disk, format))];

        // All five at once: each has a server of its own.
        JsonElement[] images = [.. evidence.Json(["acquire", .. addresses, .. Formats.SelectMany(f => new[] { "--item", f })])
            .Succeeds().Json.GetProperty("images").EnumerateArray()];
        Assert.Equal(Formats.Length, images.Length);
        foreach ((string format, JsonElement image) in Formats.Zip(images))
        {
            string raw = evidence.PathOf($"{format}.raw");
            Peer.Run("qemu-img", "convert", "-f", format, "-O", "raw", evidence.PathOf($"disk.{format}"), raw);
            Assert.Equal(Peer.Sum("sha256", raw), image.GetProperty("digests").GetProperty("sha256").GetString());
            Assert.Equal(Peer.Sum("md5", raw), image.GetProperty("digests").GetProperty("md5").GetString());
            // qemu knows of no holes in a VHDX, and so claims none.
            long holes = long.Parse(image.GetProperty("holeBytes").GetString()!, null);
            Assert.InRange(holes, format == "vhdx" ? 0 : 16 << 20, Size - (1 << 20) - 65536 - 512);
            string exported = evidence.PathOf($"{format}.export");
            evidence.Run("export", format, "--output", exported, "--quiet").Succeeds();
            Peer.Compare(raw, exported);
        }

        evidence.VerifyAll();
    }

    [Fact]
    public void A_claim_of_holes_can_be_read_instead()
    {
        Peer.Require("qemu-img", "qemu-nbd");
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, 4 << 20, (1 << 20, 4096));
        JsonElement image = evidence.Json("acquire", "--read-holes", Serve(disk, "qcow2")).Succeeds().Image();
        Assert.Equal("0", image.GetProperty("holeBytes").GetString());
        Assert.Equal(Peer.Sum("sha256", disk), image.GetProperty("digests").GetProperty("sha256").GetString());
        Assert.Equal("disk", image.GetProperty("item").GetString());
    }

    [Fact]
    public void An_export_that_is_not_there_is_told_with_those_that_are()
    {
        Peer.Require("qemu-img", "qemu-nbd");
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, 4096);
        string address = Serve(disk, "raw").Replace("/disk?", "/disc?", StringComparison.Ordinal);
        Assert.Contains("It exports: 'disk'.", evidence.Json("acquire", address).FailsWith("source-not-found"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(evidence.Vault));
    }

    public void Dispose()
    {
        servers.ForEach(server => server.Dispose());
        evidence.Dispose();
    }

    private string Serve(string disk, string format)
    {
        string file = evidence.PathOf($"disk.{format}");
        string socket = evidence.PathOf($"{format}.socket");
        Peer.Run("qemu-img", "convert", "-f", "raw", "-O", format, disk, file);
        servers.Add(NbdPeer.Start(socket, "qemu-nbd", "--read-only", "--persistent", "--format", format, "--socket", socket, "--export-name", "disk", file));
        return $"nbd+unix:///disk?socket={socket}";
    }
}
