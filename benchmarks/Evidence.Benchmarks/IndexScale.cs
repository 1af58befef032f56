using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;
using Microsoft.Extensions.Logging.Abstractions;

namespace Evidence.Benchmarks;

/// <summary>
/// The index of segments at scale: as if it were rebuilt from packs, whose indexes are decoded and checked as they are when read from a vault; then opened again, and
/// asked for segments that are there and for some that are not. Prints a table; times are of one run, and of the processor: what it reads lies in the page cache.
/// </summary>
internal static class IndexScale
{
    /// <summary>Segments in a pack of 128 MiB.</summary>
    private const int PerPack = 2700;

    private const int Lookups = 200_000;

    internal static void Run(long segments, string folder)
    {
        Directory.CreateDirectory(folder);
        var layout = new VaultLayout(Path.Combine(folder, "vault"));
        string cache = Path.Combine(folder, "cache");
        try
        {
            TimeSpan decoding = default;
            TimeSpan adding = default;
            using (SegmentIndex index = SegmentIndex.Empty(layout, cache, NullLogger.Instance))
            {
                for (long first = 0; first < segments; first += PerPack)
                {
                    (byte[] bytes, long end) = Encode(first, (int)Math.Min(PerPack, segments - first));
                    TimeSpan began = Now();
                    PackEntry[] entries = PackIndex.Decode(bytes, end);
                    Sha256Digest name = Sha256Digest.Compute(bytes);
                    TimeSpan decoded = Now();
                    index.AddPack(name, entries);
                    decoding += decoded - began;
                    adding += Now() - decoded;
                }

                Print("heap while it is built", GC.GetTotalMemory(forceFullCollection: true) / 1048576.0, "MiB");
                Ask("right after", index, segments);
            }

            FileInfo[] files = [.. new DirectoryInfo(cache).EnumerateFiles()];
            Print("decoding and checking packs' indexes", decoding.TotalSeconds, "s");
            Print("adding, writing, merging", adding.TotalSeconds, "s");
            Print($"on disk, in {files.Length} runs", files.Sum(f => f.Length) / 1048576.0, "MiB");
            long before = GC.GetTotalMemory(forceFullCollection: true);
            TimeSpan opening = Now();
            IndexRun[] runs = [.. files.Select(f => IndexRun.TryOpen(f.FullName)!)];
            Print("opening the runs again", (Now() - opening).TotalSeconds, "s");
            Print("heap of the runs that are open", (GC.GetTotalMemory(forceFullCollection: true) - before) / 1048576.0, "MiB");
            foreach (IndexRun run in runs)
                run.Dispose();
            Print("largest resident set of the whole run", Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0, "MiB");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Ask(string when, SegmentIndex index, long segments)
    {
        foreach ((string what, long from) in new[] { ("that are there", 0L), ("that are not", segments) })
        {
            Sha256Digest[] ids = [.. Enumerable.Range(0, Lookups).Select(i => IdOf(from + ((i * 7919L * 1009) % segments)))];
            TimeSpan began = Now();
            int found = ids.Count(id => index.TryFind(id, out _));
            double seconds = (Now() - began).TotalSeconds;
            if (found != (from == 0 ? Lookups : 0))
                throw new InvalidOperationException($"{found} of {Lookups} segments {what} were found.");
            Print($"look-ups {when}, of segments {what}", Lookups / seconds, "a second");
        }
    }

    private static (byte[] Index, long End) Encode(long first, int count)
    {
        long offset = PackFormat.HeaderSize;
        var entries = new List<PackEntry>(count);
        for (int i = 0; i < count; i++)
        {
            entries.Add(new PackEntry(new RecordHeader(IdOf(first + i), Codec.Stored, 49_000, 49_000, 0), offset));
            offset += PackFormat.RecordHeaderSize + 49_000;
        }

        return (PackIndex.Encode(entries), offset);
    }

    private static TimeSpan Now() => Environment.CpuUsage.TotalTime;

    private static Sha256Digest IdOf(long number)
    {
        Span<byte> hash = stackalloc byte[Sha256Digest.Size];
        SHA256.HashData(BitConverter.GetBytes(number), hash);
        return new Sha256Digest(hash);
    }

    private static void Print(string what, double value, string unit) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {value:#,0.0} {unit} |"));
}
