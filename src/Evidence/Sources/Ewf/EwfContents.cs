using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Evidence.Sources.Ewf;

/// <summary>What the sections say that are neither chunks nor tables: each read from its content, of bounded length.</summary>
internal static partial class EwfContents
{
    /// <summary>No header, and nothing that one inflates to, is longer, in bytes.</summary>
    internal const int LongestHeader = 1 << 20;

    /// <summary>No value of a header is longer in what is recorded, in characters.</summary>
    private const int LongestValue = 500;

    /// <summary>The values of <c>header</c> and <c>header2</c> that are recorded, and what they are called there.</summary>
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal)
    {
        ["a"] = "description",
        ["c"] = "caseNumber",
        ["n"] = "evidenceNumber",
        ["e"] = "examiner",
        ["t"] = "notes",
        ["md"] = "model",
        ["sn"] = "serial",
        ["av"] = "software",
        ["ov"] = "system",
        ["m"] = "acquired",
        ["u"] = "systemDate",
    };

    /// <summary>What a header says; null where it cannot be read.</summary>
    /// <param name="content">The section's content.</param>
    /// <param name="isWide">Whether it is UTF-16, as header2's.</param>
    internal static JsonObject? Header(byte[] content, bool isWide)
    {
        if (Inflate(content) is not { } bytes)
            return null;
        string text = isWide
            ? (bytes is [0xFE, 0xFF, ..] ? Encoding.BigEndianUnicode : Encoding.Unicode).GetString(bytes).TrimStart('\uFEFF')
            : Encoding.Latin1.GetString(bytes);
        string[] lines = text.Split('\n');
        int main = Array.FindIndex(lines, line => string.Equals(line.TrimEnd('\r'), "main", StringComparison.Ordinal));
        if (main < 0 || main + 2 >= lines.Length)
            return null;
        string[] keys = lines[main + 1].TrimEnd('\r').Split('\t');
        string[] values = lines[main + 2].TrimEnd('\r').Split('\t');
        var details = new JsonObject();
        for (int i = 0; i < Math.Min(keys.Length, values.Length); i++)
        {
            string value = new([.. values[i].Where(c => !char.IsControl(c) && !char.IsSurrogate(c)).Take(LongestValue)]);
            if (Names.TryGetValue(keys[i], out string? name) && value.Length > 0)
                details[name] = value;
        }

        return details;
    }

    /// <summary>The digests of an <c>xhash</c>; none where it cannot be read.</summary>
    internal static IEnumerable<(string Algorithm, string Value)> XmlDigests(byte[] content) => Inflate(content) is not { } bytes
        ? []
        : XmlDigest().Matches(Encoding.UTF8.GetString(bytes))
            .Select(m => (m.Groups["name"].Value.ToLowerInvariant(), m.Groups["value"].Value.ToLowerInvariant()))
            .Where(d => d.Item2.Length == (d.Item1 == "md5" ? 32 : 40));

    /// <summary>Whether the checksum behind a content is right.</summary>
    internal static bool EndsInChecksum(ReadOnlySpan<byte> content) =>
        content.Length > EwfFormat.ChecksumLength &&
        BinaryPrimitives.ReadUInt32LittleEndian(content[^EwfFormat.ChecksumLength..]) == Adler32.Compute(content[..^EwfFormat.ChecksumLength]);

    /// <summary>A digest in a content; null where it is zeros, which stand for none.</summary>
    internal static string? Digest(ReadOnlySpan<byte> bytes) => bytes.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(bytes) : null;

    /// <summary>A line of a remarks section: its word, and what follows.</summary>
    internal static (string Word, string[] Values) Line(string line)
    {
        string[] parts = line.Split(' ', 4);
        return (parts[0], parts[1..]);
    }

    internal static bool TryParse(string text, out long value) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static byte[]? Inflate(byte[] content)
    {
        try
        {
            using var inflate = new ZLibStream(new MemoryStream(content, writable: false), CompressionMode.Decompress);
            var text = new byte[LongestHeader];
            int length = inflate.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
            return text[..length];
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    [GeneratedRegex("<(?<name>MD5|SHA1)>(?<value>[0-9a-f]{32,40})</", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex XmlDigest();
}
