using System.Globalization;

namespace Evidence.Canonical;

/// <summary>
/// 64-bit numbers as decimal text: offsets, sizes and nanoseconds pass 2^53, beyond which other people's JSON parsers lose digits.
/// A number has one spelling: digits only, no leading zero, no sign.
/// </summary>
public static class DecimalText
{
    /// <summary>Writes a number.</summary>
    public static string Format(long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        return number.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Reads a number in its one spelling.</summary>
    /// <returns>False where the text is anything else, or passes 2^63 - 1.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out long number)
    {
        number = 0;
        return text.Length is > 0 and <= 19 &&
            (text[0] != '0' || text.Length == 1) &&
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    /// <summary>Reads a number in its one spelling.</summary>
    /// <exception cref="FormatException">The text is anything else.</exception>
    public static long Parse(string text) =>
        TryParse(text, out long number) ? number : throw new FormatException($"'{text}' is not a whole number in plain decimal digits.");
}
