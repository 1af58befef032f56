using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using Evidence.Ledger;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Measurement;

/// <summary>What to measure.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>A source to image the beginning of, alone; null for none. It stays open.</summary>
    public Source? Source { get; init; }

    /// <summary>How many made-up disks are imaged at once.</summary>
    public int Disks { get; init; } = Acquirer.DefaultSideBySide;

    /// <summary>The bytes of each disk, and of the source's beginning.</summary>
    public long DiskSize { get; init; } = 128L << 20;

    /// <summary>How each is imaged; items and cases are not looked at.</summary>
    public AcquisitionOptions Acquisition { get; init; } = new();

    /// <summary>Where the vaults are made that are imaged into; they are removed again. Null for the system's folder for temporary files.</summary>
    public string? Folder { get; init; }

    /// <summary>How long each kernel is measured.</summary>
    public TimeSpan KernelTime { get; init; } = TimeSpan.FromSeconds(0.2);
}

/// <summary>Measures what a machine can do. Of kernels the best of many short runs counts, since other work can only make one slower; acquisitions are run once.</summary>
public static class MachineBenchmark
{
    private const int MessageLength = 1 << 20;
    private const long WarmUp = 32 << 20;

    /// <summary>Measures the kernels one after the other, on one processor, then whole acquisitions on all of them.</summary>
    /// <param name="options">What to measure.</param>
    /// <param name="progress">Hears what is measured next.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">A source, or the folder, failed.</exception>
    public static async Task<MachineSpeed> RunAsync(BenchmarkOptions options, IProgress<string>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Disks < 1 || options.DiskSize < 1)
            throw new ArgumentException("There is nothing to image: at least one disk of at least one byte.", nameof(options));
        progress?.Report("digests");
        DigestSpeed[] digests = [.. Enum.GetValues<DigestAlgorithm>().Select(algorithm => Digest(algorithm, options.KernelTime, cancellation))];
        progress?.Report("segmenter and compression");
        double segmenter = Segmenter(options.KernelTime, cancellation);
        CompressionSpeed[] compressions = [Compress(Compression.Fast, options.KernelTime, cancellation), Compress(Compression.Best, options.KernelTime, cancellation)];
        // In the first acquisition of a process code is compiled: that is not measured.
        _ = await AcquireAsync(null, [new GeneratedDisk(0, Math.Min(options.DiskSize, WarmUp))], options, cancellation).ConfigureAwait(false);
        var acquisitions = new List<AcquisitionSpeed>();
        foreach (int disks in new[] { 1, options.Disks }.Distinct())
        {
            progress?.Report(disks == 1 ? "one disk" : string.Create(null, $"{disks} disks at once"));
            Source[] sources = [.. Enumerable.Range(0, disks).Select(n => new GeneratedDisk(n, options.DiskSize))];
            acquisitions.Add(await AcquireAsync(null, sources, options, cancellation).ConfigureAwait(false));
        }

        if (options.Source is { } source)
        {
            progress?.Report(source.Identity.Name);
            // Of a source that is sequential, nobody knows where its beginning ends.
            Source[] beginning = [source.Length is { } length ? new SourceBeginning(source, Math.Min(length, options.DiskSize)) : source];
            acquisitions.Add(await AcquireAsync(source.Identity.Name, beginning, options, cancellation).ConfigureAwait(false));
        }

        return new MachineSpeed
        {
            Processors = Environment.ProcessorCount,
            VectorBits = 32 * (Widest(HashFunction.Sha256)?.Lanes ?? 1),
            Digests = digests,
            Segmenter = segmenter,
            Compressions = compressions,
            Acquisitions = acquisitions,
        };
    }

    /// <summary>The kernel with the most lanes in one vector; null where the processor has no vectors for it.</summary>
    private static LaneKernel? Widest(HashFunction function) =>
        LaneKernel.Vectors(function).ToArray().Where(k => !k.IsPaired).MaxBy(k => k.Lanes);

    private static DigestSpeed Digest(DigestAlgorithm algorithm, TimeSpan time, CancellationToken cancellation)
    {
        byte[] message = GeneratedDisk.Random[..MessageLength].ToArray();
        using RunningDigest chain = RunningDigest.Begin(algorithm);
        double alone = Best(message.Length, time, () => chain.Append(message), cancellation);
        if (HashFunction.Find(algorithm) is not { } function || Widest(function) is null)
            return new DigestSpeed(algorithm, alone, null, null);
        (double together, int lanes) = LaneKernel.Vectors(function).ToArray().Select(k => (Rate: Together(k, time, cancellation), k.Lanes)).Max();
        return new DigestSpeed(algorithm, alone, together, lanes);
    }

    private static unsafe double Together(LaneKernel kernel, TimeSpan time, CancellationToken cancellation)
    {
        nuint size = (nuint)kernel.Lanes * MessageLength;
        byte* content = (byte*)NativeMemory.AlignedAlloc(size, 4096);
        try
        {
            var inputs = new LaneInput[kernel.Lanes];
            for (int i = 0; i < inputs.Length; i++)
            {
                byte* start = content + ((nuint)i * MessageLength);
                GeneratedDisk.Random[..MessageLength].CopyTo(new Span<byte>(start, MessageLength));
                inputs[i] = new LaneInput(new LaneChain(kernel.Function), start, MessageLength);
            }

            return Best((long)size, time, () => LaneChain.Append(kernel, inputs), cancellation);
        }
        finally
        {
            NativeMemory.AlignedFree(content);
        }
    }

    private static double Segmenter(TimeSpan time, CancellationToken cancellation)
    {
        byte[] content = GeneratedDisk.Random.ToArray();
        var pieces = new List<Piece>();
        return Best(
            content.Length, time,
            () =>
            {
                pieces.Clear();
                _ = new Segmenter(SegmentParameters.Default).Cut(content, last: true, pieces);
            },
            cancellation);
    }

    private static CompressionSpeed Compress(Compression compression, TimeSpan time, CancellationToken cancellation)
    {
        const int Segment = 48 << 10;
        byte[] content = GeneratedDisk.LogText[..(Segment * 16)].ToArray();
        var stored = new byte[Segment];
        long written = 0;
        double rate = Best(
            content.Length, time,
            () =>
            {
                written = 0;
                for (int at = 0; at < content.Length; at += Segment)
                {
                    _ = SegmentCodec.Compress(content.AsSpan(at, Segment), compression, stored, out int length);
                    written += length;
                }
            },
            cancellation);
        return new CompressionSpeed(compression, rate, (double)written / content.Length);
    }

    /// <summary>Bytes a second of the best run; the first, in which code is compiled, is none.</summary>
    private static double Best(long bytes, TimeSpan time, Action run, CancellationToken cancellation)
    {
        run();
        TimeSpan least = TimeSpan.MaxValue;
        long began = Stopwatch.GetTimestamp();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            long started = Stopwatch.GetTimestamp();
            run();
            TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
            least = elapsed < least ? elapsed : least;
        }
        while (Stopwatch.GetElapsedTime(began) < time);
        return bytes / Math.Max(least.TotalSeconds, 1e-9);
    }

    /// <summary>Images sources into a vault that is made for it, with keys of its own, and removed.</summary>
    private static async Task<AcquisitionSpeed> AcquireAsync(string? name, Source[] sources, BenchmarkOptions options, CancellationToken cancellation)
    {
        string folder = Path.Combine(options.Folder ?? Path.GetTempPath(), $"evidence-bench-{Guid.NewGuid():N}");
        try
        {
            var access = new VaultAccess { Keys = new KeyStore(Path.Combine(folder, "keys")), Actor = "bench" };
            using Vault vault = Vault.OpenOrCreate(Path.Combine(folder, "vault"), access);
            AcquisitionRequest[] requests =
            [
                .. sources.Select((s, i) => new AcquisitionRequest(s, options.Acquisition with { Item = string.Create(null, $"{i}"), Case = null })),
            ];
            long started = Stopwatch.GetTimestamp();
            IReadOnlyList<AcquisitionOutcome> outcomes = await new Acquirer(vault).AcquireAllAsync(requests, Math.Max(1, sources.Length), cancellation).ConfigureAwait(false);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
            if (outcomes.Select(o => o.Failure).OfType<Exception>().FirstOrDefault() is { } failure)
                ExceptionDispatchInfo.Throw(failure);
            return new AcquisitionSpeed(name, sources.Length, outcomes.Sum(o => o.Result!.Manifest.Size), elapsed);
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }
}
