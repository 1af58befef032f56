using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using Evidence.Ledger.Timestamping;
using NodaTime;

namespace Evidence.Tests.Ledger.Timestamping;

/// <summary>A root, and a time-stamp authority below it, that says whatever a test wants, at whatever time.</summary>
internal sealed class TestAuthority : IDisposable
{
    private const string TimeStamping = "1.3.6.1.5.5.7.3.8";
    private const string TokenInfoType = "1.2.840.113549.1.9.16.1.4";
    private const string SigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";

    /// <summary>The authority's certificate is valid for the year 2020.</summary>
    public static readonly Instant From = Instant.FromUtc(2020, 1, 1, 0, 0);

    public static readonly Instant Until = Instant.FromUtc(2021, 1, 1, 0, 0);

    public static readonly Instant Within = Instant.FromUtc(2020, 6, 1, 12, 0);

    public TestAuthority(bool rsa = false, string[]? uses = null, bool critical = true, string? distributionPoint = null, string? between = null)
    {
        static void Extend(CertificateRequest request)
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        }

        Root = Make("CN=Test Root", rsa, null, Extend);
        Between = between is null ? null : Make(between, rsa, Root, request =>
        {
            Extend(request);
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Root, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        });
        Certificate = Make("CN=Test Clock", rsa, Between ?? Root, request =>
        {
            request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Between ?? Root, includeKeyIdentifier: true, includeIssuerAndSerial: false));
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
            OidCollection oids = [];
            foreach (string use in uses ?? [TimeStamping])
                oids.Add(new Oid(use, null));
            if (oids.Count > 0)
                request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(oids, critical));
            if (distributionPoint is not null)
                request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([distributionPoint]));
        });
    }

    public X509Certificate2 Root { get; }

    /// <summary>The certificate between the two, of the name that was asked for; null where there is none.</summary>
    public X509Certificate2? Between { get; }

    public X509Certificate2 Certificate { get; }

    /// <summary>The certificate that tokens name as theirs; another than the signer's for a forgery.</summary>
    public X509Certificate2? Named { get; set; }

    public bool NamesNone { get; set; }

    public bool IncludesCertificate { get; set; } = true;

    public long? AccuracyMicroseconds { get; set; } = 1_500_000;

    public byte[] Token(byte[] imprint, Instant? time = null, byte[]? nonce = null, string policy = "1.2.3.4.1", string hash = "2.16.840.1.101.3.4.2.1")
    {
        var info = new Rfc3161TimestampTokenInfo(
            new Oid(policy, null), new Oid(hash, null), imprint, new byte[] { 0x17 }, (time ?? Within).ToDateTimeOffset(), AccuracyMicroseconds, isOrdering: false, nonce is null ? null : (ReadOnlyMemory<byte>?)nonce);
        var cms = new SignedCms(new ContentInfo(new Oid(TokenInfoType, null), info.Encode()), detached: false);
        var signer = new CmsSigner(SubjectIdentifierType.IssuerAndSerialNumber, Certificate)
        {
            DigestAlgorithm = new Oid("2.16.840.1.101.3.4.2.1", null),
            IncludeOption = IncludesCertificate ? X509IncludeOption.EndCertOnly : X509IncludeOption.None,
        };
        if (!NamesNone)
            signer.SignedAttributes.Add(new AsnEncodedData(new Oid(SigningCertificateV2, null), EssCertIdV2(Named ?? Certificate)));
        cms.ComputeSignature(signer);
        return cms.Encode();
    }

    public byte[] Reply(byte[] request, Instant? time = null)
    {
        TimestampRequest asked = TimestampRequest.Decode(request);
        return Answer(Token(asked.Imprint.ToArray(), time, asked.Nonce?.ToArray(), asked.Policy ?? "1.2.3.4.1"));
    }

    public static byte[] Answer(byte[]? token, int status = 0, string? words = null, int? failure = null)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                writer.WriteInteger(status);
                if (words is not null)
                {
                    using (writer.PushSequence())
                        writer.WriteCharacterString(UniversalTagNumber.UTF8String, words);
                }

                if (failure is { } bit)
                {
                    var bits = new byte[(bit / 8) + 1];
                    bits[bit / 8] = (byte)(0x80 >> (bit % 8));
                    writer.WriteBitString(bits, 7 - (bit % 8));
                }
            }

            if (token is not null)
                writer.WriteEncodedValue(token);
        }

        return writer.Encode();
    }

    public byte[] List(Instant thisUpdate, Instant? revokedAt = null, X509RevocationReason? reason = null, X509Certificate2? signer = null, X509Certificate2? revoked = null)
    {
        var builder = new CertificateRevocationListBuilder();
        if (revokedAt is { } at)
            builder.AddEntry(revoked ?? Certificate, at.ToDateTimeOffset(), reason);
        return builder.Build(
            signer ?? Root, BigInteger.One, (thisUpdate + Duration.FromDays(30)).ToDateTimeOffset(), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, thisUpdate.ToDateTimeOffset());
    }

    /// <summary>A list with the authority's certificate on it, for a reason that is written as it is given: DER of the extension's value; ECDSA only.</summary>
    public byte[] WithReason(byte[] list, Instant revokedAt, byte[] reason) => Rewrite(list, (content, changed) =>
    {
        while (content.HasData && content.PeekTag().TagClass == TagClass.Universal)
            changed.WriteEncodedValue(content.ReadEncodedValue().Span);
        using (changed.PushSequence())
        using (changed.PushSequence())
        {
            changed.WriteInteger(Certificate.SerialNumberBytes.Span);
            changed.WriteUtcTime(revokedAt.ToDateTimeOffset());
            using (changed.PushSequence())
            using (changed.PushSequence())
            {
                changed.WriteObjectIdentifier("2.5.29.21");
                changed.WriteOctetString(reason);
            }
        }

        changed.WriteEncodedValue(content.ReadEncodedValue().Span);
    });

    /// <summary>A list as the part for a distribution point (RFC 5280, section 5.2.5); ECDSA only.</summary>
    public byte[] Part(byte[] list, string address) => Rewrite(list, (content, changed) =>
    {
        var point = new AsnWriter(AsnEncodingRules.DER);
        using (point.PushSequence())
        using (point.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (point.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            point.WriteCharacterString(UniversalTagNumber.IA5String, address, new Asn1Tag(TagClass.ContextSpecific, 6));
        while (content.HasData && content.PeekTag().TagClass == TagClass.Universal)
            changed.WriteEncodedValue(content.ReadEncodedValue().Span);
        AsnReader extensions = content.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 0)).ReadSequence();
        using (changed.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        using (changed.PushSequence())
        {
            while (extensions.HasData)
                changed.WriteEncodedValue(extensions.ReadEncodedValue().Span);
            using (changed.PushSequence())
            {
                changed.WriteObjectIdentifier("2.5.29.28");
                changed.WriteBoolean(true);
                changed.WriteOctetString(point.Encode());
            }
        }
    });

    /// <summary>Writes what a list says anew, and signs it by the root.</summary>
    private byte[] Rewrite(byte[] list, Action<AsnReader, AsnWriter> rewrite)
    {
        AsnReader outer = new AsnReader(list, AsnEncodingRules.DER).ReadSequence();
        var changed = new AsnWriter(AsnEncodingRules.DER);
        using (changed.PushSequence())
            rewrite(outer.ReadSequence(), changed);
        byte[] signed = changed.Encode();
        using ECDsa key = Root.GetECDsaPrivateKey()!;
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteEncodedValue(signed);
            writer.WriteEncodedValue(outer.ReadEncodedValue().Span);
            writer.WriteBitString(key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return writer.Encode();
    }

    public TimestampDocument Document(byte[] note, byte[] token, params byte[][] lists) => new()
    {
        Note = note,
        Token = token,
        Certificates = [.. new[] { Certificate, Between, Root }.OfType<X509Certificate2>()],
        Lists = [.. lists.Select(list => RevocationList.Decode(list))],
        Lacking = [],
    };

    public void Dispose()
    {
        Root.Dispose();
        Between?.Dispose();
        Certificate.Dispose();
    }

    private static byte[] EssCertIdV2(X509Certificate2 certificate)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence())
        using (writer.PushSequence())
            writer.WriteOctetString(SHA256.HashData(certificate.RawData));
        return writer.Encode();
    }

    private static X509Certificate2 Make(string name, bool rsa, X509Certificate2? issuer, Action<CertificateRequest> extend)
    {
        DateTimeOffset from = From.ToDateTimeOffset();
        DateTimeOffset until = Until.ToDateTimeOffset();
        byte[] serial = [0x4D, .. RandomNumberGenerator.GetBytes(7)];
        if (rsa)
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            extend(request);
            if (issuer is null)
                return request.CreateSelfSigned(from, until);
            using X509Certificate2 issued = request.Create(issuer, from, until, serial);
            return issued.CopyWithPrivateKey(key);
        }
        else
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
            extend(request);
            if (issuer is null)
                return request.CreateSelfSigned(from, until);
            using X509Certificate2 issued = request.Create(issuer, from, until, serial);
            return issued.CopyWithPrivateKey(key);
        }
    }
}
