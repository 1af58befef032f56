using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Vaults;

/// <summary>What an entry names that lies beside the ledger (<c>docs/format/vault.md</c>): the fields are known by their names, whatever the entry's kind.</summary>
internal static class EntryReferences
{
    private static readonly string[] DocumentFields = ["document", "policy", "calendar"];

    private static readonly string[] CommitmentFields = ["contact"];

    /// <summary>The documents that an entry names, each once.</summary>
    internal static IEnumerable<Sha256Digest> Documents(EntryPayload payload) =>
        // Those of time stamps lie below ledger/, and go with it.
        string.Equals(payload.Kind, EntryKind.Timestamp, StringComparison.Ordinal) ? [] : Find(payload.Body, DocumentFields).Distinct();

    /// <summary>The commitments to personal data that an entry has, each once.</summary>
    internal static IEnumerable<Sha256Digest> Commitments(EntryPayload payload) => Find(payload.Body, CommitmentFields).Distinct();

    private static IEnumerable<Sha256Digest> Find(JsonNode? node, string[] names) => node switch
    {
        JsonObject fields => fields.SelectMany(field => names.Contains(field.Key, StringComparer.Ordinal) && Digest(field.Value) is { } digest ? [digest] : Find(field.Value, names)),
        JsonArray items => items.SelectMany(item => Find(item, names)),
        _ => [],
    };

    private static Sha256Digest? Digest(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue(out string? text) && text.Length == 64 && text.All(char.IsAsciiHexDigitLower) ? Sha256Digest.Parse(text) : null;
}
