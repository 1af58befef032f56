using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Repair;
using Evidence.Segments;
using Evidence.Tests.Vaults;
using Evidence.Tests.Verification;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Repair;

/// <summary>The small vault, with a copy that is good, exports of its images, and ways to damage it.</summary>
internal sealed class DamagedVault : IAsyncDisposable
{
    private DamagedVault(SmallVault small) => Small = small;

    public SmallVault Small { get; }

    public TestVault Place => Small.Place;

    /// <summary>A good copy of the vault.</summary>
    public string Copy => Place.At("copy");

    /// <summary>The first image, as a file.</summary>
    public string FirstExport => Place.At("first.img");

    public string SecondExport => Place.At("second.img");

    /// <summary>The pack of the first image, which has what both share.</summary>
    public string FirstPack { get; private set; } = "";

    public string SecondPack { get; private set; } = "";

    public static async Task<DamagedVault> CreateAsync()
    {
        var vault = new DamagedVault(await SmallVault.CreateAsync());
        TestVault.Copy(vault.Place.Folder, vault.Copy);
        await File.WriteAllBytesAsync(vault.FirstExport, SmallVault.FirstContent, TestVault.Stop);
        await File.WriteAllBytesAsync(vault.SecondExport, SmallVault.SecondContent, TestVault.Stop);
        string[] packs = [.. vault.Place.PublishedFiles().Where(f => f.StartsWith("packs/", StringComparison.Ordinal))];
        Assert.Equal(2, packs.Length);
        var first = vault.Small.First.Manifest.Tables[0];
        vault.FirstPack = packs.Single(p => PackMap.Read(vault.Place.Folder, p).Any(e => e.Header.Id == first));
        vault.SecondPack = packs.Single(p => p != vault.FirstPack);
        return vault;
    }

    public string PathOf(string file) => Path.Combine(Place.Folder, file);

    public PackEntry[] Records(string pack) => [.. PackMap.Read(Copy, pack).OrderBy(e => e.Offset)];

    /// <summary>The segment that both images begin with; it is stored as it is.</summary>
    public Sha256Digest FirstSegment()
    {
        using Vault vault = Vault.Open(Copy, Place.Access);
        return vault.OpenImage(Small.First.Image).Runs().First().Segment;
    }

    public async Task<RepairResult> RepairAsync(params string[] from) => await RepairAsync(new RepairOptions { From = from });

    public async Task<RepairResult> RepairAsync(RepairOptions options)
    {
        using Vault vault = Place.Open();
        return await new Repairer(vault).RepairAsync(options, cancellation: TestVault.Stop);
    }

    /// <summary>Everything is as it was: the vault verifies, and both images come out bit for bit.</summary>
    public async Task AssertWholeAsync()
    {
        VerificationReport report = await Small.VerifyAsync(options: new VerificationOptions { Keys = Place.Keys, Digests = true });
        Assert.True(report.Content == ContentVerdict.Verified, SmallVault.Describe(report));
        using Vault vault = Place.Open();
        Assert.Equal(SmallVault.FirstContent, await TestVault.ExportAsync(vault, Small.First));
        Assert.Equal(SmallVault.SecondContent, await TestVault.ExportAsync(vault, Small.Second));
    }

    public async Task AssertRefutedAsync()
    {
        VerificationReport report = await Small.VerifyAsync();
        Assert.True(report.Content == ContentVerdict.Refuted, SmallVault.Describe(report));
    }

    /// <summary>The bodies of the repairs that the ledger has.</summary>
    public System.Text.Json.Nodes.JsonObject[] Entries()
    {
        using Vault vault = Place.Open();
        return [.. vault.Ledger.Entries().Where(e => e.Entry!.Payload.Kind == EntryKind.Repair).Select(e => e.Entry!.Payload.Body)];
    }

    /// <summary>The names and bytes of all files, staging aside.</summary>
    public Dictionary<string, byte[]> Snapshot() =>
        Place.PublishedFiles().ToDictionary(f => f, f => File.ReadAllBytes(PathOf(f)), StringComparer.Ordinal);

    public async ValueTask DisposeAsync() => await Small.DisposeAsync();
}
