using System.Globalization;
using System.Security.Cryptography;
using DiscUtils;
using DiscUtils.Streams;
using Evidence.Sources;
using VdiDisk = DiscUtils.Vdi.Disk;
using VhdDisk = DiscUtils.Vhd.Disk;
using VhdxDisk = DiscUtils.Vhdx.Disk;
using VmdkDisk = DiscUtils.Vmdk.Disk;

namespace Evidence.DiscUtils.Disks;

/// <summary>
/// The disk in a VHD, VHDX, VMDK or VDI, with its parents and parts. Their files are opened for reading alone, by this library's own descriptors: DiscUtils never gets one that it could
/// write to, as it else does to a VHDX when it opens it. What none of them holds is told as a hole.
/// </summary>
public sealed class VirtualDiskSource : Source
{
    private const string WayOut = "Try another copy of it; or make a raw image with 'qemu-img convert -O raw', and image that.";

    /// <summary>DiscUtils opens a VMDK's parent by a list of formats, which is the process's own: another may have been here first.</summary>
    private static readonly Lazy<bool> IsVmdkKnown = new(() =>
    {
        try
        {
            VirtualDiskManager.RegisterVirtualDiskTypes(typeof(VmdkDisk).Assembly);
        }
        catch (ArgumentException)
        {
            // It is in the list.
        }

        return true;
    });

    private readonly LayerFolder folder;
    private readonly VirtualDisk disk;
    private readonly SparseStream content;
    private readonly Lock gate = new();
    private SourceExtent[]? extents;

    private VirtualDiskSource(string path, VirtualDiskFormat format, LayerFolder folder, VirtualDisk disk, VirtualDiskOptions options, CancellationToken cancellation)
    {
        this.folder = folder;
        this.disk = disk;
        Format = format;
        content = Ask(path, () => disk.Content);
        if (disk.Layers.Any(layer => layer.NeedsParent) && format == VirtualDiskFormat.Vdi)
            throw Unsupported(path, "it is a snapshot, of which it holds only the difference, and DiscUtils reads that without its parent");
        if (format == VirtualDiskFormat.Vmdk)
            CheckVmdk(path);
        long length = disk.Capacity;
        if (length < 0)
            throw Unsupported(path, string.Create(CultureInfo.InvariantCulture, $"it says that it has {length} bytes"));
        Identity = new SourceIdentity
        {
            Kind = SourceKind.VirtualDisk,
            Name = path,
            Format = VirtualDiskFormats.NameOf(format),
            Length = length,
            LogicalSectorSize = disk.SectorSize > 0 ? disk.SectorSize : null,
            Modified = folder.Files.Max(file => file.Identity.Modified),
            Usage = folder.Files[0].Identity.Usage,
            Parts = [.. folder.Files.Select(file => new SourcePart(file.Identity.Name, file.Length!.Value) { Sha256 = options.DigestFiles ? Digest(file, cancellation) : null })],
        };
    }

    /// <summary>The format.</summary>
    public VirtualDiskFormat Format { get; }

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; }

    /// <inheritdoc/>
    public override long? Length => Identity.Length;

    /// <summary>Whether a file is a virtual disk of one of these formats, by its content.</summary>
    /// <param name="path">A regular file.</param>
    /// <exception cref="EvidenceException">It cannot be read.</exception>
    public static bool IsVirtualDisk(string path)
    {
        using RawFile file = RawFile.Open(path);
        return VirtualDiskFormats.Find(file) is not null;
    }

    /// <summary>Opens a virtual disk by the path of its newest file: that of a differencing disk, or a VMDK's descriptor.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Ends the digesting of its files.</param>
    /// <exception cref="EvidenceException">It is none of these formats, is damaged, a file that belongs to it is not there or is not the one that it says, or it uses what DiscUtils does not
    /// read rightly; the message says which.</exception>
    public static VirtualDiskSource Open(string path, VirtualDiskOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new VirtualDiskOptions();
        path = Path.GetFullPath(path);
        // Its neighbours lie where the file itself does.
        string real = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        VirtualDiskFormat format;
        using (RawFile file = RawFile.Open(real))
            format = VirtualDiskFormats.Find(file) ?? throw new EvidenceException(ErrorCode.SourceUnsupported, $"{path} is no virtual disk: neither VHD nor VHDX, VMDK or VDI.");
        var files = new LayerFolder([Path.GetDirectoryName(real)!, .. options.Folders]);
        VirtualDisk? opened = null;
        try
        {
            opened = Ask(path, () => OpenDisk(format, files, Path.GetFileName(real)));
            return new VirtualDiskSource(path, format, files, opened, options, cancellation);
        }
        catch
        {
            opened?.Dispose();
            files.Dispose();
            throw;
        }
    }

    /// <summary>What any of its files holds is data; the rest are holes, which read as zeros.</summary>
    public override IEnumerable<SourceExtent> Extents()
    {
        lock (gate)
            return extents ??= Ask(Identity.Name, FindExtents);
    }

    /// <inheritdoc/>
    public override void EnsureUnchanged()
    {
        foreach (RawFile file in folder.Files)
            file.EnsureUnchanged();
    }

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        lock (gate)
        {
            try
            {
                content.Position = offset;
                int count = content.Read(buffer);
                return count > 0 ? count : throw new EndOfStreamException($"Its files end before what it says is in it");
            }
            catch (SourceReadException e)
            {
                // The same failure, told as an offset of the disk.
                throw new SourceReadException(Identity.Name, offset, buffer.Length, e.Errno, e);
            }
            catch (Exception e) when (e is not EvidenceException)
            {
                throw new SourceReadException(Identity.Name, offset, buffer.Length, errno: null, e);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        disk.Dispose();
        folder.Dispose();
        base.Dispose(disposing);
    }

    private static VirtualDisk OpenDisk(VirtualDiskFormat format, LayerFolder folder, string name) => format switch
    {
        VirtualDiskFormat.Vhd => new VhdDisk(folder, name, FileAccess.Read),
        VirtualDiskFormat.Vhdx => new VhdxDisk(folder, name, FileAccess.Read),
        VirtualDiskFormat.Vmdk when IsVmdkKnown.Value => new VmdkDisk(folder, name, FileAccess.Read),
        VirtualDiskFormat.Vdi => new VdiDisk(folder.OpenFile(name, FileMode.Open, FileAccess.Read), Ownership.Dispose),
        _ => throw new ArgumentOutOfRangeException(nameof(format)),
    };

    private static T Ask<T>(string path, Func<T> ask) => Guard.Ask(ErrorCode.SourceUnsupported, $"The virtual disk {path} cannot be read", WayOut, ask);

    private static EvidenceException Unsupported(string path, string why) => new(ErrorCode.SourceUnsupported, $"The virtual disk {path} is not read: {why}. {WayOut}");

    private static string Digest(RawFile file, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        int count;
        for (long offset = 0; (count = file.Read(offset, buffer)) > 0; offset += count)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Checks what DiscUtils does not.</summary>
    private void CheckVmdk(string path)
    {
        VmdkFile[] files = [.. folder.Files.Select(VmdkFile.Read)];
        if (Array.FindIndex(files, file => file.HasZeroedGrains) is >= 0 and var index)
            throw Unsupported(path, $"{folder.Files[index].Identity.Name} may mark grains as zeros, which DiscUtils takes for something else");
        VmdkFile[] chain = [.. files.Where(file => file.ContentId is not null)];
        for (int i = 0; i + 1 < chain.Length; i++)
        {
            if (chain[i].ParentContentId is { } wanted && chain[i + 1].ContentId != wanted)
                throw Unsupported(path, $"its parent was written to since, or is another one: the content id {wanted:x8} is wanted, {chain[i + 1].ContentId:x8} is there");
        }
    }

    private SourceExtent[] FindExtents()
    {
        var found = new List<SourceExtent>();
        long length = Identity.Length!.Value;
        long position = 0;
        foreach (StreamExtent extent in content.Extents.OrderBy(extent => extent.Start))
        {
            long start = Math.Clamp(extent.Start, position, length);
            long end = Math.Clamp(extent.Start + extent.Length, start, length);
            if (end == start)
                continue;
            if (start > position)
                found.Add(new SourceExtent(position, start - position, SourceExtentKind.Hole));
            if (start == position && found is [.., { Kind: SourceExtentKind.Data } before])
                found[^1] = before with { Length = end - before.Offset };
            else
                found.Add(new SourceExtent(start, end - start, SourceExtentKind.Data));
            position = end;
        }

        if (position < length)
            found.Add(new SourceExtent(position, length - position, SourceExtentKind.Hole));
        return [.. found];
    }
}
