using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger.Witnesses;

/// <summary>What a witness checks before it cosigns, in the order of c2sp.org/tlog-witness. Pure: what it knows is handed to it.</summary>
internal static class WitnessRules
{
    /// <summary>What can be said of a request by itself.</summary>
    /// <param name="request">The request.</param>
    /// <param name="keys">The keys that are trusted for its log; none where the log is unknown.</param>
    /// <param name="signed">Which of them signed.</param>
    /// <returns>Null where nothing is wrong.</returns>
    internal static WitnessAnswer? Refuse(AddCheckpointRequest request, IReadOnlyCollection<VerifierKey> keys, out NoteVerdict signed)
    {
        signed = NoteVerifier.Verify(request.Note, keys);
        Checkpoint checkpoint = request.Checkpoint;
        if (keys.Count == 0)
            return WitnessAnswer.Refused(WitnessAnswer.NotFound, $"The log {checkpoint.Origin} is not known to this witness.");
        if (signed.Failed.Count > 0)
            return WitnessAnswer.Refused(WitnessAnswer.Forbidden, $"The signature of the log's key {signed.Failed[0]} is wrong.");
        if (!signed.IsAccepted)
            return WitnessAnswer.Refused(WitnessAnswer.Forbidden, $"No key that this witness trusts for the log {checkpoint.Origin} signed the checkpoint.");
        return request.OldSize <= checkpoint.Size
            ? null
            : WitnessAnswer.Refused(WitnessAnswer.BadRequest, string.Create(
                CultureInfo.InvariantCulture, $"The old size {request.OldSize} is above the checkpoint's, {checkpoint.Size}."));
    }

    /// <summary>What can be said of a request that was found right by itself, beside what was cosigned last.</summary>
    /// <returns>Null where nothing is wrong: it may be cosigned.</returns>
    internal static WitnessAnswer? Refuse(AddCheckpointRequest request, Checkpoint? recorded)
    {
        Checkpoint checkpoint = request.Checkpoint;
        long size = recorded?.Size ?? 0;
        if (request.OldSize != size)
            return WitnessAnswer.Recorded(size);
        if (checkpoint.Size == 0 && checkpoint.Root != MerkleTree.EmptyRoot)
            return WitnessAnswer.Refused(WitnessAnswer.Unprocessable, "The checkpoint of no entries has another root than the empty tree's.");
        if (request.OldSize == 0 && request.Proof.Length > 0)
            return WitnessAnswer.Refused(WitnessAnswer.Unprocessable, "From the empty tree there is no proof, but the request has one.");
        if (recorded is not null && IsFork(recorded, checkpoint))
        {
            return WitnessAnswer.Refused(WitnessAnswer.Unprocessable, string.Create(
                CultureInfo.InvariantCulture,
                $"This witness cosigned {size} entries with the root {recorded.Root}, and the checkpoint has as many with the root {checkpoint.Root}: the log has two histories."));
        }

        return MerkleProof.VerifyConsistency(size, recorded?.Root ?? MerkleTree.EmptyRoot, checkpoint.Size, checkpoint.Root, request.Proof.Span)
            ? null
            : WitnessAnswer.Refused(WitnessAnswer.Unprocessable, string.Create(
                CultureInfo.InvariantCulture, $"The proof does not show that the {checkpoint.Size} entries begin with the {size} that this witness cosigned."));
    }

    /// <summary>Whether two checkpoints that a log signed show by themselves that it has two histories.</summary>
    internal static bool IsFork(Checkpoint one, Checkpoint other) => one.Size == other.Size && one.Root != other.Root;
}
