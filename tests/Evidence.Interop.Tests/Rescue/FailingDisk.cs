using System.Diagnostics;
using System.Security.Cryptography;
using Evidence.Interop.Tests.Harness;
using Evidence.Interop.Tests.Sources;
using Evidence.Rescue;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>
/// A disk of random bytes of which chosen sectors cannot be read, as a file or as a block device, that tells every request that reaches it.
/// nbdkit refuses the sectors and keeps the log, nbdfuse shows the disk as a file, and a loop device over that passes each request on as it is.
/// </summary>
internal sealed class FailingDisk : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("evidence-failing-");
    private readonly RunningProcess server;
    private readonly string file;
    private readonly RequestLog log;

    internal FailingDisk(int length, int sectorSize, IReadOnlyCollection<long> badSectors, bool isDevice)
    {
        Content = RandomNumberGenerator.GetBytes(length);
        Truth = new RescueMap(length);
        Truth.Set(0, length, RescueStatus.Finished);
        foreach (long sector in badSectors)
            Truth.Set(sector * sectorSize, Math.Min(sectorSize, length - (sector * sectorSize)), RescueStatus.BadSector);
        string mapfile = PathOf("truth.map");
        using (var writer = new StreamWriter(mapfile))
            Mapfile.Write(Truth, writer);
        string content = PathOf("content.img");
        File.WriteAllBytes(content, Content);
        log = new RequestLog(PathOf("requests.log"));
        file = PathOf("disk.img");
        File.WriteAllBytes(file, []);
        server = new RunningProcess(new ProcessStartInfo(
            "nbdfuse",
            [
                "--readonly", file, "[", "nbdkit", "--exit-with-parent", "--filter=log", "--filter=ddrescue", "file", content,
                $"ddrescue-mapfile={mapfile}", $"logfile={log.Path}", "]",
            ]));
        try
        {
            server.WaitUntil(() => new FileInfo(file).Length == length);
            Node = isDevice
                ? Peer.Run("losetup", "--find", "--show", "--read-only", "--direct-io=on", "--sector-size", $"{sectorSize}", file).Trim()
                : file;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What would be read of a whole disk.</summary>
    internal byte[] Content { get; }

    /// <summary>Which bytes can be read, and which cannot.</summary>
    internal RescueMap Truth { get; }

    /// <summary>The file or the device.</summary>
    internal string? Node { get; private set; }

    /// <summary>Skips the test where such disks cannot be had; in CI they must be.</summary>
    internal static void Require()
    {
        Peer.Require("nbdkit", "nbdfuse", "umount", "ddrescue", "ddrescuelog");
        LoopDevice.Require();
        if (!File.Exists("/dev/fuse"))
            Peer.Lacking("The kernel offers no FUSE.");
    }

    internal string PathOf(string name) => Path.Combine(directory.FullName, name);

    /// <summary>How many of the requests since the last call asked for a bad sector.</summary>
    internal int RequestsOfBadSectors()
    {
        return log.Next().Count(request => Truth.Next(RescueStatus.BadSector, request.Offset) is { } bad && bad.Offset < request.End);
    }

    public void Dispose()
    {
        try
        {
            if (Node is not null && Node != file)
                Peer.Run("losetup", "--detach", Node);
            // A loop device that was just given up may hold its file a moment longer.
            if (!server.HasExited)
                Peer.Run("umount", "--lazy", file);
            server.Wait();
        }
        finally
        {
            server.Dispose();
            directory.Delete(recursive: true);
        }
    }
}
