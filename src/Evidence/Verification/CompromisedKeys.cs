using System.Globalization;
using Evidence.Canonical;
using Evidence.Ledger;

namespace Evidence.Verification;

/// <summary>
/// What the log says later of keys that were compromised, for the entries that they signed before that was known: a second statement, which changes nothing of
/// what those are worth at their places.
/// </summary>
internal static class CompromisedKeys
{
    /// <summary>One sentence for each revocation that tells of a compromise and has entries before it.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="registry">What it declares up to its end.</param>
    /// <param name="worthless">The entries without a valid signature.</param>
    /// <param name="times">What is proved from outside.</param>
    /// <param name="cancellation">Heeded between entries.</param>
    internal static IEnumerable<string> Tell(
        CustodyLedger ledger, KeyRegistry registry, HashSet<long> worthless, ProvedTimes times, CancellationToken cancellation)
    {
        if (!registry.Keys.Values.Any(key => key.Revocations.Any(revocation => revocation.Statement.CompromisedSince is not null)))
            return [];
        var touched = new Dictionary<RecordedRevocation, Touched>();
        long index = -1;
        foreach (byte[] bytes in ledger.ReadEntries(0, ledger.Size))
        {
            cancellation.ThrowIfCancellationRequested();
            index++;
            if (worthless.Contains(index) || registry.Keys.GetValueOrDefault(LedgerEntry.Parse(bytes).Payload.Key)?.CompromiseToldAfter(index) is not { } told)
                continue;
            Touched before = touched.GetValueOrDefault(told) ?? new Touched(index, index, 0, 0);
            bool isProved = new LaterKnowledge(told, times.Find(index)).IsProvedBefore;
            touched[told] = before with { Last = index, Count = before.Count + 1, Proved = before.Proved + (isProved ? 1 : 0) };
        }

        return touched.OrderBy(pair => pair.Key.Entry).Select(pair => Sentence(pair.Key, pair.Value, registry));
    }

    private static string Sentence(RecordedRevocation told, Touched touched, KeyRegistry registry)
    {
        string name = registry.Keys[told.Statement.KeyId].Identity.Name;
        string entries = touched.Count == 1 ? $"Entry {touched.First} is" : string.Create(CultureInfo.InvariantCulture, $"{touched.Count} entries, from {touched.First} to {touched.Last}, are");
        string since = Timestamps.Format(told.Statement.CompromisedSince!.Value);
        string proved = touched.Proved == touched.Count ? "All of that was in its place before, provably."
            : touched.Proved == 0 ? "Nothing outside the vault proves that it was in its place before that, so whoever else had the key may have signed it."
            : string.Create(CultureInfo.InvariantCulture, $"Of them {touched.Proved} were in their places before that, provably; whoever else had the key may have signed the others.");
        return $"{entries} signed by a key of {name} that {told.Revoker.Name} declared compromised as of {since}, later, in entry {told.Entry}. {proved}";
    }

    private sealed record Touched(long First, long Last, long Count, long Proved);
}
