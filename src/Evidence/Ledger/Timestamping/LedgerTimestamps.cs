using System.Security.Cryptography;
using Evidence.Hashing;

namespace Evidence.Ledger.Timestamping;

/// <summary>The time stamps that are kept with a ledger, each judged, and held against the ledger.</summary>
public static class LedgerTimestamps
{
    /// <summary>Judges all of them, in the order of the sizes that they are over.</summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="ledger">The ledger.</param>
    /// <param name="keys">The log's keys: who did not sign a note cannot have it stamped as this log's.</param>
    /// <param name="trust">What the verifier brings.</param>
    /// <exception cref="EvidenceException">The files cannot be listed.</exception>
    public static IReadOnlyList<KeptTimestamp> Judge(ILedgerStorage storage, CustodyLedger ledger, IReadOnlyCollection<VerifierKey> keys, TrustedAuthorities trust)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(trust);
        return
        [
            .. storage.List(TimestampDocument.Prefix).Where(name => TimestampDocument.DigestOf(name) is not null)
                .Select(name => Judge(storage, name, ledger, keys, _ => trust)).OfType<KeptTimestamp>()
                .OrderBy(kept => kept.Verdict?.Checkpoint.Size ?? -1).ThenBy(kept => kept.Verdict?.Time),
        ];
    }

    /// <summary>What those of them prove that count.</summary>
    public static ProvedTimes Proved(IEnumerable<KeptTimestamp> kept)
    {
        ArgumentNullException.ThrowIfNull(kept);
        return new ProvedTimes(kept.Where(stamp => stamp.Counts)
            .Select(stamp => new ProvedTime(stamp.Verdict!.Checkpoint.Size, stamp.Verdict.NoLaterThan, $"the time-stamp authority {stamp.Verdict.Authority}")));
    }

    /// <summary>Judges one, where those are trusted whose certificates a policy names, out of what is kept with it.</summary>
    /// <returns>Null where the file is missing.</returns>
    internal static KeptTimestamp? Judge(
        ILedgerStorage storage, string name, CustodyLedger ledger, IReadOnlyCollection<VerifierKey> keys, IReadOnlyCollection<Sha256Digest> authorities) =>
        Judge(storage, name, ledger, keys, document => TrustedAuthorities.Among(document.Certificates, authorities));

    private static KeptTimestamp? Judge(
        ILedgerStorage storage, string name, CustodyLedger ledger, IReadOnlyCollection<VerifierKey> keys, Func<TimestampDocument, TrustedAuthorities> trustFor)
    {
        byte[]? bytes;
        try
        {
            bytes = storage.TryRead(name, TimestampDocument.LargestSize + 1);
        }
        catch (EvidenceException e)
        {
            return new KeptTimestamp(name, null, e.Message, null);
        }

        // Gone since it was listed: whoever names it misses it.
        if (bytes is null)
            return null;
        if (Sha256Digest.Compute(bytes) != TimestampDocument.DigestOf(name))
            return new KeptTimestamp(name, null, "It is not the file that its name says.", null);
        try
        {
            var document = TimestampDocument.Decode(bytes);
            TimestampVerdict verdict = TimestampCheck.Run(document, trustFor(document));
            if (CheckpointFile.Parse(document.Note, keys).Defect(ledger.Checkpoint.Origin, keys) is { } defect)
                return new KeptTimestamp(name, verdict with { Refusal = $"the checkpoint that it is over is not this log's: {defect}" }, null, null);
            return new KeptTimestamp(name, verdict, null, Contradiction(verdict.Checkpoint, ledger));
        }
        catch (Exception e) when (e is FormatException or CryptographicException || (e is EvidenceException { Code: ErrorCode.TimestampRefused }))
        {
            return new KeptTimestamp(name, null, e.Message, null);
        }
    }

    /// <summary>What the log's own keys signed, and somebody stamped, must be in the log.</summary>
    private static string? Contradiction(Checkpoint stamped, CustodyLedger ledger) =>
        stamped.Size > ledger.Size
            ? $"The log's keys signed {stamped.Size} entries, which were time-stamped; the ledger has {ledger.Size}: it was set back to an older copy."
            : ledger.RootAt(stamped.Size) != stamped.Root
                ? $"The log's keys signed another history of {stamped.Size} entries, which was time-stamped: its root is {stamped.Root}, this ledger's is {ledger.RootAt(stamped.Size)}."
                : null;
}

/// <summary>A time stamp that is kept with a ledger.</summary>
/// <param name="File">Its file, below <c>ledger/</c>.</param>
/// <param name="Verdict">What it says and is worth; null where that cannot be told.</param>
/// <param name="Defect">What is wrong with the file itself; null where it is in order.</param>
/// <param name="Contradiction">That the log's keys signed what this ledger is not; null where it agrees.</param>
public sealed record KeptTimestamp(string File, TimestampVerdict? Verdict, string? Defect, string? Contradiction)
{
    /// <summary>Whether it is an anchor for the ledger.</summary>
    public bool Counts => Defect is null && Contradiction is null && Verdict is { Counts: true };
}
