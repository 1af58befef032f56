using Evidence.Hashing;
using Evidence.Hashing.Lanes;

namespace Evidence.Acquisition;

/// <summary>What acquisitions that go on side by side share: memory for blocks, and the lanes in which their digests of the whole are taken on together.</summary>
internal sealed class SideBySide
{
    /// <summary>The blocks of all together: 275 MB with the default parameters. As many as sixteen lanes keep busy, while as many again are read and stored.</summary>
    private const int MostBlocks = 64;

    /// <summary>The blocks of one alone: enough that a slow digest and the segmenter do not wait for each other.</summary>
    private const int MostEach = 8;

    private readonly Dictionary<DigestAlgorithm, SharedLanes> lanes = [];

    /// <summary>Divides what there is among a number of acquisitions.</summary>
    /// <param name="acquisitions">How many go on at one time, at most.</param>
    internal SideBySide(int acquisitions)
    {
        BlocksEach = Math.Clamp(MostBlocks / acquisitions, 2, MostEach);
        if (acquisitions == 1)
            return;
        // The other work (reading, segments, packs) has the rest of the processors.
        int threads = Math.Max(1, Environment.ProcessorCount / 4);
        foreach (HashFunction function in (ReadOnlySpan<HashFunction>)[HashFunction.Md5, HashFunction.Sha1, HashFunction.Sha256])
            lanes.Add(function.Algorithm, new SharedLanes(function, threads));
    }

    /// <summary>For an acquisition that has nobody beside it.</summary>
    internal static SideBySide Alone { get; } = new(1);

    /// <summary>The blocks that one acquisition may have in memory.</summary>
    internal int BlocksEach { get; }

    /// <summary>Begins a digest of the whole of an image.</summary>
    internal RunningDigest Begin(DigestAlgorithm algorithm) =>
        lanes.TryGetValue(algorithm, out SharedLanes? shared) ? shared.Begin() : RunningDigest.Begin(algorithm);
}
