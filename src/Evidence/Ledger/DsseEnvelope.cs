using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;

namespace Evidence.Ledger;

/// <summary>
/// A DSSE v1 envelope (github.com/secure-systems-lab/dsse): a typed payload and signatures over its pre-authentication encoding.
/// </summary>
internal sealed record DsseEnvelope(string PayloadType, byte[] Payload, IReadOnlyList<EntrySignature> Signatures)
{
    /// <summary>
    /// The bytes that are signed: <c>"DSSEv1" SP len(type) SP type SP len(payload) SP payload</c>, lengths in bytes, in decimal.
    /// </summary>
    internal static byte[] PreAuthenticationEncoding(string payloadType, ReadOnlySpan<byte> payload)
    {
        string head = string.Create(
            CultureInfo.InvariantCulture, $"DSSEv1 {Encoding.UTF8.GetByteCount(payloadType)} {payloadType} {payload.Length} ");
        return [.. Encoding.UTF8.GetBytes(head), .. payload];
    }

    internal byte[] ToBytes() => CanonicalJson.Serialize(new JsonObject
    {
        ["payload"] = Convert.ToBase64String(Payload),
        ["payloadType"] = PayloadType,
        ["signatures"] = new JsonArray([.. Signatures.Select(signature => new JsonObject
        {
            ["keyid"] = signature.KeyId,
            ["sig"] = Convert.ToBase64String(signature.Signature.Span),
        })]),
    });

    internal static DsseEnvelope Parse(ReadOnlySpan<byte> bytes)
    {
        JsonObject envelope = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The DSSE envelope");
        envelope.RequireOnly("payload", "payloadType", "signatures");
        var signatures = new List<EntrySignature>();
        foreach (JsonNode? element in envelope.RequireArray("signatures"))
        {
            JsonObject signature = JsonFields.RequireObject(element, "A signature of the DSSE envelope");
            signature.RequireOnly("keyid", "sig");
            signatures.Add(new EntrySignature(signature.RequireString("keyid"), signature.RequireBase64("sig")));
        }

        return signatures.Count > 0
            ? new DsseEnvelope(envelope.RequireString("payloadType"), envelope.RequireBase64("payload"), signatures)
            : throw new FormatException("The DSSE envelope has no signature.");
    }
}

/// <summary>One signature of an entry.</summary>
/// <param name="KeyId">The signing key's id.</param>
/// <param name="Signature">The signature over the pre-authentication encoding: ECDSA, SHA-256, ASN.1 DER.</param>
public sealed record EntrySignature(string KeyId, ReadOnlyMemory<byte> Signature);
