using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// Entries that actors without the log key left in <c>staging/entries/</c>, each under its leaf hash, for the next sequencer.
/// </summary>
internal static class StagedEntries
{
    internal const string Prefix = "staging/entries/";

    internal static string Name(Sha256Digest leafHash) => Prefix + leafHash;

    /// <summary>Reads what is there, as much as one batch takes.</summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="refused">Takes what is not a well-formed entry under its own leaf hash. It is left where it is.</param>
    internal static IReadOnlyList<byte[]> Read(ILedgerStorage storage, List<RefusedEntry> refused)
    {
        var entries = new List<byte[]>();
        int bytes = 0;
        foreach (string name in storage.List(Prefix))
        {
            // Names that are no leaf hash are temporary files of a stager that is at work, or was interrupted.
            if (!Sha256Digest.TryParse(name[Prefix.Length..], out Sha256Digest leafHash))
                continue;
            if (storage.TryRead(name, LedgerEntry.MaximumLength + 1) is not { } entry)
                continue;
            if (Defect(entry, leafHash) is { } defect)
            {
                refused.Add(new RefusedEntry(name, defect));
                continue;
            }

            bytes += StagedBatch.Cost(entry);
            if (bytes > StagedBatch.MaximumEntryBytes)
                break;
            entries.Add(entry);
        }

        return entries;
    }

    private static string? Defect(byte[] entry, Sha256Digest leafHash)
    {
        if (MerkleTree.LeafHash(entry) != leafHash)
            return "Its content is not what its name says.";
        try
        {
            _ = LedgerEntry.Parse(entry);
            return null;
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }
}

/// <summary>A staged entry that the sequencer did not take in.</summary>
/// <param name="Name">Its file, below <c>ledger/</c>.</param>
/// <param name="Reason">Why not.</param>
public sealed record RefusedEntry(string Name, string Reason);
