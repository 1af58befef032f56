using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using NodaTime;

namespace Evidence.Ledger.Timestamping;

/// <summary>
/// Judges a token (RFC 3161, sections 2.2 to 2.4) as of its own time: that it is over the note, that who signed it is a time-stamp authority by the certificate that the
/// token names, and what that certificate was worth then.
/// </summary>
internal static class TimestampCheck
{
    private const string TimeStamping = "1.3.6.1.5.5.7.3.8";

    private static readonly Duration WorstAccuracy = Duration.FromDays(1);

    /// <summary>Judges the token of a document.</summary>
    /// <param name="document">The token, and what was kept with it.</param>
    /// <param name="trust">What the verifier brings.</param>
    /// <exception cref="FormatException">The note is no checkpoint.</exception>
    /// <exception cref="EvidenceException">The token cannot be read at all (<see cref="ErrorCode.TimestampRefused"/>).</exception>
    internal static TimestampVerdict Run(TimestampDocument document, TrustedAuthorities trust)
    {
        var checkpoint = Checkpoint.Parse(SignedNote.Parse(document.Note).Text);
        TimestampToken token = TimestampReply.Decode(document.Token);
        Rfc3161TimestampTokenInfo info = token.Info;
        var verdict = new TimestampVerdict
        {
            Checkpoint = checkpoint,
            Time = Instant.FromDateTimeOffset(info.Timestamp),
            Accuracy = info.AccuracyInMicroseconds is { } accuracy ? Duration.FromNanoseconds(accuracy * 1000) : null,
            Authority = "an unknown authority",
            Policy = info.PolicyId.Value ?? "",
            Serial = Convert.ToHexStringLower(info.GetSerialNumber().Span),
        };
        if (!TimestampReply.IsSha256(info) || !info.GetMessageHash().Span.SequenceEqual(SHA256.HashData(document.Note)))
            return verdict with { Refusal = "it is over something else: its message imprint is not the SHA-256 of the checkpoint." };
        if (verdict.Accuracy > WorstAccuracy)
            return verdict with { Refusal = "its time may be off by more than a day, by its own word." };
        (X509Certificate2? signer, string? refusal) = FindSigner(token, document);
        if (signer is null)
            return verdict with { Refusal = refusal };
        verdict = verdict with { Authority = AuthorityChain.NameOf(signer), Refusal = refusal };
        return refusal is null ? JudgeChain(verdict, signer, document, trust) : verdict;
    }

    /// <summary>Adds what will be needed to judge a token later: the certificates above the authority's, and revocation data.</summary>
    /// <param name="document">The token, with certificates that may be of its chain.</param>
    /// <param name="trust">Certificates and revocation lists at hand.</param>
    /// <param name="client">How to fetch what is lacking; null where nothing is fetched.</param>
    /// <param name="cancellation">Stops it.</param>
    internal static async Task<TimestampDocument> CompleteAsync(
        TimestampDocument document, TrustedAuthorities trust, TimestampClient? client, CancellationToken cancellation)
    {
        TimestampToken token = TimestampReply.Decode(document.Token);
        (X509Certificate2? signer, string? refusal) = FindSigner(token, document);
        if (signer is null || refusal is not null)
            return document with { Certificates = [] };
        using var chain = AuthorityChain.Build(
            signer, [.. token.Cms.Certificates, .. document.Certificates], trust, Instant.FromDateTimeOffset(token.Info.Timestamp), download: client is not null);
        (IReadOnlyList<RevocationList> lists, IReadOnlyList<string> lacking) =
            await RevocationCollector.CollectAsync(chain.Certificates, trust.Lists, client, cancellation).ConfigureAwait(false);
        // Copied, since those of the chain end with it.
        return document with
        {
            Certificates = [.. chain.Certificates.Select(certificate => X509CertificateLoader.LoadCertificate(certificate.RawData))],
            Lists = lists,
            Lacking = lacking,
        };
    }

    private static TimestampVerdict JudgeChain(TimestampVerdict verdict, X509Certificate2 signer, TimestampDocument document, TrustedAuthorities trust)
    {
        using var chain = AuthorityChain.Build(signer, document.Certificates, trust, verdict.Time);
        var remarks = new List<string>();
        if (verdict.Accuracy is null)
            remarks.Add("The token does not say how accurate its time is.");
        string? refusal = chain.Defect ?? chain.Revocation([.. document.Lists, .. trust.Lists], verdict.NoLaterThan, remarks);
        return verdict with { IsTrusted = chain.IsTrusted, Refusal = refusal, Remarks = remarks };
    }

    /// <summary>The certificate that signed a token, where all is right with it and the signature; else why not.</summary>
    private static (X509Certificate2? Signer, string? Refusal) FindSigner(TimestampToken token, TimestampDocument document)
    {
        try
        {
            if (token.Cms.SignerInfos is not { Count: 1 } signatures)
                return (null, "it has not exactly one signature.");
            // In the token, or kept beside it.
            X509Certificate2? signer = signatures[0].Certificate ?? document.Certificates.FirstOrDefault(signatures[0].SignerIdentifier.MatchesCertificate);
            return signer is null ? (null, "the authority's certificate is neither in it nor kept with it.")
                : !IsAuthority(signer) ? (signer, "its certificate is not one of a time-stamp authority: the key's only extended use must be time stamping, and critical (RFC 3161, section 2.3).")
                : token.IsRight([signer]) ? (signer, null)
                : (signer, Diagnose(token, signatures[0], signer));
        }
        catch (CryptographicException e)
        {
            return (null, $"its signature cannot be checked: {e.Message.TrimEnd('.')}.");
        }
    }

    /// <summary>Why the framework's check said no.</summary>
    private static string Diagnose(TimestampToken token, SignerInfo signature, X509Certificate2 signer)
    {
        try
        {
            signature.CheckSignature([signer], verifySignatureOnly: true);
        }
        catch (CryptographicException)
        {
            return "its signature is wrong.";
        }

        DateTime time = token.Info.Timestamp.UtcDateTime;
        return time < signer.NotBefore.ToUniversalTime() || time > signer.NotAfter.ToUniversalTime()
            ? $"the certificate of {AuthorityChain.NameOf(signer)} was not valid at the token's time: it is from {signer.NotBefore.ToUniversalTime():u} to {signer.NotAfter.ToUniversalTime():u}."
            : "it does not name the certificate that signed it (ESSCertID, RFC 5816), so another could be put in its place.";
    }

    private static bool IsAuthority(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().ToArray() is [{ Critical: true, EnhancedKeyUsages: { Count: 1 } uses }] &&
        string.Equals(uses[0].Value, TimeStamping, StringComparison.Ordinal);
}
