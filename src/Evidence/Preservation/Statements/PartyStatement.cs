using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Preservation.Statements;

/// <summary>
/// Puts a party on the record, or says more of one. The first key that the record has for a party stands: only the key itself can be replaced, by its own rotation.
/// </summary>
/// <param name="Party">What the party is called in this ledger.</param>
/// <param name="Role">What it is.</param>
/// <param name="Name">Its full name, as letters have it: an office or a firm. A person's is not put here, but in <paramref name="Contact"/>.</param>
/// <param name="Represents">The party that it speaks for; null where it speaks for itself.</param>
/// <param name="Key">The id of the key that it signs with; null where it has none.</param>
/// <param name="Zone">The time zone that its days are counted in, by its IANA name.</param>
/// <param name="Calendar">The SHA-256 of the document that says which days are working days; null for Monday to Friday.</param>
/// <param name="Contact">The commitment to whom to write to, and where; null where there is none.</param>
public sealed record PartyStatement(
    string Party, PartyRole Role, string Name, string? Represents, string? Key, string Zone, Sha256Digest? Calendar, Sha256Digest? Contact) : Statement
{
    /// <inheritdoc/>
    public override string Kind => EntryKind.Party;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["party"] = Party,
        ["role"] = Role.ToName(),
        ["name"] = Name,
        ["represents"] = Represents,
        ["key"] = Key,
        ["zone"] = Zone,
        ["calendar"] = Calendar?.ToString(),
        ["contact"] = Contact?.ToString(),
    };

    internal static PartyStatement Read(JsonObject body)
    {
        body.RequireOnly("party", "role", "name", "represents", "key", "zone", "calendar", "contact");
        return new PartyStatement(
            RequireName(body, "party"), PartyRoles.Parse(body.RequireString("role")), RequireName(body, "name"), RequireNullableName(body, "represents"),
            RequireNullableKey(body, "key"), RequireName(body, "zone"), RequireNullableDigest(body, "calendar"), RequireNullableDigest(body, "contact"));
    }
}
