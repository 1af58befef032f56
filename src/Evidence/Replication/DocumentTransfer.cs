using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>Gives the bytes of a document, and at their end holds them against its digest: what is not what its name says is not sent.</summary>
internal static class DocumentTransfer
{
    /// <summary>Reads a document. A part that it gives is good until the next is asked for.</summary>
    /// <param name="layout">The vault.</param>
    /// <param name="document">The document.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="DamagedSourceException">It is damaged, or cannot be read.</exception>
    internal static IEnumerable<ReadOnlyMemory<byte>> Read(VaultLayout layout, Sha256Digest document, CancellationToken cancellation)
    {
        using FileStream file = Attempt(() => DocumentFile.TryOpen(layout, document)) ?? throw Damaged(layout, document, "it is gone.");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using IEnumerator<ReadOnlyMemory<byte>> parts = DocumentFile.Parts(file).GetEnumerator();
        while (Attempt(() => DurableFile.Translate(file.Name, "read", parts.MoveNext)))
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(parts.Current.Span);
            yield return parts.Current;
        }

        if (new Sha256Digest(hash.GetHashAndReset()) is var found && found != document)
            throw Damaged(layout, document, $"its SHA-256 is {found}.");
    }

    private static DamagedSourceException Damaged(VaultLayout layout, Sha256Digest document, string what) => new(DocumentFile.Damaged(layout.Document(document), what));

    private static T Attempt<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (EvidenceException e)
        {
            throw new DamagedSourceException(e);
        }
    }
}
