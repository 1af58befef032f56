using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// Who had an item, and when nobody says that they had it: the intervals between the entries by which a party says so. Those are an acquisition, an offer, and the
/// acceptance of one. What the parties did not put into the ledger cannot be in it; times are what each claims.
/// </summary>
public sealed class CustodyChain
{
    private readonly List<CustodyInterval> intervals = [];
    private readonly TransferBook book;
    private CustodyAct? since;
    private CustodyAct? last;

    private CustodyChain(string item, TransferBook book) => (Item, this.book) = (item, book);

    /// <summary>The item.</summary>
    public string Item { get; }

    /// <summary>The intervals in the log's order, without gaps; none where no entry says that anybody had the item. The last one has no end.</summary>
    public IReadOnlyList<CustodyInterval> Intervals => intervals;

    /// <summary>Reads it from a ledger.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="item">The item.</param>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public static CustodyChain Read(CustodyLedger ledger, string item)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var registry = new KeyRegistry();
        return Of(item, ledger.JudgeEntries(registry), registry);
    }

    /// <summary>Reads it from entries; they must be all that concern the item, for what is left out could fill a gap, or be one.</summary>
    /// <param name="item">The item.</param>
    /// <param name="entries">The entries in the log's order, judged at their places; those that do not concern the item are passed over.</param>
    /// <param name="registry">What the log declares of keys, by which one actor's are known to be one actor's.</param>
    public static CustodyChain Of(string item, IEnumerable<JudgedEntry> entries, KeyRegistry registry)
    {
        ArgumentException.ThrowIfNullOrEmpty(item);
        ArgumentNullException.ThrowIfNull(entries);
        ArgumentNullException.ThrowIfNull(registry);
        var chain = new CustodyChain(item, new TransferBook(registry));
        foreach (JudgedEntry judged in entries)
        {
            if (judged is { Entry: { } entry, Verdict: { Status: EntrySignatureStatus.Valid, Signer: { } signer } } && entry.Payload.Items.Contains(item, StringComparer.Ordinal))
                chain.Take(judged.Index, entry, signer);
        }

        chain.End();
        return chain;
    }

    private void Take(long index, LedgerEntry entry, ActorIdentity signer)
    {
        var act = new CustodyAct(index, entry.Payload.Time, signer);
        if (string.Equals(entry.Payload.Kind, EntryKind.Acquisition, StringComparison.Ordinal))
        {
            Has(act);
        }
        else if (TransferBook.TryParse(entry) is { } body && book.Take(index, entry, signer, body) is null)
        {
            if (body is TransferOffer)
                Has(act);
            else if (body is TransferAnswer { IsAccepted: true } answer)
                Receives(act, book.Find(answer.Offer)!);
        }
    }

    /// <summary>Somebody says that they have the item.</summary>
    private void Has(CustodyAct act)
    {
        if (last is { } before && !book.Registry.IsSameActor(before.Actor.KeyId, act.Actor.KeyId))
            Lose(before, act, CustodyState.Unexplained, null);
        since ??= act;
        last = act;
    }

    private void Receives(CustodyAct act, Transfer transfer)
    {
        // The offerer had it when offering; another may have had it since.
        CustodyAct before = last!;
        Lose(before, act, book.Registry.IsSameActor(before.Actor.KeyId, transfer.Offerer.KeyId) ? CustodyState.InTransit : CustodyState.Unexplained, transfer);
        (since, last) = (act, act);
    }

    private void Lose(CustodyAct from, CustodyAct to, CustodyState state, Transfer? transfer)
    {
        intervals.Add(new CustodyInterval(CustodyState.Held, since!, from, null));
        intervals.Add(new CustodyInterval(state, from, to, transfer));
        since = null;
    }

    private void End()
    {
        if (since is { } start)
            intervals.Add(new CustodyInterval(CustodyState.Held, start, null, null));
    }
}

/// <summary>What the ledger says of an item in an interval.</summary>
public enum CustodyState
{
    /// <summary>A party says at both ends that they had it, or at its beginning, if it has no end.</summary>
    Held,

    /// <summary>It was offered, and accepted only later: in between nobody's signature says that they had it.</summary>
    InTransit,

    /// <summary>First one party had it, then another, with no handover between them.</summary>
    Unexplained,
}

/// <summary>An entry by which a party says that they have an item.</summary>
/// <param name="Entry">The entry's index.</param>
/// <param name="Time">When, by the party's claim.</param>
/// <param name="Actor">The party: the actor that signed.</param>
public sealed record CustodyAct(long Entry, Instant Time, ActorIdentity Actor);

/// <summary>An interval in an item's chain of custody.</summary>
/// <param name="State">What the ledger says of it.</param>
/// <param name="From">The act that it begins with.</param>
/// <param name="To">The act that it ends with; null for the last one.</param>
/// <param name="Transfer">The handover, where it is one.</param>
public sealed record CustodyInterval(CustodyState State, CustodyAct From, CustodyAct? To, Transfer? Transfer)
{
    /// <summary>Whether nobody says that they had the item then.</summary>
    public bool IsUnattended => State != CustodyState.Held;

    /// <summary>How long it was, by what both ends claim; negative where the claims contradict the log's order. Null where it has no end.</summary>
    public Duration? Length => To is { } end ? end.Time - From.Time : null;
}
