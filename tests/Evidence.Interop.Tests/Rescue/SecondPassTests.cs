using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>An image that lacks something is gone on from: what it has is not read again.</summary>
[Trait("Requirement", "ACQ-5")]
public sealed partial class SecondPassTests : IDisposable
{
    private const int MiB = 1 << 20;
    private const int Length = 8 * MiB;

    private readonly EvidenceCommand evidence = new();
    private readonly FailingServer disk;

    public SecondPassTests() => disk = new FailingServer(evidence.Folder, Length);

    [Fact]
    public void ACQ_5_a_second_pass_reads_what_the_first_lacks_and_gives_the_image_of_a_healthy_disk()
    {
        long[] bad = [0, 5000, 5001, 5002, 5010, .. Enumerable.Range(10_000, 100), (Length / 512) - 1];
        disk.Start(bad);
        JsonElement first = Acquire(exitCode: 4);
        Assert.Equal(bad.Length * 512, evidence.Lacks("disk").Sum(range => range.Length));
        evidence.VerifyIncomplete();

        // It gets better, but not all of it.
        disk.Start([0, 5001]);
        JsonElement second = Acquire(exitCode: 4, "--resume");
        AssertContinues(first, second);
        Assert.Equal([("unreadable", 0L, 512L), ("unreadable", 5001 * 512L, 512L)], evidence.Lacks("disk").Select(r => (r.Kind, r.Offset, r.Length)));
        AssertReadsByThemselves(bad);

        disk.Start([]);
        JsonElement third = Acquire(exitCode: 0, "--resume");
        AssertContinues(second, third);
        AssertReadsByThemselves([0, 5001]);
        JsonElement healthy = evidence.Json("acquire", disk.Disk, "--item", "healthy").Succeeds().Image();
        Assert.Equal(healthy.Text("root"), third.Text("root"));
        Assert.Equal(healthy.GetProperty("digests").GetRawText(), third.GetProperty("digests").GetRawText());
        evidence.Json("verify", third.Text("image"), "--digests", "--no-record").Succeeds();
        evidence.VerifyIncomplete();

        Assert.Contains(
            "nothing to go on with", evidence.Json("acquire", disk.Address, "--item", "disk", "--resume").ImageFailsWith("image-not-found"), StringComparison.Ordinal);
    }

    [Fact]
    public void ACQ_5_a_second_pass_without_a_first_is_refused()
    {
        disk.Start([]);
        Assert.Contains(
            "no image of 'disk'", evidence.Json("acquire", disk.Address, "--item", "disk", "--resume").ImageFailsWith("image-not-found"), StringComparison.Ordinal);
        Assert.Empty(evidence.Json("images").Json.GetProperty("images").EnumerateArray());
    }

    [Fact]
    public void ACQ_5_another_disk_is_not_taken_for_the_rest_of_the_first()
    {
        disk.Start([77]);
        Acquire(exitCode: 4);
        byte[] other = [.. disk.Content];
        RandomNumberGenerator.Fill(other.AsSpan(Length / 2));
        string path = evidence.PathOf("other.img");
        File.WriteAllBytes(path, other);
        Match where = Where().Match(evidence.Json("acquire", path, "--item", "disk", "--resume").ImageFailsWith("source-failed"));
        Assert.True(where.Success);
        Assert.InRange(long.Parse(where.Groups["offset"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture), Length / 2, Length);

        File.WriteAllBytes(path, disk.Content[..^512]);
        Assert.Contains($"{Length}", evidence.Json("acquire", path, "--item", "disk", "--resume").ImageFailsWith("source-failed"), StringComparison.Ordinal);
        Assert.Single(evidence.Json("images").Json.GetProperty("images").EnumerateArray());
    }

    /// <summary>A disk of zeros is a disk, too.</summary>
    [Fact]
    public void ACQ_5_another_disk_is_told_by_what_was_zero_of_the_first()
    {
        byte[] mostlyZero = new byte[4 * MiB];
        RandomNumberGenerator.Fill(mostlyZero.AsSpan(0, 512));
        string path = evidence.PathOf("zero.img");
        File.WriteAllBytes(path, mostlyZero);
        string mapfile = evidence.PathOf("zero.map");
        File.WriteAllText(mapfile, "0x0 + 1\n0x0 0x3ffe00 +\n0x3ffe00 0x200 -\n");
        evidence.Json("acquire", path, "--item", "zero", "--mapfile", mapfile).Ends(4);
        RandomNumberGenerator.Fill(mostlyZero.AsSpan(512));
        File.WriteAllBytes(path, mostlyZero);
        Assert.Contains("at offset", evidence.Json("acquire", path, "--item", "zero", "--resume").ImageFailsWith("source-failed"), StringComparison.Ordinal);
    }

    [Fact]
    public void ACQ_5_what_is_not_scraped_is_unread_until_a_second_pass()
    {
        long[] bad = [.. Enumerable.Range(1000, 50).Where(s => s is not 1020 and not 1030)];
        disk.Start(bad);
        JsonElement first = Acquire(exitCode: 4, "--no-scrape");
        Assert.Equal(
            [new("unreadable", 1000 * 512, 512, "EIO"), new("unread", 1001 * 512, 48 * 512, "between bad sectors, and not tried"), new("unreadable", 1049 * 512, 512, "EIO")],
            evidence.Lacks("disk"));
        evidence.VerifyIncomplete();

        AssertContinues(first, Acquire(exitCode: 4, "--resume"));
        Assert.Equal(
            [new("unreadable", 1000 * 512, 20 * 512, "EIO"), new("unreadable", 1021 * 512, 9 * 512, "EIO"), new("unreadable", 1031 * 512, 19 * 512, "EIO")],
            evidence.Lacks("disk"));
    }

    [Fact]
    public void ACQ_5_retries_are_as_many_as_were_asked_for()
    {
        disk.Start([1000, 1001, 9000]);
        Acquire(exitCode: 4, "--retries", "3");
        ReadRequest[] alone = [.. disk.Log!.Next().Where(request => request.Length == 512)];
        Assert.All((long[])[1000, 1001, 9000], sector => Assert.Equal(4, alone.Count(request => request.Offset == sector * 512)));
    }

    [Fact]
    public void ACQ_5_when_the_time_is_over_what_is_left_is_unread_and_the_healthy_was_read_first()
    {
        // A MiB that is dead, of which each sector takes long to say so: all of them would take more than a minute.
        const int Start = 5 * MiB;
        disk.Start(Enumerable.Range(Start / 512, MiB / 512).Select(s => (long)s), delay: "30ms");
        JsonElement first = Acquire(exitCode: 4, "--time-budget", "1s");
        LackingRange[] lacking = evidence.Lacks("disk");
        Assert.Contains(lacking, range => range.Kind == "unread");
        Assert.All(lacking, range => Assert.True(range.Reason is "EIO" or "the time was over", range.Reason));
        Assert.Equal(MiB, lacking.Sum(range => Math.Clamp(range.End, Start, Start + MiB) - Math.Clamp(range.Offset, Start, Start + MiB)));
        // Sector by sector only once nothing healthy is left to read.
        bool healthyIsThere = lacking.Sum(range => range.Length) == MiB;
        Assert.True(healthyIsThere || !Array.Exists(disk.Log!.Next(), request => request.Length == 512));
        evidence.VerifyIncomplete();

        disk.Start([]);
        JsonElement second = Acquire(exitCode: 0, "--resume");
        AssertContinues(first, second);
        Assert.Equal(evidence.Json("acquire", disk.Disk, "--item", "healthy").Succeeds().Image().Text("root"), second.Text("root"));
    }

    public void Dispose()
    {
        disk.Dispose();
        evidence.Dispose();
    }

    [GeneratedRegex(@"at offset (?<offset>\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Where();

    private static void AssertContinues(JsonElement first, JsonElement second)
    {
        Assert.Equal(first.Text("image"), second.Text("continues"));
        Assert.True(second.Decimal("resumedBytes") > 0);
    }

    /// <summary>Each sector that was missing was asked for once, by itself; what is read besides, to tell one disk from another, is longer.</summary>
    private void AssertReadsByThemselves(IEnumerable<long> missing) =>
        Assert.Equal(missing, disk.Log!.Next().Where(request => request.Length == 512).Select(request => request.Offset / 512));

    private JsonElement Acquire(int exitCode, params string[] options) =>
        evidence.Json(["acquire", disk.Address, "--item", "disk", .. options]).Ends(exitCode).Image();
}
