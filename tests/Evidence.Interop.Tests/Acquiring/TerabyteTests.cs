using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Acquiring;

public sealed class TerabyteTests : IDisposable
{
    private const long TiB = 1L << 40;
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence = new();

    [Fact]
    public void A_terabyte_of_holes_takes_seconds_and_little_memory_and_room()
    {
        (long Offset, int Length)[] data = [(0, MiB), ((TiB / 3) + 12_345, MiB), ((TiB / 2) - 5_000, 10_000), (TiB - MiB, MiB)];
        string disk = evidence.PathOf("disk.img");
        SparseFile.Make(disk, TiB, data);

        var watch = Stopwatch.StartNew();
        (CommandResult acquired, long peak) = RunMeasured("--json", "acquire", disk, "--digest", "none");
        JsonElement image = acquired.Succeeds().Image();
        Assert.Equal($"{TiB}", image.GetProperty("size").GetString());
        Assert.Empty(image.GetProperty("digests").EnumerateObject());
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.InRange(peak, 0, 300 * MiB);
        long held = Directory.EnumerateFiles(evidence.Vault, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        Assert.InRange(held, 3 * MiB, data.Sum(d => d.Length) + (5 * MiB));

        string export = evidence.PathOf("export.img");
        (CommandResult exported, peak) = RunMeasured("--json", "export", "disk.img", "--output", export);
        exported.Succeeds();
        Assert.InRange(peak, 0, 300 * MiB);
        SparseFile.Compare(disk, export);
        Assert.InRange(SparseFile.DataOf(export).Sum(d => d.Length), 3 * MiB, 5 * MiB);

        foreach ((long offset, int length) in data)
        {
            // A range that begins in a hole, or ends in one, or both.
            long start = Math.Max(0, offset - 777);
            long count = Math.Min(TiB - start, length + 1_999);
            byte[] range = evidence.Run("export", "disk.img", "--output", "-", "--range", $"{start}+{count}").Succeeds().Output;
            Assert.Equal(SparseFile.Read(disk, start, count), range);
        }

        (CommandResult verified, peak) = RunMeasured("--json", "verify");
        Assert.Equal("verified", verified.Succeeds().Json.GetProperty("content").GetString());
        Assert.InRange(peak, 0, 300 * MiB);
        Assert.Equal("unverifiable", evidence.Json("verify", "--digests").Ends(4).Json.GetProperty("content").GetString());
    }

    public void Dispose() => evidence.Dispose();

    /// <summary>Runs the command under GNU time; the peak of its resident memory in bytes comes back beside its result.</summary>
    private (CommandResult Result, long Peak) RunMeasured(params string[] arguments)
    {
        Peer.Require("time");
        ProcessStartInfo start = evidence.StartInfo(arguments);
        string measured = evidence.PathOf("measured");
        start.ArgumentList.Insert(0, start.FileName);
        foreach (string argument in (string[])[measured, "--output", "%M", "--format"])
            start.ArgumentList.Insert(0, argument);
        start.FileName = "time";
        using var running = new RunningProcess(start);
        CommandResult result = running.Wait();
        // Where the command fails, a line about that comes first.
        string kibibytes = File.ReadAllLines(measured)[^1];
        return (result, long.Parse(kibibytes, CultureInfo.InvariantCulture) * 1024);
    }
}
