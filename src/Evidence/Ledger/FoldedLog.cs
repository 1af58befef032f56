using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>What the log declares up to its end, by which the sequencer judges an entry before it takes it in.</summary>
internal static class FoldedLog
{
    /// <summary>Goes through the whole log, and holds it against the root: what is judged by it goes under a signature.</summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="size">The log's size.</param>
    /// <param name="root">Its root, from a checkpoint that was verified.</param>
    /// <param name="passed">Hears of each entry.</param>
    /// <exception cref="EvidenceException">The entries are not those under the root.</exception>
    internal static KeyRegistry Fold(ILedgerStorage storage, long size, Sha256Digest root, Action<ReadOnlySpan<byte>>? passed = null)
    {
        var registry = new KeyRegistry();
        var edge = TreeEdge.Of(0, []);
        CustodyLedger.FoldIdentities(new TileReader(storage, size), registry, size, bytes =>
        {
            edge.Append(MerkleTree.LeafHash(bytes), (_, _) => { });
            passed?.Invoke(bytes);
        });

        return edge.Root == root
            ? registry
            : throw TileReader.Damaged("tile/entries/", "the entries do not give the checkpoint's root");
    }

    /// <summary>Why an entry that was judged so does not go in; null where it does.</summary>
    internal static string? Defect(EntryVerdict verdict) => verdict switch
    {
        { Status: EntrySignatureStatus.Invalid } => "One of its signatures is wrong.",
        { Status: EntrySignatureStatus.UnknownSigner } => "It is signed by a key that no entry before it declares.",
        { Status: EntrySignatureStatus.Ended } => $"It is signed by a key that signs no more: {verdict.KeyEnd}.",
        { RefusedIdentity: { } refused } => $"It declares no identity: {refused}",
        _ => null,
    };
}
