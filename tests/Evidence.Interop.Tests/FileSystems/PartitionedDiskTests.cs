using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.FileSystems;

public sealed class PartitionedDiskTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence = new();

    [Theory]
    [InlineData("gpt")]
    [InlineData("dos")]
    public void A_disk_keeps_its_partitions_and_shares_segments_with_them(string label)
    {
        Peer.Require("sfdisk", "dd");
        string first = FileSystemImage.Make("ext4", evidence.Folder);
        string second = Path.Combine(evidence.Folder, "vfat.img");
        Directory.Delete(evidence.PathOf("content"), recursive: true);
        FileSystemImage.Make("vfat", evidence.Folder);
        string disk = evidence.PathOf("disk.img");
        FileSystemImage.Truncate(disk, 100 * MiB);
        // The second partition starts where no boundary but a sector's is.
        File.WriteAllText(evidence.PathOf("layout"), $"label: {label}\nstart=2048, size={48 * MiB / 512}\nstart=110001, size={32 * MiB / 512}\n");
        Peer.Run("sh", "-c", $"sfdisk --quiet '{disk}' < '{evidence.PathOf("layout")}'");
        Peer.Run("dd", $"if={first}", $"of={disk}", "bs=512", "seek=2048", "conv=notrunc,sparse", "status=none");
        Peer.Run("dd", $"if={second}", $"of={disk}", "bs=512", "seek=110001", "conv=notrunc,sparse", "status=none");

        evidence.Json("acquire", disk, "--item", "disk").Succeeds();
        JsonElement again = evidence.Json("acquire", first, second, "--read-holes").Succeeds().Json;
        foreach (JsonElement partition in again.GetProperty("images").EnumerateArray())
        {
            // Only where a partition begins and ends can a segment differ, and maps are content too.
            long stored = long.Parse(partition.GetProperty("newBytes").GetString()!, null);
            Assert.InRange(stored, 0, 2 * MiB);
        }

        evidence.VerifyAll();
        string export = evidence.PathOf("export.img");
        evidence.Run("export", "disk", "--output", export).Succeeds();
        Peer.Compare(disk, export);
        Assert.Equal(Partitions(disk), Partitions(export));

        string partition2 = evidence.PathOf("partition.img");
        evidence.Run("export", "disk", "--output", partition2, "--range", $"{110001 * 512}+32MiB").Succeeds();
        Peer.Compare(second, partition2);
    }

    public void Dispose() => evidence.Dispose();

    private static string Partitions(string disk) => Peer.Run("sfdisk", "--dump", disk).Replace(disk, "disk", StringComparison.Ordinal);
}
