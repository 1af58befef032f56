namespace Evidence.Ledger.Witnesses;

/// <summary>
/// What a witness's last checkpoint shows against a ledger. The log's own keys signed it, so it counts whoever handed it over: no witness need be believed.
/// </summary>
/// <param name="Checkpoint">What the checkpoint says.</param>
/// <param name="Note">The checkpoint, as it was signed.</param>
/// <param name="Proof">
/// The proof of two histories, which anybody can check with the log's public keys; null where the checkpoint has more entries than the ledger: then this was set back, or
/// has another history, and only whoever has the entries of the other can show which.
/// </param>
public sealed record WitnessConflict(Checkpoint Checkpoint, ReadOnlyMemory<byte> Note, ForkProof? Proof)
{
    /// <summary>Where it is kept: the proof, or else the checkpoint. Null where it is not.</summary>
    public string? File { get; init; }

    /// <summary>What is to be kept.</summary>
    internal byte[] ToBytes() => Proof?.ToBytes() ?? Note.ToArray();

    /// <summary>Under which name: by the checkpoint, so that it is the same one however often the witness is asked.</summary>
    internal string Name => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Note.Span)) + (Proof is null ? ".checkpoint" : ".fork");
}
