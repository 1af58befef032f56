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
    private const int Length = FailurePatterns.Length;

    public static TheoryData<string, int, bool> Disks => new MatrixTheoryData<string, int, bool>(FailurePatterns.All.Keys, [512, 4096], [false, true]);

    [Theory]
    [MemberData(nameof(Disks))]
    [Trait("Requirement", "ACQ-5")]
    public void The_same_is_rescued_with_no_more_requests_of_bad_sectors(string pattern, int sectorSize, bool isDevice)
    {
        FailingDisk.Require();
        Compare(pattern, Length, sectorSize, [.. FailurePatterns.All[pattern](MiB / sectorSize)], isDevice);
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
}
