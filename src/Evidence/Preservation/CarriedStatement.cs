using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation.Statements;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Preservation;

/// <summary>
/// What a party says of a ledger that it has no hand in: signed with the party's own key on a machine of its own, and carried in a file to whoever keeps the ledger. The file is
/// the party's proof as well: where the ledger lacks what is in it, it was dropped.
/// </summary>
/// <param name="Entries">The declarations of the key, then the statement's entry.</param>
/// <param name="Entry">The statement's entry.</param>
/// <param name="Signer">Who signed it, by their own word.</param>
/// <param name="Statement">What it says.</param>
public sealed record CarriedStatement(IReadOnlyList<LedgerEntry> Entries, LedgerEntry Entry, ActorIdentity Signer, Statement Statement)
{
    /// <summary>Reads a file, and checks its signatures. That its signer is who they say, nothing in the file can show.</summary>
    /// <exception cref="EvidenceException">It cannot be read, or is something else, or a signature in it is wrong.</exception>
    public static CarriedStatement Read(string path)
    {
        (IReadOnlyList<LedgerEntry> entries, ActorIdentity signer) = CarriedEntries.Read(path);
        return Statement.TryParse(entries[^1].Payload) is { } statement
            ? new CarriedStatement(entries, entries[^1], signer, statement)
            : throw CarriedEntries.Invalid(path, $"its last entry is of the kind '{entries[^1].Payload.Kind}', and says nothing that is known here");
    }

    /// <summary>Signs a statement on the party's own machine.</summary>
    /// <param name="keys">The party's keys.</param>
    /// <param name="actor">The name of the key.</param>
    /// <param name="clock">Where the claimed instant comes from.</param>
    /// <param name="assets">The assets that it is about.</param>
    /// <param name="statement">The statement.</param>
    /// <param name="path">The file to carry. One that is there is not overwritten.</param>
    /// <exception cref="EvidenceException">There is no such key, or the file cannot be written.</exception>
    public static void Sign(KeyStore keys, string actor, IClock clock, IReadOnlyList<string> assets, Statement statement, string path)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(clock);
        ArgumentNullException.ThrowIfNull(statement);
        NewEntry entry = DocketWriter.New(assets, statement);
        using ActorKey key = keys.LoadActor(actor);
        List<ActorKey> chain = [key, .. keys.LoadFormer(actor)];
        try
        {
            // A ledger that knows a former key takes this one for the same actor's, by the chain of them.
            chain.Reverse();
            Instant now = clock.GetCurrentInstant();
            var entries = new List<LedgerEntry> { CarriedEntries.Identity(new ActorIdentity(actor, null, chain[0].PublicKey), now, chain[0]) };
            for (int i = 1; i < chain.Count; i++)
                entries.Add(CarriedEntries.Identity(new KeyRotation(chain[i - 1].Id, chain[i].PublicKey), now, chain[i - 1], chain[i]));
            entries.Add(LedgerEntry.Create(new EntryPayload(entry.Kind, now, entry.Case, entry.Items, entry.Body, key.Id), key));
            EntryFile.Write(path, entries);
        }
        finally
        {
            foreach (ActorKey old in chain.Where(old => old != key))
                old.Dispose();
        }
    }

    /// <summary>Writes an entry of a docket to a file, to be carried to whoever it concerns: a notice, say.</summary>
    /// <exception cref="EvidenceException">There is no such act, or the file cannot be written.</exception>
    public static void Write(Docket docket, long entry, string path)
    {
        ArgumentNullException.ThrowIfNull(docket);
        IRecorded act = docket.FindAct(entry) ?? throw DocketWriter.Invalid($"Entry {entry} is no act on the docket.");
        CarriedEntries.Write(docket.Ledger, entry, act.Signer.KeyId, path);
    }

    /// <summary>Takes it into a ledger. To take it in once more changes nothing.</summary>
    /// <param name="vault">The vault.</param>
    /// <param name="docket">Its docket.</param>
    /// <returns>The entry's index; null where it waits in staging.</returns>
    /// <exception cref="EvidenceException">It is for another ledger, or about what is not on the docket, or its key ended there.</exception>
    public long? Take(Vault vault, Docket docket)
    {
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(docket);
        if (docket.FindSaid(Entry) is { } there)
            return there.Entry;
        Sha256Digest? target = Statement switch
        {
            ResponseStatement response when response.Origin != docket.Ledger.Checkpoint.Origin =>
                throw new EvidenceException(ErrorCode.EntriesInvalid, $"It is an answer for the log {response.Origin}; this vault's is {docket.Ledger.Checkpoint.Origin}."),
            ResponseStatement response => response.Notice,
            ReleaseStatement release => release.Target,
            Approval approval => approval.Target,
            HoldStatement => null,
            _ => throw new EvidenceException(ErrorCode.EntriesInvalid, $"Entries of the kind '{Statement.Kind}' are recorded in the vault itself, and not carried into it."),
        };
        return target is { } leaf && docket.Find(leaf) is null
            ? throw new EvidenceException(ErrorCode.EntriesInvalid, $"It is about the act {leaf}, which is not on this vault's docket.")
            : vault.Ledger.TakeIn(Entries);
    }
}
