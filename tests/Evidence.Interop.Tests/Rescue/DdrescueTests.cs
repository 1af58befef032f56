using Evidence.Interop.Tests.Harness;
using Evidence.Rescue;
using Evidence.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>
/// The same failing disk, once by GNU ddrescue and once by the rescuer: the same bytes, the same bad sectors, and no more requests that meet
/// a bad sector.
/// </summary>
public sealed class DdrescueTests(ITestOutputHelper output)
{
    private const int MiB = 1 << 20;
    private const int Length = 8 * MiB;

    /// <summary>Which sectors are bad, of a disk of <see cref="Length"/> bytes, by the number of sectors in a MiB.</summary>
    private static readonly Dictionary<string, Func<int, IEnumerable<long>>> Patterns = new(StringComparer.Ordinal)
    {
        ["none"] = _ => [],
        ["one"] = mib => [(2 * mib) + 77],
        ["first"] = _ => [0],
        ["last"] = mib => [(8 * mib) - 1],
        ["adjacent pair"] = mib => Run(mib + 31, 2),
        ["across a page"] = mib => Run((3 * mib / 2) - 3, 6),
        ["across 64 KiB"] = mib => Run((mib / 16 * 5) - 2, 5),
        ["across 512 KiB"] = mib => Run((mib / 2) - 1, 2),
        ["across 1 MiB"] = mib => Run((3 * mib) - 3, 7),
        ["across 4 MiB"] = mib => Run((4 * mib) - 1, 3),
        ["every 100th"] = mib => Enumerable.Range(0, 8 * mib / 100).Select(i => i * 100L),
        ["dead region"] = mib => Run((5 * mib / 2) + 5, 3 * mib),
        ["dead start"] = mib => Run(0, mib + 3),
        ["dead end"] = mib => Run((7 * mib) - 9, mib + 9),
        ["random 1%"] = mib => Random(8 * mib, 8 * mib / 100, seed: 1),
        ["random 12"] = mib => Random(8 * mib, 12, seed: 2),
        ["two islands"] = mib => [.. Run(mib / 2, 40), .. Run(13 * mib / 2, 90)],
        ["islands in a dead region"] = mib => Run(mib, 5 * mib).Where(s => s % mib is < 20 or > 60),
    };

    public static TheoryData<string, int, bool> Disks => new MatrixTheoryData<string, int, bool>(Patterns.Keys, [512, 4096], [false, true]);

    [Theory]
    [MemberData(nameof(Disks))]
    [Trait("Requirement", "ACQ-5")]
    public void The_same_is_rescued_with_no_more_requests_of_bad_sectors(string pattern, int sectorSize, bool isDevice)
    {
        FailingDisk.Require();
        Compare(pattern, Length, sectorSize, [.. Patterns[pattern](MiB / sectorSize)], isDevice);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(513)]
    [Trait("Requirement", "ACQ-5")]
    public void A_partial_sector_at_the_end_is_rescued_or_left_by_itself(int tail)
    {
        FailingDisk.Require();
        Compare($"good tail of {tail}", MiB + tail, 512, [1000], isDevice: false);
        Compare($"bad tail of {tail}", MiB + tail, 512, [(MiB + tail - 1) / 512], isDevice: false);
    }

    private void Compare(string pattern, int length, int sectorSize, IReadOnlyCollection<long> bad, bool isDevice)
    {
        using var disk = new FailingDisk(length, sectorSize, bad, isDevice);
        _ = disk.RequestsOfBadSectors();

        string image = disk.PathOf("ddrescue.img");
        string mapfile = disk.PathOf("ddrescue.map");
        Peer.Run("ddrescue", "--quiet", "--idirect", $"--sector-size={sectorSize}", disk.Node!, image, mapfile);
        int theirs = disk.RequestsOfBadSectors();

        using var sink = new ImageSink(length);
        var map = new RescueMap(length);
        using (Source source = Source.Open(disk.Node!, new SourceOptions { DirectIO = true, SectorSize = sectorSize }))
        {
            Assert.True(source.IsDirect);
            var rescuer = new Rescuer(source, map);
            rescuer.CopyForward(0, length, sink, CancellationToken.None);
            rescuer.Recover(sink, CancellationToken.None);
            Assert.True(source.IsDirect);
        }

        int ours = disk.RequestsOfBadSectors();
        output.WriteLine($"| {pattern} | {(isDevice ? "device" : "file")} | {sectorSize} | {bad.Count} | {ours} | {theirs} |");

        Assert.Equal(disk.Truth.Ranges, map.Ranges);
        using (StreamReader reader = File.OpenText(mapfile))
            Assert.Equal(Mapfile.Read(reader, mapfile).Ranges, map.Ranges);
        byte[] expected = [.. disk.Content];
        foreach (RescueRange range in disk.Truth.Ranges.Where(range => range.Status == RescueStatus.BadSector))
            expected.AsSpan((int)range.Offset, (int)range.Length).Clear();
        Assert.True(expected.AsSpan().SequenceEqual(sink.Image));
        // ddrescue writes nothing where it read nothing, so a bad end is missing from its file.
        Assert.True(File.ReadAllBytes(image) is { } copied && expected.AsSpan(0, copied.Length).SequenceEqual(copied));
        Assert.True(ours <= theirs, $"{ours} requests met a bad sector, {theirs} of ddrescue's did");
        Assert.True(ours >= bad.Count, "a bad sector was not tried by itself");
    }

    private static IEnumerable<long> Run(int first, int count) => Enumerable.Range(first, count).Select(sector => (long)sector);

    private static IEnumerable<long> Random(int sectors, int count, int seed)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, count).Select(_ => (long)random.Next(sectors)).Distinct();
    }
}
