using System.Text;

namespace Evidence.Cli;

/// <summary>
/// Writes lines for people. What comes out of a vault is another party's text: characters that would move a cursor, start a line, or turn the direction
/// of writing are shown as what they are.
/// </summary>
internal sealed class SafeWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => inner.Write(Shown(value.ToString()));

    public override void Write(string? value) => inner.Write(Shown(value));

    public override void WriteLine() => inner.WriteLine();

    public override void WriteLine(string? value) => inner.WriteLine(Shown(value));

    public override void Flush() => inner.Flush();

    internal static string Shown(string? text)
    {
        if (text is null || !text.Any(IsHidden))
            return text ?? "";
        var shown = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            if (IsHidden(c))
                shown.Append(null, $"\\u{(int)c:x4}");
            else
                shown.Append(c);
        }

        return shown.ToString();
    }

    /// <summary>Control characters, and those that set or override the direction of writing (Unicode bidirectional formatting).</summary>
    private static bool IsHidden(char c) => char.IsControl(c) || c is (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069') or '\u200E' or '\u200F';
}
