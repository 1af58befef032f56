using System.Diagnostics;
using System.Text.Json;
using Evidence.Interop.Tests.FileSystems;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Serving;
using Xunit;

namespace Evidence.Interop.Tests.Mounting;

/// <summary>An image as a file, as the kernel and other people's tools read it.</summary>
public sealed class MountTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();
    private readonly string folder;

    public MountTests()
    {
        Peer.Require("umount", "mount");
        Peer.RequireRoot("Mounting");
        if (!File.Exists("/dev/fuse"))
            Peer.Lacking("There is no /dev/fuse here.");
        folder = Directory.CreateDirectory(evidence.PathOf("mounted")).FullName;
    }

    private string Image => Path.Combine(folder, "image.raw");

    [Theory]
    [InlineData("ext4")]
    [InlineData("xfs")]
    [InlineData("ntfs")]
    public void A_file_system_in_it_is_read_by_the_sleuth_kit_and_by_the_kernel(string kind)
    {
        Peer.Require("fls", "cmp", "diff");
        string disk = FileSystemImage.Make(kind, evidence.Folder);
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        using var server = new RunningServer(evidence, "mount", "disk", folder);
        Assert.Equal(Image, server.Said.GetProperty("path").GetString());
        Assert.Equal(Peer.Sum("sha256", disk), Peer.Sum("sha256", Image));
        Peer.Compare(disk, Image);
        // The manifest is the one that the image is named by.
        Assert.Equal(server.Said.GetProperty("image").GetString(), "sha256:" + Peer.Sum("sha256", Path.Combine(folder, "manifest.json")));
        if (kind != "xfs")
            Assert.Equal(Peer.Run("fls", "-r", "-p", disk), Peer.Run("fls", "-r", "-p", Image));
        if (kind != "ntfs")
        {
            using var inside = new Mount(evidence.PathOf("inside"), "-o", kind == "xfs" ? "loop,ro,norecovery" : "loop,ro,noload", Image);
            CommandResult differences = Peer.TryRun("diff", "--recursive", evidence.PathOf("content"), inside.Folder);
            Assert.All(differences.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.EndsWith("lost+found", line, StringComparison.Ordinal));
        }

        server.Stop();
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        JsonElement entry = Assert.Single(evidence.Json("log", "--kind", "access").Succeeds().Json.GetProperty("entries").EnumerateArray());
        Assert.Equal(("mount", folder), (entry.GetProperty("body").GetProperty("means").GetString(), entry.GetProperty("body").GetProperty("place").GetString()));
        evidence.LeavesNothingBehind();
    }

    [Fact]
    public void Eight_readers_at_once_read_the_same_and_holes_are_told()
    {
        Peer.Require("cmp", "dd");
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, (40 << 20) + 333, (0, 5 << 20), (20 << 20, (10 << 20) + 77), ((40 << 20) + 300, 33));
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        // Less memory than is read, so that all of them are in each other's way.
        using var server = new RunningServer(evidence, "mount", "disk", folder, "--cache", "1MiB", "--no-record");
        RunningProcess[] readers =
        [
            .. Enumerable.Range(0, 8).Select(i => new RunningProcess(new ProcessStartInfo(
                "cmp", i % 2 == 0 ? [disk, Image] : [$"--ignore-initial={i * 1_234_567}", disk, Image]))),
        ];
        foreach (RunningProcess reader in readers)
        {
            using (reader)
                reader.Wait().Succeeds();
        }

        Peer.Run("dd", $"if={Image}", "iflag=direct", "bs=1M", $"of={evidence.PathOf("direct")}", "status=none");
        Peer.Compare(disk, evidence.PathOf("direct"));
        Assert.InRange(SparseFile.DataOf(Image).Sum(range => range.Length), 15 << 20, 16 << 20);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(Image));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(folder, "new"), "x"));
        Assert.ThrowsAny<Exception>(() => File.OpenWrite(Image).Dispose());

        // From outside, as everybody unmounts: the command ends by itself.
        Peer.Run("umount", folder);
        server.Process.Wait().Succeeds();
        Assert.Empty(evidence.Json("log", "--kind", "access").Succeeds().Json.GetProperty("entries").EnumerateArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void An_image_of_nothing_is_a_file_of_nothing(int size)
    {
        string disk = evidence.PathOf("disk.img");
        File.WriteAllBytes(disk, new byte[size]);
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        using var server = new RunningServer(evidence, "mount", "disk", folder, "--no-record");
        Assert.Equal(new byte[size], File.ReadAllBytes(Image));
        server.Stop();
    }

    [Theory]
    [InlineData("error")]
    [InlineData("zero")]
    public void What_is_unreadable_is_an_error_or_zeros_as_asked(string unreadable)
    {
        Peer.Require("dd", "cmp");
        string disk = evidence.PathOf("disk.img");
        string map = evidence.PathOf("disk.map");
        SparseFile.Make(disk, 4 << 20, (0, 4 << 20));
        // One bad sector, as GNU ddrescue tells of it.
        File.WriteAllText(map, "0x0 ? 1\n0x00000000 0x00100000 +\n0x00100000 0x00000200 -\n0x00100200 0x002FFE00 +\n");
        evidence.Json("acquire", disk, "--item", "disk", "--mapfile", map).Ends(4);
        using var server = new RunningServer(evidence, "mount", "disk", folder, "--unreadable", unreadable);
        string read = evidence.PathOf("read");
        CommandResult result = Peer.TryRun("dd", $"if={Image}", $"of={read}", "bs=512", "conv=noerror,sync", "iflag=direct");
        Peer.TryRun("dd", "if=/dev/zero", $"of={disk}", "bs=512", "seek=2048", "count=1", "conv=notrunc").Succeeds();
        Peer.Compare(disk, read);
        Assert.Equal(unreadable == "error", result.Errors.Contains("Input/output error", StringComparison.Ordinal));
        server.Stop("TERM");
    }

    [Fact]
    public void What_a_kill_leaves_can_be_unmounted_and_is_told_of_before()
    {
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, 1 << 20, (0, 1 << 20));
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        using (var server = new RunningServer(evidence, "mount", "disk", folder, "--no-record"))
        {
            server.Process.Signal("KILL");
            server.Process.Wait();
        }

        Assert.Contains("umount", evidence.Json("mount", "disk", folder).FailsWith("destination-invalid"), StringComparison.Ordinal);
        Peer.Run("umount", folder);
        using var again = new RunningServer(evidence, "mount", "disk", folder, "--no-record");
        Peer.Compare(disk, Image);
        again.Stop();
    }

    [Fact]
    public void In_use_it_goes_from_its_place_all_the_same()
    {
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, 1 << 20, (0, 1 << 20));
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        using var server = new RunningServer(evidence, "mount", "disk", folder, "--no-record");
        using (FileStream open = File.OpenRead(Image))
        {
            Assert.NotEqual(-2, open.ReadByte());
            server.Process.Signal("INT");
            CommandResult ended = server.Process.Wait().Succeeds();
            Assert.Contains("in use", ended.Errors, StringComparison.Ordinal);
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
    }

    [Fact]
    public void Whoever_is_not_root_mounts_with_the_setuid_helper()
    {
        Peer.Require("fusermount3", "unshare", "mknod", "cmp");
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, 3 << 20, (0, 2 << 20));
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        evidence.BecomeNobody();
        // In a space of mounts of its own, where everybody may open the device, as distributions have it.
        const string Script = """
            mknod -m 666 fuse c 10 229 && mount --bind fuse /dev/fuse || exit 9
            "$@" > said &
            until [ -s said ] || ! kill -0 $!; do sleep 0.05; done
            setpriv --reuid=65534 --regid=65534 --clear-groups cmp mounted/image.raw disk.img || exit 8
            kill -TERM $! && wait $! || exit 7
            [ ! -e mounted/image.raw ]
            """;
        evidence.Environment["SCRIPT"] = Script;
        evidence.RunInShell("""exec unshare --mount bash -c "$SCRIPT" bash "$@" """, "mount", "disk", folder, "--no-record").Succeeds();
    }

    [Fact]
    public void What_cannot_be_mounted_is_told()
    {
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, 4096);
        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        evidence.Json("mount", "disk", evidence.PathOf("missing")).FailsWith("destination-invalid");
        evidence.Json("mount", "disk", disk).FailsWith("destination-invalid");
        evidence.Json("mount", "nobody", folder).FailsWith("image-not-found");
        evidence.Json("mount", "disk", folder, "--unreadable", "guess").FailsWith("usage", 2);
        Assert.Empty(evidence.Json("log", "--kind", "access").Succeeds().Json.GetProperty("entries").EnumerateArray());
    }

    public void Dispose()
    {
        // Where a test failed halfway.
        _ = Peer.TryRun("umount", "--lazy", "--quiet", folder);
        evidence.Dispose();
    }
}
