using Evidence.Acquisition;
using Evidence.Formats;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Tests.Verification;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Vaults;

/// <summary>A place of its own for vaults, with keys and an index cache that no other test shares.</summary>
internal sealed class TestVault : IDisposable
{
    /// <summary>Small segments, so that small content has many.</summary>
    public const int Average = 4096;

    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("evidence-vaults-");

    public TestVault()
    {
        Keys = new KeyStore(At("keys"));
        Folder = At("vault");
    }

    public string Folder { get; }

    public KeyStore Keys { get; }

    public string CacheFolder => At("cache");

    public VaultAccess Access => new() { Keys = Keys, CacheFolder = CacheFolder, Actor = "examiner" };

    public VaultLayout Layout => new(Folder);

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    public string At(string name) => Path.Combine(root.FullName, name);

    public Vault Create(Compression compression = Compression.Fast, int average = Average, string? folder = null, string origin = "vault.example/test",
        VaultAccess? access = null) => Vault.Create(
        folder ?? Folder, VaultSettings.CreateNew(origin, SegmentParameters.ForAverage(average), compression), access ?? Access);

    public Vault Open() => Vault.Open(Folder, Access);

    /// <summary>The files of the vault that a reader reads, by their names in it.</summary>
    public string[] PublishedFiles() =>
    [
        .. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Folder, path))
            .Where(name => !name.StartsWith("staging/", StringComparison.Ordinal) && !name.StartsWith("ledger/staging/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    public Task<VerificationReport> VerifyAsync(VerificationOptions? options = null) =>
        VaultVerifier.VerifyAsync(Folder, options ?? new VerificationOptions { Keys = Keys }, cancellation: Stop);

    public static Task<AcquisitionResult> AcquireAsync(Vault vault, byte[] content, AcquisitionOptions? options = null, IEnumerable<SourceExtent>? extents = null)
    {
        var source = new StreamSource(new MemoryStream(content), "memory", extents);
        return new Acquirer(vault).AcquireAsync(source, options, cancellation: Stop);
    }

    public static async Task<byte[]> ExportAsync(Vault vault, AcquisitionResult result)
    {
        using var output = new MemoryStream();
        RawExportResult exported = await RawExport.WriteAsync(vault.OpenImage(result.Image), output, cancellation: Stop);
        Assert.Equal(result.Manifest.Size, exported.Length);
        return output.ToArray();
    }

    /// <summary>Makes the vault, with one image in it.</summary>
    /// <returns>The image's id, and what it is made of.</returns>
    public async Task<(Sha256Digest Image, MapRun[] Runs)> HoldAsync(byte[] content, Compression compression)
    {
        using Vault vault = Create(compression);
        AcquisitionResult result = await AcquireAsync(vault, content);
        return (result.Image, [.. vault.OpenImage(result.Image).Runs()]);
    }

    /// <summary>Changes one bit of the record of a run's segment, in a vault of one pack.</summary>
    /// <param name="run">The run.</param>
    /// <param name="place">Which byte of the record, its header included.</param>
    /// <returns>The record's entry in the pack's index.</returns>
    public PackEntry FlipRecord(MapRun run, Index place)
    {
        string file = PublishedFiles().Single(f => f.EndsWith(".pack", StringComparison.Ordinal));
        PackEntry entry = PackMap.Read(Folder, file).Single(e => e.Header.Id == run.Segment);
        Flip(Path.Combine(Folder, file), entry.Offset + place.GetOffset(PackFormat.RecordHeaderSize + entry.Header.StoredLength));
        return entry;
    }

    /// <summary>Changes one bit of a file, whatever its mode.</summary>
    public static void Flip(string path, long offset, int bit = 0)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bytes[offset] ^= (byte)(1 << bit);
        Overwrite(path, bytes);
    }

    public static void Overwrite(string path, byte[] bytes)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, bytes);
    }

    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
    }

    public void Dispose() => root.Delete(recursive: true);
}
