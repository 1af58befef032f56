using System.Security.Cryptography;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Nbd;
using Evidence.Rescue;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>A disk of random bytes behind an NBD server, always at the same address, of which sectors cannot be read: others each time that it is started.</summary>
internal sealed class FailingServer : IDisposable
{
    private readonly string folder;
    private readonly string socket;
    private NbdPeer? server;
    private int starts;

    /// <summary>A disk that no server serves yet.</summary>
    /// <param name="folder">A folder for its files.</param>
    /// <param name="length">Its length in bytes.</param>
    internal FailingServer(string folder, int length)
    {
        Peer.Require("nbdkit");
        this.folder = folder;
        socket = Path.Combine(folder, "socket");
        Disk = Path.Combine(folder, "content.img");
        Content = RandomNumberGenerator.GetBytes(length);
        File.WriteAllBytes(Disk, Content);
    }

    internal string Address => $"nbd+unix:///?socket={socket}";

    /// <summary>What would be read of a whole disk.</summary>
    internal byte[] Content { get; }

    /// <summary>The same as a file.</summary>
    internal string Disk { get; }

    /// <summary>What was asked of it since it was started.</summary>
    internal RequestLog? Log { get; private set; }

    /// <summary>Serves the disk, in place of the server before.</summary>
    /// <param name="bad">The sectors of 512 bytes that cannot be read.</param>
    /// <param name="delay">How long each read takes, as nbdkit's delay filter wants it; null for no longer than it takes.</param>
    internal void Start(IEnumerable<long> bad, string? delay = null)
    {
        Stop();
        var map = new RescueMap(Content.Length);
        map.Set(0, Content.Length, RescueStatus.Finished);
        foreach (long sector in bad)
            map.Set(sector * 512, 512, RescueStatus.BadSector);
        string mapfile = Path.Combine(folder, $"truth-{++starts}.map");
        using (var writer = new StreamWriter(mapfile))
            Mapfile.Write(map, writer);
        Log = new RequestLog(Path.Combine(folder, $"requests-{starts}.log"));
        string[] slow = delay is null ? [] : ["--filter=delay"];
        string[] slowness = delay is null ? [] : [$"rdelay={delay}"];
        server = NbdPeer.Start(
            socket, "nbdkit",
            [
                "--foreground", "--readonly", "--unix", socket, "--filter=log", .. slow, "--filter=ddrescue", "file", Disk,
                $"ddrescue-mapfile={mapfile}", $"logfile={Log.Path}", .. slowness,
            ]);
    }

    internal void Stop()
    {
        server?.Dispose();
        server = null;
        // A server that is killed leaves its socket there.
        File.Delete(socket);
    }

    public void Dispose() => Stop();
}
