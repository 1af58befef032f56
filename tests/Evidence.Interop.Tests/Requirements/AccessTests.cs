using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Xunit;

namespace Evidence.Interop.Tests.Requirements;

/// <summary>The ways to a source, each on the same real block device: docs/requirements.md, ACQ-1 to ACQ-3.</summary>
public sealed partial class AccessTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence;

    public AccessTests()
    {
        LoopDevice.Require();
        Peer.Require("blockdev");
        evidence = new EvidenceCommand();
    }

    [Theory]
    [InlineData("device")]
    [InlineData("file")]
    [InlineData("split")]
    [InlineData("stream")]
    [InlineData("pipe")]
    [Trait("Requirement", "ACQ-1")]
    public void ACQ_1_a_device_gives_the_same_image_through_every_access(string access)
    {
        byte[] content = RandomNumberGenerator.GetBytes(3 * MiB);
        content.AsSpan(MiB, MiB / 2).Clear();
        using var loop = new LoopDevice(content, "--read-only");
        JsonElement image = Acquire(loop, access).Succeeds().Image();
        Assert.Equal($"{content.Length}", image.GetProperty("size").GetString());
        Assert.Equal(Peer.Sum("sha256", loop.Node), image.GetProperty("digests").GetProperty("sha256").GetString());
        JsonElement source = evidence.Json("show", "it").Succeeds().Json.GetProperty("manifest").GetProperty("source");
        string kind = access is "pipe" ? "stream" : access;
        Assert.Equal(kind, source.GetProperty("kind").GetString());
        evidence.Run("export", "it", "--output", "export.img").Succeeds();
        Peer.Compare(loop.Node, evidence.PathOf("export.img"));
    }

    [Theory]
    [InlineData("device")]
    [InlineData("file")]
    [InlineData("split")]
    [Trait("Requirement", "ACQ-2")]
    public void ACQ_2_a_source_is_opened_for_reading_only_and_stays_as_it_was(string access)
    {
        Peer.Require("strace", "stat");
        byte[] content = RandomNumberGenerator.GetBytes(2 * MiB);
        // Not read-only itself: what keeps it as it is must be the command.
        using var loop = new LoopDevice(content);
        string[] parts = access == "split" ? Split(loop) : [access == "device" ? loop.Node : loop.BackingFile];
        string[] before = [.. parts.Select(State)];
        string trace = evidence.PathOf("trace");
        evidence.RunInShell($"exec strace -f -qq -e trace=open,openat,openat2 -o '{trace}' \"$@\"", "--json", "acquire", parts[0], "--item", "it").Succeeds();

        string[] opened = [.. File.ReadLines(trace).Where(line => parts.Any(part => line.Contains($"\"{part}\"", StringComparison.Ordinal)))];
        Assert.NotEmpty(opened);
        Assert.All(opened, line => Assert.Matches(ReadOnlyOpen(), line));
        Assert.Equal(string.Join('\n', before), string.Join('\n', parts.Select(State)));
        LoopDevice.Run("blockdev", "--flushbufs", loop.Node);
        Assert.Equal(content, File.ReadAllBytes(loop.BackingFile));
    }

    public static TheoryData<int, int, string> Sizes
    {
        get
        {
            var data = new TheoryData<int, int, string>();
            foreach (int size in (int[])[0, 1, 511, 513, 4095, 4097])
            {
                foreach (int sectorSize in (int[])[512, 4096])
                    data.Add(size, sectorSize, "device");
                data.Add(size, 512, "file");
                data.Add(size, 512, "stream");
            }

            return data;
        }
    }

    /// <summary>
    /// A file and a stream are imaged to their last byte; a device to where it ends, which is not always a whole sector: what is left there the kernel does not
    /// give, and that is told.
    /// </summary>
    [Theory]
    [MemberData(nameof(Sizes))]
    [Trait("Requirement", "ACQ-3")]
    public void ACQ_3_all_that_is_visible_is_imaged_and_nothing_else(int size, int sectorSize, string access)
    {
        byte[] content = RandomNumberGenerator.GetBytes(size);
        using var loop = new LoopDevice(content, "--read-only", "--sector-size", $"{sectorSize}");
        // Not through the device, which never shows an odd tail.
        string path = access == "device" ? loop.Node : loop.BackingFile;
        int visible = access == "device" ? int.Parse(Peer.Run("blockdev", "--getsize64", loop.Node).Trim(), CultureInfo.InvariantCulture) : size;
        int readable = access == "device" ? visible / sectorSize * sectorSize : size;
        JsonElement image = (access == "stream"
            ? evidence.RunInShell($"cat '{path}' | \"$@\"", "--json", "acquire", "-", "--item", "it")
            : evidence.Json("acquire", path, "--item", "it")).Ends(readable == visible ? 0 : 4).Image();
        Assert.Equal($"{visible}", image.GetProperty("size").GetString());
        Assert.Equal(
            readable == visible ? "" : $"{readable}+{visible - readable}",
            string.Join(' ', image.GetProperty("unreadable").EnumerateArray().Select(r => $"{r.GetProperty("offset")}+{r.GetProperty("length")}")));
        byte[] expected = [.. content.AsSpan(0, readable), .. new byte[visible - readable]];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), image.GetProperty("digests").GetProperty("sha256").GetString());
        evidence.Run("export", "it", "--output", "export.img").Ends(readable == visible ? 0 : 4);
        Assert.Equal(expected, File.ReadAllBytes(evidence.PathOf("export.img")));
        Assert.Equal(access == "device" ? size / 512 * 512 : size, visible);
    }

    public void Dispose() => evidence.Dispose();

    private CommandResult Acquire(LoopDevice loop, string access)
    {
        switch (access)
        {
            case "device":
                return evidence.Json("acquire", loop.Node, "--item", "it");
            case "file":
                return evidence.Json("acquire", loop.BackingFile, "--item", "it");
            case "split":
                return evidence.Json("acquire", Split(loop)[0], "--item", "it");
            case "stream":
                return evidence.RunInShell($"\"$@\" < '{loop.Node}'", "--json", "acquire", "-", "--item", "it");
            case "pipe":
                Peer.Require("mkfifo");
                return evidence.RunInShell($"mkfifo pipe; cat '{loop.Node}' > pipe & \"$@\"", "--json", "acquire", "pipe", "--item", "it");
            default:
                throw new ArgumentOutOfRangeException(nameof(access));
        }
    }

    /// <summary>The device in parts, by another tool.</summary>
    private string[] Split(LoopDevice loop)
    {
        Peer.Require("split");
        Peer.Run("split", "--bytes=700001", "--numeric-suffixes=1", "--suffix-length=3", loop.Node, evidence.PathOf("part."));
        return [.. Directory.GetFiles(evidence.Folder, "part.*").Order(StringComparer.Ordinal)];
    }

    /// <summary>Content, and every time that the file system keeps: access, modification, change.</summary>
    private static string State(string path) =>
        $"{Peer.Run("stat", "--format=%n %s %a %x %y %z", path).Trim()} {Convert.ToHexStringLower(SHA256.HashData(ReadWithoutTrace(path)))}";

    private static byte[] ReadWithoutTrace(string path)
    {
        Peer.Require("dd");
        string copy = Path.GetTempFileName();
        try
        {
            Peer.Run("dd", "if=" + path, "of=" + copy, "bs=1M", "iflag=noatime", "status=none");
            return File.ReadAllBytes(copy);
        }
        finally
        {
            File.Delete(copy);
        }
    }

    [GeneratedRegex(@"O_RDONLY", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ReadOnlyOpen();
}
