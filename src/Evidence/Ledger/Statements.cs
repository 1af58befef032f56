using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// What a fold of a log has taken in already. Anybody who has an entry can make another one that says the same: each ECDSA signature has a second form that is as right,
/// signatures can be added, and whoever signed can sign again. So whatever counts what entries say (offers, receipts, notices, holds) goes by what is signed, and of the
/// valid entries that have it in common the first counts. Entries that are not valid at their place are not to be added: they must not stand in a valid one's way.
/// </summary>
public sealed class Statements
{
    private readonly Dictionary<Sha256Digest, long> first = [];

    /// <summary>Takes an entry in.</summary>
    /// <param name="index">Its place.</param>
    /// <param name="entry">The entry; valid at its place.</param>
    /// <returns>Whether it is the first that says this; else it counts for nothing.</returns>
    public bool TryAdd(long index, LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return first.TryAdd(entry.Statement, index);
    }

    /// <summary>The place of the entry that was taken in and says the same; null where none did.</summary>
    public long? Find(LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return first.TryGetValue(entry.Statement, out long index) ? index : null;
    }

    /// <summary>What an entry's bytes say; null where they are no entry.</summary>
    internal static Sha256Digest? Of(ReadOnlySpan<byte> entry)
    {
        try
        {
            return LedgerEntry.Parse(entry).Statement;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
