using Evidence.Acquisition;
using Evidence.Ledger;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.DiscUtils.Tests;

/// <summary>A folder with a vault in it, which goes when the test ends.</summary>
internal sealed class World : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-discutils-");

    internal World() => Vault = Vault.OpenOrCreate(PathOf("vault"), new VaultAccess { Keys = new KeyStore(PathOf("keys")), Actor = "examiner" });

    internal string Folder => folder.FullName;

    internal Vault Vault { get; }

    internal string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Images a source.</summary>
    internal async Task<AcquisitionResult> AcquireAsync(Source source, AcquisitionOptions? options = null) =>
        await new Acquirer(Vault).AcquireAsync(source, options);

    /// <summary>Images a file.</summary>
    internal async Task<ImageRecord> AcquireAsync(string path)
    {
        using Source source = Source.Open(path);
        AcquisitionResult result = await AcquireAsync(source, new AcquisitionOptions { Item = Path.GetFileName(path) });
        return Vault.FindImage(result.Item);
    }

    /// <summary>All of a source.</summary>
    internal static byte[] ReadAll(Source source)
    {
        var all = new byte[source.Length!.Value];
        source.Read(0, all);
        return all;
    }

    public void Dispose()
    {
        Vault.Dispose();
        folder.Delete(recursive: true);
    }
}
