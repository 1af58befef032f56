using System.Text.Json;
using System.Text.Json.Nodes;
using NodaTime;

namespace Evidence.Canonical;

/// <summary>
/// Typed, strict access to the fields of a JSON object. Each getter throws a <see cref="FormatException"/> that names the field.
/// </summary>
internal static class JsonFields
{
    internal static JsonObject RequireObject(JsonNode? node, string what) =>
        node as JsonObject ?? throw new FormatException($"{what} is not a JSON object.");

    internal static JsonObject RequireObject(this JsonObject value, string name) =>
        Require(value, name) as JsonObject ?? throw Wrong(name, "an object");

    internal static JsonArray RequireArray(this JsonObject value, string name) =>
        Require(value, name) as JsonArray ?? throw Wrong(name, "an array");

    internal static string RequireString(this JsonObject value, string name) => AsString(Require(value, name), name);

    /// <summary>A string or null; the field itself must be there.</summary>
    internal static string? RequireNullableString(this JsonObject value, string name) =>
        !value.TryGetPropertyValue(name, out JsonNode? node) ? throw Missing(name) : node is null ? null : AsString(node, name);

    /// <summary>A string, or null where the field is not there.</summary>
    internal static string? OptionalString(this JsonObject value, string name) =>
        value.TryGetPropertyValue(name, out JsonNode? node) ? AsString(node, name) : null;

    internal static IReadOnlyList<string> RequireStrings(this JsonObject value, string name) =>
        [.. value.RequireArray(name).Select(element => AsString(element, name))];

    internal static bool RequireBoolean(this JsonObject value, string name) => Require(value, name).GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "a boolean"),
    };

    internal static long RequireInteger(this JsonObject value, string name) =>
        Require(value, name) is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out long result)
            ? result
            : throw Wrong(name, "an integer");

    /// <summary>A number from 0 to 2^63 - 1, written as a decimal string.</summary>
    internal static long RequireDecimal(this JsonObject value, string name) =>
        DecimalText.TryParse(value.RequireString(name), out long number) ? number : throw Wrong(name, "a decimal string");

    internal static Instant RequireInstant(this JsonObject value, string name)
    {
        try
        {
            return Timestamps.Parse(value.RequireString(name));
        }
        catch (FormatException e)
        {
            throw new FormatException($"The field '{name}' is wrong: {e.Message}", e);
        }
    }

    /// <summary>A SHA-256 digest as 64 lower-case hexadecimal digits.</summary>
    internal static string RequireDigest(this JsonObject value, string name)
    {
        string text = value.RequireString(name);
        return text.Length == 64 && text.All(char.IsAsciiHexDigitLower)
            ? text
            : throw Wrong(name, "a SHA-256 digest in lower-case hexadecimal");
    }

    internal static byte[] RequireBase64(this JsonObject value, string name)
    {
        string text = value.RequireString(name);
        var buffer = new byte[(text.Length / 4 * 3) + 3];
        // Written again and compared: .NET's decoder passes over white space and unused bits, so that several texts would mean the same
        // bytes.
        return Convert.TryFromBase64String(text, buffer, out int length) &&
            string.Equals(Convert.ToBase64String(buffer, 0, length), text, StringComparison.Ordinal)
                ? buffer[..length]
                : throw Wrong(name, "base64 with padding");
    }

    /// <summary>Refuses fields beyond those that the format knows: what nobody reads, nobody should sign.</summary>
    internal static void RequireOnly(this JsonObject value, params ReadOnlySpan<string> names)
    {
        foreach ((string name, _) in value)
        {
            if (!names.Contains(name))
                throw new FormatException($"The field '{name}' is not known.");
        }
    }

    private static JsonNode Require(JsonObject value, string name) =>
        value.TryGetPropertyValue(name, out JsonNode? node) && node is not null ? node : throw Missing(name);

    private static string AsString(JsonNode? node, string name) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : throw Wrong(name, "a string");

    private static FormatException Missing(string name) => new($"The field '{name}' is missing.");

    private static FormatException Wrong(string name, string wanted) => new($"The field '{name}' is not {wanted}.");
}
