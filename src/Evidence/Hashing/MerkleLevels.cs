namespace Evidence.Hashing;

/// <summary>The complete subtrees of a tree whose leaf hashes are all at hand, to make proofs of.</summary>
internal static class MerkleLevels
{
    /// <summary>Computes all of them: as many hashes again as there are leaves.</summary>
    internal static SubtreeHash Of(Sha256Digest[] leafHashes)
    {
        var levels = new List<Sha256Digest[]> { leafHashes };
        while (levels[^1] is { Length: > 1 } below)
            levels.Add(MerkleTree.NodeHashes(below));
        return (height, index) => levels[height][checked((int)index)];
    }
}
