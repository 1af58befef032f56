using Evidence.Interop.Tests.Harness;
using Evidence.Rescue;
using Evidence.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>Mapfiles go to GNU ddrescue and come back.</summary>
public sealed class MapfileTests
{
    private const int MiB = 1 << 20;

    private static readonly long[] Bad = [0, 700, 701, 702, 1500, 1502, 4000, 4095];

    [Fact]
    public void What_we_write_ddrescuelog_reads_as_we_do()
    {
        FailingDisk.Require();
        using var disk = new FailingDisk(2 * MiB, 512, Bad, isDevice: false);
        string mapfile = disk.PathOf("ours.map");
        RescueMap map = disk.Truth;
        map.Set(5 * 512, 512, RescueStatus.NonTried);
        map.Set(6 * 512, 512, RescueStatus.NonTrimmed);
        map.Set(7 * 512, 512, RescueStatus.NonScraped);
        Save(map, mapfile);
        foreach ((string option, RescueStatus status) in ((string, RescueStatus)[])[
            ("?", RescueStatus.NonTried), ("*", RescueStatus.NonTrimmed), ("/", RescueStatus.NonScraped), ("-", RescueStatus.BadSector),
            ("+", RescueStatus.Finished)])
        {
            string[] blocks = Peer.Run("ddrescuelog", $"--list-blocks={option}", mapfile).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            IEnumerable<long> ours = map.Ranges.Where(r => r.Status == status).SelectMany(r => Sectors(r.Offset / 512, r.Length / 512));
            Assert.Equal(ours, blocks.Select(block => long.Parse(block, null)));
        }
    }

    /// <summary>A part by one, the rest by the other, in both orders: together they rescue all that is good, and know the bad sectors.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Either_goes_on_where_the_other_stopped(bool oursFirst)
    {
        FailingDisk.Require();
        using var disk = new FailingDisk(2 * MiB, 512, Bad, isDevice: false);
        string mapfile = disk.PathOf("shared.map");
        string image = disk.PathOf("shared.img");
        using var sink = new ImageSink(2 * MiB);
        if (!oursFirst)
            Ddrescue("--no-trim", "--no-scrape", "--cpass=1");
        RescueMap map = oursFirst ? new RescueMap(2 * MiB) : Load(mapfile);
        using (Source source = Source.Open(disk.Node!, new SourceOptions { DirectIO = true }))
        {
            var rescuer = new Rescuer(source, map, new RescueOptions { Scrape = !oursFirst });
            rescuer.CopyForward(0, oursFirst ? MiB + 65536 : map.Length, sink, CancellationToken.None);
            if (!oursFirst)
                rescuer.Recover(sink, CancellationToken.None);
        }

        Save(map, mapfile);
        var whole = new byte[2 * MiB];
        if (oursFirst)
        {
            Assert.NotEqual(0, map.Total(RescueStatus.NonTried));
            File.WriteAllBytes(image, sink.Image);
            Ddrescue();
            map = Load(mapfile);
        }

        Peer.Run("ddrescuelog", "--show-status", mapfile);
        Assert.Equal(disk.Truth.Ranges, map.Ranges);
        File.ReadAllBytes(image).CopyTo(whole, 0);
        sink.CopyTo(whole);
        byte[] expected = [.. disk.Content];
        foreach (long sector in Bad)
            expected.AsSpan((int)sector * 512, 512).Clear();
        Assert.True(expected.AsSpan().SequenceEqual(whole));

        void Ddrescue(params string[] options) =>
            Peer.Run("ddrescue", ["--quiet", "--idirect", .. options, disk.Node!, image, mapfile]);
    }

    private static IEnumerable<long> Sectors(long first, long count)
    {
        for (long sector = first; sector < first + count; sector++)
            yield return sector;
    }

    private static RescueMap Load(string path)
    {
        using StreamReader reader = File.OpenText(path);
        return Mapfile.Read(reader, path);
    }

    private static void Save(RescueMap map, string path)
    {
        using var writer = new StreamWriter(path);
        Mapfile.Write(map, writer);
    }
}
