using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>
/// One repair, up to where its outcome is to be published: finds damaged packs, copies what is good in them, and goes through the images' maps until
/// nothing more that is missing can be found anywhere. Memory: a segment, a page of a map, and what <see cref="SegmentIndex"/> takes for the ids.
/// </summary>
internal sealed class RepairRun : IDisposable
{
    private readonly Vault vault;
    private readonly VaultLayout layout;
    private readonly RepairStore? target;
    private readonly string spillFolder;

    /// <summary>What a verification of the vault would find, before the repair.</summary>
    private readonly SegmentIndex found;

    /// <summary>What stays in its place, or was copied; in a dry run with the places in damaged packs.</summary>
    private readonly SegmentIndex kept;
    private readonly SegmentIndex broughtIds;
    private readonly BroughtBack brought;
    private readonly List<RepairOrigin> origins = [];
    private readonly IReadOnlyList<RepairImage> images;
    private readonly List<SetAsidePack> setAside = [];
    private readonly Dictionary<Sha256Digest, RepairOrigin> manifests = [];
    private readonly byte[] scratch = new byte[PackFormat.LargestContent];

    /// <param name="vault">The vault.</param>
    /// <param name="options">What, and from what.</param>
    /// <param name="spillFolder">For indexes that grow beyond memory; removed by whoever made it.</param>
    /// <param name="store">Where to put what is brought back; null for a dry run.</param>
    internal RepairRun(Vault vault, RepairOptions options, string spillFolder, RepairStore? store)
    {
        this.vault = vault;
        layout = vault.Layout;
        target = store;
        this.spillFolder = spillFolder;
        images = Select(options.Images);
        found = NewIndex("found");
        kept = store?.Kept ?? NewIndex("kept");
        broughtIds = NewIndex("brought");
        brought = new BroughtBack(broughtIds);
        try
        {
            OpenOrigins(options.From);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal async Task BringBackAsync(IProgress<RepairProgress>? progress, CancellationToken cancellation)
    {
        List<Sha256Digest> damaged = new PackSurvey(layout, found, kept).Run(
            (done, total) => progress?.Report(new RepairProgress(RepairPhase.Checking, done, total)), cancellation);
        foreach (Sha256Digest pack in damaged)
            Salvage(pack, cancellation);

        // What is found at one place may be missing at another that was passed already, and a page that was brought back names more.
        long before;
        bool first = true;
        do
        {
            before = brought.Count + manifests.Count;
            long total = images.Sum(i => i.Size);
            long done = 0;
            foreach (RepairImage image in images)
            {
                await new ImageWalk(this, image, first).RunAsync(
                    bytes => progress?.Report(new RepairProgress(RepairPhase.BringingBack, Interlocked.Add(ref done, bytes), total)), cancellation).ConfigureAwait(false);
            }

            first = false;
        }
        while (brought.Count + manifests.Count > before);
    }

    /// <summary>Puts the manifests that were found into their places. What they name is durable by now.</summary>
    internal void PublishManifests(string temporaryFolder)
    {
        foreach ((Sha256Digest image, RepairOrigin origin) in manifests)
        {
            byte[] bytes = origin.TryReadManifest(image) ?? throw new EvidenceException(
                ErrorCode.InputOutput, $"{origin.Name} had the manifest {image} a moment ago, and has it no more. Run the repair again.");
            if (SetAsideFiles.ReplaceManifest(layout, image, bytes, temporaryFolder) is { } aside)
                Log.SetAside(vault.Access.Logger, layout.Manifest(image), aside);
        }
    }

    internal RepairResult Result(IReadOnlyList<Sha256Digest> newPacks) => new()
    {
        Outcome = new RepairOutcome
        {
            SegmentCount = brought.Count,
            SegmentBytes = brought.Bytes,
            SegmentDigest = brought.Digest(),
            Segments = brought.First,
            Origins = [.. origins.Select(o => new RecoveredFrom(o.Name, NameOf(o.Kind), o.Segments, o.Bytes, o.Refused))],
            Packs = setAside,
            NewPacks = newPacks,
            Manifests = [.. manifests.Keys],
            WholeAgain = [.. images.Where(i => i is { WasDamaged: true, MissingCount: 0 }).Select(i => i.Image)],
            StillDamaged = [.. images.Where(i => i.MissingCount > 0).Select(i => i.Image)],
            MissingBytes = images.Sum(i => i.MissingBytes),
            Items = [.. images.Where(i => i.WasDamaged && i.Item.Length > 0).Select(i => i.Item).Distinct(StringComparer.Ordinal).Take(20)],
        },
        Missing = [.. images.SelectMany(i => i.Missing).Take(RepairResult.MostListed)],
        MissingCount = images.Sum(i => i.MissingCount),
    };

    /// <summary>Whether something was there and good before the repair.</summary>
    internal bool WasFound(Sha256Digest id) => found.TryFind(id, out _);

    /// <summary>Whether content is there, or was copied or brought back by now.</summary>
    internal bool IsPresent(Sha256Digest id) => target?.Store.Holds(id) ?? (kept.TryFind(id, out _) || brought.Holds(id));

    /// <summary>The manifest of an image; null where neither the vault nor any origin has it.</summary>
    internal ImageManifest? ReadManifest(RepairImage image)
    {
        try
        {
            if (!manifests.ContainsKey(image.Image))
                return Vault.ReadManifest(layout, image.Image);
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
        {
            image.WasDamaged = true;
        }

        foreach (RepairOrigin origin in origins)
        {
            try
            {
                if (origin.TryReadManifest(image.Image) is not { } bytes)
                    continue;
                ImageManifest manifest = ImageManifest.Decode(bytes);
                manifests[image.Image] = origin;
                return manifest;
            }
            catch (FormatException)
            {
                // The right bytes, and no manifest that can be read here: there is nothing to bring back.
            }
        }

        return null;
    }

    /// <summary>Brings a segment back, unless it is there.</summary>
    /// <returns>Whether it is there now.</returns>
    internal bool Ensure(Sha256Digest id, int length, ImagePlace place, CancellationToken cancellation)
    {
        // Content that has another length than the map says is what its id says: the map was never right, and no copy can be better.
        if (kept.TryFind(id, out SegmentLocation location))
            return location.ContentLength == length;
        return IsPresent(id) || Search(id, length, place, cancellation) is not null;
    }

    /// <summary>A page or a table of a map, from the vault or from wherever it is; null where it is nowhere.</summary>
    internal async Task<byte[]?> FetchAsync(Sha256Digest id, CancellationToken cancellation)
    {
        if (!kept.TryFind(id, out _) && target is { } store && store.Store.Holds(id))
            await store.Store.FlushAsync().ConfigureAwait(false);
        if (kept.TryFind(id, out SegmentLocation location))
        {
            using PackFile pack = PackFile.Open(layout.Pack(location.Pack));
            if (RecordCheck.TryReadContent(pack, location, id) is { } content)
                return content;
            throw pack.Refuted($"the record at offset {location.Offset} is not what it was a moment ago. The vault's medium is failing");
        }

        if (brought.Holds(id))
            return await File.ReadAllBytesAsync(MapFile(id), cancellation).ConfigureAwait(false);
        return Search(id, PackFormat.LargestContent, place: null, cancellation) is { } searched ? Keep(id, searched) : null;
    }

    /// <summary>Takes a page or a table of a map that was made anew from what it describes.</summary>
    internal byte[] Accept(Sha256Digest id, byte[] content, RepairOrigin origin)
    {
        origin.Count(content.Length);
        Put(id, content, origin);
        return Keep(id, content);
    }

    /// <summary>What may be read at the places of an image.</summary>
    internal IEnumerable<ImageOrigin> ImageOrigins => origins.OfType<ImageOrigin>();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (RepairOrigin origin in origins)
            origin.Dispose();
        found.Dispose();
        broughtIds.Dispose();
        if (target is null)
            kept.Dispose();
    }

    private byte[]? Search(Sha256Digest id, int maximumLength, ImagePlace? place, CancellationToken cancellation)
    {
        foreach (RepairOrigin origin in origins)
        {
            if (origin.TryRead(id, maximumLength, place, cancellation) is { } content)
            {
                Put(id, content, origin);
                return content;
            }
        }

        return null;
    }

    private void Put(Sha256Digest id, byte[] content, RepairOrigin origin)
    {
        target?.Store.Put(id, content, vault.Settings.Compression, scratch);
        brought.Add(id, content.Length, origin.Name);
    }

    /// <summary>A dry run has no store to find a page of a map in again.</summary>
    private byte[] Keep(Sha256Digest id, byte[] content)
    {
        if (target is null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(MapFile(id))!);
            File.WriteAllBytes(MapFile(id), content);
        }

        return content;
    }

    private string MapFile(Sha256Digest id) => Path.Combine(spillFolder, "maps", id.ToString());

    /// <summary>Copies every record of a damaged pack that is what its id says and is in no other pack.</summary>
    private void Salvage(Sha256Digest name, CancellationToken cancellation)
    {
        long records = 0;
        long copied = 0;
        try
        {
            using PackFile pack = PackFile.Open(layout.Pack(name));
            var entries = new List<PackEntry>();
            foreach (SalvagedRecord record in PackSalvage.Run(pack, cancellation))
            {
                records++;
                if (IsPresent(record.Header.Id))
                    continue;
                copied++;
                if (target is { } store)
                    store.Store.PutRecord(record.Header, record.Stored.Span);
                else
                    entries.Add(new PackEntry(record.Header, record.Offset));
            }

            if (target is null)
                kept.AddPack(name, [.. entries.DistinctBy(e => e.Header.Id)]);
        }
        catch (EvidenceException e) when (e.Code is ErrorCode.ContentRefuted or ErrorCode.InputOutput && !IsStoreFailure(e))
        {
            // A link, a pipe, a file that the medium does not give at all: nothing of it can be copied, and it is set aside as it is.
        }

        setAside.Add(new SetAsidePack(name, records, copied));
    }

    /// <summary>A store that failed refuses everything from then on: that is no matter of the damaged pack.</summary>
    private bool IsStoreFailure(EvidenceException e) => target is { Store.Failure: { } failure } && (ReferenceEquals(failure, e) || ReferenceEquals(failure, e.InnerException));

    /// <summary>The images to go through: those of the given names, or all that the ledger names and all whose manifests are there.</summary>
    private RepairImage[] Select(IReadOnlyList<string> names)
    {
        if (names.Count > 0)
            return [.. names.Select(vault.FindImage).DistinctBy(r => r.Image).Select(r => new RepairImage(r.Image, r.Item, r.Size))];
        ImageRecord[] recorded = [.. vault.Images().DistinctBy(r => r.Image)];
        var known = recorded.Select(r => r.Image).ToHashSet();
        // What no entry names may be waiting for one: an actor without the log's keys leaves it so.
        return [.. recorded.Select(r => new RepairImage(r.Image, r.Item, r.Size)), .. layout.ListManifests().Where(m => !known.Contains(m)).Select(m => new RepairImage(m, "", 0))];
    }

    private void OpenOrigins(IReadOnlyList<string> from)
    {
        int number = 0;
        foreach (string path in from)
        {
            string spill = Path.Combine(spillFolder, string.Create(null, $"from-{number++}"));
            if (!Directory.Exists(path))
                origins.Add(ImageOrigin.Open(path));
            else if (string.Equals(new VaultLayout(path).Folder, layout.Folder, StringComparison.Ordinal))
                throw new EvidenceException(ErrorCode.Usage, $"{path} is the vault itself. What it holds in other packs is looked for in any case.");
            else if (Directory.Exists(new VaultLayout(path).Packs))
                origins.Add(PackOrigin.OfVault(path, spill, vault.Access.Logger));
            else
                throw new EvidenceException(ErrorCode.VaultInvalid, $"{path} is no vault: it has no folder 'packs'. Name a vault, an exported image, or what was imaged.");
        }

        origins.Add(PackOrigin.OfSetAside(layout, Path.Combine(spillFolder, "set-aside"), vault.Access.Logger));
    }

    private SegmentIndex NewIndex(string name) => SegmentIndex.Empty(layout, Path.Combine(spillFolder, name), vault.Access.Logger);

    private static string NameOf(RepairOriginKind kind) => kind switch
    {
        RepairOriginKind.Vault => "vault",
        RepairOriginKind.Image => "image",
        RepairOriginKind.SetAside => "set-aside",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
