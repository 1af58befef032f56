using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// Reads the tiles of a log at one size, and computes the tree's root from them. It trusts nothing it reads: each full tile is held against the hash above it, and those on
/// the right edge are worth what the caller compares their root with.
/// </summary>
internal sealed class TileReader(ILedgerStorage storage, long size)
{
    // The full tile read last on each level: neighbouring questions mostly fall into one tile.
    private readonly Dictionary<int, (long Index, Sha256Digest[] Hashes)> latest = [];

    // The tile on each level's right edge. All others are held against these, and a writer may remove their files once there are wider ones.
    private readonly Dictionary<int, Sha256Digest[]> edge = [];

    internal long Size => size;

    /// <summary>Whether full tiles are held against the hashes above them: not where as much as possible is to be read of a log that may be damaged.</summary>
    internal bool HoldsAgainstAbove { get; init; } = true;

    /// <summary>A tile's hashes, as many as it has at this size.</summary>
    /// <exception cref="EvidenceException">The file is missing, has a wrong length, or does not give the hash above it.</exception>
    internal Sha256Digest[] Hashes(int level, long index)
    {
        TileName tile = TileName.At(level, index, size);
        if (tile is { IsPartial: true, Width: > 0 } && edge.TryGetValue(level, out Sha256Digest[]? right))
            return right;
        if (latest.TryGetValue(level, out (long Index, Sha256Digest[] Hashes) read) && read.Index == index)
            return read.Hashes;
        (string name, byte[] bytes) = Read(tile, tile.Width * Sha256Digest.Size, TileName.FullWidth * Sha256Digest.Size);
        Sha256Digest[] hashes = TryDecode(bytes, tile.Width) ??
            throw Damaged(name, $"it has {bytes.Length} bytes, too few for {tile.Width} hashes");
        // Entries and their leaf hashes can be changed together, and then agree with each other.
        if (HoldsAgainstAbove && !tile.IsPartial && MerkleTree.Root(hashes) != Hashes(level + 1, index / TileName.FullWidth)[(int)(index % TileName.FullWidth)])
            throw Damaged(name, $"its hashes do not give the one that {TileName.At(level + 1, index / TileName.FullWidth, size)} has of it");
        if (tile.IsPartial)
            edge[level] = hashes;
        else
            latest[level] = (index, hashes);
        return hashes;
    }

    /// <summary>The entries of one bundle, as many as it has at this size.</summary>
    /// <exception cref="EvidenceException">The file is missing, or malformed.</exception>
    internal IReadOnlyList<ReadOnlyMemory<byte>> Entries(long index)
    {
        TileName tile = TileName.At(TileName.Entries, index, size);
        (string name, byte[] bytes) = Read(tile, EntryBundle.MaximumLength, EntryBundle.MaximumLength);
        try
        {
            return EntryBundle.Read(bytes, tile.Width, out _);
        }
        catch (FormatException e)
        {
            throw Damaged(name, e.Message, e);
        }
    }

    /// <summary>
    /// The hash of the complete subtree of 2^<paramref name="height"/> leaves that is number <paramref name="index"/> of its height.
    /// </summary>
    internal Sha256Digest Subtree(int height, long index)
    {
        int level = height / TileName.LevelBits;
        int width = 1 << (height % TileName.LevelBits);
        long first = index * width;
        return MerkleTree.Root(Hashes(level, first / TileName.FullWidth).AsSpan((int)(first % TileName.FullWidth), width));
    }

    /// <summary>The root over the first entries, from the fewest hashes that give it (RFC 6962, section 2.1).</summary>
    internal Sha256Digest RootAt(long count) => MerkleProof.Root(count, Subtree);

    internal static Sha256Digest[]? TryDecode(ReadOnlySpan<byte> bytes, int width)
    {
        if (bytes.Length < width * Sha256Digest.Size)
            return null;
        var hashes = new Sha256Digest[width];
        for (int i = 0; i < width; i++)
            hashes[i] = new Sha256Digest(bytes.Slice(i * Sha256Digest.Size, Sha256Digest.Size));
        return hashes;
    }

    /// <summary>
    /// The tile's own file, or, where a partial one was superseded and removed, the full one, of which it is the beginning.
    /// </summary>
    private (string Name, byte[] Bytes) Read(TileName tile, int maximum, int maximumOfFull)
    {
        string name = tile.ToString();
        byte[]? bytes = tile.Width == 0 ? null : storage.TryRead(name, maximum);
        if (bytes is null && tile is { IsPartial: true, Width: > 0 })
            bytes = storage.TryRead(tile.Full.ToString(), maximumOfFull);
        return (name, bytes ?? throw Damaged(name, "it is missing"));
    }

    internal static EvidenceException Damaged(string name, string what, Exception? cause = null) => new(
        ErrorCode.LedgerDamaged,
        string.Create(CultureInfo.InvariantCulture, $"The ledger's file {name} is damaged: {what}. Run verify for every wrong file."),
        cause);
}
