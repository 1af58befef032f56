using System.Security.Cryptography;
using Evidence.Acquisition;
using Evidence.DiscUtils.Disks;
using Evidence.Formats;
using Evidence.Interop.Tests.Harness;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;
using Xunit;

namespace Evidence.DiscUtils.Tests.Disks;

/// <summary>Virtual disks that qemu-img made, against what it reads of them itself.</summary>
public sealed class VirtualDiskTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly World world = new();

    public VirtualDiskTests() => Peer.Require("qemu-img");

    [Theory]
    [InlineData("vpc", "subformat=dynamic,force_size=on", true)]
    [InlineData("vpc", "subformat=fixed,force_size=on", false)]
    [InlineData("vhdx", "subformat=dynamic,block_size=1M", true)]
    [InlineData("vhdx", "subformat=dynamic,block_size=16M", true)]
    // Of a fixed one, qemu says in its table which blocks are zeros.
    [InlineData("vhdx", "subformat=fixed", true)]
    [InlineData("vdi", "static=off", true)]
    [InlineData("vdi", "static=on", false)]
    [InlineData("vmdk", "subformat=monolithicSparse", true)]
    [InlineData("vmdk", "subformat=twoGbMaxExtentSparse", true)]
    [InlineData("vmdk", "subformat=monolithicFlat", false)]
    [InlineData("vmdk", "subformat=twoGbMaxExtentFlat", false)]
    [InlineData("vmdk", "subformat=streamOptimized", true)]
    public async Task A_disk_is_what_qemu_reads_and_its_holes_are_told(string format, string options, bool hasHoles)
    {
        string raw = MakeRaw();
        string path = world.PathOf("disk." + format);
        Peer.Run("qemu-img", "convert", "-f", "raw", "-O", format, "-o", options, raw, path);
        string expected = world.PathOf("expected.img");
        Peer.Run("qemu-img", "convert", "-f", format, "-O", "raw", path, expected);
        byte[] content = File.ReadAllBytes(expected);
        string[] files = Directory.GetFiles(world.Folder, "disk*");
        Dictionary<string, string> before = files.ToDictionary(file => file, file => Peer.Sum("sha256", file), StringComparer.Ordinal);

        using (VirtualDiskSource source = Open(path))
        {
            Assert.Equal(content.Length, source.Length);
            Assert.True(World.ReadAll(source).AsSpan().SequenceEqual(content), "another content than qemu's");
            SourceExtent[] extents = [.. source.Extents()];
            Assert.Equal(content.Length, extents.Sum(extent => extent.Length));
            Assert.All(extents.Where(extent => extent.Kind == SourceExtentKind.Hole), hole => Assert.False(content.AsSpan((int)hole.Offset, (int)hole.Length).ContainsAnyExcept((byte)0)));
            Assert.Equal(hasHoles, Array.Exists(extents, extent => extent.Kind == SourceExtentKind.Hole));
            Assert.Equal(files.Order(StringComparer.Ordinal), source.Identity.Parts.Select(part => part.Path).Order(StringComparer.Ordinal), StringComparer.Ordinal);
            Assert.All(source.Identity.Parts, part => Assert.Equal(before[part.Path], part.Sha256));
            await CheckImageAsync(source, expected, hasHoles);
        }

        // Not a byte of it was written to.
        Assert.All(before, file => Assert.Equal(file.Value, Peer.Sum("sha256", file.Key)));
    }

    [Fact]
    public async Task A_vmdk_over_its_parent_is_both_and_over_another_it_is_refused()
    {
        string raw = MakeRaw();
        Peer.Run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", raw, world.PathOf("base.vmdk"));
        string child = world.PathOf("child.vmdk");
        Peer.Run("qemu-img", "create", "-q", "-f", "vmdk", "-b", world.PathOf("base.vmdk"), "-F", "vmdk", child);
        Peer.Require("qemu-io");
        Peer.Run("qemu-io", "-f", "vmdk", "-c", "write -P 0x5a 20M 100k", "-c", "write -P 0x00 1M 64k", child);
        string expected = world.PathOf("expected.img");
        Peer.Run("qemu-img", "convert", "-f", "vmdk", "-O", "raw", child, expected);
        using (VirtualDiskSource source = Open(child))
        {
            Assert.Equal(["child.vmdk", "base.vmdk"], source.Identity.Parts.Select(part => Path.GetFileName(part.Path)), StringComparer.Ordinal);
            await CheckImageAsync(source, expected, hasHoles: true);
        }

        // In a folder that was not named, it is not looked for.
        string elsewhere = Directory.CreateDirectory(world.PathOf("elsewhere")).FullName;
        File.Move(world.PathOf("base.vmdk"), Path.Combine(elsewhere, "base.vmdk"));
        Refused(child, "Parent disk not found");
        using (Open(child, elsewhere))
        {
            // There it is.
        }

        // Written to since: qemu gives it another content id.
        Peer.Run("qemu-io", "-f", "vmdk", "-c", "write -P 0x77 3M 64k", Path.Combine(elsewhere, "base.vmdk"));
        Refused(child, "was written to since", elsewhere);
    }

    [Theory]
    [InlineData("vhd")]
    [InlineData("vhdx")]
    public async Task A_differencing_disk_is_both_its_layers(string format)
    {
        // qemu-img makes none: DiscUtils does, and what was written through it is what is expected.
        byte[] content = File.ReadAllBytes(MakeRaw());
        string parent = world.PathOf("parent." + format);
        string child = world.PathOf("child." + format);
        Layers.Make(format, parent, content);
        byte[] change = RandomNumberGenerator.GetBytes(3 * MiB / 2);
        Layers.MakeChild(format, parent, child, 5 * MiB / 2, change);
        change.CopyTo(content, 5 * MiB / 2);
        string expected = world.PathOf("expected.img");
        await File.WriteAllBytesAsync(expected, content, TestContext.Current.CancellationToken);
        string before = Peer.Sum("sha256", child) + Peer.Sum("sha256", parent);
        using (VirtualDiskSource source = Open(child))
        {
            Assert.Equal(["child." + format, "parent." + format], source.Identity.Parts.Select(part => Path.GetFileName(part.Path)), StringComparer.Ordinal);
            await CheckImageAsync(source, expected, hasHoles: true);
        }

        Assert.Equal(before, Peer.Sum("sha256", child) + Peer.Sum("sha256", parent));
        File.Delete(parent);
        Refused(child, "parent");
        Layers.Make(format, parent, content);
        Refused(child, "Invalid disk chain");
    }

    [Fact]
    public void What_DiscUtils_would_read_wrongly_is_refused()
    {
        string raw = MakeRaw();
        string zeroed = world.PathOf("zeroed.vmdk");
        Peer.Run("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "zeroed_grain=on", raw, zeroed);
        Refused(zeroed, "grains as zeros");
        string vdi = world.PathOf("snapshot.vdi");
        Peer.Run("qemu-img", "convert", "-f", "raw", "-O", "vdi", raw, vdi);
        using (FileStream file = File.OpenWrite(vdi))
        {
            // The image's type, 4: a differencing image.
            file.Position = 0x4C;
            file.WriteByte(4);
        }

        Refused(vdi, "snapshot");
        Refused(raw, "no virtual disk");
        Assert.False(VirtualDiskSource.IsVirtualDisk(raw));
        Assert.True(VirtualDiskSource.IsVirtualDisk(vdi));
    }

    [Fact]
    public void A_disk_cannot_make_files_of_this_machine_evidence()
    {
        string secret = Path.Combine(Directory.CreateDirectory(world.PathOf("home")).FullName, "secret");
        File.WriteAllBytes(secret, RandomNumberGenerator.GetBytes(MiB));
        string folder = Directory.CreateDirectory(world.PathOf("disks")).FullName;
        string disk = Path.Combine(folder, "disk.vmdk");
        File.CreateSymbolicLink(Path.Combine(folder, "link"), secret);
        foreach (string name in (string[])[secret, "../home/secret", "..\\home\\secret", "link"])
        {
            File.WriteAllText(disk, $"# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW {MiB / 512} FLAT \"{name}\" 0\nddb.adapterType = \"ide\"\n");
            Refused(disk, "There is no file");
        }
    }

    [Theory]
    [InlineData("vpc")]
    [InlineData("vhdx")]
    [InlineData("vdi")]
    [InlineData("vmdk")]
    public async Task What_is_cut_off_is_unreadable_and_not_zeros(string format)
    {
        string raw = MakeRaw();
        string path = world.PathOf("disk." + format);
        Peer.Run("qemu-img", "convert", "-f", "raw", "-O", format, raw, path);
        byte[] whole = await File.ReadAllBytesAsync(raw, TestContext.Current.CancellationToken);
        using (FileStream file = File.OpenWrite(path))
            file.SetLength(file.Length - MiB);
        using VirtualDiskSource source = Open(path);
        AcquisitionResult image = await world.AcquireAsync(source);
        Assert.InRange(image.Manifest.Totals.GetValueOrDefault(RunKind.Unreadable), 1, 3 * MiB);
        string export = world.PathOf("export.img");
        await RawExport.WriteAsync(world.Vault.OpenImage(image.Image), export, cancellation: TestContext.Current.CancellationToken);
        byte[] exported = await File.ReadAllBytesAsync(export, TestContext.Current.CancellationToken);
        long at = 0;
        foreach (AbsentRange absent in image.Manifest.Absent)
        {
            Assert.True(exported.AsSpan((int)at, (int)(absent.Offset - at)).SequenceEqual(whole.AsSpan((int)at, (int)(absent.Offset - at))));
            at = absent.Offset + absent.Length;
        }
    }

    /// <summary>Whatever is broken in it: it is read, or there is an error of the library's own kind.</summary>
    [Theory]
    [InlineData("vpc", "subformat=dynamic")]
    [InlineData("vhdx", "subformat=dynamic,block_size=1M")]
    [InlineData("vdi", "static=off")]
    [InlineData("vmdk", "subformat=monolithicSparse")]
    [InlineData("vmdk", "subformat=streamOptimized")]
    public void Mutants_break_nothing(string format, string options)
    {
        const int Mutants = 400;
        string raw = world.PathOf("small.img");
        SparseFile.Make(raw, 4 * MiB, (0, 70_000), (2 * MiB, 4096));
        string path = world.PathOf("disk." + format);
        Peer.Run("qemu-img", "convert", "-f", "raw", "-O", format, "-o", options, raw, path);
        byte[] original = File.ReadAllBytes(path);
        int[] interesting = [.. Enumerable.Range(0, original.Length).Where(at => original[at] != 0 && (at < 70_000 || at % MiB < 70_000))];
        string mutant = world.PathOf("mutant");
        int refused = 0;
        for (int seed = 0; seed < Mutants; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = [.. original];
            for (int i = random.Next(1, 4); i > 0; i--)
                bytes[Math.Min(bytes.Length - 1, interesting[random.Next(interesting.Length)] + random.Next(0, 2))] = (byte)random.Next(256);
            if (random.Next(8) == 0)
                bytes = bytes[..random.Next(bytes.Length)];
            File.WriteAllBytes(mutant, bytes);
            try
            {
                using VirtualDiskSource source = VirtualDiskSource.Open(mutant, new VirtualDiskOptions { DigestFiles = false }, TestContext.Current.CancellationToken);
                _ = source.Extents().Count();
                var buffer = new byte[MiB];
                for (long offset = 0; offset < Math.Min(source.Length!.Value, 16 * MiB); offset += buffer.Length)
                    source.Read(offset, buffer);
            }
            catch (EvidenceException e)
            {
                Assert.Contains(e.Code, (string[])[ErrorCode.SourceUnsupported, ErrorCode.SourceFailed], StringComparer.Ordinal);
                refused++;
            }
        }

        Assert.NotEqual(0, refused);
        Assert.NotEqual(Mutants, refused);
    }

    public void Dispose() => world.Dispose();

    /// <summary>A raw image of 64 MiB with data here and there.</summary>
    private string MakeRaw()
    {
        string raw = world.PathOf("raw.img");
        if (!File.Exists(raw))
            SparseFile.Make(raw, 64 * MiB, (0, 100_000), (7 * MiB, 3 * MiB), (33 * MiB + 512, 1024), (62 * MiB, 2 * MiB));
        return raw;
    }

    private static VirtualDiskSource Open(string path, params string[] folders) =>
        VirtualDiskSource.Open(path, new VirtualDiskOptions { Folders = folders }, TestContext.Current.CancellationToken);

    private static void Refused(string path, string words, params string[] folders)
    {
        EvidenceException error = Assert.Throws<EvidenceException>(() => Open(path, folders).Dispose());
        Assert.Equal(ErrorCode.SourceUnsupported, error.Code);
        Assert.Contains(words, error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    private async Task CheckImageAsync(VirtualDiskSource source, string expected, bool hasHoles)
    {
        AcquisitionResult image = await world.AcquireAsync(source);
        Assert.True(image.Manifest.IsComplete);
        Assert.Equal("virtual-disk", (string?)image.Manifest.Source["kind"]);
        Assert.Equal(VirtualDiskFormatNames[source.Format], (string?)image.Manifest.Source["format"]);
        Assert.Equal(hasHoles, image.Manifest.Totals.GetValueOrDefault(RunKind.Hole) > 0);
        string export = world.PathOf("export.img");
        await RawExport.WriteAsync(world.Vault.OpenImage(image.Image), export, cancellation: TestContext.Current.CancellationToken);
        Peer.Compare(expected, export);
    }

    private static readonly Dictionary<VirtualDiskFormat, string> VirtualDiskFormatNames = new()
    {
        [VirtualDiskFormat.Vhd] = "vhd",
        [VirtualDiskFormat.Vhdx] = "vhdx",
        [VirtualDiskFormat.Vmdk] = "vmdk",
        [VirtualDiskFormat.Vdi] = "vdi",
    };
}
