using System.Text;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>What a log commits to: its first <paramref name="Size"/> entries have this root (c2sp.org/tlog-checkpoint).</summary>
/// <param name="Origin">The log's identifier, which is also the name of its keys.</param>
/// <param name="Size">The number of entries.</param>
/// <param name="Root">The tree's root over them.</param>
public sealed record Checkpoint(string Origin, long Size, Sha256Digest Root)
{
    /// <summary>The text that is signed: origin, size and root, a line each, without extension lines.</summary>
    public string ToText() => $"{Origin}\n{DecimalText.Format(Size)}\n{Convert.ToBase64String(Root.ToArray())}\n";

    /// <summary>Reads a checkpoint's text.</summary>
    /// <exception cref="FormatException">The text is not exactly three such lines.</exception>
    public static Checkpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] lines = text.Split('\n');
        if (lines is not [var origin, var size, var root, ""])
            throw new FormatException("A checkpoint has three lines: origin, size and root.");
        if (!KeyName.IsValid(origin))
            throw new FormatException("The checkpoint's first line is no origin.");
        if (!DecimalText.TryParse(size, out long count))
            throw new FormatException("The checkpoint's second line is no size in decimal.");
        Span<byte> hash = stackalloc byte[Sha256Digest.Size + 1];
        if (!Base64Text.TryDecode(root, hash, out int length) || length != Sha256Digest.Size)
            throw new FormatException("The checkpoint's third line is no SHA-256 root in base64.");
        return new Checkpoint(origin, count, new Sha256Digest(hash[..length]));
    }
}

/// <summary>The names of signing keys (c2sp.org/signed-note): not empty, without Unicode spaces, control characters and <c>+</c>.</summary>
public static class KeyName
{
    /// <summary>Whether a name can be a key's name, hence a log's origin.</summary>
    public static bool IsValid(string? name) =>
        !string.IsNullOrEmpty(name) &&
        Encoding.UTF8.GetByteCount(name) <= 255 &&
        name.EnumerateRunes().All(rune =>
            rune.Value != '+' && rune != Rune.ReplacementChar && !Rune.IsWhiteSpace(rune) && !Rune.IsControl(rune));
}

/// <summary>Base64 (RFC 4648, section 4) in its one spelling: padded, no white space, unused bits zero.</summary>
internal static class Base64Text
{
    internal static bool TryDecode(string text, Span<byte> destination, out int length) =>
        Convert.TryFromBase64String(text, destination, out length) &&
        string.Equals(Convert.ToBase64String(destination[..length]), text, StringComparison.Ordinal);

    internal static byte[]? TryDecode(string text)
    {
        var buffer = new byte[(text.Length / 4 * 3) + 3];
        return TryDecode(text, buffer, out int length) ? buffer[..length] : null;
    }
}
