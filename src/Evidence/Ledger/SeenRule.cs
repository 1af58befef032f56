using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>Holds a ledger against the newest checkpoint seen of it before: it may only have grown.</summary>
internal static class SeenRule
{
    /// <summary>
    /// Reads what was seen. To be asked before the ledger's own checkpoint is read, which another process may move on meanwhile.
    /// </summary>
    internal static Checkpoint? Find(ISeenCheckpoints? seen, string origin)
    {
        if (seen?.Find(origin) is not { } note)
            return null;
        try
        {
            return Checkpoint.Parse(SignedNote.Parse(note).Text);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(
                ErrorCode.LedgerDamaged, $"The checkpoint kept beside the keys as last seen of {origin} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Compares.</summary>
    /// <param name="seen">What was seen before, if anything.</param>
    /// <param name="origin">The log.</param>
    /// <param name="size">Its size now.</param>
    /// <param name="rootAt">Its root at a size not above that.</param>
    /// <exception cref="EvidenceException">The ledger went back, or is another one.</exception>
    internal static void Check(Checkpoint? seen, string origin, long size, Func<long, Sha256Digest> rootAt)
    {
        if (seen is null)
            return;
        if (seen.Size > size)
        {
            throw new EvidenceException(ErrorCode.LedgerRollback, string.Create(
                CultureInfo.InvariantCulture,
                $"The ledger {origin} has {size} entries, but {seen.Size} were seen before: it was set back to an older copy, and " +
                $"{seen.Size - size} entries are gone. Nothing is written to it. Bring the newer copy back; the signed checkpoint that " +
                $"proves the {seen.Size} entries is kept beside the keys."));
        }

        Sha256Digest now = rootAt(seen.Size);
        if (now != seen.Root)
        {
            throw new EvidenceException(ErrorCode.LedgerFork, string.Create(
                CultureInfo.InvariantCulture,
                $"The ledger {origin} has {size} entries, and its first {seen.Size} are not the {seen.Size} that were seen before: " +
                $"their root is {now}, it was {seen.Root}. There are two histories under one name. Nothing is written; keep both copies " +
                $"as evidence."));
        }
    }
}
