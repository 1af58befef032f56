using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Rescue;
using Xunit;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>What GNU ddrescue got out of a disk becomes an image that lacks what ddrescue lacks.</summary>
[Trait("Requirement", "ACQ-5")]
public sealed class MapfileImportTests : IDisposable
{
    private const int Length = 2 << 20;

    private readonly EvidenceCommand evidence = new();

    [Fact]
    public void ACQ_5_what_ddrescue_lacks_the_image_lacks_and_what_it_rescues_later_is_filled_in()
    {
        FailingDisk.Require();
        long[] bad = [.. Enumerable.Range(500, 1000).Where(s => s % 100 is < 20 or > 60), 3000];
        using var disk = new FailingDisk(Length, 512, bad, isDevice: false);
        Ddrescue(disk, "1", "--no-scrape");
        JsonElement first = Acquire(disk, "1", exitCode: 4);
        AssertLacks(disk, "1");
        Assert.Contains(evidence.Lacks("disk"), range => range.Kind == "unread");
        evidence.VerifyIncomplete();

        File.Copy(disk.PathOf("1.img"), disk.PathOf("2.img"));
        File.Copy(disk.PathOf("1.map"), disk.PathOf("2.map"));
        Ddrescue(disk, "2");
        JsonElement second = Acquire(disk, "2", exitCode: 4, "--resume");
        Assert.Equal(first.Text("image"), second.Text("continues"));
        AssertLacks(disk, "2");
        Assert.Equal(bad.Length * 512, evidence.Lacks("disk").Sum(range => range.Length));
        Assert.All(evidence.Lacks("disk"), range => Assert.Equal("unreadable", range.Kind));
        byte[] expected = [.. disk.Content];
        foreach (long sector in bad)
            expected.AsSpan((int)sector * 512, 512).Clear();
        Assert.True(expected.AsSpan().SequenceEqual(evidence.Export("disk")));
        evidence.VerifyIncomplete();
    }

    [Fact]
    public void ACQ_5_a_rescued_file_that_lacks_its_bad_end_is_not_taken_for_the_whole()
    {
        FailingDisk.Require();
        using var disk = new FailingDisk(Length, 512, [(Length / 512) - 2, (Length / 512) - 1], isDevice: false);
        Ddrescue(disk, "1");
        Assert.Equal(Length - 1024, new FileInfo(disk.PathOf("1.img")).Length);
        string message = evidence.Json("acquire", disk.PathOf("1.img"), "--item", "disk", "--mapfile", disk.PathOf("1.map")).ImageFailsWith("rescue-map-invalid");
        Assert.Contains($"truncate --size={Length}", message, StringComparison.Ordinal);

        // The way out that the message gives.
        Peer.Run("truncate", $"--size={Length}", disk.PathOf("1.img"));
        Acquire(disk, "1", exitCode: 4);
        AssertLacks(disk, "1");
    }

    [Fact]
    public void A_mapfile_is_of_one_source() =>
        evidence.Json("acquire", "a", "b", "--mapfile", "a.map").FailsWith("usage", 2);

    public void Dispose() => evidence.Dispose();

    private static void Ddrescue(FailingDisk disk, string name, params string[] options) =>
        Peer.Run("ddrescue", ["--quiet", "--idirect", .. options, disk.Node!, disk.PathOf($"{name}.img"), disk.PathOf($"{name}.map")]);

    private JsonElement Acquire(FailingDisk disk, string name, int exitCode, params string[] options) =>
        evidence.Json(["acquire", disk.PathOf($"{name}.img"), "--item", "disk", "--mapfile", disk.PathOf($"{name}.map"), .. options]).Ends(exitCode).Image();

    private void AssertLacks(FailingDisk disk, string name)
    {
        using StreamReader reader = File.OpenText(disk.PathOf($"{name}.map"));
        // Of ddrescue's three states of what is not finished and not bad, an image knows one.
        var lacking = new RescueMap(Length);
        foreach (RescueRange range in Mapfile.Read(reader, name).Ranges)
            lacking.Set(range.Offset, range.Length, range.Status is RescueStatus.Finished or RescueStatus.BadSector ? range.Status : RescueStatus.NonTried);
        Assert.Equal(
            lacking.Ranges.Where(r => r.Status != RescueStatus.Finished).Select(r => new LackingRange(
                r.Status == RescueStatus.BadSector ? "unreadable" : "unread", r.Offset, r.Length, "by the mapfile")),
            evidence.Lacks("disk"));
    }
}
