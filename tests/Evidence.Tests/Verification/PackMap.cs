using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Tests.Verification;

/// <summary>Where in a pack what lies.</summary>
internal static class PackMap
{
    /// <summary>The offsets of a pack's stored bytes; none for any other file.</summary>
    public static IEnumerable<int> PayloadOf(string folder, string file) =>
        Read(folder, file).SelectMany(e => Enumerable.Range((int)e.Offset + PackFormat.RecordHeaderSize, e.Header.StoredLength));

    /// <summary>The records of a pack; none for any other file.</summary>
    public static PackEntry[] Read(string folder, string file)
    {
        if (!file.EndsWith(VaultLayout.PackExtension, StringComparison.Ordinal))
            return [];
        using var pack = PackFile.Open(Path.Combine(folder, file));
        return pack.ReadIndex(Sha256Digest.Parse(Path.GetFileNameWithoutExtension(file)));
    }
}
