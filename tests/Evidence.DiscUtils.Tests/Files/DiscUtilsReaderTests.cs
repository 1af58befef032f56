using System.Security.Cryptography;
using Evidence.DiscUtils.Files;
using Evidence.Files;
using Evidence.Interop.Tests.FileSystems;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Evidence.Vaults;
using Xunit;

namespace Evidence.DiscUtils.Tests.Files;

/// <summary>Files found by DiscUtils, against those that The Sleuth Kit finds in the same image, and against what was put there.</summary>
public sealed class DiscUtilsReaderTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly World world = new();

    public DiscUtilsReaderTests()
    {
        Peer.Require("fiwalk", "icat", "mount", "umount");
        Peer.RequireRoot("Mounting");
    }

    [Theory]
    [InlineData("ext4")]
    [InlineData("ntfs")]
    [InlineData("vfat")]
    public async Task Both_readers_list_the_same_files_and_return_the_same_bytes_from_the_same_ranges(string kind)
    {
        ImageRecord record = await world.AcquireAsync(FileSystemImage.Make(kind, world.Folder));
        Compare(record);
        CheckAgainstContent(record, kind == "ntfs");
    }

    [Theory]
    [InlineData("gpt")]
    [InlineData("dos")]
    public async Task Partitions_are_found(string label)
    {
        Peer.Require("sfdisk", "dd", "sh");
        string first = FileSystemImage.Make("ext4", world.Folder);
        Directory.Delete(world.PathOf("content"), recursive: true);
        string second = FileSystemImage.Make("vfat", world.Folder);
        string disk = world.PathOf("disk.img");
        FileSystemImage.Truncate(disk, 100 * MiB);
        File.WriteAllText(world.PathOf("layout"), $"label: {label}\nstart=2048, size={48 * MiB / 512}\nstart=110001, size={32 * MiB / 512}\n");
        Peer.Run("sh", "-c", $"sfdisk --quiet '{disk}' < '{world.PathOf("layout")}'");
        Peer.Run("dd", $"if={first}", $"of={disk}", "bs=512", "seek=2048", "conv=notrunc,sparse", "status=none");
        Peer.Run("dd", $"if={second}", $"of={disk}", "bs=512", "seek=110001", "conv=notrunc,sparse", "status=none");
        ImageRecord record = await world.AcquireAsync(disk);
        Compare(record);
        using ImageFiles files = DiscUtilsReader.OpenFiles(world.Vault, record);
        Assert.Equal([2048L * 512, 110001L * 512], files.List(TestContext.Current.CancellationToken).Select(file => file.Volume).Distinct().Order());
    }

    [Theory]
    [InlineData("ext2")]
    [InlineData("ext3")]
    [InlineData("ext4")]
    public async Task Of_ext_what_was_never_written_is_zeros(string kind)
    {
        Peer.Require("mkfs." + kind, "mount", "umount", "fallocate", "dd");
        string disk = world.PathOf("disk.img");
        SparseFile.Make(disk, 64 * MiB, (0, 64 * MiB));
        Peer.Run("mkfs." + kind, "-q", "-F", "-b", "4096", "-E", "nodiscard", disk);
        byte[] sparse = new byte[9 * MiB];
        RandomNumberGenerator.Fill(sparse.AsSpan(0, 5000));
        RandomNumberGenerator.Fill(sparse.AsSpan(3 * MiB, 70_000));
        RandomNumberGenerator.Fill(sparse.AsSpan((8 * MiB) + 8192, 4096));
        using (var mounted = new Mount(world.PathOf("mounted"), "-o", "loop", disk))
        {
            WriteSparse(Path.Combine(mounted.Folder, "sparse.bin"), sparse);
            if (kind == "ext4")
            {
                // Set aside over what lay there before, and never written but for a little.
                Peer.Run("fallocate", "-l", "2M", Path.Combine(mounted.Folder, "set-aside.bin"));
                Peer.Run("dd", "if=/dev/urandom", $"of={Path.Combine(mounted.Folder, "set-aside.bin")}", "bs=4096", "count=1", "seek=100", "conv=notrunc", "status=none");
                File.Copy(Path.Combine(mounted.Folder, "set-aside.bin"), world.PathOf("set-aside.bin"));
            }

            // Holes between them make as many pieces as a tree of extents has to be deep for.
            using FileStream pieces = File.Create(Path.Combine(mounted.Folder, "pieces.bin"));
            for (int i = 0; i < 300; i++)
            {
                pieces.Position = i * 3L * 4096;
                pieces.Write(RandomNumberGenerator.GetBytes(4096));
            }
        }

        await File.WriteAllBytesAsync(world.PathOf("sparse.bin"), sparse, TestContext.Current.CancellationToken);
        ImageRecord record = await world.AcquireAsync(disk);
        ReturnAndCheck(record, "sparse.bin", world.PathOf("sparse.bin"), FileDerivation.Direct);
        if (kind == "ext4")
            ReturnAndCheck(record, "set-aside.bin", world.PathOf("set-aside.bin"), FileDerivation.Direct);
        Compare(record);
    }

    /// <summary>The Sleuth Kit of Debian 12 does not know XFS: the kernel is asked what is in the files.</summary>
    [Fact]
    public async Task Of_xfs_what_was_never_written_is_zeros()
    {
        Peer.Require("mkfs.xfs", "fallocate", "dd", "cp");
        string disk = world.PathOf("disk.img");
        SparseFile.Make(disk, 320 * MiB, (0, 320 * MiB));
        Peer.Run("mkfs.xfs", "-q", "-f", "-K", disk);
        byte[] sparse = new byte[9 * MiB];
        RandomNumberGenerator.Fill(sparse.AsSpan(0, 5000));
        RandomNumberGenerator.Fill(sparse.AsSpan(3 * MiB, 70_000));
        string[] names = ["plain.bin", "twin.bin", "sparse.bin", "set-aside.bin", "never-written.bin", "letters/within", "pieces.bin", "between.bin"];
        using (var mounted = new Mount(world.PathOf("mounted"), "-o", "loop", disk))
        {
            foreach (string name in (string[])["plain.bin", "twin.bin"])
                await File.WriteAllBytesAsync(Path.Combine(mounted.Folder, name), RandomNumberGenerator.GetBytes(300_000), TestContext.Current.CancellationToken);
            WriteSparse(Path.Combine(mounted.Folder, "sparse.bin"), sparse);
            foreach (string name in (string[])["set-aside.bin", "never-written.bin"])
                Peer.Run("fallocate", "-l", "2M", Path.Combine(mounted.Folder, name));
            Peer.Run("dd", "if=/dev/urandom", $"of={Path.Combine(mounted.Folder, "set-aside.bin")}", "bs=4096", "count=1", "seek=100", "conv=notrunc", "status=none");
            Directory.CreateDirectory(Path.Combine(mounted.Folder, "letters"));
            await File.WriteAllTextAsync(Path.Combine(mounted.Folder, "letters/within"), "nobody answered\n", TestContext.Current.CancellationToken);
            // Holes between them make a tree of the extents of each.
            foreach (string name in (string[])["pieces.bin", "between.bin"])
            {
                using FileStream pieces = File.Create(Path.Combine(mounted.Folder, name));
                for (int i = 0; i < 300; i++)
                {
                    pieces.Position = i * 3L * 4096;
                    pieces.Write(RandomNumberGenerator.GetBytes(4096));
                }
            }

            Peer.Run("cp", "--recursive", mounted.Folder + "/.", world.PathOf("copied"));
        }

        ImageRecord record = await world.AcquireAsync(disk);
        using (ImageFiles files = DiscUtilsReader.OpenFiles(world.Vault, record))
        {
            Assert.Equal(
                names.Order(StringComparer.Ordinal), files.List(TestContext.Current.CancellationToken).Where(file => !file.IsFolder).Select(file => file.Path).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        }

        foreach (string name in names)
            ReturnAndCheck(record, name, Path.Combine(world.PathOf("copied"), name), FileDerivation.Direct);
    }

    [Fact]
    public async Task Of_ntfs_resident_sparse_and_compressed_files_each_comes_back_right()
    {
        Peer.Require("mkfs.ntfs", "ntfs-3g");
        string disk = world.PathOf("disk.img");
        FileSystemImage.Truncate(disk, 24 * MiB);
        Peer.Run("mkfs.ntfs", "-F", "-Q", "-q", "-C", disk);
        byte[] sparse = new byte[2 * MiB];
        RandomNumberGenerator.Fill(sparse.AsSpan(1_441_792, 65_536));
        (string Name, byte[] Content, FileDerivation Derivation)[] files =
        [
            ("resident.txt", "nobody answered\n"u8.ToArray(), FileDerivation.NtfsResident),
            ("compressed.txt", [.. Enumerable.Range(0, 400_000).Select(i => (byte)"compress me please\n"[i % 19])], FileDerivation.NtfsCompressed),
            ("sparse.bin", sparse, FileDerivation.Direct),
            ("plain.bin", RandomNumberGenerator.GetBytes(131_072), FileDerivation.NtfsCompressed),
        ];
        string inside = Directory.CreateDirectory(world.PathOf("inside")).FullName;
        Peer.Run("ntfs-3g", "-o", "compression", disk, inside);
        try
        {
            foreach ((string name, byte[] content, _) in files)
                WriteSparse(Path.Combine(inside, name), content);
        }
        finally
        {
            Peer.Run("umount", inside);
        }

        ImageRecord record = await world.AcquireAsync(disk);
        foreach ((string name, byte[] content, FileDerivation derivation) in files)
        {
            await File.WriteAllBytesAsync(world.PathOf(name), content, TestContext.Current.CancellationToken);
            ReturnAndCheck(record, name, world.PathOf(name), name == "plain.bin" ? null : derivation);
        }

        Compare(record);
    }

    [Fact]
    public async Task A_logical_volume_in_two_pieces_is_one_volume()
    {
        Peer.Require("pvcreate", "vgcreate", "vgcfgbackup", "vgcfgrestore");
        LoopDevice.Require();
        const int Extent = 4 * MiB;
        const int Start = MiB;
        byte[] content = File.ReadAllBytes(FileSystemImage.Make("ext4", world.Folder));
        byte[] disk;
        using (var loop = new LoopDevice(new byte[80 * MiB]))
        {
            string group = "evidence" + Guid.NewGuid().ToString("N")[..12];
            string backup = world.PathOf("group");
            string[] own = ["--devices", loop.Node, "--config", "backup { backup=0 archive=0 }"];
            Peer.Run("pvcreate", [.. own, "--dataalignment", "1m", loop.Node]);
            Peer.Run("vgcreate", [.. own, "--physicalextentsize", "4m", group, loop.Node]);
            Peer.Run("vgcfgbackup", [.. own, "--file", backup, group]);
            // lvcreate asks the kernel for its device mapper, which is not everywhere; what it would write is restored instead. The last extents come first.
            string volumes = """
                logical_volumes { data {
                  id = "AAAAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AAAAAA"
                  status = ["READ", "WRITE", "VISIBLE"]
                  flags = []
                  segment_count = 2
                  segment1 { start_extent = 0 extent_count = 6 type = "striped" stripe_count = 1 stripes = [ "pv0", 10 ] }
                  segment2 { start_extent = 6 extent_count = 6 type = "striped" stripe_count = 1 stripes = [ "pv0", 0 ] }
                } }
                """;
            string text = await File.ReadAllTextAsync(backup, TestContext.Current.CancellationToken);
            int end = text.LastIndexOf('}');
            await File.WriteAllTextAsync(backup, text[..end] + volumes + text[end..], TestContext.Current.CancellationToken);
            Peer.Run("vgcfgrestore", [.. own, "--file", backup, group]);
            disk = await File.ReadAllBytesAsync(loop.BackingFile, TestContext.Current.CancellationToken);
        }

        content.AsSpan(0, 6 * Extent).CopyTo(disk.AsSpan(Start + (10 * Extent)));
        content.AsSpan(6 * Extent).CopyTo(disk.AsSpan(Start));
        string path = world.PathOf("disk.img");
        await File.WriteAllBytesAsync(path, disk, TestContext.Current.CancellationToken);
        ImageRecord record = await world.AcquireAsync(path);
        CheckAgainstContent(record, isFlat: false);
        using ImageFiles files = DiscUtilsReader.OpenFiles(world.Vault, record);
        Assert.All(files.List(TestContext.Current.CancellationToken), file => Assert.Equal(Start + (10L * Extent), file.Volume));
    }

    [Fact]
    public async Task What_is_no_file_system_is_told_of()
    {
        string noise = world.PathOf("noise.img");
        await File.WriteAllBytesAsync(noise, RandomNumberGenerator.GetBytes(MiB), TestContext.Current.CancellationToken);
        ImageRecord record = await world.AcquireAsync(noise);
        using ImageFiles files = DiscUtilsReader.OpenFiles(world.Vault, record);
        EvidenceException error = Assert.Throws<EvidenceException>(() => files.List(TestContext.Current.CancellationToken).Count());
        Assert.Equal(ErrorCode.FileRefused, error.Code);
        Assert.Contains("no file system", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => world.Dispose();

    private static void WriteSparse(string path, byte[] content)
    {
        using FileStream file = File.Create(path);
        file.SetLength(content.Length);
        for (int at = 0; at < content.Length; at += 4096)
        {
            ReadOnlySpan<byte> block = content.AsSpan(at, Math.Min(4096, content.Length - at));
            if (!block.ContainsAnyExcept((byte)0))
                continue;
            file.Position = at;
            file.Write(block);
        }
    }

    /// <summary>What The Sleuth Kit lists that is there and has a name of its own, DiscUtils lists, and the other way round; and both return the same.</summary>
    private void Compare(ImageRecord record)
    {
        using ImageFiles sleuth = ImageFiles.Open(world.Vault, record);
        using ImageFiles managed = DiscUtilsReader.OpenFiles(world.Vault, record);
        ImageFile[] theirs = [.. sleuth.List(TestContext.Current.CancellationToken).Where(file => !file.IsDeleted && !IsOfSleuthKit(file.Path))];
        ImageFile[] ours = [.. managed.List(TestContext.Current.CancellationToken).Where(file => !IsOfSleuthKit(file.Path))];
        Assert.Equal(theirs.Select(Describe).Order(StringComparer.Ordinal), ours.Select(Describe).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        int number = 0;
        foreach (ImageFile file in ours.Where(file => !file.IsFolder && !file.Path.StartsWith('$')))
        {
            ReturnedFile own = Return(managed, file.Id, world.PathOf($"managed-{number}"));
            ReturnedFile other = Return(sleuth, theirs.First(their => their.Path == file.Path && their.Volume == file.Volume).Id, world.PathOf($"sleuth-{number++}"));
            Assert.Equal((other.Sha256, other.Derivation), (own.Sha256, own.Derivation));
            Assert.Equal(Bytes(other.Ranges), Bytes(own.Ranges));
        }

        Assert.NotEqual(0, number);
    }

    /// <summary>The ranges in the image's order, those that touch as one.</summary>
    private static List<(long Start, long End)> Bytes(IEnumerable<FileRun> ranges)
    {
        var merged = new List<(long Start, long End)>();
        foreach (FileRun range in ranges.OrderBy(range => range.ImageOffset))
        {
            if (merged is [.., var last] && last.End == range.ImageOffset)
                merged[^1] = (last.Start, range.ImageOffset + range.Length);
            else
                merged.Add((range.ImageOffset, range.ImageOffset + range.Length));
        }

        return merged;
    }

    /// <summary>Names that only The Sleuth Kit gives, streams beside a file's own, and where it and DiscUtils see NTFS's own folders differently.</summary>
    private static bool IsOfSleuthKit(string path) =>
        path.StartsWith("$OrphanFiles", StringComparison.Ordinal) || path is "$MBR" or "$FAT1" or "$FAT2" || path.Contains(':', StringComparison.Ordinal) || path.StartsWith("$Extend", StringComparison.Ordinal);

    private static string Describe(ImageFile file) => $"{file.Volume} {(file.IsFolder ? "folder" : file.Length)} {file.Path}";

    private static ReturnedFile Return(ImageFiles files, string name, string folder)
    {
        (ImageFile file, ImageFile? table) = files.Find(name, TestContext.Current.CancellationToken);
        return files.Return(file, table, folder, TestContext.Current.CancellationToken);
    }

    private void CheckAgainstContent(ImageRecord record, bool isFlat)
    {
        foreach (string name in FileSystemImage.Names.Where(name => !name.EndsWith("empty.txt", StringComparison.Ordinal)))
            ReturnAndCheck(record, isFlat ? Path.GetFileName(name) : name, Path.Combine(world.PathOf("content"), name), derivation: null);
    }

    /// <summary>A file comes back with the bytes that it had; and where it is direct, the ranges of the image hold them.</summary>
    private void ReturnAndCheck(ImageRecord record, string name, string original, FileDerivation? derivation)
    {
        using ImageFiles files = DiscUtilsReader.OpenFiles(world.Vault, record);
        string folder = world.PathOf("returned-" + Guid.NewGuid().ToString("N"));
        ReturnedFile returned = Return(files, name, folder);
        Peer.Compare(original, Path.Combine(folder, "content"));
        Assert.Equal(derivation ?? returned.Derivation, returned.Derivation);
        if (returned.Derivation != FileDerivation.Direct)
            return;
        byte[] rebuilt = new byte[new FileInfo(original).Length];
        using Stream image = world.Vault.OpenImage(record).OpenRead();
        foreach (FileRun range in returned.Ranges)
        {
            image.Position = range.ImageOffset;
            image.ReadExactly(rebuilt.AsSpan((int)range.FileOffset, (int)range.Length));
        }

        Assert.True(rebuilt.AsSpan().SequenceEqual(File.ReadAllBytes(original)));
        Assert.Equal(returned.Ranges.Count > 0, returned.Proofs.Count > 0);
    }
}
