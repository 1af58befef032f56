using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Vaults;

/// <summary>
/// What an entry committed to: a value, and a random salt that keeps whoever has only the commitment from trying values out. The commitment is the SHA-256 of these bytes
/// (<c>docs/format/vault.md</c>).
/// </summary>
internal static class Opening
{
    internal const int SaltLength = 32;

    /// <summary>The most bytes of an opening.</summary>
    internal const int LargestSize = 1 << 15;

    private const string Format = "evidence-opening";

    /// <summary>The opening's bytes, with a salt of its own.</summary>
    internal static byte[] Encode(JsonObject value) => Encode(value, RandomNumberGenerator.GetBytes(SaltLength));

    internal static byte[] Encode(JsonObject value, ReadOnlySpan<byte> salt) => CanonicalJson.Serialize(new JsonObject
    {
        ["format"] = Format,
        ["salt"] = Convert.ToBase64String(salt),
        ["value"] = value.DeepClone(),
        ["version"] = 1L,
    });

    /// <summary>Reads an opening's value.</summary>
    /// <exception cref="FormatException">It is none of this form, or not what its name says.</exception>
    internal static JsonObject Decode(ReadOnlySpan<byte> bytes, Sha256Digest commitment)
    {
        if (Sha256Digest.Compute(bytes) is var found && found != commitment)
            throw new FormatException($"its SHA-256 is {found}.");
        JsonObject fields = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The opening");
        fields.RequireOnly("format", "salt", "value", "version");
        if (fields.RequireString("format") != Format || fields.RequireInteger("version") != 1)
            throw new FormatException("it is no opening of version 1.");
        return fields.RequireBase64("salt").Length == SaltLength ? (JsonObject)fields.RequireObject("value").DeepClone() : throw new FormatException("its salt is not of 32 bytes.");
    }
}

/// <summary>The body of an <see cref="Ledger.EntryKind.Erasure"/> entry.</summary>
internal static class ErasureRecord
{
    internal static JsonObject Encode(Sha256Digest opening, string? reason) => new() { ["opening"] = opening.ToString(), ["reason"] = reason };

    /// <summary>The opening that an entry says is destroyed; null where it says no such thing.</summary>
    internal static Sha256Digest? OpeningOf(Ledger.EntryPayload payload) =>
        payload.Kind == Ledger.EntryKind.Erasure && payload.Body["opening"] is JsonValue value && value.TryGetValue(out string? text) && Sha256Digest.TryParse(text, out Sha256Digest opening)
            ? opening
            : null;
}
