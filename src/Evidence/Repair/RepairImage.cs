using Evidence.Hashing;

namespace Evidence.Repair;

/// <summary>An image that a repair goes through, and what it finds of it.</summary>
/// <param name="image">The image's id.</param>
/// <param name="item">What people call it; empty for an image that no ledger entry names.</param>
/// <param name="size">Its size in bytes, as its entry says; 0 where none does.</param>
internal sealed class RepairImage(Sha256Digest image, string item, long size)
{
    private readonly List<MissingRange> missing = [];

    internal Sha256Digest Image => image;

    internal string Item => item;

    internal long Size => size;

    /// <summary>Whether a verification before the repair would have missed something of it.</summary>
    internal bool WasDamaged { get; set; }

    /// <summary>What is missing still, the first of it; as of the last time that the map was gone through.</summary>
    internal IReadOnlyList<MissingRange> Missing => missing;

    internal long MissingCount { get; private set; }

    internal long MissingBytes { get; private set; }

    internal void Clear()
    {
        missing.Clear();
        MissingCount = 0;
        MissingBytes = 0;
    }

    internal void Add(long offset, long length, Sha256Digest? id, string detail)
    {
        WasDamaged = true;
        // No claim was ever made of what no entry names: it is brought back where that can be done, and not missed.
        if (item.Length == 0)
            return;
        MissingCount++;
        MissingBytes += length;
        if (missing.Count < RepairResult.MostListed)
            missing.Add(new MissingRange(image, item, offset, length, id, detail));
    }
}
