using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Segments;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;

namespace Evidence.Repair;

/// <summary>
/// The packs of another vault, or those that this one has set aside: any of them may be damaged too, so that two damaged copies complete each other.
/// </summary>
internal sealed class PackOrigin : RepairOrigin
{
    private readonly VaultLayout layout;
    private readonly string spillFolder;
    private readonly ILogger logger;

    /// <summary>Files by the names that the index knows them by: the digests of their paths, for two may hold the same pack, each damaged elsewhere.</summary>
    private readonly Dictionary<Sha256Digest, string> files = [];
    private SegmentIndex? index;
    private bool proven;

    private PackOrigin(string name, RepairOriginKind kind, VaultLayout layout, string spillFolder, ILogger logger)
    {
        Name = name;
        Kind = kind;
        this.layout = layout;
        this.spillFolder = spillFolder;
        this.logger = logger;
    }

    internal override string Name { get; }

    internal override RepairOriginKind Kind { get; }

    /// <summary>Another vault, what it has set aside included.</summary>
    internal static PackOrigin OfVault(string folder, string spillFolder, ILogger logger)
    {
        var other = new VaultLayout(folder);
        var origin = new PackOrigin(other.Folder, RepairOriginKind.Vault, other, spillFolder, logger);
        foreach (Sha256Digest pack in other.ListPacks())
            origin.Add(other.Pack(pack));
        origin.AddSetAside();
        return origin;
    }

    /// <summary>What a vault has set aside.</summary>
    internal static PackOrigin OfSetAside(VaultLayout own, string spillFolder, ILogger logger)
    {
        var origin = new PackOrigin(own.Damaged, RepairOriginKind.SetAside, own, spillFolder, logger);
        origin.AddSetAside();
        return origin;
    }

    /// <inheritdoc/>
    public override void Dispose() => index?.Dispose();

    protected override byte[]? Read(Sha256Digest id, int maximumLength, ImagePlace? place, CancellationToken cancellation)
    {
        index ??= Build(proveRecords: false, cancellation);
        byte[]? content = Find(id, maximumLength);
        if (content is not null || proven || !index.TryFind(id, out _))
            return content;
        // The one place that the index has for it is damaged. Another may not be, and from here on only what was proven is in the index.
        Refuse();
        index.Dispose();
        index = Build(proveRecords: true, cancellation);
        proven = true;
        return Find(id, maximumLength);
    }

    protected override byte[]? ReadManifest(Sha256Digest image)
    {
        string path = layout.Manifest(image);
        try
        {
            return !VaultFiles.IsNoFile(path) && new FileInfo(path) is { Exists: true, Length: <= ImageManifest.LargestSize } ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another may have it.
            return null;
        }
    }

    private void Add(string path) => files[Sha256Digest.Compute(System.Text.Encoding.UTF8.GetBytes(path))] = path;

    private void AddSetAside()
    {
        foreach (string path in VaultFiles.List(layout.Damaged).Where(p => SetAsideFiles.IsPack(Path.GetFileName(p))))
            Add(path);
    }

    private SegmentIndex Build(bool proveRecords, CancellationToken cancellation)
    {
        DurableFile.CreateDirectory(spillFolder);
        SegmentIndex built = SegmentIndex.Empty(layout, spillFolder, logger);
        foreach ((Sha256Digest name, string path) in files)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                using PackFile pack = PackFile.Open(path);
                built.AddPack(name, EntriesOf(pack, proveRecords, cancellation));
            }
            catch (EvidenceException e)
            {
                Log.OriginPackUnusable(logger, path, e);
            }
        }

        return built;
    }

    private static PackEntry[] EntriesOf(PackFile pack, bool proveRecords, CancellationToken cancellation)
    {
        try
        {
            if (!proveRecords && Sha256Digest.TryParse(Path.GetFileName(pack.FilePath).Split('.')[0], out Sha256Digest name))
                return pack.ReadIndex(name);
        }
        catch (EvidenceException)
        {
            // Its records may be good all the same.
        }

        return [.. PackSalvage.Run(pack, cancellation).Select(r => new PackEntry(r.Header, r.Offset))];
    }

    private byte[]? Find(Sha256Digest id, int maximumLength)
    {
        if (!index!.TryFind(id, out SegmentLocation location) || location.ContentLength > maximumLength)
            return null;
        try
        {
            using PackFile pack = PackFile.Open(files[location.Pack]);
            return RecordCheck.TryReadContent(pack, location, id);
        }
        catch (EvidenceException)
        {
            // The pack is not what it was when its index was read.
            return null;
        }
    }
}
