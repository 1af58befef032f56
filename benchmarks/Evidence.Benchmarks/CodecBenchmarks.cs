using BenchmarkDotNet.Attributes;
using Evidence.Segments;

namespace Evidence.Benchmarks;

/// <summary>What compressing and expanding one segment of 48 KiB takes.</summary>
[InProcess]
public class CodecBenchmarks
{
    private const int Length = 48 << 10;
    private readonly byte[] destination = new byte[Length];
    private readonly byte[] expanded = new byte[Length];
    private byte[] content = [];
    private byte[] stored = [];
    private Codec codec;

    [Params("random", "text")]
    public string Kind { get; set; } = "";

    [Params(Compression.Fast, Compression.Best)]
    public Compression Compression { get; set; }

    [GlobalSetup]
    public void Make()
    {
        content = Kind == "random" ? Content.Random(Length) : Content.Text(Length);
        codec = SegmentCodec.Compress(content, Compression, destination, out int written);
        stored = codec == Codec.Stored ? content : destination[..written];
    }

    [Benchmark]
    public Codec Compress48KiB() => SegmentCodec.Compress(content, Compression, destination, out _);

    [Benchmark]
    public bool Expand48KiB() => SegmentCodec.TryExpand(codec, stored, expanded);
}
