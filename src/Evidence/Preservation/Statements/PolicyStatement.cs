using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;

namespace Evidence.Preservation.Statements;

/// <summary>Proposes a policy. The first is in force at once; a later one when it was approved, and has waited, as the one before it asks.</summary>
/// <param name="Policy">The SHA-256 of the policy's document.</param>
/// <param name="Name">What it calls itself.</param>
/// <param name="Previous">The SHA-256 of the policy whose place it is to take; null for the first.</param>
public sealed record PolicyStatement(Sha256Digest Policy, string Name, Sha256Digest? Previous) : Statement
{
    /// <inheritdoc/>
    public override string Kind => EntryKind.Policy;

    /// <inheritdoc/>
    public override JsonObject ToJson() => new() { ["policy"] = Policy.ToString(), ["name"] = Name, ["previous"] = Previous?.ToString() };

    internal static PolicyStatement Read(JsonObject body)
    {
        body.RequireOnly("policy", "name", "previous");
        return new PolicyStatement(RequireDigest(body, "policy"), RequireName(body, "name"), RequireNullableDigest(body, "previous"));
    }
}
