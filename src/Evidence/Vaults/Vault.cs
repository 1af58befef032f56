using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>
/// A vault: images in deduplicated, sealed packs, and the custody ledger that says what was done with them. Any number of processes may have a
/// vault open, and write to it, at once.
/// </summary>
public sealed class Vault : IDisposable
{
    private const int LargestSettings = 1 << 20;

    /// <summary>The lock that the maker of a vault holds, in the draft: the one that writers take later to make their folders.</summary>
    private const string DraftLock = "staging/" + StagingFolder.LockName;

    private readonly Lazy<SegmentIndex> index;
    private readonly Lazy<SegmentReader> reader;
    private readonly Lazy<SegmentStore> store;

    private Vault(VaultLayout layout, VaultSettings settings, VaultAccess access)
    {
        Layout = layout;
        Settings = settings;
        Access = access;
        string? cache = access.CacheFolder is { } caches ? Path.Combine(caches, settings.Id) : null;
        // Who asks for the ledger alone needs no pack, and gets its answer whatever state the packs are in.
        index = new Lazy<SegmentIndex>(() => SegmentIndex.Open(layout, cache, access.Logger));
        reader = new Lazy<SegmentReader>(() => new SegmentReader(layout, Index));
        store = new Lazy<SegmentStore>(() => new SegmentStore(layout, Index, access.Logger));
        Ledger = new VaultLedger(layout, settings, access);
        Timestamps = new VaultTimestamps(Ledger, access);
        Witnesses = new VaultWitnesses(Ledger, access);
        Documents = new VaultDocuments(layout, Ledger, access);
        Openings = new VaultOpenings(layout, Ledger, access);
    }

    /// <summary>The folder.</summary>
    public string Folder => Layout.Folder;

    /// <summary>What the vault is.</summary>
    public VaultSettings Settings { get; }

    /// <summary>The vault's custody ledger.</summary>
    public VaultLedger Ledger { get; }

    /// <summary>Time from outside for the ledger.</summary>
    public VaultTimestamps Timestamps { get; }

    /// <summary>Witnesses for the ledger.</summary>
    public VaultWitnesses Witnesses { get; }

    /// <summary>The documents that entries name.</summary>
    public VaultDocuments Documents { get; }

    /// <summary>The personal data that entries commit to.</summary>
    public VaultOpenings Openings { get; }

    internal VaultLayout Layout { get; }

    internal VaultAccess Access { get; }

    /// <summary>Where segments lie; the packs' indexes are read when it is first asked for.</summary>
    internal SegmentIndex Index => index.Value;

    /// <summary>Where segments are put; staging is made when it is first asked for.</summary>
    internal SegmentStore Store => store.Value;

    /// <summary>Whether a folder holds a vault, of whatever version.</summary>
    public static bool Exists(string folder) => File.Exists(new VaultLayout(folder).Settings);

    /// <summary>Opens a vault.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="access">Who opens it, and with what; null for the user's own keys.</param>
    /// <exception cref="EvidenceException">There is none, it is damaged, or it needs a newer version of this software.</exception>
    public static Vault Open(string folder, VaultAccess? access = null)
    {
        if (!OperatingSystem.IsLinux())
            throw new PlatformNotSupportedException("Vaults need Linux: open, fsync, flock and renameat2 as it has them.");
        var layout = new VaultLayout(folder);
        return new Vault(layout, ReadSettings(layout).Settings, access ?? VaultAccess.Default());
    }

    /// <summary>Makes a vault, and declares it and its keeper in its ledger.</summary>
    /// <param name="folder">Its folder: one that does not exist yet, or is empty.</param>
    /// <param name="settings">What it is; see <see cref="VaultSettings.CreateNew"/>.</param>
    /// <param name="access">Who makes it; needs <see cref="VaultAccess.Keys"/>. Null for the user's own keys.</param>
    /// <exception cref="EvidenceException">There is something at that place already, or it cannot be written.</exception>
    public static Vault Create(string folder, VaultSettings settings, VaultAccess? access = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        access ??= VaultAccess.Default();
        var layout = new VaultLayout(folder);
        if (File.Exists(layout.Folder) || (Directory.Exists(layout.Folder) && Directory.EnumerateFileSystemEntries(layout.Folder).Any()))
        {
            throw Exists(folder)
                ? new EvidenceException(ErrorCode.VaultExists, $"There is a vault at {layout.Folder} already.")
                : new EvidenceException(ErrorCode.VaultInvalid, $"{layout.Folder} is not empty and is no vault. Name a folder that does not exist yet.");
        }

        Leftovers.RemoveFolders(layout.Folder, DraftLock, access.Logger);
        // The whole vault is made beside its place and then renamed into it: nobody ever meets half of one.
        var draft = new VaultLayout($"{layout.Folder}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}.tmp");
        // Held until it is in its place: whoever finds a draft with this lock free knows that its maker is dead.
        using FileLock held = LockDraft(draft);
        try
        {
            foreach (string part in (ReadOnlySpan<string>)[draft.Packs, draft.Images, draft.Ledger])
                DurableFile.CreateDirectory(part);
            byte[] bytes = settings.Encode();
            _ = DurableFile.TryCreate(draft.Settings, bytes);
            new VaultLedger(draft, settings, access).Found(Sha256Digest.Compute(bytes));
            try
            {
                DurableFile.Rename(draft.Folder, layout.Folder);
            }
            catch (EvidenceException e) when (Exists(folder))
            {
                throw new EvidenceException(ErrorCode.VaultExists, $"Another process made a vault at {layout.Folder} meanwhile.", e);
            }

            DurableFile.SyncDirectory(Path.GetDirectoryName(layout.Folder)!);
            new VaultLedger(layout, settings, access).Settle();
        }
        catch
        {
            if (Directory.Exists(draft.Folder))
                Directory.Delete(draft.Folder, recursive: true);
            throw;
        }

        return Open(folder, access);
    }

    private static FileLock LockDraft(VaultLayout draft)
    {
        DurableFile.CreateDirectory(draft.Staging);
        return FileLock.Acquire(Path.Combine(draft.Folder, DraftLock), CancellationToken.None);
    }

    /// <summary>Opens the vault at a place, or makes one there.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="access">Who opens it; null for the user's own keys.</param>
    /// <exception cref="EvidenceException">What is there is no vault, is damaged, or needs a newer version; or nothing can be written there.</exception>
    public static Vault OpenOrCreate(string folder, VaultAccess? access = null)
    {
        if (Exists(folder))
            return Open(folder, access);
        try
        {
            return Create(folder, VaultSettings.CreateNew(clock: access?.Clock), access);
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.VaultExists, StringComparison.Ordinal))
        {
            // Another process made it in between.
            return Open(folder, access);
        }
    }

    /// <summary>The images that the ledger's validly signed entries name, in the order of those.</summary>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public IReadOnlyList<ImageRecord> Images()
    {
        var said = new Statements();
        return
        [
            .. Ledger.Entries()
                .Where(e => e.Verdict?.Status == EntrySignatureStatus.Valid && e.Entry is { } entry && string.Equals(entry.Payload.Kind, EntryKind.Acquisition, StringComparison.Ordinal) &&
                    said.TryAdd(e.Index, entry))
                .Select(e => ImageRecord.TryRead(e.Index, e.Entry!.Payload, EntrySignatureStatus.Valid))
                .OfType<ImageRecord>(),
        ];
    }

    /// <summary>Finds an image by a name that people use.</summary>
    /// <param name="name">An item, of which the image is meant that no other one continues; or <c>sha256:</c> and at least eight hexadecimal digits of the image's id.</param>
    /// <exception cref="EvidenceException">None has it, or several have; then the message lists them.</exception>
    public ImageRecord FindImage(string name) => ImageNames.Find(Images(), name, Folder);

    /// <summary>Opens an image for reading.</summary>
    /// <param name="image">Its id.</param>
    /// <exception cref="EvidenceException">Its manifest is missing or damaged (<see cref="ErrorCode.ContentRefuted"/>).</exception>
    public VaultImage OpenImage(Sha256Digest image) => new(image, ReadManifest(Layout, image), reader.Value) { Logger = Access.Logger };

    /// <summary>Opens an image for reading.</summary>
    public VaultImage OpenImage(ImageRecord image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return OpenImage(image.Image);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (store.IsValueCreated)
            store.Value.Dispose();
        if (reader.IsValueCreated)
            reader.Value.Dispose();
        if (index.IsValueCreated)
            index.Value.Dispose();
    }

    internal static VaultImage OpenImage(VaultLayout layout, Sha256Digest image, SegmentReader segments) =>
        new(image, ReadManifest(layout, image), segments);

    /// <summary>Reads an image's manifest.</summary>
    /// <exception cref="EvidenceException">It is missing or damaged (<see cref="ErrorCode.ContentRefuted"/>), or cannot be read.</exception>
    internal static ImageManifest ReadManifest(VaultLayout layout, Sha256Digest image) => ReadManifestFile(layout, image).Manifest;

    /// <summary>Reads an image's manifest, with the file's very bytes.</summary>
    /// <inheritdoc cref="ReadManifest"/>
    internal static (byte[] Bytes, ImageManifest Manifest) ReadManifestFile(VaultLayout layout, Sha256Digest image)
    {
        string path = layout.Manifest(image);
        try
        {
            byte[] bytes = VaultFiles.ReadBounded(path, ImageManifest.LargestSize);
            return Sha256Digest.Compute(bytes) == image
                ? (bytes, ImageManifest.Decode(bytes))
                : throw new FormatException("it is not the file that its name says.");
        }
        catch (Exception e) when (e is FormatException or FileNotFoundException or DirectoryNotFoundException)
        {
            string what = e is FormatException ? $"is damaged: {e.Message}" : "is missing.";
            throw new EvidenceException(ErrorCode.ContentRefuted, $"The manifest {path} {what} 'evidence repair --from' another vault brings it back.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EvidenceException(ErrorCode.PermissionDenied, $"Cannot read the manifest {path}: permission denied.", e);
        }
        catch (IOException e)
        {
            throw new EvidenceException(ErrorCode.InputOutput, $"Cannot read the manifest {path}: {e.Message}", e);
        }
    }

    /// <summary>The SHA-256 of <c>vault.json</c>, whatever is in it.</summary>
    internal static Sha256Digest DigestOfSettings(VaultLayout layout) => Sha256Digest.Compute(VaultFiles.ReadBounded(layout.Settings, LargestSettings));

    /// <summary>Reads <c>vault.json</c>.</summary>
    internal static (VaultSettings Settings, Sha256Digest Digest) ReadSettings(VaultLayout layout)
    {
        try
        {
            byte[] bytes = VaultFiles.ReadBounded(layout.Settings, LargestSettings);
            return (VaultSettings.Decode(bytes, layout.Settings), Sha256Digest.Compute(bytes));
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.VaultInvalid, $"{layout.Settings} is not the settings of a vault: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Directory.Exists(layout.Folder)
                ? new EvidenceException(ErrorCode.VaultInvalid, $"{layout.Folder} is no vault: it has no vault.json. Make one with 'evidence init' in a new folder.", e)
                : new EvidenceException(
                    ErrorCode.VaultNotFound,
                    $"There is no vault at {layout.Folder}. Name one with --vault or EVIDENCE_VAULT, or make one with 'evidence init' or 'evidence acquire'.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new EvidenceException(ErrorCode.PermissionDenied, $"Cannot read {layout.Settings}: permission denied.", e);
        }
        catch (IOException e)
        {
            throw new EvidenceException(ErrorCode.InputOutput, $"Cannot read {layout.Settings}: {e.Message}", e);
        }
    }
}
