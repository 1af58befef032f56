namespace Evidence.Ledger;

/// <summary>
/// Remembers, outside the vault, the newest checkpoint seen of each log. Without that memory a vault that was set back to an older copy
/// looks like a vault in good order.
/// </summary>
public interface ISeenCheckpoints
{
    /// <summary>The newest checkpoint seen of a log: the signed note, which proves a rollback or a fork to others.</summary>
    /// <returns>Null where none was seen.</returns>
    byte[]? Find(string origin);

    /// <summary>Keeps a checkpoint that was verified, unless a newer one of that log is kept already.</summary>
    void Record(Checkpoint checkpoint, ReadOnlySpan<byte> signedNote);
}
