using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Nbd;
using Evidence.Interop.Tests.Rescue;
using Xunit;

namespace Evidence.Interop.Tests.Acquiring;

/// <summary>Sources that fail, go, or lie, beside others that do not; and one that comes back.</summary>
[Trait("Requirement", "ACQ-8")]
[Trait("Requirement", "OUT-6")]
public sealed class UnreliableSourcesTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly EvidenceCommand evidence = new();
    private readonly List<NbdPeer> servers = [];

    [Fact]
    [Trait("Requirement", "ACQ-5")]
    public void ACQ_8_of_sixteen_sources_at_once_three_are_bad_and_thirteen_perfect()
    {
        const int Size = 2 * MiB, Tail = 64 * 1024, Dies = 3 * MiB;
        string[] good = [.. Enumerable.Range(0, 13).Select(n => $"disk-{n}.img")];
        foreach (string name in good)
            File.WriteAllBytes(evidence.PathOf(name), RandomNumberGenerator.GetBytes(300_000));
        byte[] failingContent = Make("failing", Size);
        byte[] vanishingContent = Make("vanishing", 8 * MiB);
        byte[] lyingContent = Make("lying", Size);
        File.WriteAllText(evidence.PathOf("failing.map"), "0x0 + 1\n0x0 0x10200 +\n0x10200 0x400 -\n0x10600 0x1efa00 +\n");
        string failing = Serve("failing", "--filter=ddrescue", "file", evidence.PathOf("failing"), $"ddrescue-mapfile={evidence.PathOf("failing.map")}");
        string vanishing = ServeUntil("vanishing", 8 * MiB, Dies);
        // It claims a size, and does not answer beyond what it has.
        string lying = Serve("lying", "eval", $"get_size=echo {Size}", $"pread=[ $(($3 + $4)) -le {Size - Tail} ] || {{ echo EIO >&2; exit 1; }}; {Dd("lying")}");
        string[] sources = [.. good[..5], failing, .. good[5..9], vanishing, .. good[9..], lying];
        string[] items = [.. good[..5], "failing", .. good[5..9], "vanishing", .. good[9..], "lying"];

        CommandResult result = evidence.Json(
            ["acquire", .. sources, .. items.SelectMany(item => (string[])["--item", item]), "--reconnect-time", "1s"]).Ends(4);
        JsonElement[] images = [.. result.Json.GetProperty("images").EnumerateArray()];
        Assert.Equal(string.Join(" ", sources), string.Join(" ", images.Select(image => image.Text("source"))));
        Assert.Equal(string.Join(" ", items), string.Join(" ", images.Select(image => image.Text("item"))));
        foreach (JsonElement image in images)
        {
            string item = image.Text("item");
            Assert.False(image.TryGetProperty("error", out _), $"{result}");
            Assert.True(image.GetProperty("verified").GetBoolean());
            Assert.Equal(
                item switch
                {
                    "failing" => "10200+400",
                    "lying" => $"{Size - Tail:x}+{Tail:x}",
                    _ => "",
                },
                string.Join(' ', image.GetProperty("unreadable").EnumerateArray().Select(r => $"{r.Decimal("offset"):x}+{r.Decimal("length"):x}")));
            Assert.Equal(item == "vanishing" ? "gone" : "", string.Join(' ', image.GetProperty("differences").EnumerateArray().Select(d => d.Text("what"))));
            JsonElement[] unread = [.. image.GetProperty("unread").EnumerateArray()];
            Assert.Equal(item == "vanishing" ? 1 : 0, unread.Length);
            if (good.Contains(item, StringComparer.Ordinal))
                Assert.Equal(Peer.Sum("sha256", evidence.PathOf(item)), image.GetProperty("digests").Text("sha256"));
        }

        LackingRange gone = Assert.Single(evidence.Lacks("vanishing"));
        Assert.Equal(("unread", 8 * MiB, "the source was gone"), (gone.Kind, gone.End, gone.Reason));
        Assert.InRange(gone.Offset, 1, Dies);
        Assert.True(WithZeros(failingContent, 0x10200, 0x400).SequenceEqual(evidence.Export("failing")));
        Assert.True(WithZeros(lyingContent, Size - Tail, Tail).SequenceEqual(evidence.Export("lying")));
        Assert.True(WithZeros(vanishingContent, (int)gone.Offset, (int)gone.Length).SequenceEqual(evidence.Export("vanishing")));

        JsonElement[] verdicts = [.. evidence.VerifyIncomplete().GetProperty("images").EnumerateArray()];
        Assert.Equal(16, verdicts.Length);
        Assert.All(verdicts, verdict => Assert.Equal(
            verdict.Text("item") is "failing" or "vanishing" or "lying" ? "incomplete" : "verified", verdict.Text("content")));
    }

    [Fact]
    [Trait("Requirement", "ACQ-7")]
    public void ACQ_8_a_source_that_vanished_is_gone_on_with_by_the_same_command_when_it_is_back()
    {
        byte[] content = Make("disk", 12 * MiB);
        string address = ServeUntil("disk", 12 * MiB, 6_000_000);
        string[] command = ["acquire", address, "--item", "disk", "--reconnect-time", "1s"];
        JsonElement first = evidence.Json(command).Ends(4).Image();
        Assert.Equal("0", first.Text("resumedBytes"));
        Assert.Equal("gone", Assert.Single(first.GetProperty("differences").EnumerateArray()).Text("what"));
        LackingRange lacking = Assert.Single(evidence.Lacks("disk"));
        evidence.VerifyIncomplete();

        File.Delete(evidence.PathOf("disk.socket"));
        Assert.Equal(address, Serve("disk", "file", evidence.PathOf("disk")));
        JsonElement second = evidence.Json(command).Succeeds().Image();
        Assert.Equal((lacking.Offset, first.Text("image")), (second.Decimal("resumedBytes"), second.Text("continues")));
        Assert.Equal(Peer.Sum("sha256", evidence.PathOf("disk")), second.GetProperty("digests").Text("sha256"));
        Assert.Equal(evidence.Json("acquire", evidence.PathOf("disk"), "--item", "at once").Succeeds().Image().Text("root"), second.Text("root"));
        Assert.True(content.AsSpan().SequenceEqual(evidence.Export("disk")));
        evidence.Json("verify", second.Text("image"), "--digests", "--no-record").Succeeds();
        evidence.LeavesNothingBehind();
    }

    /// <summary>Written to from before it is opened until after its last byte is read.</summary>
    [Theory]
    [InlineData("longer")]
    [InlineData("modified")]
    public void ACQ_8_a_file_that_is_written_to_while_it_is_read_is_no_image_of_one_state(string what)
    {
        string path = evidence.PathOf("disk.img");
        File.WriteAllBytes(path, RandomNumberGenerator.GetBytes(16 * MiB));
        using (RunningProcess running = evidence.Start("--json", "acquire", path, "--item", "disk"))
        {
            using (FileStream file = File.OpenWrite(path))
            {
                for (int written = 0; !running.HasExited; written++)
                {
                    file.Position = what == "longer" ? file.Length : 0;
                    file.WriteByte((byte)(written & 0xFF));
                    file.Flush();
                    Thread.Sleep(1);
                }
            }

            JsonElement difference = Assert.Single(running.Wait().Ends(4).Image().GetProperty("differences").EnumerateArray());
            Assert.Equal(what, difference.Text("what"));
        }

        JsonElement image = Assert.Single(evidence.VerifyIncomplete().GetProperty("images").EnumerateArray());
        Assert.Equal("source", Assert.Single(image.GetProperty("findings").EnumerateArray()).Text("what"));
    }

    public void Dispose()
    {
        foreach (NbdPeer server in servers)
            server.Dispose();
        evidence.Dispose();
    }

    private static byte[] WithZeros(byte[] content, int offset, int length)
    {
        byte[] zeroed = [.. content];
        zeroed.AsSpan(offset, length).Clear();
        return zeroed;
    }

    private byte[] Make(string name, int length)
    {
        byte[] content = RandomNumberGenerator.GetBytes(length);
        File.WriteAllBytes(evidence.PathOf(name), content);
        return content;
    }

    private string Dd(string name) => $"dd if='{evidence.PathOf(name)}' skip=$4 count=$3 iflag=skip_bytes,count_bytes,fullblock bs=256k status=none";

    /// <summary>Serves a disk by a server that dies as soon as it is asked for what lies at an offset, or beyond.</summary>
    private string ServeUntil(string name, int length, int offset) => Serve(
        name, "eval", string.Create(CultureInfo.InvariantCulture, $"get_size=echo {length}"),
        string.Create(CultureInfo.InvariantCulture, $"pread=if [ $(($3 + $4)) -gt {offset} ]; then kill -9 $PPID; fi; {Dd(name)}"));

    private string Serve(string name, params string[] arguments)
    {
        Peer.Require("nbdkit", "dd");
        string socket = evidence.PathOf($"{name}.socket");
        servers.Add(NbdPeer.Start(socket, "nbdkit", ["--foreground", "--readonly", "--unix", socket, .. arguments]));
        return $"nbd+unix:///?socket={socket}";
    }
}
