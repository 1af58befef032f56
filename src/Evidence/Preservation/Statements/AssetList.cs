using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Preservation.Statements;

/// <summary>
/// Which assets an act is about, all of them. Where they are more than one entry has room for, the act is several entries, each for its own assets; this is the same in each,
/// and joins them.
/// </summary>
/// <param name="Digest">The SHA-256 over their names in ordinal order, each ended by LF.</param>
/// <param name="Count">How many they are.</param>
public sealed record AssetList(Sha256Digest Digest, int Count)
{
    /// <summary>The most assets that one entry is about.</summary>
    public const int MostInOneEntry = 1000;

    /// <summary>The most bytes that the names of those have together.</summary>
    private const int MostBytesInOneEntry = 30_000;

    /// <summary>The list of some assets.</summary>
    public static AssetList Of(IReadOnlyCollection<string> assets)
    {
        ArgumentNullException.ThrowIfNull(assets);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string asset in assets.Order(StringComparer.Ordinal))
            hash.AppendData(Encoding.UTF8.GetBytes(asset + "\n"));
        return new AssetList(new Sha256Digest(hash.GetHashAndReset()), assets.Count);
    }

    /// <summary>The assets in ordinal order, in parts that an entry has room for.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Split(IReadOnlyCollection<string> assets)
    {
        ArgumentNullException.ThrowIfNull(assets);
        var parts = new List<IReadOnlyList<string>>();
        var part = new List<string>();
        int bytes = 0;
        foreach (string asset in assets.Order(StringComparer.Ordinal))
        {
            int length = Encoding.UTF8.GetByteCount(asset) + 3;
            if (part.Count == MostInOneEntry || bytes + length > MostBytesInOneEntry)
            {
                parts.Add(part);
                (part, bytes) = ([], 0);
            }

            part.Add(asset);
            bytes += length;
        }

        if (part.Count > 0)
            parts.Add(part);
        return parts;
    }

    internal JsonObject ToJson() => new() { ["digest"] = Digest.ToString(), ["count"] = Count };

    internal static AssetList Read(JsonObject list)
    {
        list.RequireOnly("digest", "count");
        long count = list.RequireInteger("count");
        return count is > 0 and <= int.MaxValue
            ? new AssetList(Sha256Digest.Parse(list.RequireDigest("digest")), (int)count)
            : throw new FormatException("The field 'count' is not a number of assets.");
    }
}
