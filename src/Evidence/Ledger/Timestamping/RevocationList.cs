using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodaTime;

namespace Evidence.Ledger.Timestamping;

/// <summary>
/// A certificate revocation list (RFC 5280, section 5), complete and of one issuer. .NET writes such lists and does not read them. Delta lists, indirect ones and those
/// for some reasons only are refused: they do not say of a certificate that is not on them that it is not revoked.
/// </summary>
internal sealed class RevocationList
{
    /// <summary>The most bytes of a list that are read or kept.</summary>
    internal const int LargestSize = 8 << 20;

    private const string ReasonCode = "2.5.29.21";
    private const string IssuingDistributionPoint = "2.5.29.28";

    private static readonly Dictionary<string, (HashAlgorithmName Hash, bool IsRsa)> Algorithms = new(StringComparer.Ordinal)
    {
        ["1.2.840.113549.1.1.11"] = (HashAlgorithmName.SHA256, true),
        ["1.2.840.113549.1.1.12"] = (HashAlgorithmName.SHA384, true),
        ["1.2.840.113549.1.1.13"] = (HashAlgorithmName.SHA512, true),
        ["1.2.840.10045.4.3.2"] = (HashAlgorithmName.SHA256, false),
        ["1.2.840.10045.4.3.3"] = (HashAlgorithmName.SHA384, false),
        ["1.2.840.10045.4.3.4"] = (HashAlgorithmName.SHA512, false),
    };

    private readonly Dictionary<string, RevokedCertificate> revoked = new(StringComparer.Ordinal);
    private readonly byte[] signed;
    private readonly byte[] signature;
    private readonly string algorithm;
    private readonly byte[] issuer;
    private List<string>? points;
    private bool onlyAuthorities;
    private bool onlyUsers;

    private RevocationList(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        AsnReader list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        signed = list.PeekEncodedValue().ToArray();
        AsnReader content = list.ReadSequence();
        algorithm = list.ReadSequence().ReadObjectIdentifier();
        signature = list.ReadBitString(out int unused);
        list.ThrowIfNotEmpty();
        if (unused != 0)
            throw new AsnContentException("The signature is no whole number of bytes.");

        if (content.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
            content.ReadInteger();
        if (!string.Equals(content.ReadSequence().ReadObjectIdentifier(), algorithm, StringComparison.Ordinal))
            throw new AsnContentException("The list names two signature algorithms.");
        issuer = content.ReadEncodedValue().ToArray();
        ThisUpdate = ReadTime(content);
        if (content.HasData && content.PeekTag() is { TagClass: TagClass.Universal, TagValue: (int)UniversalTagNumber.UtcTime or (int)UniversalTagNumber.GeneralizedTime })
            ReadTime(content);
        if (content.HasData && content.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence))
            ReadRevoked(content.ReadSequence());
        if (content.HasData)
            ReadExtensions(content.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence());
        content.ThrowIfNotEmpty();
        Bytes = der;
    }

    /// <summary>The list as it was read.</summary>
    internal ReadOnlyMemory<byte> Bytes { get; }

    /// <summary>When the list was made: it says nothing of what was revoked later.</summary>
    internal Instant ThisUpdate { get; }

    /// <exception cref="FormatException">The bytes are no list, or not one that can be used.</exception>
    internal static RevocationList Decode(ReadOnlyMemory<byte> der)
    {
        if (der.Length > LargestSize)
            throw new FormatException($"The revocation list has more than {LargestSize} bytes.");
        try
        {
            return new RevocationList(der);
        }
        catch (AsnContentException e)
        {
            throw new FormatException($"This is no revocation list that can be used: {e.Message}", e);
        }
    }

    /// <summary>Whether the list is one of an issuer, by name and signature, and speaks of a certificate.</summary>
    internal bool SpeaksOf(X509Certificate2 certificate, X509Certificate2 issuedBy)
    {
        if (!certificate.IssuerName.RawData.AsSpan().SequenceEqual(issuer) || !issuedBy.SubjectName.RawData.AsSpan().SequenceEqual(issuer))
            return false;
        bool isAuthority = certificate.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraints => constraints.CertificateAuthority);
        // A part of the issuer's list speaks of those certificates only that name it (RFC 5280, section 6.3.3, b 2 i).
        if (points is not null && !DistributionPoints.NamesOf(certificate).Any(points.Contains))
            return false;
        if ((onlyAuthorities && !isAuthority) || (onlyUsers && isAuthority))
            return false;
        if (issuedBy.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is { } usage && !usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign))
            return false;
        return IsSignedBy(issuedBy);
    }

    /// <summary>The certificate's place on the list; null where it has none.</summary>
    internal RevokedCertificate? Find(X509Certificate2 certificate) => revoked.GetValueOrDefault(SerialOf(certificate.SerialNumberBytes.Span));

    private bool IsSignedBy(X509Certificate2 issuedBy)
    {
        if (!Algorithms.TryGetValue(algorithm, out (HashAlgorithmName Hash, bool IsRsa) used))
            return false;
        try
        {
            if (used.IsRsa)
            {
                using RSA? rsa = issuedBy.GetRSAPublicKey();
                return rsa?.VerifyData(signed, signature, used.Hash, RSASignaturePadding.Pkcs1) == true;
            }

            using ECDsa? ecdsa = issuedBy.GetECDsaPublicKey();
            return ecdsa?.VerifyData(signed, signature, used.Hash, DSASignatureFormat.Rfc3279DerSequence) == true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private void ReadRevoked(AsnReader certificates)
    {
        while (certificates.HasData)
        {
            AsnReader certificate = certificates.ReadSequence();
            string serial = SerialOf(certificate.ReadIntegerBytes().Span);
            Instant date = ReadTime(certificate);
            RevocationReason? reason = null;
            if (certificate.HasData)
            {
                AsnReader extensions = certificate.ReadSequence();
                while (extensions.HasData)
                {
                    (string id, bool isCritical, byte[] value) = ReadExtension(extensions.ReadSequence());
                    if (string.Equals(id, ReasonCode, StringComparison.Ordinal))
                        reason = ReadReason(value);
                    else if (isCritical)
                        throw new AsnContentException($"It has an entry with the critical extension {id}, which is not known.");
                }
            }

            revoked[serial] = new RevokedCertificate(date, reason);
        }
    }

    /// <summary>Reads a CRLReason. Cut to a byte, one that is not known could become one that a token survives.</summary>
    private static RevocationReason ReadReason(byte[] value)
    {
        var reader = new AsnReader(value, AsnEncodingRules.DER);
        ReadOnlySpan<byte> code = reader.ReadEnumeratedBytes().Span;
        reader.ThrowIfNotEmpty();
        return code is [<= 0x7F and var only] ? (RevocationReason)only : throw new AsnContentException("It has an entry whose reason is none (RFC 5280, section 5.3.1).");
    }

    private void ReadExtensions(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            (string id, bool isCritical, byte[] value) = ReadExtension(extensions.ReadSequence());
            if (string.Equals(id, IssuingDistributionPoint, StringComparison.Ordinal))
                ReadDistributionPoint(new AsnReader(value, AsnEncodingRules.DER).ReadSequence());
            else if (isCritical)
                throw new AsnContentException($"It has the critical extension {id}, which is not known; a delta list, for one, is not complete.");
        }
    }

    private void ReadDistributionPoint(AsnReader point)
    {
        while (point.HasData)
        {
            Asn1Tag tag = point.PeekTag();
            switch (tag.TagValue)
            {
                case 0:
                    points = [];
                    DistributionPoints.Read(point.ReadSequence(tag), points);
                    break;
                case 1:
                    onlyUsers = point.ReadBoolean(tag);
                    break;
                case 2:
                    onlyAuthorities = point.ReadBoolean(tag);
                    break;
                default:
                    throw new AsnContentException("It is a list for some reasons only, or of several issuers, or of attribute certificates.");
            }
        }
    }

    private static (string Id, bool IsCritical, byte[] Value) ReadExtension(AsnReader extension)
    {
        string id = extension.ReadObjectIdentifier();
        bool isCritical = extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean();
        return (id, isCritical, extension.ReadOctetString());
    }

    private static Instant ReadTime(AsnReader reader) => Instant.FromDateTimeOffset(
        reader.PeekTag().TagValue == (int)UniversalTagNumber.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime());

    private static string SerialOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes.TrimStart((byte)0));
}

/// <summary>A certificate's place on a revocation list.</summary>
/// <param name="Date">When it was revoked.</param>
/// <param name="Reason">Why, where it is said.</param>
internal sealed record RevokedCertificate(Instant Date, RevocationReason? Reason);

/// <summary>Why a certificate was revoked (RFC 5280, section 5.3.1).</summary>
internal enum RevocationReason
{
    Unspecified = 0,
    KeyCompromise = 1,
    AuthorityCompromise = 2,
    AffiliationChanged = 3,
    Superseded = 4,
    CessationOfOperation = 5,
    CertificateHold = 6,
    RemovedFromList = 8,
    PrivilegeWithdrawn = 9,
    AttributeAuthorityCompromise = 10,
}
