using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Evidence.Canonical;

/// <summary>
/// The JSON Canonicalization Scheme (RFC 8785), narrowed to what survives every parser: strings, booleans, null, arrays, objects, and
/// integers of at most 2^53 - 1 in magnitude. Equal values have equal bytes, so that a digest or a signature over them means the value.
/// </summary>
public static class CanonicalJson
{
    /// <summary>How deep arrays and objects may be nested.</summary>
    public const int MaximumDepth = 32;

    /// <summary>The largest magnitude of an integer that IEEE 754 doubles, hence all JSON parsers, keep exactly: 2^53 - 1.</summary>
    public const long MaximumInteger = 9_007_199_254_740_991;

    /// <summary>Writes a value's canonical form.</summary>
    /// <exception cref="ArgumentException">The value holds a fraction, a larger integer, a lone surrogate, or is nested too
    /// deep.</exception>
    public static byte[] Serialize(JsonNode? node)
    {
        var output = new ArrayBufferWriter<byte>(256);
        Write(output, node, 0);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a value from its canonical form.</summary>
    /// <exception cref="FormatException">The bytes are not the canonical form of any value; the message gives the first wrong
    /// offset.</exception>
    public static JsonNode Parse(ReadOnlySpan<byte> utf8)
    {
        JsonNode node = CanonicalJsonReader.Read(utf8);
        byte[] canonical = Serialize(node);
        int same = utf8.CommonPrefixLength(canonical);
        return same == utf8.Length && same == canonical.Length
            ? node
            : throw new FormatException(
                string.Create(CultureInfo.InvariantCulture, $"The JSON at byte {same} is not in canonical form (RFC 8785)."));
    }

    private static void Write(ArrayBufferWriter<byte> output, JsonNode? node, int depth)
    {
        switch (node)
        {
            case null:
                output.Write("null"u8);
                break;
            case JsonObject value:
                WriteObject(output, value, Deeper(depth));
                break;
            case JsonArray value:
                WriteArray(output, value, Deeper(depth));
                break;
            default:
                WriteValue(output, node);
                break;
        }
    }

    private static void WriteObject(ArrayBufferWriter<byte> output, JsonObject value, int depth)
    {
        string[] names = [.. value.Select(member => member.Key)];
        // RFC 8785, section 3.2.3: by UTF-16 code units, which is what the ordinal order of .NET strings is.
        Array.Sort(names, StringComparer.Ordinal);
        output.Write("{"u8);
        for (int i = 0; i < names.Length; i++)
        {
            if (i > 0)
                output.Write(","u8);
            WriteString(output, names[i]);
            output.Write(":"u8);
            Write(output, value[names[i]], depth);
        }

        output.Write("}"u8);
    }

    private static void WriteArray(ArrayBufferWriter<byte> output, JsonArray value, int depth)
    {
        output.Write("["u8);
        for (int i = 0; i < value.Count; i++)
        {
            if (i > 0)
                output.Write(","u8);
            Write(output, value[i], depth);
        }

        output.Write("]"u8);
    }

    private static void WriteValue(ArrayBufferWriter<byte> output, JsonNode value)
    {
        switch (value.GetValueKind())
        {
            case JsonValueKind.True:
                output.Write("true"u8);
                break;
            case JsonValueKind.False:
                output.Write("false"u8);
                break;
            case JsonValueKind.String:
                WriteString(output, value.GetValue<string>());
                break;
            case JsonValueKind.Number:
                WriteInteger(output, value.ToJsonString());
                break;
            default:
                throw new ArgumentException($"JSON of kind {value.GetValueKind()} has no canonical form here.", nameof(value));
        }
    }

    private static void WriteInteger(ArrayBufferWriter<byte> output, string text)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ||
            number is < -MaximumInteger or > MaximumInteger || text is "-0")
        {
            throw new ArgumentException(
                $"The number {text} is not an integer that every JSON parser keeps; write it as a decimal string.", nameof(text));
        }

        output.Write(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
    }

    /// <summary>
    /// RFC 8785, section 3.2.2.2: two-character escapes where they exist, <c>\u00xx</c> for other controls, all else as it is.
    /// </summary>
    private static void WriteString(ArrayBufferWriter<byte> output, string text)
    {
        output.Write("\""u8);
        foreach (Rune rune in Runes(text))
        {
            switch (rune.Value)
            {
                case '"':
                    output.Write("\\\""u8);
                    break;
                case '\\':
                    output.Write("\\\\"u8);
                    break;
                case '\b':
                    output.Write("\\b"u8);
                    break;
                case '\t':
                    output.Write("\\t"u8);
                    break;
                case '\n':
                    output.Write("\\n"u8);
                    break;
                case '\f':
                    output.Write("\\f"u8);
                    break;
                case '\r':
                    output.Write("\\r"u8);
                    break;
                case < 0x20:
                    output.Write("\\u00"u8);
                    output.Write(Encoding.ASCII.GetBytes(rune.Value.ToString("x2", CultureInfo.InvariantCulture)));
                    break;
                default:
                    output.Advance(rune.EncodeToUtf8(output.GetSpan(4)));
                    break;
            }
        }

        output.Write("\""u8);
    }

    private static IEnumerable<Rune> Runes(string text)
    {
        for (int i = 0; i < text.Length;)
        {
            // EnumerateRunes would put U+FFFD in the place of a lone surrogate, and so give two different strings the same bytes.
            if (!Rune.TryGetRuneAt(text, i, out Rune rune))
                throw new ArgumentException("A string with a lone surrogate has no canonical form.", nameof(text));
            yield return rune;
            i += rune.Utf16SequenceLength;
        }
    }

    private static int Deeper(int depth) => depth < MaximumDepth
        ? depth + 1
        : throw new ArgumentException($"The JSON is nested deeper than {MaximumDepth} levels.", nameof(depth));
}
