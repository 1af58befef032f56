namespace Evidence.Hashing;

/// <summary>The complete subtrees of a tree whose leaf hashes are all at hand, to make proofs of.</summary>
internal static class MerkleLevels
{
    /// <summary>Computes all of them: as many hashes again as there are leaves.</summary>
    internal static SubtreeHash Of(IReadOnlyList<Sha256Digest> leafHashes)
    {
        var levels = new List<IReadOnlyList<Sha256Digest>> { leafHashes };
        while (levels[^1] is { Count: > 1 } below)
            levels.Add([.. Enumerable.Range(0, below.Count / 2).Select(i => MerkleTree.NodeHash(below[2 * i], below[(2 * i) + 1]))]);
        return (height, index) => levels[height][checked((int)index)];
    }
}
