using Evidence.Acquisition;
using Evidence.Formats.Ewf;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Sources.Ewf;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Sources.Ewf;

public sealed class EwfRoundTripTests : IDisposable
{
    private readonly TestVault vault = new();

    /// <summary>Disks with holes, bad sectors and ranges that were not tried, of any size: out as E01, and in again.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    [Trait("Requirement", "OUT-3")]
    public async Task Out_and_in_again_gives_the_same_map_with_every_absence_of_its_kind(int seed)
    {
        var random = new Random(seed);
        using Vault open = vault.Create();
        for (int run = 0; run < 5; run++)
        {
            byte[] content = TestBytes.Disk(random.Next(1, 3 << 20), random.Next());
            RescueMap mapfile = RandomMap(content, random);
            SourceExtent[] extents = RandomHoles(content, random);
            var options = new EwfExportOptions { Compression = (Compression)random.Next(3), SegmentSize = EwfExportOptions.SmallestSegment };
            var (export, image) = await E01.MakeAsync(vault, open, content, $"disk{run}", options, mapfile, extents);
            using EwfSource source = EwfSource.Open(export.Files[^1]);
            AcquisitionResult back = await new Acquirer(open).AcquireAsync(source, new AcquisitionOptions { Item = $"back{run}" }, cancellation: TestVault.Stop);
            Assert.Equal(image.Manifest.Root, back.Manifest.Root);
            Assert.Equal(image.Manifest.Size, back.Manifest.Size);
            Assert.Equal(image.Manifest.Absent, back.Manifest.Absent);
            Assert.Equal(image.Manifest.Totals, back.Manifest.Totals);
            Assert.Equal(image.Manifest.Digests, back.Manifest.Digests);
            Assert.Empty(back.Manifest.Container!.Findings);
            Assert.Equal(StoredDigestsVerdict.Match, back.Manifest.Container.Verdict);
            Assert.Equal(3, back.Manifest.Container.Digests.Count);
        }
    }

    [Fact]
    public async Task Any_range_is_read_from_any_thread_as_it_was()
    {
        byte[] content = TestBytes.Disk((2 << 20) + 77, 5);
        using Vault open = vault.Create();
        var (export, _) = await E01.MakeAsync(vault, open, content, "disk");
        using EwfSource source = EwfSource.Open(export.Files[0]);
        Parallel.For(0, 300, i =>
        {
            var random = new Random(i);
            int offset = random.Next(content.Length);
            var buffer = new byte[random.Next(1, random.Next(2) == 0 ? 2000 : 300_000)];
            int count = source.Read(offset, buffer);
            Assert.Equal(Math.Min(buffer.Length, content.Length - offset), count);
            Assert.True(content.AsSpan(offset, count).SequenceEqual(buffer.AsSpan(0, count)));
        });
    }

    public void Dispose() => vault.Dispose();

    private static RescueMap RandomMap(byte[] content, Random random)
    {
        var map = new RescueMap(content.Length);
        map.Set(0, content.Length, RescueStatus.Finished);
        for (int i = random.Next(6); i > 0 && content.Length > 1024; i--)
        {
            int sectors = content.Length / 512;
            int first = random.Next(sectors);
            int length = Math.Min(random.Next(1, random.Next(2) == 0 ? 4 : 200), sectors - first) * 512;
            map.Set(first * 512, length, random.Next(2) == 0 ? RescueStatus.BadSector : RescueStatus.NonTried);
        }

        return map;
    }

    private static SourceExtent[] RandomHoles(byte[] content, Random random)
    {
        var extents = new List<SourceExtent>();
        for (int position = 0; position < content.Length;)
        {
            int length = Math.Min(random.Next(1, 200) * 4096, content.Length - position);
            bool hole = random.Next(4) == 0;
            if (hole)
                content.AsSpan(position, length).Clear();
            extents.Add(new SourceExtent(position, length, hole ? SourceExtentKind.Hole : SourceExtentKind.Data));
            position += length;
        }

        return [.. extents];
    }
}
