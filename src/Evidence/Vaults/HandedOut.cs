using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>What an export entry says was handed out of an image.</summary>
/// <param name="Format">In what format.</param>
/// <param name="Offset">The first byte of the image that was.</param>
/// <param name="Length">The number of bytes.</param>
/// <param name="Sha256">The SHA-256 of them as raw bytes; null where it was not computed.</param>
/// <param name="AbsentBytes">How many of them were never read, or are unreadable.</param>
/// <param name="HoleBytes">How many of them the source said to be holes.</param>
public sealed record HandedOut(string Format, long Offset, long Length, Sha256Digest? Sha256, long AbsentBytes, long HoleBytes)
{
    internal JsonObject EncodeBody(Sha256Digest image) => new()
    {
        ["image"] = image.ToString(),
        ["format"] = Format,
        ["offset"] = DecimalText.Format(Offset),
        ["length"] = DecimalText.Format(Length),
        ["sha256"] = Sha256?.ToString(),
        ["absentBytes"] = DecimalText.Format(AbsentBytes),
        ["holeBytes"] = DecimalText.Format(HoleBytes),
    };
}
