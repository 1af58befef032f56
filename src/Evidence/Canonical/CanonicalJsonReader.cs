using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Evidence.Canonical;

/// <summary>Builds a node from UTF-8 JSON, refusing what is not one well-formed value without duplicate names (RFC 7493, I-JSON).</summary>
internal static class CanonicalJsonReader
{
    internal static JsonNode Read(ReadOnlySpan<byte> utf8)
    {
        if (!Utf8.IsValid(utf8))
            throw Wrong(FirstInvalid(utf8), "no valid UTF-8");
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = CanonicalJson.MaximumDepth });
        try
        {
            reader.Read();
            JsonNode? node = ReadValue(ref reader);
            // Reads on to the end, where anything but white space is an error; the caller's comparison refuses white space.
            reader.Read();
            return node ?? throw Wrong(0, "null, where a value is needed");
        }
        catch (JsonException e)
        {
            throw Wrong(Offset(utf8, e), e.Message, e);
        }
        catch (InvalidOperationException e)
        {
            // A \u escape that is half a surrogate pair.
            throw Wrong(reader.TokenStartIndex, "a string that is no Unicode text", e);
        }
        catch (ArgumentException e)
        {
            throw Wrong(reader.TokenStartIndex, e.Message, e);
        }
    }

    private static JsonNode? ReadValue(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader);
            case JsonTokenType.StartArray:
                var array = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    array.Add(ReadValue(ref reader));
                return array;
            case JsonTokenType.String:
                return JsonValue.Create(reader.GetString());
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            case JsonTokenType.Number:
                return reader.TryGetInt64(out long number) && number is >= -CanonicalJson.MaximumInteger and <= CanonicalJson.MaximumInteger
                    ? JsonValue.Create(number)
                    : throw Wrong(reader.TokenStartIndex, "a number that is no integer below 2^53");
            case JsonTokenType.Null:
                return null;
            default:
                throw Wrong(reader.TokenStartIndex, $"unexpected {reader.TokenType}");
        }
    }

    private static JsonObject ReadObject(ref Utf8JsonReader reader)
    {
        var result = new JsonObject();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            long start = reader.TokenStartIndex;
            reader.Read();
            if (!result.TryAdd(name, ReadValue(ref reader)))
                throw Wrong(start, $"the name '{name}' a second time");
        }

        return result;
    }

    private static long FirstInvalid(ReadOnlySpan<byte> utf8)
    {
        Utf8.ToUtf16(utf8, new char[utf8.Length], out int valid, out _, replaceInvalidSequences: false);
        return valid;
    }

    private static long Offset(ReadOnlySpan<byte> utf8, JsonException e)
    {
        long line = 0;
        for (long number = e.LineNumber ?? 0; number > 0; number--)
            line += utf8[(int)line..].IndexOf((byte)'\n') + 1;
        return line + (e.BytePositionInLine ?? 0);
    }

    private static FormatException Wrong(long offset, string what, Exception? cause = null) =>
        new(string.Create(CultureInfo.InvariantCulture, $"The JSON is wrong at byte {offset}: {what}."), cause);
}
