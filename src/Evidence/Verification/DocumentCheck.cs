using Evidence.Hashing;
using Evidence.Vaults;

namespace Evidence.Verification;

/// <summary>Recomputes the documents of a vault, and misses those that entries name.</summary>
/// <param name="layout">The vault.</param>
/// <param name="named">The documents that entries name, each with the first entry that does.</param>
/// <param name="ledgerRefuted">Whether entries may be lost, so that nothing can be said of what none names.</param>
/// <param name="isReplica">Whether the vault is a replica, which need not hold everything.</param>
internal sealed class DocumentCheck(VaultLayout layout, IReadOnlyDictionary<Sha256Digest, long> named, bool ledgerRefuted, bool isReplica)
{
    /// <summary>Checks the documents that are there.</summary>
    /// <param name="documents">Those.</param>
    /// <param name="fromMedium">Whether to read the medium itself, past what the system cached.</param>
    /// <param name="progress">Hears of the bytes read.</param>
    /// <param name="cancellation">Stops the check.</param>
    internal IEnumerable<Finding> Run(IReadOnlyList<Sha256Digest> documents, bool fromMedium, Action<long> progress, CancellationToken cancellation)
    {
        foreach (Sha256Digest document in documents)
        {
            cancellation.ThrowIfCancellationRequested();
            bool isNamed = named.ContainsKey(document);
            if (!isNamed)
            {
                yield return new Finding(
                    "unrecorded", FileOf(document), null, null,
                    ledgerRefuted
                        ? "No ledger entry that can be read names this document: the ledger is damaged, so the entry may be lost."
                        : "No ledger entry names this document: a run was stopped before its last step, or it waits for one. No claim is made of it.",
                    ledgerRefuted ? ContentVerdict.Unverifiable : ContentVerdict.Verified);
            }

            // Nothing vouches for what no entry names, so nothing of it can be refuted; but what is wrong with it is said.
            if (DocumentFile.Defect(layout, document, fromMedium, progress, cancellation) is { } defect)
                yield return new Finding("document", FileOf(document), null, null, defect, isNamed || ledgerRefuted ? ContentVerdict.Refuted : ContentVerdict.Verified);
        }

        var there = documents.ToHashSet();
        foreach ((Sha256Digest document, long entry) in named.Where(pair => !there.Contains(pair.Key)).OrderBy(pair => pair.Value))
        {
            yield return isReplica
                ? new Finding("absent", FileOf(document), null, null, $"This replica does not hold the document, which entry {entry} names.", ContentVerdict.Incomplete)
                : new Finding("document", FileOf(document), null, null, $"It is missing, although entry {entry} names it: it was lost, or somebody took it away.");
        }
    }

    private string FileOf(Sha256Digest document) => Path.GetRelativePath(layout.Folder, layout.Document(document));
}
