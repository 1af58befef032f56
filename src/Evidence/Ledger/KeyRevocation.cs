using System.Text.Json.Nodes;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger;

/// <summary>
/// Ends an actor's key: from its place in the log on, the key signs nothing any more but further revocations of itself. Who may say so:
/// <see cref="DeclaredKey.MayBeRevokedBy"/>.
/// </summary>
/// <param name="KeyId">The id of the key that ends.</param>
/// <param name="CompromisedSince">Since when others may have had the key, as far as the revoker knows; null where nothing is said of that.</param>
/// <param name="Reason">Why, in the revoker's words, if anything is said.</param>
public sealed record KeyRevocation(string KeyId, Instant? CompromisedSince, string? Reason) : IdentityBody
{
    /// <summary>The most characters of a reason.</summary>
    public const int LongestReason = 1000;

    internal const string Subject = "revocation";

    /// <inheritdoc/>
    public override JsonObject ToJson()
    {
        var body = new JsonObject { ["keyId"] = KeyId, ["subject"] = Subject };
        if (CompromisedSince is { } instant)
            body["compromisedSince"] = Timestamps.Format(instant);
        if (Reason is not null)
            body["reason"] = Reason;
        return body;
    }

    internal static KeyRevocation Read(JsonObject body)
    {
        body.RequireOnly("compromisedSince", "keyId", "reason", "subject");
        string? reason = body.OptionalString("reason");
        return reason is null or { Length: > 0 and <= LongestReason }
            ? new KeyRevocation(
                RequireKeyId(body, "keyId"), body.ContainsKey("compromisedSince") ? body.RequireInstant("compromisedSince") : null, reason)
            : throw new FormatException($"The field 'reason' does not have 1 to {LongestReason} characters.");
    }
}
