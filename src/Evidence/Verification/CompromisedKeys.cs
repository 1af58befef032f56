using System.Globalization;
using Evidence.Ledger;

namespace Evidence.Verification;

/// <summary>
/// What the log says later of keys that were compromised, for the entries that rest on them: a second statement, which changes nothing of what those are worth at
/// their places.
/// </summary>
internal static class CompromisedKeys
{
    /// <summary>One sentence for each compromise that is told, and each entry by which it reaches others' keys.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="registry">What it declares up to its end.</param>
    /// <param name="notValid">The entries whose signature is not valid at their place.</param>
    /// <param name="times">What is proved from outside.</param>
    /// <param name="cancellation">Heeded between entries.</param>
    internal static IEnumerable<string> Tell(
        CustodyLedger ledger, KeyRegistry registry, Dictionary<long, EntrySignatureStatus?> notValid, ProvedTimes times, CancellationToken cancellation)
    {
        if (!registry.Keys.Values.Any(key => key.Revocations.Any(revocation => revocation.Statement.CompromisedSince is not null)))
            return [];
        var hindsight = new Hindsight(registry, times);
        var touched = new Dictionary<(LaterSubject Subject, long Told, long? Through), Touched>();
        long index = -1;
        foreach (byte[] bytes in ledger.ReadEntries(0, ledger.Size))
        {
            cancellation.ThrowIfCancellationRequested();
            index++;
            EntrySignatureStatus? status = notValid.GetValueOrDefault(index, EntrySignatureStatus.Valid);
            if (status is not (EntrySignatureStatus.Valid or EntrySignatureStatus.Ended) ||
                hindsight.Find(index, status.Value, LedgerEntry.Parse(bytes).Payload.Key) is not { } later)
            {
                continue;
            }

            var key = (later.Subject, later.Revocation.Entry, later.Subject switch { LaterSubject.Signature => null, LaterSubject.Key => later.Place, _ => later.EndedBy });
            Touched before = touched.GetValueOrDefault(key) ?? new Touched(later, index, index, 0, 0);
            touched[key] = before with { Last = index, Count = before.Count + 1, Proved = before.Proved + (later.IsProvedBefore ? 1 : 0) };
        }

        return touched.OrderBy(pair => pair.Key.Told).ThenBy(pair => pair.Key.Subject).ThenBy(pair => pair.Key.Through).Select(pair => Sentence(pair.Value, registry));
    }

    private static string Sentence(Touched touched, KeyRegistry registry)
    {
        LaterKnowledge later = touched.Later;
        string name = registry.Keys[later.Revocation.Statement.KeyId].Identity.Name;
        string entries = touched.Count == 1 ? $"Entry {touched.First} is" : string.Create(CultureInfo.InvariantCulture, $"{touched.Count} entries, from {touched.First} to {touched.Last}, are");
        return later.Subject switch
        {
            LaterSubject.Signature => $"{entries} signed by {later.Signer($"a key of {name}", later.Place)}. " + (
                touched.Proved == touched.Count ? "All of that was in its place before, provably."
                : touched.Proved == 0 ? "Nothing at hand from outside the vault proves that it was in its place before that, so whoever else had the key may have signed it."
                : string.Create(CultureInfo.InvariantCulture, $"Of them {touched.Proved} were in their places before that, provably; whoever else had the key may have signed the others.")),
            LaterSubject.Key => $"{entries} signed by {later.Signer("a key", null)}: {later.Standing()}, so whoever else had that one, of {name}, may have brought this one in.",
            _ => string.Create(
                CultureInfo.InvariantCulture,
                $"{entries} signed by a key that entry {later.EndedBy} had ended. That entry is signed by {later.Signer("a key", later.EndedBy)}: {later.Standing()}, so whoever else had that one, of {name}, ") +
                "may have ended this one.",
        };
    }

    private sealed record Touched(LaterKnowledge Later, long First, long Last, long Count, long Proved);
}
