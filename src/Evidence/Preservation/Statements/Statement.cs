using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using NodaTime;

namespace Evidence.Preservation.Statements;

/// <summary>
/// What an entry of the preservation kinds says (<c>docs/format/ledger.md</c>): who is who, what there is, who demands that it be kept, who was told what, and what
/// they answered. The entry's items are the assets that it concerns.
/// </summary>
public abstract record Statement
{
    /// <summary>The longest of the texts in a statement, in characters. Longer ones are documents.</summary>
    public const int LongestText = 2000;

    /// <summary>The longest name of a party, an asset or a disk, in characters.</summary>
    public const int LongestName = 255;

    private protected Statement()
    {
    }

    /// <summary>The entry's kind, one of <see cref="EntryKind"/>.</summary>
    public abstract string Kind { get; }

    /// <summary>All assets of the act, where it may be several entries, each for its own; else null.</summary>
    internal virtual AssetList? Whole => null;

    /// <summary>The entry's body.</summary>
    public abstract JsonObject ToJson();

    /// <summary>Whether a text can be the name of a party, an asset or a disk.</summary>
    public static bool IsName(string? text) => text is { Length: > 0 and <= LongestName } && !text.Any(char.IsControl) && text.Trim().Length == text.Length;

    /// <summary>Reads what an entry says; null where it is of another kind, or of a form that is not known here.</summary>
    /// <param name="payload">The entry's payload.</param>
    public static Statement? TryParse(EntryPayload payload)
    {
        ArgumentNullException.ThrowIfNull(payload);
        try
        {
            return payload.Kind switch
            {
                EntryKind.Party => PartyStatement.Read(payload.Body),
                EntryKind.Asset => AssetStatement.Read(payload.Body),
                EntryKind.Hold => HoldStatement.Read(payload.Body),
                EntryKind.Release => ReleaseStatement.Read(payload.Body),
                EntryKind.Notice => NoticeStatement.Read(payload.Body),
                EntryKind.Delivery => DeliveryStatement.Read(payload.Body),
                EntryKind.Response => ResponseStatement.Read(payload.Body),
                EntryKind.Policy => PolicyStatement.Read(payload.Body),
                EntryKind.Clearance => ClearanceStatement.Read(payload.Body),
                EntryKind.Wipe => WipeStatement.Read(payload.Body),
                _ => null,
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private protected static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => JsonValue.Create(value))]);

    private protected static string? Text(Instant? instant) => instant is { } value ? Timestamps.Format(value) : null;

    private protected static string RequireName(JsonObject body, string field) =>
        body.RequireString(field) is var name && IsName(name) ? name : throw new FormatException($"The field '{field}' is no name.");

    private protected static string? RequireNullableName(JsonObject body, string field) =>
        body.RequireNullableString(field) is null ? null : RequireName(body, field);

    private protected static Sha256Digest RequireDigest(JsonObject body, string field) => Sha256Digest.Parse(body.RequireDigest(field));

    private protected static Sha256Digest? RequireNullableDigest(JsonObject body, string field) =>
        body.RequireNullableString(field) is null ? null : RequireDigest(body, field);

    private protected static Instant? RequireNullableInstant(JsonObject body, string field) =>
        body.RequireNullableString(field) is null ? null : body.RequireInstant(field);

    private protected static string? RequireNullableKey(JsonObject body, string field) =>
        body.RequireNullableString(field) is not { } key ? null
        : ActorKey.IsKeyId(key) ? key
        : throw new FormatException($"The field '{field}' is not a key id.");
}
