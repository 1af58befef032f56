using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;

namespace Evidence.Ledger.Timestamping;

/// <summary>What an authority answered (RFC 3161, section 2.4.2).</summary>
internal static class TimestampReply
{
    /// <summary>id-ct-TSTInfo.</summary>
    private const string TokenInfoType = "1.2.840.113549.1.9.16.1.4";

    /// <summary>The bits of PKIFailureInfo that RFC 3161 names.</summary>
    private static readonly Dictionary<int, string> Failures = new()
    {
        [0] = "it does not know the hash algorithm",
        [2] = "it does not take such a request",
        [5] = "it cannot read the request",
        [14] = "its clock is not available",
        [15] = "it does not know the policy that was asked for",
        [16] = "it does not know an extension of the request",
        [17] = "it does not have information that was asked for",
        [25] = "it has a fault of its own",
    };

    /// <summary>The token in a granting answer, not judged.</summary>
    /// <exception cref="EvidenceException">It is no answer, or a refusal (<see cref="ErrorCode.TimestampRefused"/>).</exception>
    internal static byte[] ReadToken(ReadOnlyMemory<byte> reply)
    {
        try
        {
            var reader = new AsnReader(reply, AsnEncodingRules.DER);
            AsnReader response = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            AsnReader info = response.ReadSequence();
            if (!info.TryReadInt32(out int status))
                throw new AsnContentException("The status is not in range.");
            var words = new List<string>();
            if (info.HasData && info.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            {
                AsnReader texts = info.ReadSequence();
                while (texts.HasData)
                    words.Add(texts.ReadCharacterString(UniversalTagNumber.UTF8String));
            }

            if (info.HasData)
                words.AddRange(ReadFailures(info.ReadBitString(out _)));
            if (status is not (0 or 1))
                throw Refused($"The authority refused (status {status}){(words.Count == 0 ? "." : $": {string.Join("; ", words)}.")}");
            return response.ReadEncodedValue().ToArray();
        }
        catch (AsnContentException e)
        {
            throw Refused("The answer is no time-stamp reply (RFC 3161).", e);
        }
    }

    /// <summary>The token of an answer to a question: over what was asked, with its nonce, and under its policy. Its signature is not judged here.</summary>
    /// <exception cref="EvidenceException">It is a refusal, or another question's answer (<see cref="ErrorCode.TimestampRefused"/>).</exception>
    internal static byte[] Open(TimestampRequest request, ReadOnlyMemory<byte> reply)
    {
        byte[] token = ReadToken(reply);
        Rfc3161TimestampTokenInfo info = Decode(token).Info;
        if (!IsSha256(info) || !info.GetMessageHash().Span.SequenceEqual(request.Imprint.Span))
            throw Refused("The answer is over something else than what was asked: its message imprint is another one.");
        if (request.Nonce is { } nonce && info.GetNonce()?.Span.SequenceEqual(nonce.Span) != true)
            throw Refused("The answer has another nonce than the request, or none: it may be an old answer, played again.");
        if (request.Policy is { } policy && !string.Equals(policy, info.PolicyId.Value, StringComparison.Ordinal))
            throw Refused($"The answer was given under the policy {info.PolicyId.Value}, not under {policy}, as was asked.");
        return token;
    }

    /// <summary>Reads a token.</summary>
    /// <exception cref="EvidenceException">The bytes are none (<see cref="ErrorCode.TimestampRefused"/>).</exception>
    internal static TimestampToken Decode(byte[] token)
    {
        try
        {
            var cms = new SignedCms();
            cms.Decode(token);
            if (string.Equals(cms.ContentInfo.ContentType.Value, TokenInfoType, StringComparison.Ordinal) &&
                Rfc3161TimestampTokenInfo.TryDecode(cms.ContentInfo.Content, out Rfc3161TimestampTokenInfo? info, out int length) && length == cms.ContentInfo.Content.Length)
            {
                if (cms.Certificates.Count > TimestampDocument.MostCertificates)
                    throw Refused($"The token holds {cms.Certificates.Count} certificates, and more than {TimestampDocument.MostCertificates} are not looked at.");
                return new TimestampToken(token, cms, info);
            }
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or ArgumentException)
        {
            // Said below.
        }

        throw Refused("There is no time-stamp token (RFC 3161) in it that can be read.");
    }

    internal static bool IsSha256(Rfc3161TimestampTokenInfo info) => string.Equals(info.HashAlgorithmId.Value, "2.16.840.1.101.3.4.2.1", StringComparison.Ordinal);

    private static IEnumerable<string> ReadFailures(byte[] bits) => Failures.Where(failure =>
        failure.Key / 8 < bits.Length && (bits[failure.Key / 8] & (0x80 >> (failure.Key % 8))) != 0).OrderBy(failure => failure.Key).Select(failure => failure.Value);

    private static EvidenceException Refused(string message, Exception? inner = null) => new(ErrorCode.TimestampRefused, message, inner);
}

/// <summary>A token that was read, not judged. The framework's own type for it does not take in one that fails it, so nothing could be said of why.</summary>
/// <param name="Bytes">The token, DER.</param>
/// <param name="Cms">The signed message around it.</param>
/// <param name="Info">What it says.</param>
internal sealed record TimestampToken(byte[] Bytes, SignedCms Cms, Rfc3161TimestampTokenInfo Info)
{
    /// <summary>Whether the framework's check holds: the signature, the certificate that the token names, its purpose, and its time of validity (RFC 3161, section 2.3; RFC 5816).</summary>
    internal bool IsRight(X509Certificate2Collection candidates) =>
        Rfc3161TimestampToken.TryDecode(Bytes, out Rfc3161TimestampToken? token, out int length) && length == Bytes.Length &&
        token.VerifySignatureForHash(Info.GetMessageHash().Span, Info.HashAlgorithmId, out _, candidates);
}
