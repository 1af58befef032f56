using Evidence.Interop.Tests.Harness;
using Evidence.Rescue;
using Xunit;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>The same failing disk, once by GNU ddrescue and once by <c>evidence acquire</c>: with all that an acquisition asks of a source besides.</summary>
[Trait("Requirement", "ACQ-5")]
public sealed class AcquireDdrescueTests(ITestOutputHelper output) : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData("one", 512, true)]
    [InlineData("one", 4096, false)]
    [InlineData("first", 4096, true)]
    [InlineData("first", 512, false)]
    [InlineData("last", 512, true)]
    [InlineData("last", 4096, false)]
    [InlineData("across 1 MiB", 4096, true)]
    [InlineData("across 1 MiB", 512, false)]
    [InlineData("islands in a dead region", 4096, true)]
    [InlineData("islands in a dead region", 4096, false)]
    [InlineData("random 1%", 512, true)]
    [InlineData("random 1%", 512, false)]
    public void ACQ_5_the_image_is_what_ddrescue_rescues_and_no_bad_sector_is_asked_for_more_often(string pattern, int sectorSize, bool isDevice)
    {
        FailingDisk.Require();
        using var disk = new FailingDisk(FailurePatterns.Length, sectorSize, [.. FailurePatterns.All[pattern](MiB / sectorSize)], isDevice);
        // A file does not know the sectors of the disk behind it.
        int tried = isDevice ? sectorSize : 512;
        _ = disk.RequestsOfBadSectors();
        string rescued = disk.PathOf("ddrescue.img");
        string mapfile = disk.PathOf("ddrescue.map");
        Peer.Run("ddrescue", "--quiet", "--idirect", $"--sector-size={tried}", disk.Node!, rescued, mapfile);
        int theirs = disk.RequestsOfBadSectors();

        Assert.True(evidence.Json("acquire", disk.Node!, "--item", "disk", "--direct").Ends(4).Image().GetProperty("direct").GetBoolean());
        int ours = disk.RequestsOfBadSectors();
        output.WriteLine($"| {pattern} | {(isDevice ? "device" : "file")} | {sectorSize} | {ours} | {theirs} |");
        Assert.True(ours <= theirs, $"{ours} requests met a bad sector, {theirs} of ddrescue's did");

        using StreamReader reader = File.OpenText(mapfile);
        Assert.Equal(
            Mapfile.Read(reader, mapfile).Ranges.Where(r => r.Status != RescueStatus.Finished).Select(r => new LackingRange("unreadable", r.Offset, r.Length, "EIO")),
            evidence.Lacks("disk"));
        // ddrescue writes nothing where it read nothing, so a bad end is missing from its file.
        byte[] expected = new byte[FailurePatterns.Length];
        File.ReadAllBytes(rescued).CopyTo(expected, 0);
        Assert.True(expected.AsSpan().SequenceEqual(evidence.Export("disk")));
        evidence.VerifyIncomplete();
    }

    public void Dispose() => evidence.Dispose();
}
