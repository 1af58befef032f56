namespace Evidence.Interop.Tests.Rescue;

/// <summary>How disks fail.</summary>
internal static class FailurePatterns
{
    /// <summary>The length in bytes of the disks that the patterns are of.</summary>
    internal const int Length = 8 << 20;

    /// <summary>Which sectors are bad, of a disk of <see cref="Length"/> bytes, by the number of sectors in a MiB.</summary>
    internal static readonly IReadOnlyDictionary<string, Func<int, IEnumerable<long>>> All = new Dictionary<string, Func<int, IEnumerable<long>>>(StringComparer.Ordinal)
    {
        ["none"] = _ => [],
        ["one"] = mib => [(2 * mib) + 77],
        ["first"] = _ => [0],
        ["last"] = mib => [(8 * mib) - 1],
        ["adjacent pair"] = mib => Run(mib + 31, 2),
        ["across a page"] = mib => Run((3 * mib / 2) - 3, 6),
        ["across 64 KiB"] = mib => Run((mib / 16 * 5) - 2, 5),
        ["across 512 KiB"] = mib => Run((mib / 2) - 1, 2),
        ["across 1 MiB"] = mib => Run((3 * mib) - 3, 7),
        ["across 4 MiB"] = mib => Run((4 * mib) - 1, 3),
        ["every 100th"] = mib => Enumerable.Range(0, 8 * mib / 100).Select(i => i * 100L),
        ["dead region"] = mib => Run((5 * mib / 2) + 5, 3 * mib),
        ["dead start"] = mib => Run(0, mib + 3),
        ["dead end"] = mib => Run((7 * mib) - 9, mib + 9),
        ["random 1%"] = mib => Random(8 * mib, 8 * mib / 100, seed: 1),
        ["random 12"] = mib => Random(8 * mib, 12, seed: 2),
        ["two islands"] = mib => [.. Run(mib / 2, 40), .. Run(13 * mib / 2, 90)],
        ["islands in a dead region"] = mib => Run(mib, 5 * mib).Where(s => s % mib is < 20 or > 60),
    };

    private static IEnumerable<long> Run(int first, int count) => Enumerable.Range(first, count).Select(sector => (long)sector);

    private static IEnumerable<long> Random(int sectors, int count, int seed)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, count).Select(_ => (long)random.Next(sectors)).Distinct();
    }
}
