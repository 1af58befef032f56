using System.Text.Json.Nodes;
using Evidence.Tests.Vaults;
using Xunit;

namespace Evidence.Tests.Cli;

public sealed class BenchCommandTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task What_the_machine_can_do_and_what_follows_from_it()
    {
        string source = place.At("disk.img");
        await File.WriteAllBytesAsync(source, TestBytes.Disk(3_000_000, 1), TestVault.Stop);
        string folder = Directory.CreateDirectory(place.At("measured")).FullName;
        CommandRun run = await CommandRun.StartAsync(
            place, "--json", "bench", source, "--disks", "3", "--disk-size", "2MiB", "--folder", folder, "--disk-speed", "1MB",
            "--servers", "630", "--size", "2TB", "--days", "30");
        Assert.Equal(0, run.ExitCode);
        Assert.Equal("md5 sha1 sha256 sha512", string.Join(' ', run.Json["digests"]!.AsArray().Select(d => (string)d!["digest"]!)));
        Assert.All(run.Json["digests"]!.AsArray(), d => Assert.True((double)d!["alone"]! > 1e6));
        Assert.All(run.Json["compressions"]!.AsArray(), c => Assert.InRange((double)c!["ratio"]!, 0.05, 0.6));
        JsonArray acquisitions = run.Json["acquisitions"]!.AsArray();
        // The source is longer than what is measured of it.
        Assert.Equal(
            [(null, 1, "2097152"), (null, 3, "6291456"), (source, 1, "2097152")],
            acquisitions.Select(a => ((string?)a!["source"], (int)a["disks"]!, (string)a["bytes"]!)));
        double throughput = acquisitions.Max(a => (double)a!["rate"]!);
        Assert.Equal(throughput / 1e6, (double)run.Json["disksAtOnce"]!, 1d);
        Assert.Equal(Math.Ceiling(1.26e15 / (30 * 86400) / throughput), (double)run.Json["plan"]!["machines"]!, 0.01 * (double)run.Json["plan"]!["machines"]!);
        // Neither what was measured nor a vault of the user's is left.
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        Assert.False(Directory.Exists(place.At("evidence.vault")));
    }

    [Fact]
    public async Task People_get_a_table()
    {
        CommandRun run = await CommandRun.StartAsync(place, "bench", "--disks", "2", "--disk-size", "1MiB", "--no-verify", "--servers", "1", "--size", "1GB", "--days", "1");
        Assert.Equal(0, run.ExitCode);
        foreach (string part in (string[])["sha256", "cutting", "compression best", "imaging 1 disk ", "imaging 2 disks at once", "keeps up with", "1 server of 1GB in 1 day: ", ", 1 machine like this one"])
            Assert.Contains(part, run.Output, StringComparison.Ordinal);
        Assert.Contains("measuring 2 disks at once", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--servers", "3")]
    [InlineData("--disks", "0")]
    [InlineData("--disk-speed", "fast")]
    [InlineData("--disk-size", "0")]
    [InlineData("--folder", "nowhere")]
    public async Task What_makes_no_sense_is_said_before_anything_is_measured(string option, string value)
    {
        CommandRun run = await CommandRun.StartAsync(place, "bench", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.DoesNotContain("measuring", run.Error, StringComparison.Ordinal);
    }

    public void Dispose() => place.Dispose();
}
