using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>A file that was sent, and is not there as it was sent.</summary>
/// <param name="File">Its name in the vault.</param>
/// <param name="IsMissing">Whether there is nothing under its name; else there is something else.</param>
/// <param name="Detail">In words.</param>
public sealed record ReplicaDifference(string File, bool IsMissing, string Detail);

/// <summary>Compares what the sender's record says was sent with what is there.</summary>
internal static class ReplicaCheck
{
    private const int BufferSize = 1 << 20;

    /// <summary>Reads every file that was sent.</summary>
    internal static IEnumerable<ReplicaDifference> Run(VaultLayout layout, ReplicaRecord record, Action<long> progress, CancellationToken cancellation)
    {
        foreach (SentFile sent in record.Files.Values.OrderBy(f => f.Name, StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            string path = Path.Combine(layout.Folder, sent.Name);
            if (Defect(path, sent) is { } defect)
                yield return new ReplicaDifference(sent.Name, !Path.Exists(path), defect);
            progress(sent.Length);
        }
    }

    /// <summary>What is wrong with a file that is there; null where it is the one that was sent.</summary>
    internal static string? Defect(string path, SentFile sent)
    {
        if (VaultFiles.IsNoFile(path))
            return "It is a link, or no file of bytes.";
        if (!File.Exists(path))
            return "It is missing.";
        try
        {
            return DurableFile.Translate(path, "read", () =>
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, BufferSize);
                // What the medium has counts, not what the system remembers of writing it.
                _ = Posix.FileAdvise(file.SafeFileHandle, 0, 0, Posix.POSIX_FADV_DONTNEED);
                if (file.Length != sent.Length)
                    return $"It has {file.Length} bytes; {sent.Length} were sent.";
                using var hash = SHA256.Create();
                var digest = new Sha256Digest(hash.ComputeHash(file));
                return digest == sent.Sha256 ? null : $"Its SHA-256 is {digest}; what was sent has {sent.Sha256}.";
            });
        }
        catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.InputOutput, StringComparison.Ordinal))
        {
            return e.Message;
        }
    }
}
