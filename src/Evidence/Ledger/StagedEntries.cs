using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger.Timestamping;
using NodaTime;

namespace Evidence.Ledger;

/// <summary>
/// Entries that actors without the log key left in <c>staging/entries/</c>, each under its leaf hash, for the next sequencer. Whoever can write
/// there can leave anything: an entry goes in only where its signatures are right at the place that it would take.
/// </summary>
internal static class StagedEntries
{
    internal const string Prefix = "staging/entries/";

    internal static string Name(Sha256Digest leafHash) => Prefix + leafHash;

    /// <summary>Chooses what goes in next, as much as one batch takes, in the order in which it goes in.</summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="size">The log's size.</param>
    /// <param name="root">Its root, from a checkpoint that was verified.</param>
    /// <param name="refused">Takes what does not go in, and why. It is left where it is.</param>
    /// <returns>The entries, and what the log declares with them; null for that where nothing was staged, so that the log was not gone through.</returns>
    internal static (IReadOnlyList<byte[]> Entries, KeyRegistry? Registry) Take(ILedgerStorage storage, long size, Sha256Digest root, List<RefusedEntry> refused)
    {
        List<Candidate> candidates = List(storage, refused);
        if (candidates.Count == 0)
            return ([], null);
        var waiting = candidates.Select(candidate => candidate.LeafHash).ToHashSet();
        var done = new List<Sha256Digest>();
        var asked = candidates.Select(candidate => candidate.Said).ToHashSet();
        var said = new HashSet<Sha256Digest>();
        KeyRegistry registry = FoldedLog.Fold(storage, size, root, passed: bytes =>
        {
            Sha256Digest leafHash = MerkleTree.LeafHash(bytes);
            if (waiting.Remove(leafHash))
                done.Add(leafHash);
            if (Statements.Of(bytes) is { } statement && asked.Contains(statement))
                said.Add(statement);
        });
        // Taken in before, and left here by whoever staged it once more.
        done.ForEach(leafHash => storage.Delete(Name(leafHash)));
        var entries = new List<byte[]>();
        int bytes = 0;
        // Declarations first, so that no entry comes before the one that it needs. Then revocations: whoever revokes a key wants nothing more from it, and a
        // claimed time costs a thief nothing. A rotation comes after what the old key signed at the same instant.
        foreach (Candidate candidate in candidates.Where(candidate => waiting.Contains(candidate.LeafHash))
            .OrderBy(candidate => candidate.Rank).ThenBy(candidate => candidate.Time).ThenBy(candidate => candidate.IsRotation).ThenBy(candidate => candidate.LeafHash))
        {
            string name = Name(candidate.LeafHash);
            if (said.Contains(candidate.Said))
            {
                refused.Add(new RefusedEntry(name, "The log has what it says already, from the same instant and by the same key, with other signatures: anybody can repeat that."));
                continue;
            }

            if (TryRead(storage, candidate.LeafHash, refused) is not { } entry)
                continue;
            if (bytes + StagedBatch.Cost(entry.ToBytes()) > StagedBatch.MaximumEntryBytes)
                break;
            if (FoldedLog.Defect(registry.Fold(size + entries.Count, entry)) is { } defect)
            {
                refused.Add(new RefusedEntry(name, defect));
                continue;
            }

            said.Add(candidate.Said);
            entries.Add(entry.ToBytes());
            bytes += StagedBatch.Cost(entry.ToBytes());
        }

        return (entries, registry);
    }

    /// <summary>
    /// Whether a key's own word waits in staging already, so that it need not be said again. What others left there about the key does not count, nor what only looks
    /// like its word.
    /// </summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="key">The key.</param>
    /// <param name="replaces">The key in whose place it comes; null where it declares itself.</param>
    internal static bool Introduces(ILedgerStorage storage, ActorKey key, ActorKey? replaces) => storage.List(Prefix).Any(name =>
        Sha256Digest.TryParse(name[Prefix.Length..], out Sha256Digest leafHash) && TryRead(storage, leafHash, []) is { } entry && IsSignedBy(entry, key) &&
        DeclaredBy(entry) switch
        {
            ActorIdentity actor => replaces is null && string.Equals(actor.KeyId, key.Id, StringComparison.Ordinal),
            KeyRotation rotation => string.Equals(rotation.KeyId, key.Id, StringComparison.Ordinal) &&
                (replaces is null || (string.Equals(rotation.Replaces, replaces.Id, StringComparison.Ordinal) && IsSignedBy(entry, replaces))),
            _ => false,
        });

    private static bool IsSignedBy(LedgerEntry entry, ActorKey key) => entry.Signatures.Any(
        signature => string.Equals(signature.KeyId, key.Id, StringComparison.Ordinal) && new VerifyingKeys().IsRight(entry, signature, key.PublicKey.Span));

    private static List<Candidate> List(ILedgerStorage storage, List<RefusedEntry> refused)
    {
        var candidates = new List<Candidate>();
        foreach (string name in storage.List(Prefix))
        {
            // Names that are no leaf hash are temporary files of a stager that is at work, or was interrupted.
            if (!Sha256Digest.TryParse(name[Prefix.Length..], out Sha256Digest leafHash) ||
                TryRead(storage, leafHash, refused) is not { } entry)
            {
                continue;
            }

            if (IsOfTheGate(entry.Payload))
            {
                refused.Add(new RefusedEntry(name, "Clearances, and that a wipe begins, are recorded where the log's keys are, after the gate was asked there; nobody leaves one."));
                continue;
            }

            if (TimestampDocument.FileOf(entry.Payload) is { } stamp && storage.TryRead(stamp, TimestampDocument.LargestSize + 1) is var bytes &&
                (bytes is null || Sha256Digest.Compute(bytes) != TimestampDocument.DigestOf(stamp)))
            {
                refused.Add(new RefusedEntry(name, $"It names the time stamp {stamp}, which is not there: the ledger would miss it for ever. Whoever has the file puts it there first."));
                continue;
            }

            IdentityBody? declared = DeclaredBy(entry);
            int rank = declared switch
            {
                ActorIdentity => 0,
                KeyRevocation => 1,
                _ => 2,
            };
            candidates.Add(new Candidate(rank, entry.Payload.Time, declared is KeyRotation, leafHash, entry.Statement));
        }

        return candidates;
    }

    /// <summary>Whether it says what the wipe gate alone says.</summary>
    private static bool IsOfTheGate(EntryPayload payload) =>
        payload.Kind is EntryKind.Clearance or EntryKind.Wipe && payload.Body["act"] is JsonValue value && value.TryGetValue(out string? act) && act is ("grant" or "intent");

    private static LedgerEntry? TryRead(ILedgerStorage storage, Sha256Digest leafHash, List<RefusedEntry> refused)
    {
        string name = Name(leafHash);
        if (storage.TryRead(name, LedgerEntry.MaximumLength + 1) is not { } bytes)
            return null;
        if (MerkleTree.LeafHash(bytes) != leafHash)
        {
            refused.Add(new RefusedEntry(name, "Its content is not what its name says."));
            return null;
        }

        try
        {
            return LedgerEntry.Parse(bytes);
        }
        catch (FormatException e)
        {
            refused.Add(new RefusedEntry(name, e.Message));
            return null;
        }
    }

    private static IdentityBody? DeclaredBy(LedgerEntry entry)
    {
        try
        {
            return string.Equals(entry.Payload.Kind, EntryKind.Identity, StringComparison.Ordinal) ? IdentityBody.Parse(entry.Payload.Body) : null;
        }
        catch (FormatException)
        {
            // It declares nothing, and is refused for that when its turn comes.
            return null;
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Candidate(int Rank, Instant Time, bool IsRotation, Sha256Digest LeafHash, Sha256Digest Said);
}

/// <summary>A staged entry that the sequencer did not take in.</summary>
/// <param name="Name">Its file, below <c>ledger/</c>.</param>
/// <param name="Reason">Why not.</param>
public sealed record RefusedEntry(string Name, string Reason);
