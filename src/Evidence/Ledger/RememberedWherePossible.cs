using Microsoft.Extensions.Logging;

namespace Evidence.Ledger;

/// <summary>
/// What readers remember of ledgers: the same as writers do, but where the folder of keys cannot be written (another user's, a read-only medium) a
/// reader goes on and says that nothing was remembered. A writer must not begin an append
/// without it.
/// </summary>
internal sealed class RememberedWherePossible(ISeenCheckpoints seen, ILogger logger) : ISeenCheckpoints
{
    public byte[]? Find(string origin) => seen.Find(origin);

    public void Record(Checkpoint checkpoint, ReadOnlySpan<byte> signedNote)
    {
        try
        {
            seen.Record(checkpoint, signedNote);
        }
        catch (EvidenceException e)
        {
            Log.CheckpointNotRemembered(logger, checkpoint.Origin, e);
        }
    }
}
