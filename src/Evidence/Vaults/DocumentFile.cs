using System.Buffers;
using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;

namespace Evidence.Vaults;

/// <summary>Documents as they lie in a vault: each under the SHA-256 of its bytes, and so its own proof.</summary>
internal static class DocumentFile
{
    private const int BufferSize = 1 << 20;

    /// <summary>Opens a document's file. What is in it is not checked.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="EvidenceException">It is a link or no file of bytes (<see cref="ErrorCode.ContentRefuted"/>), or cannot be read.</exception>
    internal static FileStream? TryOpen(VaultLayout layout, Sha256Digest document)
    {
        string path = layout.Document(document);
        return DurableFile.Translate(path, "read", () =>
        {
            if (VaultFiles.IsNoFile(path))
                throw Damaged(path, "it is a link, or no file of bytes.");
            try
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
        });
    }

    /// <summary>What is wrong with a document's file; null where it is the one that its name says.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="document">The document.</param>
    /// <param name="fromMedium">Whether to read the medium itself, past what the system cached.</param>
    /// <param name="progress">Hears of the bytes read.</param>
    /// <param name="cancellation">Stops it.</param>
    internal static string? Defect(VaultLayout layout, Sha256Digest document, bool fromMedium, Action<long>? progress, CancellationToken cancellation)
    {
        try
        {
            using FileStream? file = TryOpen(layout, document);
            if (file is null)
                return "It is missing.";
            if (fromMedium)
                _ = Posix.FileAdvise(file.SafeFileHandle, 0, 0, Posix.POSIX_FADV_DONTNEED);
            Sha256Digest found = DurableFile.Translate(file.Name, "read", () => Hash(file, progress, cancellation));
            return found == document ? null : $"It is not the file that its name says: its SHA-256 is {found}.";
        }
        catch (EvidenceException e)
        {
            return e.Message;
        }
    }

    /// <summary>Hashes a stream from where it is to its end.</summary>
    internal static Sha256Digest Hash(Stream stream, Action<long>? progress, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReadOnlyMemory<byte> part in Parts(stream))
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(part.Span);
            progress?.Invoke(part.Length);
        }

        return new Sha256Digest(hash.GetHashAndReset());
    }

    /// <summary>A stream in parts. Each is good until the next is asked for.</summary>
    internal static IEnumerable<ReadOnlyMemory<byte>> Parts(Stream stream)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (stream.Read(buffer) is > 0 and var length)
                yield return buffer.AsMemory(0, length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The error for a document that is not what its name says.</summary>
    internal static EvidenceException Damaged(string path, string what) => new(
        ErrorCode.ContentRefuted,
        $"The document {path} is damaged: {what} Add the same file again ('evidence document add'): it comes in the place of this one, which is set aside.");
}
