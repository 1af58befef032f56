using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using Evidence.Canonical;

namespace Evidence.Ledger;

/// <summary>
/// A tile's place and its file's name (c2sp.org/tlog-tiles): <c>tile/L/N[.p/W]</c>, or <c>tile/entries/N[.p/W]</c> for the entries
/// themselves, which count as level <see cref="Entries"/> here.
/// </summary>
/// <param name="Level">0 to 63, or <see cref="Entries"/>.</param>
/// <param name="Index">The tile's number on its level.</param>
/// <param name="Width">How many hashes or entries it holds: 256 in a full tile, fewer in a partial one.</param>
internal readonly record struct TileName(int Level, long Index, int Width)
{
    internal const int FullWidth = 256;
    internal const int LevelBits = 8;
    internal const int MaximumLevel = 63;
    internal const int Entries = -1;
    internal const string Prefix = "tile/";

    internal bool IsPartial => Width < FullWidth;

    /// <summary>The full tile at the same place.</summary>
    internal TileName Full => this with { Width = FullWidth };

    /// <summary>What the names of all partial tiles at this place begin with.</summary>
    internal string PartialPrefix => Full + ".p/";

    /// <summary>How many hashes a level has in a log of some size: one for each complete subtree of 256^level entries.</summary>
    internal static long HashCount(int level, long size) => level * LevelBits >= 63 ? 0 : size >> (Math.Max(level, 0) * LevelBits);

    /// <summary>The tile at a place as it is in a log of some size; its width is 0 where there is none.</summary>
    internal static TileName At(int level, long index, long size)
    {
        long first = checked(index * FullWidth);
        return new TileName(level, index, (int)Math.Clamp(HashCount(level, size) - first, 0, FullWidth));
    }

    internal static bool TryParse(string name, [NotNullWhen(true)] out TileName? tile)
    {
        tile = null;
        if (!name.StartsWith(Prefix, StringComparison.Ordinal))
            return false;
        string[] parts = name[Prefix.Length..].Split('/');
        int width = FullWidth;
        int last = parts.Length - 1;
        if (parts.Length >= 3 && parts[^2].EndsWith(".p", StringComparison.Ordinal))
        {
            if (!DecimalText.TryParse(parts[^1], out long partial) || partial is 0 or >= FullWidth)
                return false;
            width = (int)partial;
            last--;
            parts[last] = parts[last][..^2];
        }

        long level = Entries;
        if (parts[0] is not "entries" && (!DecimalText.TryParse(parts[0], out level) || level > MaximumLevel))
            return false;
        if (!TryParseIndex(parts.AsSpan(1, last), out long index))
            return false;
        var result = new TileName((int)level, index, width);
        // One place has one name: no superfluous groups of zeros.
        if (!string.Equals(result.ToString(), name, StringComparison.Ordinal))
            return false;
        tile = result;
        return true;
    }

    /// <summary>The file's name below <c>ledger/</c>.</summary>
    public override string ToString()
    {
        var name = new StringBuilder(Prefix)
            .Append(Level == Entries ? "entries" : Level.ToString(CultureInfo.InvariantCulture))
            .Append('/');
        // Groups of three digits, every group but the last with an x: 1234067 is x001/x234/067.
        string digits = Index.ToString("D3", CultureInfo.InvariantCulture);
        digits = digits.PadLeft((digits.Length + 2) / 3 * 3, '0');
        for (int i = 0; i < digits.Length; i += 3)
            name.Append(i + 3 < digits.Length ? "x" : "").Append(digits, i, 3).Append(i + 3 < digits.Length ? "/" : "");
        if (IsPartial)
            name.Append(".p/").Append(Width.ToString(CultureInfo.InvariantCulture));
        return name.ToString();
    }

    private static bool TryParseIndex(ReadOnlySpan<string> groups, out long index)
    {
        index = 0;
        // Six groups stay below 10^18; a log of 256 times that many entries cannot be.
        if (groups.Length is 0 or > 6)
            return false;
        for (int i = 0; i < groups.Length; i++)
        {
            string group = groups[i];
            bool last = i == groups.Length - 1;
            if (group.Length != (last ? 3 : 4) || (!last && group[0] != 'x') ||
                !int.TryParse(last ? group : group[1..], NumberStyles.None, CultureInfo.InvariantCulture, out int value))
            {
                return false;
            }

            index = (index * 1000) + value;
        }

        return index <= long.MaxValue / FullWidth;
    }
}
