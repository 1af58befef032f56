using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.FileSystems;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Files;

/// <summary>Files back to people: found by The Sleuth Kit, held against the image, and proved.</summary>
public sealed class FilesTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();

    public FilesTests()
    {
        Peer.Require("fiwalk", "icat", "mount", "umount");
        Peer.RequireRoot("Mounting");
        if (!File.Exists("/dev/fuse"))
            Peer.Lacking("There is no /dev/fuse here.");
    }

    [Fact]
    public void A_file_of_ext4_in_a_partition_comes_back_with_its_proofs_also_a_deleted_one()
    {
        Peer.Require("mkfs.ext4", "debugfs", "sfdisk", "dd", "bash");
        string kept = Content("keep.bin", 200_000);
        string gone = Content("gone.bin", 150_000);
        string part = evidence.PathOf("part.img");
        FileSystemImage.Truncate(part, 15_000 << 10);
        Peer.Run("mkfs.ext4", "-q", "-F", "-d", evidence.PathOf("content"), part);
        Peer.Run("debugfs", "-w", "-R", "rm gone.bin", part);
        string disk = evidence.PathOf("disk.img");
        FileSystemImage.Truncate(disk, 20 << 20);
        Peer.Run("bash", "-c", $"printf 'label: dos\\nstart=2048,size=30000,type=83\\n' | sfdisk --quiet '{disk}'");
        Peer.Run("dd", $"if={part}", $"of={disk}", "bs=512", "seek=2048", "conv=notrunc", "status=none");
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();

        JsonElement[] files = [.. evidence.Json("files", "disk").Succeeds().Json.GetProperty("files").EnumerateArray()];
        Assert.Equal(["gone.bin", "keep.bin"], files.Where(f => f.GetProperty("path").GetString()!.EndsWith(".bin", StringComparison.Ordinal)).Select(f => f.GetProperty("path").GetString()!).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        JsonElement deleted = files.Single(f => f.GetProperty("path").GetString() == "gone.bin");
        Assert.True(deleted.GetProperty("deleted").GetBoolean());
        Assert.Equal("1048576", deleted.GetProperty("volume").GetString());

        // By its path, and by its id.
        CheckReturned("direct", kept, evidence.Json("files", "disk", "--extract", "keep.bin", "--output", evidence.PathOf("kept")).Succeeds().Json);
        CheckReturned("direct", gone, evidence.Json("files", "disk", "--extract", deleted.GetProperty("id").GetString()!, "--output", evidence.PathOf("gone")).Succeeds().Json);

        // The name of a person's file is not in a log that nothing can be taken out of.
        JsonElement entry = evidence.Json("log", "--kind", "export").Succeeds().Json.GetProperty("entries").EnumerateArray().Last();
        Assert.DoesNotContain("gone.bin", entry.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(Peer.Sum("sha256", evidence.PathOf("gone/ranges.json")), entry.GetProperty("body").GetProperty("ranges").GetString());
        Assert.Single(evidence.Json("log", "--kind", "access").Succeeds().Json.GetProperty("entries").EnumerateArray());
        evidence.Json("files", "disk", "--extract", "nothing", "--output", evidence.PathOf("nothing")).FailsWith("file-not-found");
        evidence.Json("files", "disk", "--extract", "keep.bin", "--output", evidence.PathOf("kept")).FailsWith("destination-invalid");
        evidence.LeavesNothingBehind();
    }

    [Fact]
    public void Of_ntfs_resident_sparse_compressed_and_deleted_files_each_comes_back_right()
    {
        Peer.Require("mkfs.ntfs", "ntfs-3g", "dd");
        string disk = evidence.PathOf("disk.img");
        FileSystemImage.Truncate(disk, 24 << 20);
        Peer.Run("mkfs.ntfs", "-F", "-Q", "-q", "-C", disk);
        string resident = Write("resident.txt", "nobody answered\n"u8.ToArray());
        string compressed = Write("compressed.txt", [.. Enumerable.Range(0, 400_000).Select(i => (byte)"compress me please\n"[i % 19])]);
        byte[] content = new byte[2 << 20];
        RandomNumberGenerator.Fill(content.AsSpan(1_441_792, 65_536));
        string sparse = Write("sparse.bin", content);
        string deleted = Content("deleted.bin", 131_072);
        string inside = Directory.CreateDirectory(evidence.PathOf("inside")).FullName;
        Peer.Run("ntfs-3g", "-o", "compression", disk, inside);
        try
        {
            foreach (string file in (string[])[resident, compressed, deleted])
                File.Copy(file, Path.Combine(inside, Path.GetFileName(file)));
            using (FileStream holes = File.Create(Path.Combine(inside, "sparse.bin")))
            {
                holes.SetLength(content.Length);
                holes.Position = 1_441_792;
                holes.Write(content.AsSpan(1_441_792, 65_536));
            }

            File.Delete(Path.Combine(inside, "deleted.bin"));
        }
        finally
        {
            Peer.Run("umount", inside);
        }

        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        foreach ((string file, string derivation) in ((string, string)[])[(resident, "ntfs-resident"), (compressed, "ntfs-compressed"), (sparse, "direct"), (deleted, "direct")])
        {
            string name = Path.GetFileName(file);
            CheckReturned(derivation, file, evidence.Json("files", "disk", "--extract", name, "--output", evidence.PathOf(name + ".returned")).Succeeds().Json);
        }
    }

    [Fact]
    public void What_could_not_be_read_is_not_returned_as_zeros_and_xfs_is_told_of()
    {
        Peer.Require("mkfs.ext4");
        string file = Content("file.bin", 300_000);
        string disk = evidence.PathOf("disk.img");
        FileSystemImage.Truncate(disk, 8 << 20);
        Peer.Run("mkfs.ext4", "-q", "-F", "-d", evidence.PathOf("content"), disk);
        // A bad sector in the middle of the file.
        long place = File.ReadAllBytes(disk).AsSpan().IndexOf(File.ReadAllBytes(file).AsSpan(0, 512));
        long bad = place + 51_200;
        string map = evidence.PathOf("disk.map");
        File.WriteAllText(map, $"0x0 ? 1\n0x0 0x{bad:x} +\n0x{bad:x} 0x200 -\n0x{bad + 512:x} 0x{(8 << 20) - bad - 512:x} +\n");
        evidence.Json("acquire", disk, "--item", "disk", "--mapfile", map).Ends(4);
        evidence.Json("files", "disk").Ends(4);
        Assert.Contains($"{bad} to {bad + 511}", evidence.Json("files", "disk", "--extract", "file.bin", "--output", evidence.PathOf("returned")).FailsWith("range-absent"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(evidence.PathOf("returned")));

        string noise = evidence.PathOf("noise.img");
        File.WriteAllBytes(noise, RandomNumberGenerator.GetBytes(1 << 20));
        evidence.Json("acquire", noise, "--item", "noise").Succeeds();
        Assert.Contains("XFS", evidence.Json("files", "noise").FailsWith("file-refused"), StringComparison.Ordinal);
    }

    public void Dispose() => evidence.Dispose();

    /// <summary>The content is the file's, and can be had from the proofs alone, as <c>ranges.json</c> says.</summary>
    private void CheckReturned(string derivation, string original, JsonElement returned)
    {
        string folder = returned.GetProperty("output").GetString()!;
        Peer.Compare(original, Path.Combine(folder, "content"));
        JsonElement record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "ranges.json"))).RootElement;
        Assert.Equal(derivation, record.GetProperty("derivation").GetString());
        Assert.Equal(Peer.Sum("sha256", original), record.GetProperty("sha256").GetString());
        string image = evidence.PathOf("disk.img");
        byte[] rebuilt = new byte[new FileInfo(original).Length];
        foreach (JsonElement range in record.GetProperty("ranges").EnumerateArray())
        {
            byte[] bytes = new byte[Number(range, "length")];
            using (FileStream disk = File.OpenRead(image))
            {
                disk.Position = Number(range, "imageOffset");
                disk.ReadExactly(bytes);
            }

            if (derivation == "direct")
                bytes.CopyTo(rebuilt, Number(range, "fileOffset"));
        }

        if (derivation == "direct")
            Assert.Equal(File.ReadAllBytes(original), rebuilt);
        foreach (JsonElement proof in record.GetProperty("proofs").EnumerateArray())
        {
            CommandResult check = evidence.Run("check", Path.Combine(folder, proof.GetString()!));
            Assert.Contains("are shown to be part of it", check.Text, StringComparison.Ordinal);
        }

        Assert.NotEmpty(record.GetProperty("proofs").EnumerateArray());
    }

    private static int Number(JsonElement json, string name) => int.Parse(json.GetProperty(name).GetString()!, System.Globalization.CultureInfo.InvariantCulture);

    private string Content(string name, int length) => Write(name, RandomNumberGenerator.GetBytes(length));

    private string Write(string name, byte[] content)
    {
        string path = Path.Combine(Directory.CreateDirectory(evidence.PathOf("content")).FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
