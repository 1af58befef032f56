using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Evidence.Interop.Tests.Harness;
using Xunit;

namespace Evidence.Interop.Tests.Nbd;

/// <summary>Servers that are particular, broken, slow, or gone for a while.</summary>
public sealed class NbdkitTests : IDisposable
{
    private readonly EvidenceCommand evidence = new();
    private readonly string disk;
    private readonly string socket;
    private NbdPeer? server;

    public NbdkitTests()
    {
        Peer.Require("nbdkit");
        disk = evidence.PathOf("disk.img");
        socket = evidence.PathOf("socket");
    }

    private string Address => $"nbd+unix:///?socket={socket}";

    [Fact]
    public void A_server_on_the_network_is_imaged_and_described()
    {
        Make((5 << 20) + 512);
        int port = NbdPeer.FreePort();
        server = NbdPeer.StartOnPort(
            port, "nbdkit", "--foreground", "--ipaddr=127.0.0.1", $"--port={port}", "--filter=exportname", "file", disk,
            "exportname=vm-12", "exportname-strict=true", "exportdesc=fixed:the mail server");
        string address = string.Create(CultureInfo.InvariantCulture, $"nbd://127.0.0.1:{port}/vm-12");
        Assert.Equal("vm-12", Images(address).GetProperty("item").GetString());
        JsonElement source = SourceInManifest();
        Assert.Equal(("nbd", address), (source.GetProperty("kind").GetString(), source.GetProperty("name").GetString()));
        JsonElement nbd = source.GetProperty("nbd");
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), nbd.GetProperty("server").GetString());
        Assert.Equal(("vm-12", "the mail server"), (nbd.GetProperty("export").GetString(), nbd.GetProperty("description").GetString()));
        Assert.Equal(JsonValueKind.Null, nbd.GetProperty("tls").ValueKind);
        Assert.False(nbd.GetProperty("readOnly").GetBoolean());
        if (Peer.TryRun("/usr/bin/python3", "-c", "import brotli").ExitCode != 0)
            Peer.Lacking("Debian's Python has no module brotli (python3-brotli): what the format pages' reader says of the vault was not seen.");
        Peer.Run("/usr/bin/python3", Path.Combine(RepositoryFolder(), "docs", "format", "reader.py"), evidence.Vault, "check");
    }

    /// <summary>The policy fails every request that is not a multiple of its blocks, or too long.</summary>
    [Theory]
    [InlineData(4096, 65536)]
    [InlineData(65536, 65536)]
    [InlineData(512, 1 << 20)]
    public void A_server_that_insists_on_its_block_sizes_gets_them(int minimum, int maximum)
    {
        Make(3 << 20);
        Start("--filter=blocksize-policy", "file", disk, $"blocksize-minimum={minimum}", $"blocksize-preferred={Math.Max(4096, minimum)}",
            $"blocksize-maximum={maximum}", "blocksize-error-policy=error");
        Images(Address, "--read-holes");
        Assert.Equal(minimum, SourceInManifest().GetProperty("nbd").GetProperty("blockSizes").GetProperty("minimum").GetInt32());
    }

    [Fact]
    public void Sectors_that_the_server_cannot_read_are_unreadable_and_no_others()
    {
        Make(2 << 20);
        // ddrescue's map: three sectors of 512 bytes in two ranges.
        File.WriteAllText(evidence.PathOf("map"), "0x0 + 1\n0x0 0x10200 +\n0x10200 0x200 -\n0x10400 0x8fc00 +\n0xa0000 0x400 -\n0xa0400 0x15fc00 +\n");
        Start("--filter=ddrescue", "file", disk, $"ddrescue-mapfile={evidence.PathOf("map")}");
        JsonElement image = evidence.Json("acquire", Address, "--item", "bad").Ends(4).Image();
        Assert.Equal(
            [(0x10200, 0x200), (0xa0000, 0x400)],
            image.GetProperty("unreadable").EnumerateArray().Select(u => (Number(u, "offset"), Number(u, "length"))));
        byte[] expected = File.ReadAllBytes(disk);
        expected.AsSpan(0x10200, 0x200).Clear();
        expected.AsSpan(0xa0000, 0x400).Clear();
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected)), image.GetProperty("digests").GetProperty("sha256").GetString());
    }

    [Fact]
    public void A_server_that_is_slow_is_waited_for()
    {
        Make(2 << 20);
        Start("--filter=delay", "file", disk, "rdelay=50ms");
        Images(Address);
    }

    /// <summary>Killed in the middle of a request, and started again: the image is the disk's all the same.</summary>
    [Fact]
    public void A_server_that_dies_and_comes_back_is_read_to_the_end()
    {
        Peer.Require("bash", "dd");
        Make(12 << 20);
        string died = evidence.PathOf("died");
        string read = $"if [ $4 -ge 6000000 ] && mkdir '{died}' 2>/dev/null; then kill -9 $PPID; fi; " +
            $"dd if='{disk}' skip=$4 count=$3 iflag=skip_bytes,count_bytes,fullblock bs=256k status=none";
        // A server that is killed leaves its socket there, and the next one does not take it over.
        server = NbdPeer.Start(
            socket, "bash", "-c", "while true; do rm -f \"$1\"; nbdkit --foreground --unix \"$1\" eval get_size=\"echo $2\" pread=\"$3\"; done", "bash",
            socket, (12 << 20).ToString(CultureInfo.InvariantCulture), read);
        CommandResult result = evidence.Json("acquire", Address, "--item", "disk").Succeeds();
        Assert.True(Directory.Exists(died), "the server did not die");
        Assert.Equal(Peer.Sum("sha256", disk), result.Image().GetProperty("digests").GetProperty("sha256").GetString());
        Assert.Contains("the connection was lost (the server closed the connection)", result.Errors, StringComparison.Ordinal);
        Assert.Contains("connected again", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void TLS_is_verified_and_so_is_the_client()
    {
        Make(1 << 20);
        using var certificates = new TestCertificates(evidence.PathOf("pki"));
        int port = NbdPeer.FreePort();
        server = NbdPeer.StartOnPort(
            port, "nbdkit", "--foreground", "--ipaddr=127.0.0.1", $"--port={port}", "--tls=require", $"--tls-certificates={certificates.ServerFolder}",
            "--tls-verify-peer", "file", disk);
        string address = string.Create(CultureInfo.InvariantCulture, $"nbds://127.0.0.1:{port}/");
        JsonElement tls = JsonElementOf($"{address}?tls-certificates={certificates.ClientFolder}");
        Assert.Equal(
            ($"sha256:{certificates.ServerFingerprint}", true), (tls.GetProperty("certificate").GetString(), tls.GetProperty("verified").GetBoolean()));

        Assert.Contains("does not verify", evidence.Json("acquire", address).FailsWith("source-failed"), StringComparison.Ordinal);
        Assert.Contains("Use nbds", evidence.Json("acquire", address.Replace("nbds:", "nbd:", StringComparison.Ordinal)).FailsWith("source-failed"), StringComparison.Ordinal);
        // Whoever does not verify gets no proof, and a server that wants to see the client still wants to.
        CommandResult unproven = evidence.Run("acquire", $"{address}?tls-verify-peer=false&tls-certificates={certificates.ClientFolder}", "--item", "unproven").Succeeds();
        Assert.Contains("WARNING    the server's certificate was not verified", unproven.Text, StringComparison.Ordinal);

        JsonElement JsonElementOf(string complete)
        {
            Images(complete);
            return SourceInManifest().GetProperty("nbd").GetProperty("tls");
        }
    }

    [Fact]
    public void The_reference_server_is_imaged()
    {
        Peer.Require("nbd-server");
        Make((1 << 20) + 512);
        int port = NbdPeer.FreePort();
        File.WriteAllText(
            evidence.PathOf("config"), $"[generic]\nport = {port}\nlistenaddr = 127.0.0.1\nallowlist = true\n[disk]\nexportname = {disk}\nreadonly = true\n");
        server = NbdPeer.StartOnPort(port, "nbd-server", "-d", "-C", evidence.PathOf("config"));
        Images(string.Create(CultureInfo.InvariantCulture, $"nbd://127.0.0.1:{port}/disk"));
        Assert.True(SourceInManifest().GetProperty("nbd").GetProperty("readOnly").GetBoolean());
    }

    public void Dispose()
    {
        server?.Dispose();
        evidence.Dispose();
    }

    private static long Number(JsonElement json, string name) => long.Parse(json.GetProperty(name).GetString()!, CultureInfo.InvariantCulture);

    private static string RepositoryFolder()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Evidence.sln")))
                return folder;
        }

        throw new DirectoryNotFoundException("The tests do not lie within the repository.");
    }

    private void Make(int size) => File.WriteAllBytes(disk, RandomNumberGenerator.GetBytes(size));

    private void Start(params string[] arguments) =>
        server = NbdPeer.Start(socket, "nbdkit", ["--foreground", "--readonly", "--unix", socket, .. arguments]);

    /// <summary>Images the disk: the same bytes, by another program's digest.</summary>
    private JsonElement Images(string address, params string[] options)
    {
        string[] item = address.EndsWith("vm-12", StringComparison.Ordinal) ? [] : ["--item", "disk"];
        JsonElement image = evidence.Json(["acquire", address, .. item, .. options]).Succeeds().Image();
        Assert.Equal(Peer.Sum("sha256", disk), image.GetProperty("digests").GetProperty("sha256").GetString());
        return image;
    }

    private JsonElement SourceInManifest() =>
        JsonDocument.Parse(File.ReadAllBytes(Assert.Single(Directory.GetFiles(Path.Combine(evidence.Vault, "images"))))).RootElement.GetProperty("source");
}
