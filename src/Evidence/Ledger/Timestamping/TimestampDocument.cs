using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Ledger.Timestamping;

/// <summary>
/// A token with all that is needed to judge it in thirty years: the note that it is over, the authority's certificates, and the revocation lists as of when it was taken.
/// Kept as <c>ledger/timestamps/HEX.json</c>, by its SHA-256.
/// </summary>
internal sealed record TimestampDocument
{
    internal const string Prefix = "timestamps/";

    /// <summary>The most bytes of a document.</summary>
    internal const int LargestSize = 32 << 20;

    /// <summary>The most certificates in a document, and in a token. A chain has a handful.</summary>
    internal const int MostCertificates = 16;

    /// <summary>The most revocation lists in a document: what makes a verifier's work finite is not the bytes alone.</summary>
    internal const int MostLists = MostCertificates * RevocationCollector.MostLists;

    private const string Extension = ".json";
    private const int Version = 1;

    /// <summary>The checkpoint's signed note: what the token's imprint is over.</summary>
    internal required byte[] Note { get; init; }

    /// <summary>The token, DER.</summary>
    internal required byte[] Token { get; init; }

    /// <summary>The authority's certificate and those above it, as far as they could be had.</summary>
    internal required IReadOnlyList<X509Certificate2> Certificates { get; init; }

    /// <summary>The revocation lists.</summary>
    internal required IReadOnlyList<RevocationList> Lists { get; init; }

    /// <summary>Of which certificates there is no revocation data, and why, in words.</summary>
    internal required IReadOnlyList<string> Lacking { get; init; }

    /// <summary>Where the authority was asked; null where the answer came as a file.</summary>
    internal string? Source { get; init; }

    internal static string NameOf(Sha256Digest digest) => Prefix + digest + Extension;

    /// <summary>The digest in a document's name; null where a name is none of a document.</summary>
    internal static Sha256Digest? DigestOf(string name) =>
        name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Extension, StringComparison.Ordinal) &&
        Sha256Digest.TryParse(name[Prefix.Length..^Extension.Length], out Sha256Digest digest)
            ? digest
            : null;

    /// <summary>The file that an entry names, below <c>ledger/</c>; null where it is of another kind, or names none.</summary>
    internal static string? FileOf(EntryPayload payload) =>
        string.Equals(payload.Kind, EntryKind.Timestamp, StringComparison.Ordinal) && payload.Body["document"] is JsonValue value && value.TryGetValue(out string? text) &&
        Sha256Digest.TryParse(text, out Sha256Digest digest)
            ? NameOf(digest)
            : null;

    /// <summary>Why it cannot be kept; null where it can.</summary>
    internal string? Excess => Certificates.Count > MostCertificates ? $"there are {Certificates.Count} certificates, and more than {MostCertificates} are not kept"
        : Lists.Count > MostLists ? $"there are {Lists.Count} revocation lists, and more than {MostLists} are not kept"
        : Token.Length > TimestampClient.LargestReply ? $"the token has {Token.Length} bytes, and one of more than {TimestampClient.LargestReply} is not kept"
        : null;

    internal byte[] Encode() => CanonicalJson.Serialize(new JsonObject
    {
        ["certificates"] = new JsonArray([.. Certificates.Select(certificate => JsonValue.Create(Convert.ToBase64String(certificate.RawData)))]),
        ["lacking"] = new JsonArray([.. Lacking.Select(lacking => JsonValue.Create(lacking))]),
        ["note"] = Convert.ToBase64String(Note),
        ["revocationLists"] = new JsonArray([.. Lists.Select(list => JsonValue.Create(Convert.ToBase64String(list.Bytes.Span)))]),
        ["source"] = Source,
        ["token"] = Convert.ToBase64String(Token),
        ["version"] = Version,
    });

    /// <exception cref="FormatException">The bytes are no document.</exception>
    internal static TimestampDocument Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > LargestSize)
            throw new FormatException($"It has more than {LargestSize} bytes.");
        JsonObject fields = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The document");
        if (fields.RequireInteger("version") is not Version and var version)
            throw new FormatException($"The document's format version is {version}; only {Version} is known here.");
        fields.RequireOnly("certificates", "lacking", "note", "revocationLists", "source", "token", "version");
        try
        {
            var document = new TimestampDocument
            {
                Certificates = [.. RequireBytes(fields, "certificates", MostCertificates).Select(certificate => X509CertificateLoader.LoadCertificate(certificate))],
                Lacking = fields.RequireStrings("lacking"),
                Note = fields.RequireBase64("note"),
                Lists = [.. RequireBytes(fields, "revocationLists", MostLists).Select(list => RevocationList.Decode(list))],
                Source = fields.RequireNullableString("source"),
                Token = fields.RequireBase64("token"),
            };
            return document.Excess is { } excess ? throw new FormatException($"In the document {excess}.") : document;
        }
        catch (CryptographicException e)
        {
            throw new FormatException("A certificate in the document cannot be read.", e);
        }
    }

    private static IEnumerable<byte[]> RequireBytes(JsonObject fields, string name, int most)
    {
        IReadOnlyList<string> texts = fields.RequireStrings(name);
        return texts.Count <= most
            ? texts.Select(text => Base64Text.TryDecode(text) ?? throw new FormatException($"The field '{name}' holds what is not base64."))
            : throw new FormatException($"The field '{name}' has {texts.Count} values, more than {most}.");
    }
}
