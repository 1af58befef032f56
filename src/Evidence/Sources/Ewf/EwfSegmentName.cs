using System.Globalization;

namespace Evidence.Sources.Ewf;

/// <summary>
/// The name of a segment file: a stem, and an extension of three characters, <c>.E01</c> to <c>.E99</c>, then <c>.EAA</c> to <c>.EZZ</c>, <c>.FAA</c> to <c>.ZZZ</c>. Those of
/// SMART begin at <c>.s01</c>; some tools write small letters.
/// </summary>
internal readonly record struct EwfSegmentName(string Stem, char First, bool IsLower)
{
    private const int Letters = 26;

    private static readonly char[] Families = ['E', 'S'];

    /// <summary>The last segment that has a name.</summary>
    internal int Last => 99 + (('Z' - First + 1) * Letters * Letters);

    /// <summary>Parses a path.</summary>
    /// <param name="path">The path of any segment.</param>
    /// <param name="number">Its number, from 1, by its name.</param>
    /// <returns>Null where it does not end as a segment's name does; past 99, where no first segment stands beside it.</returns>
    internal static EwfSegmentName? TryParse(string path, out int number)
    {
        number = 0;
        if (Path.GetExtension(path) is not ['.', var a, var b, var c] || !char.IsAsciiLetter(a))
            return null;
        bool lower = char.IsAsciiLetterLower(a);
        char first = char.ToUpperInvariant(a);
        if (char.IsAsciiDigit(b) && char.IsAsciiDigit(c))
        {
            number = ((b - '0') * 10) + c - '0';
            return number > 0 && first is 'E' or 'S' ? new EwfSegmentName(path[..^3], first, lower) : null;
        }

        if (!char.IsAsciiLetter(b) || !char.IsAsciiLetter(c) || char.IsAsciiLetterLower(b) != lower || char.IsAsciiLetterLower(c) != lower)
            return null;
        // .SAA could be segment 100 of SMART or a far one of EnCase, and .IMG no segment at all: what stands beside it tells.
        string stem = path[..^3];
        char family = Array.Find(Families, f => first >= f && File.Exists(new EwfSegmentName(stem, f, lower).PathOf(1)));
        if (family == default)
            return null;
        number = 100 + ((first - family) * Letters * Letters) + ((char.ToUpperInvariant(b) - 'A') * Letters) + char.ToUpperInvariant(c) - 'A';
        return new EwfSegmentName(stem, family, lower);
    }

    /// <summary>The path of a segment.</summary>
    /// <param name="number">Its number, 1 to <see cref="Last"/>.</param>
    internal string PathOf(int number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, Last);
        string extension;
        if (number <= 99)
        {
            extension = string.Create(CultureInfo.InvariantCulture, $"{First}{number:00}");
        }
        else
        {
            int rest = number - 100;
            extension = new string([(char)(First + (rest / (Letters * Letters))), (char)('A' + (rest / Letters % Letters)), (char)('A' + (rest % Letters))]);
        }

        return Stem + (IsLower ? extension.ToLowerInvariant() : extension);
    }
}
