namespace Evidence.Ledger;

/// <summary>
/// What a log, folded up to its end, says later of the keys on which its entries rest: that of the signer, those by whose word the signer's key is one, and that which
/// ended it. It is a second statement beside the judgement of each entry at its place, and changes nothing of that.
/// </summary>
/// <param name="registry">What the log declares up to its end.</param>
/// <param name="times">What is proved from outside.</param>
public sealed class Hindsight(KeyRegistry registry, ProvedTimes times)
{
    private readonly KeyRegistry registry = registry ?? throw new ArgumentNullException(nameof(registry));
    private readonly ProvedTimes times = times ?? throw new ArgumentNullException(nameof(times));

    // By key, so that the work does not grow with entries times keys, whatever somebody wrote into the log.
    private readonly Dictionary<string, ToldCompromises> told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LaterKnowledge?> introductions = new(StringComparer.Ordinal);

    /// <summary>Adds to a judgement what is known later; the first statement stays as it is.</summary>
    /// <param name="index">The entry's place.</param>
    /// <param name="verdict">What it is worth there.</param>
    public EntryVerdict AddTo(long index, EntryVerdict verdict)
    {
        ArgumentNullException.ThrowIfNull(verdict);
        return verdict.Signer is { } signer && Find(index, verdict.Status, signer.KeyId) is { } later ? verdict with { Later = later } : verdict;
    }

    /// <summary>What is known later of an entry; null where nothing is.</summary>
    /// <param name="index">Its place.</param>
    /// <param name="status">What it is worth there.</param>
    /// <param name="keyId">The key that its payload names.</param>
    internal LaterKnowledge? Find(long index, EntrySignatureStatus status, string keyId) => registry.Keys.GetValueOrDefault(keyId) is not { } key ? null
        : status switch
        {
            EntrySignatureStatus.Valid => OfSignature(index, key),
            EntrySignatureStatus.Ended => OfEnd(key),
            _ => null,
        };

    /// <summary>What is known later of a key's signature at a place: of the key itself, or of how it came into the log; of both the graver.</summary>
    private LaterKnowledge? OfSignature(long index, DeclaredKey key)
    {
        LaterKnowledge? own = Told(index, key);
        // What it signed before another key's word brought it in (it may have declared itself) does not rest on that.
        LaterKnowledge? brought = index > key.DeclaredBy ? OfIntroduction(key) : null;
        return Graver(own, brought);
    }

    private LaterKnowledge? Told(long index, DeclaredKey key)
    {
        if (key.Revocations.IsEmpty)
            return null;
        if (!told.TryGetValue(key.KeyId, out ToldCompromises? compromises))
            told.Add(key.KeyId, compromises = new ToldCompromises(key.Revocations));
        return compromises.After(index) is { } revocation ? new LaterKnowledge(revocation, index, times.Find(index)) : null;
    }

    /// <summary>
    /// What is known later of the entry by which another key brought a key in: null where it was there, provably, before whatever is told. A chain of such words is gone
    /// through from its beginning, and each key once.
    /// </summary>
    private LaterKnowledge? OfIntroduction(DeclaredKey key)
    {
        var chain = new Stack<DeclaredKey>();
        for (DeclaredKey at = key; at.IntroducedBy is { } introducer && !introductions.ContainsKey(at.KeyId);)
        {
            chain.Push(at);
            DeclaredKey by = registry.Keys[introducer];
            // One that was itself brought in later: then, by its own word. Two keys can have brought each other in that way, so this also ends it.
            if (by.DeclaredBy >= at.DeclaredBy)
                break;
            at = by;
        }

        while (chain.TryPop(out DeclaredKey? next))
            introductions.Add(next.KeyId, Open(OfSignature(next.DeclaredBy, registry.Keys[next.IntroducedBy!]), LaterSubject.Key));
        return introductions.GetValueOrDefault(key.KeyId);
    }

    /// <summary>What is known later of the entry that ended a key. What a key says of itself, whoever says it, ends it rightly.</summary>
    private LaterKnowledge? OfEnd(DeclaredKey key)
    {
        if (key.EndedBy is not { } entry)
            return null;
        string signer = key.Successor?.Entry == entry ? key.KeyId : key.Revocations[0].Revoker.KeyId;
        bool isOwnRevocation = key.Successor?.Entry != entry && string.Equals(signer, key.KeyId, StringComparison.Ordinal);
        return isOwnRevocation ? null : Open(OfSignature(entry, registry.Keys[signer]), LaterSubject.End) is { } later ? later with { EndedBy = entry } : null;
    }

    /// <summary>What is known of a signature, as what it leaves open of what rests on that; null where it leaves nothing open.</summary>
    private static LaterKnowledge? Open(LaterKnowledge? ofSignature, LaterSubject subject) =>
        ofSignature is { IsProvedBefore: false } ? ofSignature with { Subject = subject } : null;

    private static LaterKnowledge? Graver(LaterKnowledge? one, LaterKnowledge? other) =>
        one is null || other is null ? one ?? other
        : one.IsProvedBefore != other.IsProvedBefore ? (one.IsProvedBefore ? other : one)
        : other.CompromisedSince < one.CompromisedSince ? other : one;

    /// <summary>The compromises that are told of a key, by where.</summary>
    private sealed class ToldCompromises
    {
        // From the last to the first, each that names no later instant than those behind it.
        private readonly List<RecordedRevocation> earliest = [];

        internal ToldCompromises(IReadOnlyList<RecordedRevocation> revocations)
        {
            foreach (RecordedRevocation revocation in revocations.Where(r => r.Statement.CompromisedSince is not null).Reverse())
            {
                // Of those that name one instant all stay: at a place between two of them only the later one is still to come.
                if (earliest is not [.., var least] || revocation.Statement.CompromisedSince <= least.Statement.CompromisedSince)
                    earliest.Add(revocation);
            }
        }

        /// <summary>Of those told behind a place the one with the earliest instant.</summary>
        internal RecordedRevocation? After(long index)
        {
            int low = 0;
            int high = earliest.Count;
            while (low < high)
            {
                int middle = low + ((high - low) / 2);
                if (earliest[middle].Entry > index)
                    low = middle + 1;
                else
                    high = middle;
            }

            return low == 0 ? null : earliest[low - 1];
        }
    }
}
