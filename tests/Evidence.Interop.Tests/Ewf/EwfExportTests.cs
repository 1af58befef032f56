using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.FileSystems;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Ewf;

/// <summary>Every E01 that is written is held against libewf's tools and The Sleuth Kit.</summary>
public sealed class EwfExportTests : IDisposable
{
    private const int MiB = 1 << 20;
    private const long GiB = 1L << 30;

    private static readonly bool Long = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    private readonly EvidenceCommand evidence = new();

    public EwfExportTests() => EwfPeer.Require();

    [Theory]
    [InlineData("ext4", "1MiB", "fast")]
    [InlineData("ext4", "1GiB", "none")]
    [InlineData("ntfs", "1500001", "best")]
    [InlineData("ntfs", "1MiB", "none")]
    [InlineData("xfs", "7MiB", "fast")]
    [InlineData("vfat", "2MiB", "best")]
    [Trait("Requirement", "OUT-2")]
    [Trait("Requirement", "OUT-3")]
    public void A_file_system_is_read_by_the_fields_tools(string kind, string split, string compression)
    {
        string disk = FileSystemImage.Make(kind, evidence.Folder);
        string first = ExportOf(disk, split, compression);
        Peer.Compare(disk, EwfPeer.Export(first, evidence.Folder));
        SleuthKitAgrees(disk, first, listed: kind != "xfs");
    }

    [Fact]
    public void A_disk_with_partitions_is_read_by_the_fields_tools()
    {
        Peer.Require("sfdisk", "dd", "mmls", "fls");
        string part = FileSystemImage.Make("ext4", evidence.Folder);
        string disk = evidence.PathOf("disk.img");
        FileSystemImage.Truncate(disk, 64 * MiB);
        File.WriteAllText(evidence.PathOf("layout"), $"label: gpt\nstart=2048, size={48 * MiB / 512}\nstart=100353, size=20000\n");
        Peer.Run("sh", "-c", $"sfdisk --quiet '{disk}' < '{evidence.PathOf("layout")}'");
        Peer.Run("dd", $"if={part}", $"of={disk}", "bs=512", "seek=2048", "conv=notrunc,sparse", "status=none");
        string first = ExportOf(disk, "3MiB", "fast");
        Peer.Compare(disk, EwfPeer.Export(first, evidence.Folder));
        Assert.Equal(Peer.Run("mmls", disk), Peer.Run("mmls", first));
        Assert.Equal(Peer.Run("fls", "-r", "-p", "-o", "2048", disk), Peer.Run("fls", "-r", "-p", "-o", "2048", first));
    }

    [Fact]
    [Trait("Requirement", "OUT-2")]
    public void More_than_a_hundred_segments_have_the_names_that_the_field_gives_them()
    {
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(103 * MiB));
        string first = ExportOf(disk, "1MiB", "none");
        string[] names = [.. Directory.EnumerateFiles(evidence.Folder, "disk.E??").Concat(Directory.EnumerateFiles(evidence.Folder, "disk.EA?")).Select(n => Path.GetExtension(n)!).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        Assert.Equal([.. Enumerable.Range(1, 99).Select(n => $".E{n:00}"), ".EAA", ".EAB", ".EAC", ".EAD", ".EAE", ".EAF", ".EAG"], names.Take(106), StringComparer.Ordinal);
        Peer.Compare(disk, EwfPeer.Export(first, evidence.Folder));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(4097)]
    [InlineData(32768)]
    [InlineData(32769)]
    [InlineData((2 * MiB) + 1)]
    public void A_size_that_is_no_whole_number_of_sectors_is_filled_up_and_said_so(int size)
    {
        byte[] content = RandomNumberGenerator.GetBytes(size);
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, content);
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        string first = evidence.PathOf("disk.E01");
        JsonElement exported = evidence.Json("export", "disk", "--format", "e01", "--output", first).Succeeds().Json;
        byte[] media = new byte[(size + 511) / 512 * 512];
        content.CopyTo(media, 0);
        Assert.Equal(media.Length - size, exported.GetProperty("padding").GetInt32());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), exported.GetProperty("sha256").GetString());
        string filled = evidence.PathOf("filled.img");
        File.WriteAllBytes(filled, media);
        EwfPeer.Verify(first, Peer.Sum("md5", filled), Peer.Sum("sha1", filled));
        Assert.Equal(media, File.ReadAllBytes(EwfPeer.Export(first, evidence.Folder)));
    }

    [Fact]
    public void Case_data_and_sector_size_are_what_ewfinfo_shows()
    {
        LoopDevice.Require();
        using var loop = new LoopDevice(RandomNumberGenerator.GetBytes(3 * MiB), "--sector-size", "4096");
        evidence.Json("acquire", loop.Node, "--item", "sérver-7", "--case", "2026-117", "--examiner", "A. Turing").Succeeds();
        string first = evidence.PathOf("server.E01");
        evidence.Json("export", "sérver-7", "--format", "ewf", "--output", first).Succeeds();
        string info = EwfPeer.Info(first);
        foreach (string line in (string[])["Case number:\t\t2026-117", "Evidence number:\tsérver-7", "Examiner name:\t\tA. Turing", "File format:\t\tEnCase 6", "Bytes per sector:\t4096", "Number of sectors:\t768", "Is physical:\t\tyes"])
            Assert.Contains(line, info, StringComparison.Ordinal);
        Peer.Compare(loop.BackingFile, EwfPeer.Export(first, evidence.Folder));
    }

    [Fact]
    public void What_was_not_read_is_a_bad_sector_there()
    {
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(4 * MiB));
        // Lines of a ddrescue mapfile: what was refused, and what was not tried.
        File.WriteAllText(evidence.PathOf("map"), "0x0 + 1\n0x0 0x100000 +\n0x100000 0x1000 -\n0x101000 0x1FF000 +\n0x300000 0x80000 ?\n0x380000 0x80000 +\n");
        evidence.Json("acquire", disk, "--item", "disk", "--mapfile", evidence.PathOf("map")).Ends(4);
        string first = evidence.PathOf("disk.E01");
        JsonElement exported = evidence.Json("export", "disk", "--format", "e01", "--output", first).Ends(4).Json;
        Assert.Equal($"{0x81000}", exported.GetProperty("absentBytes").GetString());
        string info = EwfPeer.Info(first);
        Assert.Contains("at sector(s): 2048 - 2055 number: 8", info, StringComparison.Ordinal);
        Assert.Contains("at sector(s): 6144 - 7167 number: 1024", info, StringComparison.Ordinal);
        EwfPeer.Verify(first, exported.GetProperty("md5").GetString()!, exported.GetProperty("sha1").GetString()!);
    }

    [Fact]
    public void The_same_image_gives_the_same_bytes_again()
    {
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(3 * MiB));
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        string one = Directory.CreateDirectory(evidence.PathOf("one")).FullName;
        string two = Directory.CreateDirectory(evidence.PathOf("two")).FullName;
        foreach (string folder in (string[])[one, two])
            evidence.Json("export", "disk", "--format", "e01", "--split", "1MiB", "--output", Path.Combine(folder, "disk.E01")).Succeeds();
        Peer.Require("diff");
        Peer.Run("diff", "-r", one, two);
        Assert.Equal(4, Directory.GetFiles(one).Length);
    }

    [Theory]
    [InlineData("disk.E01")]
    [InlineData("disk.E07")]
    [InlineData("disk.E99")]
    public void Files_that_would_be_taken_for_parts_are_not_mixed_with(string there)
    {
        string disk = MakeSmall();
        File.WriteAllText(evidence.PathOf(there), "precious");
        string message = evidence.Json("export", disk, "--format", "e01", "--output", evidence.PathOf("disk.E01")).FailsWith("destination-invalid");
        Assert.Contains(there, message, StringComparison.Ordinal);
        Assert.Equal("precious", File.ReadAllText(evidence.PathOf(there)));
        Assert.Equal([there], Directory.EnumerateFileSystemEntries(evidence.Folder, "disk.*").Select(Path.GetFileName).Where(n => n != "disk.img"), StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("disk.e02", "1MiB")]
    [InlineData("disk", "1MiB")]
    [InlineData("disk.s01", "1MiB")]
    [InlineData("-", "1MiB")]
    [InlineData("disk.E01", "1048575")]
    [InlineData("disk.E01", "x")]
    [InlineData("disk.E01", "0")]
    public void What_cannot_be_written_is_a_mistake_of_usage(string output, string split)
    {
        string disk = MakeSmall();
        evidence.Json("export", disk, "--format", "e01", "--output", output == "-" ? output : evidence.PathOf(output), "--split", split).FailsWith("usage", 2);
        Assert.Equal(["disk.img"], Directory.EnumerateFileSystemEntries(evidence.Folder, "disk*").Select(Path.GetFileName), StringComparer.Ordinal);
    }

    [Fact]
    public void A_mount_shows_the_image()
    {
        Peer.Require("ewfmount", "fusermount3");
        if (!File.Exists("/dev/fuse"))
            Peer.Lacking("There is no /dev/fuse here.");
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(5 * MiB));
        string first = ExportOf(disk, "1MiB", "fast");
        string folder = Directory.CreateDirectory(evidence.PathOf("mounted")).FullName;
        Peer.Run("ewfmount", first, folder);
        try
        {
            Peer.Compare(disk, Path.Combine(folder, "ewf1"));
        }
        finally
        {
            Peer.Run("fusermount3", "-u", folder);
        }
    }

    /// <summary>A source past 4 GiB, in a segment file past 2 GiB, with a table group that its offsets end. With EVIDENCE_LONG=1.</summary>
    [Theory]
    [InlineData("512", "fast")]
    [InlineData("4096", "none")]
    public void A_large_disk_in_one_segment_is_read_by_the_fields_tools(string sectorSize, string compression)
    {
        if (!Long)
            Assert.Skip("Only with EVIDENCE_LONG=1: it writes some gigabytes.");
        LoopDevice.Require();
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, 5 * GiB, (0, MiB), ((2 * GiB) - 4096, 3 * MiB), ((4 * GiB) - 4096, 2 * MiB), ((5 * GiB) - MiB, MiB));
        string node = Peer.Run("losetup", "--find", "--show", "--read-only", "--sector-size", sectorSize, disk).Trim();
        try
        {
            evidence.Json("acquire", node, "--item", "disk").Succeeds();
            string first = evidence.PathOf("disk.E01");
            JsonElement exported = evidence.Json("export", "disk", "--format", "e01", "--split", "64GiB", "--compression", compression, "--output", first).Succeeds().Json;
            Assert.Single(exported.GetProperty("files").EnumerateArray());
            EwfPeer.Verify(first, Peer.Sum("md5", disk), Peer.Sum("sha1", disk));
        }
        finally
        {
            Peer.Run("losetup", "--detach", node);
        }
    }

    public void Dispose() => evidence.Dispose();

    private string MakeSmall()
    {
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(5000));
        evidence.Json("acquire", disk, "--item", "small").Succeeds();
        return "small";
    }

    /// <summary>Acquires a file, exports it, and has libewf verify the result; returns the first segment.</summary>
    private string ExportOf(string disk, string split, string compression)
    {
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        string first = evidence.PathOf("disk.E01");
        JsonElement exported = evidence.Json("export", "disk", "--format", "e01", "--split", split, "--compression", compression, "--output", first).Succeeds().Json;
        Assert.True(exported.GetProperty("matches").GetBoolean());
        EwfPeer.Verify(first, Peer.Sum("md5", disk), Peer.Sum("sha1", disk));
        long most = split.EndsWith("GiB", StringComparison.Ordinal) ? GiB : split.EndsWith("MiB", StringComparison.Ordinal) ? long.Parse(split[..^3], null) * MiB : long.Parse(split, null);
        Assert.All(exported.GetProperty("files").EnumerateArray(), file => Assert.InRange(new FileInfo(file.GetString()!).Length, 1, most));
        Assert.Equal(exported.GetProperty("storedBytes").GetString(), $"{exported.GetProperty("files").EnumerateArray().Sum(f => new FileInfo(f.GetString()!).Length)}");
        Assert.Empty(Directory.EnumerateFileSystemEntries(evidence.Folder, "*.tmp"));
        return first;
    }

    private static void SleuthKitAgrees(string disk, string first, bool listed)
    {
        Peer.Require("img_stat", "fls");
        Assert.Contains($"{new FileInfo(disk).Length}", Peer.Run("img_stat", first), StringComparison.Ordinal);
        if (listed)
            Assert.Equal(Peer.Run("fls", "-r", "-p", disk), Peer.Run("fls", "-r", "-p", first));
    }
}
