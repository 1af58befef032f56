using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>
/// The documents of a vault: court orders, letters, copies of notices and what shows that they arrived, policies, calendars. Entries name them by the SHA-256 of their
/// bytes. One is in the vault before an entry names it (<c>docs/format/vault.md</c>).
/// </summary>
public sealed class VaultDocuments
{
    /// <summary>The most bytes of a document: 1 GiB. What is larger is imaged, like any content.</summary>
    public const long LargestSize = 1L << 30;

    private readonly VaultLayout layout;
    private readonly VaultLedger ledger;
    private readonly VaultAccess access;

    internal VaultDocuments(VaultLayout layout, VaultLedger ledger, VaultAccess access) => (this.layout, this.ledger, this.access) = (layout, ledger, access);

    /// <summary>Adds a file. One that is there already is not added twice; a damaged one in its place is set aside.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The document's SHA-256. It is durable.</returns>
    /// <exception cref="EvidenceException">There is no such file, it is too long, cannot be read, or the vault cannot be written.</exception>
    public Sha256Digest AddFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream file = DurableFile.Translate(path, "read", () =>
        {
            // To open a pipe would wait for a writer.
            if (FileStatus.IsNoFile(path))
                throw new EvidenceException(ErrorCode.SourceUnsupported, $"{path} is no file of bytes, and cannot be a document.");
            try
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                throw new EvidenceException(ErrorCode.SourceNotFound, $"There is no file {path}.", e);
            }
        });
        try
        {
            return Add(file);
        }
        catch (IOException e)
        {
            throw new EvidenceException(ErrorCode.SourceFailed, $"Cannot read {path}: {e.Message}", e);
        }
    }

    /// <summary>Adds what a stream holds, from where it is to its end. Memory does not grow with it.</summary>
    /// <param name="content">The stream. What it throws goes through.</param>
    /// <inheritdoc cref="AddFile"/>
    public Sha256Digest Add(Stream content)
    {
        ArgumentNullException.ThrowIfNull(content);
        return Add(content, LargestSize);
    }

    internal Sha256Digest Add(Stream content, long limit)
    {
        ledger.DemandWritable();
        using StagingFolder staging = StagingFolder.Create(layout, access.Logger);
        string temporary = staging.NewFile("document");
        Sha256Digest document = Write(content, temporary, limit);
        Publish(temporary, document);
        return document;
    }

    /// <summary>Opens a document, after all of it was read and found to be what its digest says.</summary>
    /// <param name="document">Its SHA-256.</param>
    /// <returns>The document, read-only, from its beginning.</returns>
    /// <exception cref="EvidenceException">
    /// It is not here (<see cref="ErrorCode.DocumentNotFound"/>), is not what its digest says (<see cref="ErrorCode.ContentRefuted"/>), or cannot be read.
    /// </exception>
    public Stream Open(Sha256Digest document)
    {
        FileStream file = DocumentFile.TryOpen(layout, document)
            ?? throw new EvidenceException(ErrorCode.DocumentNotFound, $"There is no document sha256:{document} in {layout.Folder}. Whoever has the file adds it: 'evidence document add FILE'.");
        try
        {
            Sha256Digest found = DurableFile.Translate(file.Name, "read", () => DocumentFile.Hash(file, null, CancellationToken.None));
            if (found != document)
                throw DocumentFile.Damaged(file.Name, $"its SHA-256 is {found}.");
            file.Position = 0;
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads a small document: all of it, found to be what its digest says.</summary>
    /// <param name="document">Its SHA-256.</param>
    /// <param name="limit">The most bytes that it can have, to be what is looked for.</param>
    /// <returns>Null where it is not here.</returns>
    /// <exception cref="FormatException">It has more bytes than <paramref name="limit"/>.</exception>
    /// <exception cref="EvidenceException">It is not what its digest says (<see cref="ErrorCode.ContentRefuted"/>), or cannot be read.</exception>
    public byte[]? TryRead(Sha256Digest document, int limit)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        using FileStream? file = DocumentFile.TryOpen(layout, document);
        if (file is null)
            return null;
        if (file.Length > limit)
            throw new FormatException($"The document sha256:{document} has {file.Length} bytes, more than the {limit} that it can have.");
        byte[] bytes = DurableFile.Translate(file.Name, "read", () =>
        {
            var content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        });
        return Sha256Digest.Compute(bytes) == document ? bytes : throw DocumentFile.Damaged(file.Name, $"its SHA-256 is {Sha256Digest.Compute(bytes)}.");
    }

    /// <summary>Whether a document is here, by its name alone: what is in it is not checked.</summary>
    public bool Contains(Sha256Digest document) => Path.Exists(layout.Document(document));

    /// <summary>The documents that are here, by their names alone, in the order of those.</summary>
    /// <exception cref="EvidenceException">A folder cannot be listed.</exception>
    public IReadOnlyList<Sha256Digest> List() => layout.ListDocuments();

    private static Sha256Digest Write(Stream content, string temporary, long limit)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using FileStream file = DurableFile.Translate(temporary, "create", () => new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0));
        foreach (ReadOnlyMemory<byte> part in DocumentFile.Parts(content))
        {
            if (file.Position + part.Length > limit)
                throw new EvidenceException(ErrorCode.SourceUnsupported, $"It has more than {limit} bytes, the most that a document can have. Image it instead: 'evidence acquire'.");
            hash.AppendData(part.Span);
            DurableFile.Translate(temporary, "write", () => file.Write(part.Span));
        }

        DurableFile.Translate(temporary, "write", () =>
        {
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        });
        DurableFile.Sync(file.SafeFileHandle, temporary);
        return new Sha256Digest(hash.GetHashAndReset());
    }

    /// <summary>Gives a document its name. One that is there already serves where it is the same; else it is evidence of damage, and goes aside in the same step.</summary>
    private void Publish(string temporary, Sha256Digest document)
    {
        string path = layout.Document(document);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        bool isTaken = Path.Exists(path) || new FileInfo(path).LinkTarget is not null;
        if (!isTaken && DurableFile.TryPublish(temporary, path))
            return;
        if (DocumentFile.Defect(layout, document, fromMedium: false, null, CancellationToken.None) is not { } defect)
        {
            DurableFile.SyncName(path);
            return;
        }

        // Another process put it there just now, and it is damaged already: the next one that adds it has a file to put in its place.
        if (!isTaken)
            throw DocumentFile.Damaged(path, defect);
        Log.SetAside(access.Logger, path, SetAsideFiles.Exchange(layout, SetAsideFiles.NameOf(path)!, temporary, path));
    }
}
