using BenchmarkDotNet.Attributes;
using Evidence.Hashing;

namespace Evidence.Benchmarks;

/// <summary>What naming a segment, and a tree of a thousand leaves, takes.</summary>
[InProcess]
public class HashingBenchmarks
{
    private readonly byte[] segment = Content.Random(48 << 10);
    private readonly Sha256Digest leaf = MerkleTree.LeafHash([1]);

    [Benchmark]
    public Sha256Digest SegmentId48KiB() => Sha256Digest.Compute(segment);

    [Benchmark]
    public Sha256Digest TreeOfAThousandLeaves()
    {
        var tree = new MerkleAccumulator();
        for (int i = 0; i < 1000; i++)
            tree.Append(leaf);
        return tree.Root;
    }
}
