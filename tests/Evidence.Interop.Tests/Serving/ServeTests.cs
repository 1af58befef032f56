using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Serving;

/// <summary>An image over NBD, as other people's clients read it.</summary>
public sealed class ServeTests : IDisposable
{
    private const int Size = 24 << 20;

    private readonly EvidenceCommand evidence = new();
    private readonly string disk;
    private readonly string socket;

    public ServeTests()
    {
        disk = evidence.PathOf("disk.img");
        socket = evidence.PathOf("socket");
        SparseFile.Make(disk, Size, (0, 1 << 20), ((7 << 20) + 4096, 65536), (Size - 512, 512));
        evidence.Json("acquire", disk, "--item", "disk", "--read-holes").Succeeds();
    }

    private string Address => $"nbd+unix:///disk?socket={socket}";

    [Fact]
    public void Nbd_clients_read_every_byte_and_learn_where_there_are_zeros()
    {
        Peer.Require("nbdinfo", "nbdcopy", "qemu-img");
        using var server = new RunningServer(evidence, "serve", "disk", "--socket", socket);
        Assert.Equal(Address, server.Said.GetProperty("address").GetString());
        JsonElement export = JsonDocument.Parse(Peer.Run("nbdinfo", "--json", Address)).RootElement.GetProperty("exports")[0];
        Assert.Equal(Size, export.GetProperty("export-size").GetInt64());
        Assert.True(export.GetProperty("is_read_only").GetBoolean());
        Assert.True(export.GetProperty("can_multi_conn").GetBoolean());
        Assert.True(export.GetProperty("can_df").GetBoolean());
        Assert.Equal("base:allocation", export.GetProperty("contexts")[0].GetString());
        Assert.Contains("\"disk\"", Peer.Run("nbdinfo", "--list", "--json", Address), StringComparison.Ordinal);

        // Zeros that were read are no holes, and clients need not read them again.
        JsonElement[] map = [.. JsonDocument.Parse(Peer.Run("nbdinfo", "--map", "--json", Address)).RootElement.EnumerateArray()];
        Assert.Equal(Size, map.Sum(part => part.GetProperty("length").GetInt64()));
        Assert.Contains(map, part => part.GetProperty("type").GetInt32() == 2 && part.GetProperty("length").GetInt64() > 5 << 20);
        Assert.DoesNotContain(map, part => (part.GetProperty("type").GetInt32() & 1) != 0);

        string copy = evidence.PathOf("copy");
        Peer.Run("nbdcopy", Address, copy);
        Peer.Compare(disk, copy);
        string converted = evidence.PathOf("converted.qcow2");
        Peer.Run("qemu-img", "convert", "-f", "raw", Address, "-O", "qcow2", converted);
        Peer.Run("qemu-img", "compare", "-f", "qcow2", "-F", "raw", converted, disk);
        Assert.InRange(new FileInfo(converted).Length, 1 << 20, 4 << 20);

        server.Stop();
        Assert.False(File.Exists(socket));
        JsonElement entry = Assert.Single(evidence.Json("log", "--kind", "access").Succeeds().Json.GetProperty("entries").EnumerateArray());
        JsonElement body = entry.GetProperty("body");
        Assert.Equal(("nbd", Address, "errors"), (body.GetProperty("means").GetString(), body.GetProperty("place").GetString(), body.GetProperty("absent").GetString()));
    }

    [Fact]
    public void Over_tcp_a_mounted_client_reads_the_same_and_a_second_process_serves_beside_it()
    {
        Peer.Require("nbdfuse", "nbdcopy");
        Peer.RequireRoot("Mounting");
        using var first = new RunningServer(evidence, "serve", "disk", "--listen", "127.0.0.1:0", "--no-record");
        using var second = new RunningServer(evidence, "serve", "disk", "--socket", socket, "--no-record");
        string address = first.Said.GetProperty("address").GetString()!;
        string folder = Directory.CreateDirectory(evidence.PathOf("mounted")).FullName;
        using (RunningProcess mounted = Start("nbdfuse", Path.Combine(folder, "disk"), address))
        {
            mounted.WaitUntil(() => File.Exists(Path.Combine(folder, "disk")));
            Peer.Compare(disk, Path.Combine(folder, "disk"));
            Peer.Run("umount", folder);
            mounted.Wait().Succeeds();
        }

        Peer.Run("nbdcopy", Address, evidence.PathOf("copy"));
        Peer.Compare(disk, evidence.PathOf("copy"));
        first.Stop("TERM");
        second.Stop();
        Assert.Empty(evidence.Json("log", "--kind", "access").Succeeds().Json.GetProperty("entries").EnumerateArray());
    }

    [Fact]
    public void What_cannot_be_served_is_told()
    {
        evidence.Json("serve", "disk", "--listen", "0.0.0.0:10809").FailsWith("usage", 2);
        evidence.Json("serve", "disk", "--listen", "here").FailsWith("usage", 2);
        evidence.Json("serve", "disk", "--socket", disk).FailsWith("destination-invalid");
        evidence.Json("serve", "nobody").FailsWith("image-not-found");
        evidence.Json("serve", "disk", "--cache", "much").FailsWith("usage", 2);
        Assert.Empty(evidence.Json("log", "--kind", "access").Succeeds().Json.GetProperty("entries").EnumerateArray());
    }

    public void Dispose() => evidence.Dispose();

    private static RunningProcess Start(string tool, params string[] arguments) => new(new System.Diagnostics.ProcessStartInfo(tool, arguments));
}
