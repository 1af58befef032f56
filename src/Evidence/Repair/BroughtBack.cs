using System.Security.Cryptography;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>Remembers what was brought back; how much that may be, the medium decides, so it spills into a folder.</summary>
internal sealed class BroughtBack(SegmentIndex ids)
{
    private const int Batch = 4096;
    private const int MostListed = 1000;

    private readonly Dictionary<Sha256Digest, PackEntry> newest = [];
    private readonly List<RecoveredSegment> first = [];

    internal long Count { get; private set; }

    internal long Bytes { get; private set; }

    /// <summary>The first ones, in the order in which they came.</summary>
    internal IReadOnlyList<RecoveredSegment> First => first;

    internal bool Holds(Sha256Digest id) => newest.ContainsKey(id) || ids.TryFind(id, out _);

    internal void Add(Sha256Digest id, int length, string from)
    {
        Count++;
        Bytes += length;
        if (first.Count < MostListed)
            first.Add(new RecoveredSegment(id, length, from));
        newest.Add(id, new PackEntry(new RecordHeader(id, Codec.Stored, length, length, 0), 0));
        if (newest.Count == Batch)
            Settle();
    }

    /// <summary>The SHA-256 over all ids in ascending order.</summary>
    internal Sha256Digest Digest()
    {
        Settle();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Sha256Digest id in ids.Ids())
            hash.AppendData(id.ToArray());
        return new Sha256Digest(hash.GetHashAndReset());
    }

    private void Settle()
    {
        // The index knows its entries by packs; here any name that is its own will do.
        if (newest.Count > 0)
            ids.AddPack(new Sha256Digest(RandomNumberGenerator.GetBytes(Sha256Digest.Size)), [.. newest.Values]);
        newest.Clear();
    }
}
