using System.Text.Json.Nodes;
using Evidence.Canonical;

namespace Evidence.Ledger;

/// <summary>
/// Puts a new key in the place of an actor's: the same actor goes on with it. The entry is signed by the old key, which says so, and by the new one, which
/// proves that whoever says so has it.
/// </summary>
/// <param name="Replaces">The id of the old key.</param>
/// <param name="PublicKey">The new key, a SubjectPublicKeyInfo in DER.</param>
public sealed record KeyRotation(string Replaces, ReadOnlyMemory<byte> PublicKey) : IdentityBody
{
    internal const string Subject = "rotation";

    /// <summary>The new key's id.</summary>
    public string KeyId => ActorKey.ComputeId(PublicKey.Span);

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["keyId"] = KeyId,
        ["publicKey"] = Convert.ToBase64String(PublicKey.Span),
        ["replaces"] = Replaces,
        ["subject"] = Subject,
    };

    internal static KeyRotation Read(JsonObject body)
    {
        body.RequireOnly("keyId", "publicKey", "replaces", "subject");
        return new KeyRotation(RequireKeyId(body, "replaces"), RequirePublicKey(body));
    }
}
