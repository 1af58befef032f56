using BenchmarkDotNet.Attributes;
using Evidence.Segments;

namespace Evidence.Benchmarks;

/// <summary>How fast cut points are found: bytes a second is 64 MiB divided by the time.</summary>
[InProcess]
[MemoryDiagnoser]
public class SegmenterBenchmarks
{
    private byte[] content = [];
    private readonly List<Piece> pieces = [];

    [Params("random", "text", "zero")]
    public string Kind { get; set; } = "";

    [GlobalSetup]
    public void Make() => content = Kind switch
    {
        "random" => Content.Random(SegmentParameters.PageSize),
        "text" => Content.Text(SegmentParameters.PageSize),
        _ => new byte[SegmentParameters.PageSize],
    };

    [Benchmark]
    public int Cut64MiB()
    {
        pieces.Clear();
        return new Segmenter(SegmentParameters.Default).Cut(content, last: true, pieces);
    }
}
