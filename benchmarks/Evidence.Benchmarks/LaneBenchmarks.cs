using System.Runtime.InteropServices;
using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;

namespace Evidence.Benchmarks;

/// <summary>Every kernel that this machine has, all lanes busy, data in the L2 cache; beside it the framework's hasher, one message after the other.</summary>
[InProcess]
public unsafe class LaneBenchmarks
{
    private const int Length = 16 << 10;
    private LaneKernel? kernel;
    private byte* content;
    private LaneMessage[] messages = [];
    private byte[] digests = [];

    [ParamsSource(nameof(Kernels))]
    public string Kernel { get; set; } = "";

    public static IEnumerable<string> Kernels => All.Select(k => k.ToString());

    private static IEnumerable<LaneKernel> All =>
        new[] { HashFunction.Md5, HashFunction.Sha1, HashFunction.Sha256 }.SelectMany(LaneKernel.All);

    [GlobalSetup]
    public void Make()
    {
        kernel = All.Single(k => k.ToString() == Kernel);
        content = (byte*)NativeMemory.AlignedAlloc((nuint)(kernel.Lanes * Length), 64);
        Content.Random(kernel.Lanes * Length).CopyTo(new Span<byte>(content, kernel.Lanes * Length));
        messages = [.. Enumerable.Range(0, kernel.Lanes).Select(i => new LaneMessage(content + (i * Length), Length))];
        digests = new byte[kernel.Lanes * kernel.Function.DigestSize];
    }

    [GlobalCleanup]
    public void Free() => NativeMemory.AlignedFree(content);

    [Benchmark]
    public void Together() => LaneHash.Compute(kernel!, messages, digests);

    [Benchmark(Baseline = true)]
    public void Alone()
    {
        foreach (LaneMessage message in messages)
            CryptographicOperations.HashData(kernel!.Function.Algorithm.FrameworkName(), message.Bytes, digests);
    }
}
