using System.Globalization;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Verification;

/// <summary>
/// Finds entries that say what an earlier one says, with whatever signatures. It keeps eight bytes for each entry, and goes through the log once more only where some
/// of these are the same.
/// </summary>
internal sealed class RepeatedStatements
{
    private readonly List<ulong> prefixes = [];

    /// <summary>Takes in the next entry.</summary>
    internal void Take(LedgerEntry entry) => prefixes.Add(PrefixOf(entry.Statement));

    /// <summary>One sentence for each statement that stands in the log more than once.</summary>
    /// <param name="ledger">The log whose entries were taken in.</param>
    /// <param name="cancellation">Heeded between entries.</param>
    internal IEnumerable<string> Tell(CustodyLedger ledger, CancellationToken cancellation)
    {
        prefixes.Sort();
        HashSet<ulong> suspects = [.. prefixes.Zip(prefixes.Skip(1)).Where(pair => pair.First == pair.Second).Select(pair => pair.First)];
        if (suspects.Count == 0)
            return [];
        var found = new Dictionary<Sha256Digest, Repeated>();
        long index = -1;
        foreach (byte[] bytes in ledger.ReadEntries(0, ledger.Size))
        {
            cancellation.ThrowIfCancellationRequested();
            index++;
            if (Statements.Of(bytes) is not { } statement || !suspects.Contains(PrefixOf(statement)))
                continue;
            found[statement] = found.TryGetValue(statement, out Repeated? before) ? before with { Last = index, Count = before.Count + 1 } : new Repeated(index, index, 0);
        }

        return found.Values.Where(repeated => repeated.Count > 0).OrderBy(repeated => repeated.First).Select(Sentence);
    }

    private static string Sentence(Repeated repeated) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(repeated.Count == 1 ? $"Entry {repeated.Last} says" : $"{repeated.Count} entries, up to {repeated.Last}, say")} what entry {repeated.First} says, from the same instant and by the same key: anybody can repeat that, with other signatures, and it counts once.");

    private static ulong PrefixOf(Sha256Digest statement)
    {
        Span<byte> bytes = stackalloc byte[Sha256Digest.Size];
        statement.CopyTo(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    private sealed record Repeated(long First, long Last, long Count);
}
