namespace Evidence.Interop.Tests.Harness;

/// <summary>Something mounted, until disposal.</summary>
internal sealed class Mount : IDisposable
{
    internal Mount(string folder, params string[] arguments)
    {
        Folder = Directory.CreateDirectory(folder).FullName;
        Peer.Run("mount", [.. arguments, Folder]);
    }

    internal string Folder { get; }

    /// <summary>A file system in memory with room for that many bytes, or none where it cannot be had.</summary>
    internal static Mount InMemory(string folder, long bytes)
    {
        Peer.Require("mount", "umount");
        Peer.RequireRoot("A small file system in memory");
        return new Mount(folder, "-t", "tmpfs", "-o", $"size={bytes}", "tmpfs");
    }

    internal void Resize(long bytes) => Peer.Run("mount", "-o", $"remount,size={bytes}", Folder);

    public void Dispose() => Peer.Run("umount", Folder);
}
