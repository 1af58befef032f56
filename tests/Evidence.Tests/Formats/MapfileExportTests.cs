using Evidence.Acquisition;
using Evidence.Formats;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Formats;

/// <summary>An image's absent ranges, as a mapfile and back.</summary>
[Trait("Requirement", "ACQ-5")]
public sealed class MapfileExportTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task ACQ_5_the_mapfile_says_what_was_read()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(100_000, 1);
        using var source = new FailingSource(content) { BadSectors = [0, 7, 8, 195], FailsWholeRequest = true };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        string path = place.At("image.map");
        MapfileExport.Write(vault.OpenImage(result.Image), path);

        using StreamReader text = File.OpenText(path);
        RescueMap map = Mapfile.Read(text, path);
        Assert.Equal(content.Length, map.Length);
        Assert.Equal(
            [new(0, 512, RescueStatus.BadSector), new(3584, 1024, RescueStatus.BadSector), new(195 * 512, content.Length - (195 * 512), RescueStatus.BadSector)],
            map.Ranges.Where(r => r.Status != RescueStatus.Finished));
        Assert.Equal(ErrorCode.DestinationInvalid, Assert.Throws<EvidenceException>(() => MapfileExport.Write(vault.OpenImage(result.Image), path)).Code);
    }

    /// <summary>What another tool rescued comes in with its gaps, and a later rescue of it fills them.</summary>
    [Fact]
    public async Task ACQ_5_what_another_tool_rescued_is_taken_with_its_gaps_and_filled_in_later()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(300_000, 2);
        byte[] rescued = [.. content];
        rescued.AsSpan(10 * 512, 512).Fill(0xAA);
        rescued.AsSpan(100 * 512, 200 * 512).Fill(0xBB);
        var map = new RescueMap(content.Length);
        map.Set(0, content.Length, RescueStatus.Finished);
        map.Set(10 * 512, 512, RescueStatus.BadSector);
        map.Set(100 * 512, 200 * 512, RescueStatus.NonTrimmed);
        AcquisitionResult first = await AcquireAsync(vault, rescued, new AcquisitionOptions { Item = "disk", Mapfile = map });
        Assert.Equal([(10L * 512, 512L), (100L * 512, 200L * 512)], first.Manifest.Absent.Select(a => (a.Offset, a.Length)));
        byte[] expected = [.. content];
        expected.AsSpan(10 * 512, 512).Clear();
        expected.AsSpan(100 * 512, 200 * 512).Clear();
        Assert.Equal(expected, await TestVault.ExportAsync(vault, first));

        // The other tool went on: of the long range all but one sector is there now.
        rescued = [.. content];
        rescued.AsSpan(10 * 512, 512).Fill(0xCC);
        rescued.AsSpan(150 * 512, 512).Fill(0xDD);
        map = new RescueMap(content.Length);
        map.Set(0, content.Length, RescueStatus.Finished);
        map.Set(10 * 512, 512, RescueStatus.BadSector);
        map.Set(150 * 512, 512, RescueStatus.BadSector);
        AcquisitionResult second = await AcquireAsync(vault, rescued, new AcquisitionOptions { Item = "disk", Mapfile = map, Continues = first.Image });
        Assert.Equal([(10L * 512, 512L), (150L * 512, 512L)], second.Manifest.Absent.Select(a => (a.Offset, a.Length)));
        Assert.All(second.Manifest.Absent, a => Assert.Equal(RunKind.Unreadable, a.Kind));
        Assert.Equal(first.Image, second.Manifest.Continues);
        expected = [.. content];
        expected.AsSpan(10 * 512, 512).Clear();
        expected.AsSpan(150 * 512, 512).Clear();
        Assert.Equal(expected, await TestVault.ExportAsync(vault, second));
        AcquisitionResult whole = await AcquireAsync(vault, content, new AcquisitionOptions { Item = "disk", Continues = second.Image });
        Assert.True(whole.Manifest.IsComplete);
        Assert.Equal((await TestVault.AcquireAsync(vault, content)).Manifest.Root, whole.Manifest.Root);
    }

    public void Dispose() => place.Dispose();

    private static Task<AcquisitionResult> AcquireAsync(Vault vault, byte[] content, AcquisitionOptions options) =>
        new Acquirer(vault).AcquireAsync(new FailingSource(content), options, cancellation: TestVault.Stop);
}
