using System.Text;
using Evidence.Canonical;

namespace Evidence.Ledger.Witnesses;

/// <summary>
/// The cosigned checkpoints beside a ledger: <c>witnessed</c>, the newest one that had its asker's quorum, and, until they have it, those that were given out
/// to be cosigned, <c>staging/witness/SIZE</c>. Both are the log's own notes, with the witnesses' lines after the log's.
/// </summary>
/// <param name="storage">The ledger's files.</param>
/// <param name="known">The keys whose lines can be judged here: one of theirs that is wrong is not taken over from what lies there.</param>
internal sealed class WitnessedNotes(ILedgerStorage storage, params IReadOnlyCollection<VerifierKey> known)
{
    internal const string Name = "witnessed";

    private const string PendingPrefix = "staging/witness/";

    /// <summary>How many checkpoints may wait for cosignatures; the older ones are given up.</summary>
    private const int MostPending = 100;

    /// <summary>The newest checkpoint that had a quorum, as it lies there; null where there is none.</summary>
    internal byte[]? Published => storage.TryRead(Name, SignedNote.MaximumLength + 1);

    /// <summary>All notes that can have cosignatures on them, the newest first; those that cannot be read are left out.</summary>
    internal IEnumerable<SignedNote> All()
    {
        if (TryParse(Published) is { } published)
            yield return published;
        foreach (long size in PendingSizes().OrderDescending())
        {
            if (TryParse(storage.TryRead(PendingName(size), SignedNote.MaximumLength + 1)) is { } pending)
                yield return pending;
        }
    }

    /// <summary>The newest size of the log that a witness is known to have cosigned; 0 where nothing is known of it.</summary>
    internal long LastSizeOf(VerifierKey witness) => All()
        .Where(note => NoteVerifier.Verify(note, [witness]).IsAccepted)
        .Select(SizeOf).DefaultIfEmpty().Max();

    /// <summary>Keeps a checkpoint that is given out to be cosigned, so that the answer finds it, however long that takes.</summary>
    internal void GiveOut(SignedNote note, CancellationToken cancellation)
    {
        using IDisposable held = storage.Lock(cancellation);
        string name = PendingName(SizeOf(note));
        if (storage.TryRead(name, 1) is null)
            storage.Replace(name, SignedNote.Write(note.Text, note.Signatures));
        Remove(PendingSizes().OrderDescending().Skip(MostPending).ToArray());
    }

    /// <summary>A checkpoint with all the lines that were collected for it.</summary>
    internal SignedNote Collect(SignedNote note) => SignedNote.Parse(Merge(note, []));

    /// <summary>The files that are not what they must be: that cannot be read, or have a line of a key that can be judged here, and it is wrong.</summary>
    internal IEnumerable<(string File, string Defect)> Tampered()
    {
        foreach (string name in PendingSizes().Order().Select(PendingName).Prepend(Name))
        {
            if (storage.TryRead(name, SignedNote.MaximumLength + 1) is not { } bytes)
                continue;
            if (TryParse(bytes) is not { } note)
            {
                yield return (name, "it is no checkpoint");
                continue;
            }

            byte[] text = Encoding.UTF8.GetBytes(note.Text);
            foreach (NoteSignature line in note.Signatures.Where(line => IsKnown(line) && !MayBeRight(text, line)))
                yield return (name, $"its line of {line.KeyName}, key {line.KeyId:x8}, is wrong");
        }
    }

    /// <summary>Puts cosignatures to a checkpoint, and publishes it where it has the quorum now.</summary>
    /// <param name="note">The checkpoint, signed by the log.</param>
    /// <param name="lines">The cosignatures; they were verified.</param>
    /// <param name="judge">Whether a note has the quorum.</param>
    /// <param name="cancellation">Heeded while another writer is waited for.</param>
    internal PolicyVerdict Add(SignedNote note, IEnumerable<NoteSignature> lines, Func<SignedNote, PolicyVerdict> judge, CancellationToken cancellation)
    {
        using IDisposable held = storage.Lock(cancellation);
        long size = SizeOf(note);
        var cosigned = SignedNote.Parse(Merge(note, lines));
        PolicyVerdict verdict = judge(cosigned);
        byte[] bytes = SignedNote.Write(cosigned.Text, cosigned.Signatures);
        if (!verdict.IsWitnessed)
        {
            storage.Replace(PendingName(size), bytes);
            Remove(PendingSizes().OrderDescending().Skip(MostPending).ToArray());
            return verdict;
        }

        SignedNote? before = TryParse(Published);
        if (before is null || SizeOf(before) <= size)
        {
            // The newest word of a witness that is not on the new one tells from where to ask it next.
            if (before is not null && SizeOf(before) < size)
                storage.Replace(PendingName(SizeOf(before)), SignedNote.Write(before.Text, before.Signatures));
            storage.Replace(Name, bytes);
        }

        Remove(Superseded(SizeOf(TryParse(Published)!)).ToArray());
        return verdict;
    }

    /// <summary>The pending checkpoints that can become no newer than what is published, and have no witness's newest word.</summary>
    private IEnumerable<long> Superseded(long published)
    {
        var newer = new HashSet<(string Name, uint Id)>();
        foreach (SignedNote note in All().OrderByDescending(SizeOf))
        {
            (string Name, uint Id)[] lines = [.. note.Signatures.Select(line => (line.KeyName, line.KeyId))];
            if (SizeOf(note) <= published && newer.IsSupersetOf(lines))
                yield return SizeOf(note);
            newer.UnionWith(lines);
        }
    }

    private void Remove(IEnumerable<long> sizes)
    {
        foreach (long size in sizes)
            storage.Delete(PendingName(size));
    }

    /// <summary>The note's lines, the new ones, and those that were collected for the same text before, if they are not wrong; of each key the first.</summary>
    private byte[] Merge(SignedNote note, IEnumerable<NoteSignature> lines)
    {
        byte[] text = Encoding.UTF8.GetBytes(note.Text);
        // Staging is for everybody to write to: what can be judged is, and comes before what cannot.
        IEnumerable<NoteSignature> collected = All().Where(other => string.Equals(other.Text, note.Text, StringComparison.Ordinal)).SelectMany(other => other.Signatures)
            .Where(line => !IsKnown(line) || MayBeRight(text, line))
            .OrderByDescending(IsKnown);
        return SignedNote.Write(
            note.Text,
            note.Signatures.Concat(lines).Concat(collected).DistinctBy(line => (line.KeyName, line.KeyId)).Take(SignedNote.MaximumSignatures));
    }

    private bool MayBeRight(byte[] text, NoteSignature line) => known.Any(key => key.Matches(line) && (!key.IsCheckable || key.Verify(text, line.Signature.Span)));

    private bool IsKnown(NoteSignature line) => known.Any(key => key.Matches(line));

    private IEnumerable<long> PendingSizes()
    {
        foreach (string name in storage.List(PendingPrefix))
        {
            if (DecimalText.TryParse(name.AsSpan(PendingPrefix.Length), out long size))
                yield return size;
        }
    }

    private static long SizeOf(SignedNote note) => Checkpoint.Parse(note.Text).Size;

    private static string PendingName(long size) => PendingPrefix + DecimalText.Format(size);

    private static SignedNote? TryParse(byte[]? bytes)
    {
        try
        {
            if (bytes is null)
                return null;
            var note = SignedNote.Parse(bytes);
            _ = Checkpoint.Parse(note.Text);
            return note;
        }
        catch (FormatException)
        {
            // Whoever verifies the ledger is told of it; here it is as good as none.
            return null;
        }
    }
}
