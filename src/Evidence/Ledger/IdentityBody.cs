using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>What an <see cref="EntryKind.Identity"/> entry declares: an actor's key, its replacement or its end, or the vault.</summary>
public abstract record IdentityBody
{
    private protected IdentityBody()
    {
    }

    /// <summary>The entry's body.</summary>
    public abstract JsonObject ToJson();

    /// <summary>Reads the body of an identity entry.</summary>
    /// <exception cref="FormatException">A field is missing, or is not what it must be.</exception>
    public static IdentityBody Parse(JsonObject body)
    {
        ArgumentNullException.ThrowIfNull(body);
        string subject = body.RequireString("subject");
        return subject switch
        {
            ActorIdentity.Subject => ActorIdentity.Read(body),
            VaultIdentity.Subject => VaultIdentity.Read(body),
            KeyRotation.Subject => KeyRotation.Read(body),
            KeyRevocation.Subject => KeyRevocation.Read(body),
            _ => throw new FormatException($"An identity entry about '{subject}' is not known."),
        };
    }

    /// <summary>An actor's public key, which the field <c>keyId</c> names.</summary>
    private protected static byte[] RequirePublicKey(JsonObject body)
    {
        byte[] key = body.RequireBase64("publicKey");
        try
        {
            EcdsaPublicKey.Demand(key, EcdsaPublicKey.P256);
        }
        catch (FormatException e)
        {
            throw new FormatException($"The field 'publicKey' is not an ECDSA key on P-256: {e.Message}", e);
        }

        return string.Equals(ActorKey.ComputeId(key), body.RequireString("keyId"), StringComparison.Ordinal)
            ? key
            : throw new FormatException("The field 'keyId' is not the id of the public key.");
    }

    private protected static string RequireKeyId(JsonObject body, string name)
    {
        string keyId = body.RequireString(name);
        return ActorKey.IsKeyId(keyId) ? keyId : throw new FormatException($"The field '{name}' is not a key id.");
    }
}

/// <summary>Declares an actor's key.</summary>
/// <param name="Name">Who the key belongs to, as the ledger calls them.</param>
/// <param name="Role">In what role, if it is said.</param>
/// <param name="PublicKey">The key, a SubjectPublicKeyInfo in DER.</param>
public sealed record ActorIdentity(string Name, string? Role, ReadOnlyMemory<byte> PublicKey) : IdentityBody
{
    /// <summary>The most keys that may be named as revokers.</summary>
    public const int MostRevokers = 16;

    internal const string Subject = "actor";

    /// <summary>The key's id.</summary>
    public string KeyId => ActorKey.ComputeId(PublicKey.Span);

    /// <summary>
    /// The ids of other actors' first keys that may revoke this key and those that come in its place, for the day on which its owner has lost it. It counts only
    /// where the key itself signed the declaration.
    /// </summary>
    public IReadOnlyList<string> Revokers { get; init; } = [];

    /// <inheritdoc/>
    public override JsonObject ToJson()
    {
        var body = new JsonObject
        {
            ["keyId"] = KeyId,
            ["name"] = Name,
            ["publicKey"] = Convert.ToBase64String(PublicKey.Span),
            ["subject"] = Subject,
        };
        if (Role is not null)
            body["role"] = Role;
        if (Revokers.Count > 0)
            body["revokers"] = new JsonArray([.. Revokers.Select(revoker => JsonValue.Create(revoker))]);
        return body;
    }

    internal static ActorIdentity Read(JsonObject body)
    {
        body.RequireOnly("keyId", "name", "publicKey", "revokers", "role", "subject");
        IReadOnlyList<string> revokers = body.ContainsKey("revokers") ? body.RequireStrings("revokers") : [];
        if (revokers.Count > MostRevokers || !revokers.All(ActorKey.IsKeyId))
            throw new FormatException($"The field 'revokers' is not a list of at most {MostRevokers} key ids.");
        return new ActorIdentity(body.RequireString("name"), body.OptionalString("role"), RequirePublicKey(body)) { Revokers = revokers };
    }
}

/// <summary>Declares the vault and the log's keys.</summary>
/// <param name="Origin">The log's origin.</param>
/// <param name="Vault">The SHA-256 of <c>vault.json</c>.</param>
/// <param name="Keys">The log's public keys.</param>
public sealed record VaultIdentity(string Origin, Sha256Digest Vault, IReadOnlyList<VerifierKey> Keys) : IdentityBody
{
    internal const string Subject = "vault";

    /// <inheritdoc/>
    public override JsonObject ToJson() => new()
    {
        ["keys"] = new JsonArray([.. Keys.Select(key => JsonValue.Create(key.ToString()))]),
        ["origin"] = Origin,
        ["subject"] = Subject,
        ["vault"] = Vault.ToString(),
    };

    internal static VaultIdentity Read(JsonObject body)
    {
        body.RequireOnly("keys", "origin", "subject", "vault");
        string origin = body.RequireString("origin");
        VerifierKey[] keys = [.. body.RequireStrings("keys").Select(VerifierKey.ParseLogKey)];
        if (keys.Length == 0 || keys.Any(key => !string.Equals(key.Name, origin, StringComparison.Ordinal)))
            throw new FormatException("The field 'keys' holds no key, or one with another name than the origin.");
        return new VaultIdentity(origin, Sha256Digest.Parse(body.RequireDigest("vault")), keys);
    }
}
