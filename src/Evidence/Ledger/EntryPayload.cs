using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger;

/// <summary>What an entry says: the signed payload, in RFC 8785 canonical JSON.</summary>
/// <param name="Kind">One of <see cref="EntryKind"/>, or a later one.</param>
/// <param name="Time">When the actor claims that it happened. A claim: the log's order and outside witnesses bound it.</param>
/// <param name="Case">The case it belongs to, if any.</param>
/// <param name="Items">The items that it concerns.</param>
/// <param name="Body">The kind's own fields; below <see cref="MaximumBodyLength"/> bytes.</param>
/// <param name="Key">The id of the actor's key that signs it.</param>
public sealed record EntryPayload(string Kind, Instant Time, string? Case, IReadOnlyList<string> Items, JsonObject Body, string Key)
{
    /// <summary>The only version of the payload's format so far.</summary>
    public const int Version = 1;

    /// <summary>A body is smaller than this. Longer things are documents of their own, named by digest.</summary>
    public const int MaximumBodyLength = 16 * 1024;

    /// <summary>The payload's bytes.</summary>
    /// <exception cref="InvalidOperationException">A field is not valid, or the body is too long.</exception>
    public byte[] ToBytes()
    {
        if (!EntryKind.IsValid(Kind))
            throw new InvalidOperationException($"'{Kind}' is not a valid kind of entry.");
        if (!ActorKey.IsKeyId(Key))
            throw new InvalidOperationException($"'{Key}' is not a key id.");
        CheckLength(CanonicalJson.Serialize(Body).Length, reason => new InvalidOperationException(reason));
        return CanonicalJson.Serialize(new JsonObject
        {
            ["body"] = Body.DeepClone(),
            ["case"] = Case,
            ["items"] = new JsonArray([.. Items.Select(item => JsonValue.Create(item))]),
            ["key"] = Key,
            ["kind"] = Kind,
            ["time"] = Timestamps.Format(Time),
            ["version"] = Version,
        });
    }

    /// <summary>Reads a payload.</summary>
    /// <exception cref="FormatException">The bytes are not a canonical payload of version 1.</exception>
    public static EntryPayload Parse(ReadOnlySpan<byte> bytes)
    {
        JsonObject fields = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The entry's payload");
        long version = fields.RequireInteger("version");
        if (version != Version)
        {
            throw new FormatException(string.Create(
                CultureInfo.InvariantCulture, $"The entry's format version is {version}; only {Version} is known here."));
        }

        fields.RequireOnly("body", "case", "items", "key", "kind", "time", "version");
        JsonObject body = fields.RequireObject("body");
        CheckLength(CanonicalJson.Serialize(body).Length, reason => new FormatException(reason));
        string kind = fields.RequireString("kind");
        if (!EntryKind.IsValid(kind))
            throw new FormatException($"'{kind}' is not a valid kind of entry.");
        string key = fields.RequireString("key");
        if (!ActorKey.IsKeyId(key))
            throw new FormatException($"'{key}' is not a key id.");
        return new EntryPayload(
            kind, fields.RequireInstant("time"), fields.RequireNullableString("case"), fields.RequireStrings("items"), body, key);
    }

    private static void CheckLength(int length, Func<string, Exception> refusal)
    {
        if (length >= MaximumBodyLength)
        {
            throw refusal(string.Create(
                CultureInfo.InvariantCulture,
                $"The entry's body has {length} bytes; it must stay below {MaximumBodyLength}. Keep lists as documents, named by digest."));
        }
    }
}
