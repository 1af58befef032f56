using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;

namespace Evidence.Replication;

/// <summary>
/// The folder that a replica is in, as its sender writes it: immutable files, each written aside, flushed, and given its name without overwriting, and one that is
/// replaced. Nothing is asked of it but which replica it is, and what lies under a name that is taken.
/// </summary>
internal sealed class ReplicaFolder : IDisposable
{
    private const int BufferSize = 1 << 20;

    private readonly StagingFolder staging;
    private readonly HashSet<string> safe = new(StringComparer.Ordinal);
    private int temporaryFiles;

    private ReplicaFolder(VaultLayout layout, ReplicaIdentity identity, bool isNew, StagingFolder staging)
    {
        Layout = layout;
        Identity = identity;
        IsNew = isNew;
        this.staging = staging;
    }

    internal VaultLayout Layout { get; }

    /// <summary>Which replica it is.</summary>
    internal ReplicaIdentity Identity { get; }

    /// <summary>Whether there was nothing before.</summary>
    internal bool IsNew { get; }

    /// <summary>Reads which replica a folder is.</summary>
    /// <exception cref="EvidenceException">It is none of this vault's (<see cref="ErrorCode.DestinationInvalid"/>).</exception>
    internal static ReplicaIdentity Identify(string folder, Vault vault)
    {
        var layout = new VaultLayout(folder);
        ReplicaIdentity identity = ReplicaIdentity.TryRead(layout)
            ?? throw new EvidenceException(ErrorCode.DestinationInvalid, $"{layout.Folder} is no replica: it has no {ReplicaIdentity.FileName}.");
        return string.Equals(identity.Vault, vault.Settings.Id, StringComparison.Ordinal)
            ? identity
            : throw new EvidenceException(ErrorCode.DestinationInvalid, $"{layout.Folder} is a replica of another vault, {identity.Vault}. Name another folder.");
    }

    /// <summary>Opens a replica, or begins one in a folder that does not exist yet, or is empty.</summary>
    /// <exception cref="EvidenceException">There is something else, or it cannot be written.</exception>
    internal static ReplicaFolder Open(string folder, Vault vault, ILogger logger)
    {
        var layout = new VaultLayout(folder);
        DemandOtherPlace(layout, vault);
        bool isNew = ReplicaIdentity.TryRead(layout) is null;
        if (isNew && Directory.Exists(layout.Folder) && Directory.EnumerateFileSystemEntries(layout.Folder).Any(e => !string.Equals(e, layout.Staging, StringComparison.Ordinal)))
        {
            throw new EvidenceException(
                ErrorCode.DestinationInvalid,
                $"{layout.Folder} is not empty and is no replica: it has no {ReplicaIdentity.FileName}. Name a folder that does not exist yet, or one that was replicated to before.");
        }

        DurableFile.CreateDirectory(layout.Folder);
        DemandNoLink(layout.Staging);
        var made = StagingFolder.Create(layout, logger);
        try
        {
            // Of several senders that begin at once the first one's word stands.
            if (isNew)
                _ = DurableFile.TryCreate(layout.Replica, ReplicaIdentity.CreateNew(vault.Settings.Id).Encode(), made.FolderPath);
            DurableFile.SyncName(layout.Replica);
            return new ReplicaFolder(layout, Identify(folder, vault), isNew, made);
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>Puts an immutable file into its place; durable on return.</summary>
    /// <param name="name">Its name in the vault.</param>
    /// <param name="content">Its bytes. What goes wrong in giving them is the source's.</param>
    /// <param name="replace">Whether another file that is there under this name is to go; a pack or a manifest goes aside.</param>
    /// <exception cref="EvidenceException">There is another file under this name (<see cref="ErrorCode.DestinationInvalid"/>), or it cannot be written.</exception>
    internal SentFile Put(string name, IEnumerable<ReadOnlyMemory<byte>> content, bool replace)
    {
        string path = PathOf(name);
        string temporary = staging.NewFile(string.Create(null, $"{temporaryFiles++}"));
        try
        {
            SentFile sent = Write(name, temporary, content);
            DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
            if (Publish(temporary, path, sent, replace))
                return sent;
            throw new EvidenceException(
                ErrorCode.DestinationInvalid, $"There is another file under the name {path} than the one to be sent. 'evidence replicate --to {Layout.Folder} --resend' puts the right one there.");
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Puts a small file into its place.</summary>
    internal SentFile Put(string name, byte[] content, bool replace) => Put(name, [content], replace);

    /// <summary>Replaces the one file that is replaced.</summary>
    internal SentFile Replace(string name, byte[] content)
    {
        string path = PathOf(name);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        DurableFile.Replace(path, content, temporaryDirectory: staging.FolderPath);
        return new SentFile(name, content.Length, Sha256Digest.Compute(content));
    }

    /// <inheritdoc/>
    public void Dispose() => staging.Dispose();

    private static SentFile Write(string name, string temporary, IEnumerable<ReadOnlyMemory<byte>> content)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using FileStream file = DurableFile.Translate(temporary, "create", () => new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferSize));
        foreach (ReadOnlyMemory<byte> part in content)
        {
            hash.AppendData(part.Span);
            DurableFile.Translate(temporary, "write", () => file.Write(part.Span));
        }

        DurableFile.Translate(temporary, "write", () =>
        {
            file.Flush();
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        });
        DurableFile.Sync(file.SafeFileHandle, temporary);
        return new SentFile(name, file.Length, new Sha256Digest(hash.GetHashAndReset()));
    }

    /// <summary>Gives a file its name. One that is there already, of a run that was stopped before it took note of it, serves where it is the same.</summary>
    private bool Publish(string temporary, string path, SentFile sent, bool replace)
    {
        if (!Path.Exists(path) && new FileInfo(path).LinkTarget is null && DurableFile.TryPublish(temporary, path))
            return true;
        if (ReplicaCheck.Defect(path, sent) is null)
        {
            DurableFile.SyncName(path);
            return true;
        }

        if (!replace)
            return false;
        if (SetAsideFiles.NameOf(path) is { } aside)
        {
            SetAsideFiles.Exchange(Layout, aside, temporary, path);
            return true;
        }

        DurableFile.Rename(temporary, path);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
        return true;
    }

    /// <summary>Where a file goes. A link on the way there, which whoever has the replica can make, could lead anywhere.</summary>
    private string PathOf(string name)
    {
        string path = Path.Combine(Layout.Folder, name);
        for (string folder = Path.GetDirectoryName(path)!; folder.Length > Layout.Folder.Length && safe.Add(folder); folder = Path.GetDirectoryName(folder)!)
            DemandNoLink(folder);
        return path;
    }

    private static void DemandNoLink(string folder)
    {
        if (new FileInfo(folder).LinkTarget is { } target)
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"{folder} is a link, to {target}: within a replica none is followed. Remove it, and run the command again.");
    }

    /// <summary>A vault is no replica of itself, by whatever path it is named.</summary>
    private static void DemandOtherPlace(VaultLayout layout, Vault vault)
    {
        if (!Directory.Exists(layout.Folder))
            return;
        if (FolderIdentity.Get(layout.Folder) == FolderIdentity.Get(vault.Folder) || vault.Access.Keys?.IsPlace(vault.Settings.Origin, layout.Folder) == true)
            throw new EvidenceException(ErrorCode.Usage, $"{layout.Folder} is the vault itself. Name the folder of a replica, or one that does not exist yet.");
    }
}
