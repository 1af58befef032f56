using System.Globalization;
using System.Text;
using Evidence.Canonical;

namespace Evidence.Ledger.Witnesses;

/// <summary>The log's side of the witness protocol: what it asks, and what it makes of the answers, however they travel. Needs no private key.</summary>
internal sealed class WitnessExchange(ILedgerStorage storage, CustodyLedger ledger, IReadOnlyCollection<VerifierKey> logKeys, WitnessPolicy policy)
{
    private readonly WitnessedNotes notes = new(storage, [.. logKeys, .. policy.Witnesses.Select(witness => witness.Key)]);

    /// <summary>The checkpoint that is asked for.</summary>
    internal Checkpoint Checkpoint => ledger.Checkpoint;

    /// <summary>What the policy says of the ledger's checkpoint, with all that was collected for it.</summary>
    internal PolicyVerdict Verdict => Judge(notes.Collect(Note));

    private SignedNote Note => SignedNote.Parse(ledger.SignedNote.Span);

    /// <summary>The newest size that a witness is known to have cosigned.</summary>
    internal long LastSizeOf(PolicyWitness witness) => Math.Min(notes.LastSizeOf(witness.Key), ledger.Size);

    /// <summary>The request to cosign the ledger's checkpoint.</summary>
    /// <param name="oldSize">The size that the witness cosigned last.</param>
    internal byte[] Request(long oldSize) => AddCheckpointRequest.Write(oldSize, ledger.ProveConsistency(oldSize), ledger.SignedNote.Span);

    /// <summary>Makes a request whose answer may come much later, when the ledger has grown.</summary>
    internal byte[] GiveOut(long oldSize, CancellationToken cancellation)
    {
        byte[] request = Request(oldSize);
        notes.GiveOut(Note, cancellation);
        return request;
    }

    /// <summary>The cosignatures in an answer that a witness of the policy made on the ledger's checkpoint.</summary>
    /// <exception cref="EvidenceException">There is none, or a known witness's is wrong.</exception>
    internal IReadOnlyList<NoteSignature> Verify(ReadOnlySpan<byte> answer, PolicyWitness witness) =>
        Find(Note, ParseLines(answer), [witness]) is { Count: > 0 } found
            ? found
            : throw new EvidenceException(ErrorCode.WitnessFailed, $"The witness {witness.Name} answered without a valid cosignature by its key {witness.Key}. Nothing of it was kept.");

    /// <summary>Keeps cosignatures on the ledger's checkpoint.</summary>
    internal PolicyVerdict Keep(IEnumerable<NoteSignature> verified, CancellationToken cancellation) => notes.Add(Note, verified, Judge, cancellation);

    /// <summary>
    /// Holds the checkpoint that a witness gives as the last one that it cosigned against the ledger. A witness's word alone that a log is forked or was set back proves
    /// nothing; what the log signed does.
    /// </summary>
    /// <param name="served">What it gives.</param>
    /// <returns>What it shows; null where it shows nothing. And that in words.</returns>
    internal (WitnessConflict? Conflict, string Says) Examine(ReadOnlySpan<byte> served)
    {
        SignedNote note;
        Checkpoint checkpoint;
        try
        {
            note = SignedNote.Parse(served);
            checkpoint = Evidence.Ledger.Checkpoint.Parse(note.Text);
        }
        catch (FormatException e)
        {
            return (null, $"What it gives as its last checkpoint is none ({e.Message.TrimEnd('.')}), so nothing proves what it says.");
        }

        if (!string.Equals(checkpoint.Origin, Checkpoint.Origin, StringComparison.Ordinal) || !NoteVerifier.Verify(note, logKeys).IsAccepted)
            return (null, "What it gives as its last checkpoint is not signed by this log's keys, so nothing proves what it says.");
        if (checkpoint.Size > ledger.Size)
        {
            return (new WitnessConflict(checkpoint, served.ToArray(), null), string.Create(
                CultureInfo.InvariantCulture,
                $"It gives the checkpoint of {checkpoint.Size} entries, which this log's own keys signed: this ledger, with {ledger.Size}, was set back to an older copy, or is another history."));
        }

        if (ledger.RootAt(checkpoint.Size) == checkpoint.Root)
        {
            return (null, string.Create(
                CultureInfo.InvariantCulture, $"The checkpoint that it gives, of {checkpoint.Size} entries, is the beginning of this ledger, so nothing proves what it says."));
        }

        var proof = ForkProof.Create(served, ledger);
        return proof.Check(logKeys) is { } defect
            ? throw new EvidenceException(ErrorCode.LedgerDamaged, $"The ledger contradicts the checkpoint of {checkpoint.Size} entries that a witness gives, and does not prove it: {defect}")
            : (new WitnessConflict(checkpoint, served.ToArray(), proof), string.Create(
                CultureInfo.InvariantCulture,
                $"It gives the checkpoint of {checkpoint.Size} entries with the root {checkpoint.Root}, which this log's own keys signed; here these entries have the root {ledger.RootAt(checkpoint.Size)}: the log has two histories."));
    }

    /// <summary>What lies with the ledger to be cosigned, or cosigned, and is not what it must be: whoever can write there wrote it. It is passed over.</summary>
    internal IEnumerable<(string File, string Defect)> Tampered() => notes.Tampered();

    /// <summary>Takes in an answer that was carried here: to the ledger's checkpoint, or to one that was given out earlier.</summary>
    /// <returns>The checkpoint that it is on, the witnesses that cosigned, and whether there is a quorum now.</returns>
    /// <exception cref="EvidenceException">It holds no cosignature on any of them by a witness of the policy.</exception>
    internal AcceptedAnswer Accept(ReadOnlySpan<byte> answer, CancellationToken cancellation)
    {
        if (DecimalText.TryParse(Encoding.UTF8.GetString(answer).TrimEnd('\n'), out long size))
        {
            throw new EvidenceException(ErrorCode.WitnessFailed, string.Create(
                CultureInfo.InvariantCulture,
                $"The witness did not cosign: of this log it cosigned {size} entries last. ") + (size <= ledger.Size
                ? string.Create(CultureInfo.InvariantCulture, $"Ask it again from there: evidence witness request --old {size}")
                : Ahead(ledger.Size) + " The witness's last checkpoint proves it: ask for that file, and take it in like this one."));
        }

        IReadOnlyList<NoteSignature> lines = ParseLines(answer);
        foreach (SignedNote note in notes.All().Prepend(Note).OrderByDescending(note => Evidence.Ledger.Checkpoint.Parse(note.Text).Size))
        {
            if (Find(note, lines, policy.Witnesses) is not { Count: > 0 } found)
                continue;
            Demand(note);
            PolicyVerdict verdict = notes.Add(note, found, Judge, cancellation);
            return new AcceptedAnswer(Evidence.Ledger.Checkpoint.Parse(note.Text), [.. policy.Witnesses.Where(witness => found.Any(witness.Key.Matches))], verdict);
        }

        throw new EvidenceException(
            ErrorCode.WitnessFailed,
            "The answer holds no valid cosignature of a witness that the policy names, on a checkpoint that was given out by 'witness request' here. Nothing of it was kept.");
    }

    /// <summary>What it means that a witness saw more of a log than there is.</summary>
    internal static string Ahead(long have) => string.Create(
        CultureInfo.InvariantCulture,
        $"This ledger has only {have}: it was set back, or is an old copy, or somebody else writes under its name.");

    private PolicyVerdict Judge(SignedNote note) => policy.Judge(note, logKeys);

    /// <summary>What lies in staging was put there by whoever can write there; it is the log's only if the log has it.</summary>
    private void Demand(SignedNote note)
    {
        var checkpoint = Evidence.Ledger.Checkpoint.Parse(note.Text);
        if (!string.Equals(checkpoint.Origin, ledger.Checkpoint.Origin, StringComparison.Ordinal) || !NoteVerifier.Verify(note, logKeys).IsAccepted ||
            checkpoint.Size > ledger.Size || ledger.RootAt(checkpoint.Size) != checkpoint.Root)
        {
            throw new EvidenceException(ErrorCode.LedgerFork, string.Create(
                CultureInfo.InvariantCulture, $"The answer cosigns a checkpoint of {checkpoint.Size} entries that is not this ledger's. Keep it as evidence; nothing of it was kept here."));
        }
    }

    private static IReadOnlyList<NoteSignature> ParseLines(ReadOnlySpan<byte> answer)
    {
        try
        {
            return SignedNote.ParseLines(answer);
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.WitnessFailed, $"The witness's answer is no cosignature: {e.Message}", e);
        }
    }

    /// <summary>The lines that are valid cosignatures of a note by some witnesses. Those of others are passed over (c2sp.org/tlog-witness).</summary>
    private static List<NoteSignature> Find(SignedNote note, IReadOnlyList<NoteSignature> lines, IReadOnlyList<PolicyWitness> witnesses)
    {
        byte[] text = Encoding.UTF8.GetBytes(note.Text);
        return [.. lines.Where(line => witnesses.Any(witness => witness.Key.Matches(line) && witness.Key.Verify(text, line.Signature.Span)))];
    }
}

/// <summary>A witness's answer that was taken in.</summary>
/// <param name="Checkpoint">The checkpoint that it is on.</param>
/// <param name="Witnesses">Who cosigned.</param>
/// <param name="Verdict">What the policy says of the checkpoint now.</param>
public sealed record AcceptedAnswer(Checkpoint Checkpoint, IReadOnlyList<PolicyWitness> Witnesses, PolicyVerdict Verdict);
