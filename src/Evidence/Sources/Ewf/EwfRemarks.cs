using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Evidence.Sources.Ewf;

/// <summary>
/// Lines of the section <c>evidence</c>, which this library adds and other readers pass over: what the format has no place for. The exact size where the last
/// sector is not full, the SHA-256, and every range that was not read, by its kind.
/// </summary>
internal static class EwfRemarks
{
    /// <summary>The section's type.</summary>
    internal const string SectionType = "evidence";

    /// <summary>The first line.</summary>
    internal const string FirstLine = "evidence-e01 1";

    /// <summary>No reason is longer, in characters.</summary>
    internal const int LongestReason = 200;

    /// <summary>The most bytes that a section takes besides the lines.</summary>
    internal const int Overhead = EwfSection.DescriptorLength + 15 + EwfFormat.ChecksumLength;

    internal static byte[] Encode(IEnumerable<string> lines)
    {
        byte[] text = Encoding.UTF8.GetBytes(FirstLine + "\n" + string.Concat(lines));
        var content = new byte[text.Length + EwfFormat.ChecksumLength];
        text.CopyTo(content, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(text.Length), Adler32.Compute(text));
        return content;
    }

    /// <summary>A range that was not read.</summary>
    internal static string Range(string kind, long offset, long length, string? reason) => reason is null
        ? string.Create(CultureInfo.InvariantCulture, $"{kind} {offset} {length}\n")
        : string.Create(CultureInfo.InvariantCulture, $"{kind} {offset} {length} {Clean(reason)}\n");

    /// <summary>A fact about the whole.</summary>
    internal static string Fact(string name, string value) => $"{name} {value}\n";

    /// <summary>A text on one line, of bounded length.</summary>
    internal static string Clean(string reason)
    {
        string line = new([.. reason.Where(c => !char.IsControl(c))]);
        return line.Length > LongestReason ? line[..LongestReason] : line;
    }
}
