using System.Security.Cryptography.X509Certificates;
using Evidence.Canonical;
using NodaTime;

namespace Evidence.Ledger.Timestamping;

/// <summary>An authority's certificate and those above it, judged as of an instant.</summary>
internal sealed class AuthorityChain : IDisposable
{
    private const string TimeStamping = "1.3.6.1.5.5.7.3.8";

    private readonly X509Chain chain = new();

    private AuthorityChain()
    {
    }

    /// <summary>The certificates, the authority's own first, as far up as they could be found.</summary>
    internal IReadOnlyList<X509Certificate2> Certificates { get; private set; } = [];

    /// <summary>Whether it ends at a certificate that is trusted.</summary>
    internal bool IsTrusted { get; private set; }

    /// <summary>Why no time stamp can rest on it; null where one can, whether or not it is trusted.</summary>
    internal string? Defect { get; private set; }

    /// <summary>Builds the chain as of an instant.</summary>
    /// <param name="authority">The certificate that signed.</param>
    /// <param name="others">Certificates that may stand above it.</param>
    /// <param name="trust">What is trusted.</param>
    /// <param name="time">The instant.</param>
    /// <param name="download">Whether missing certificates may be fetched from where the others say they are.</param>
    internal static AuthorityChain Build(X509Certificate2 authority, IEnumerable<X509Certificate2> others, TrustedAuthorities trust, Instant time, bool download = false)
    {
        var result = new AuthorityChain();
        X509ChainPolicy policy = result.chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(trust.Anchors.ToArray());
        policy.ExtraStore.AddRange(others.Concat(trust.Anchors).ToArray());
        policy.RevocationMode = X509RevocationMode.NoCheck;
        policy.DisableCertificateDownloads = !download;
        policy.VerificationTime = time.ToDateTimeUtc();
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(TimeStamping, null));
        result.IsTrusted = result.chain.Build(authority);
        result.Certificates = [.. result.chain.ChainElements.Select(element => element.Certificate)];
        if (!result.IsTrusted)
            result.Defect = result.FindDefect(time);
        return result;
    }

    /// <summary>What the revocation lists say of the chain, as of an instant.</summary>
    /// <param name="lists">The lists; those that are not right are passed over.</param>
    /// <param name="time">The token's time, with what it may be off.</param>
    /// <param name="remarks">Takes how far the lists reach.</param>
    /// <returns>Why no token of that time holds; null where one can.</returns>
    internal string? Revocation(IReadOnlyCollection<RevocationList> lists, Instant time, ICollection<string> remarks)
    {
        for (int i = 0; i < Certificates.Count; i++)
        {
            X509Certificate2 certificate = Certificates[i];
            if (IsRoot(Certificates, i))
                break;
            X509Certificate2? issuer = i + 1 < Certificates.Count ? Certificates[i + 1] : null;
            RevocationList[] speaking = issuer is null ? [] : [.. lists.Where(list => list.SpeaksOf(certificate, issuer)).OrderBy(list => list.ThisUpdate)];
            if (speaking.Length == 0)
            {
                remarks.Add($"Whether the certificate of {NameOf(certificate)} was revoked is not known: there is no revocation list of its issuer.");
                continue;
            }

            if (speaking.Select(list => list.Find(certificate)).FirstOrDefault(entry => entry is not null && !Survives(entry, time)) is { } ended)
                return $"the certificate of {NameOf(certificate)} was revoked at {Timestamps.Format(ended.Date)}, {ReasonOf(ended)}.";
            if (speaking.Select(list => list.Find(certificate)).FirstOrDefault(entry => entry is not null) is { } later)
                remarks.Add($"The certificate of {NameOf(certificate)} was revoked later, at {Timestamps.Format(later.Date)}, {ReasonOf(later)}: what it signed before stands (RFC 3161, section 4).");
            else if (speaking[^1].ThisUpdate < time)
                remarks.Add($"That the certificate of {NameOf(certificate)} was not revoked is known as of {Timestamps.Format(speaking[^1].ThisUpdate)}, which is before the token.");
        }

        return null;
    }

    /// <summary>
    /// Whether a certificate of a chain is its root. That vouches for itself: whoever trusts it would have to say that they no longer do. One further down that has its
    /// issuer's name (RFC 5280, section 6.1: self-issued, as when a root changes its key) can be revoked like any other.
    /// </summary>
    internal static bool IsRoot(IReadOnlyList<X509Certificate2> chain, int index) =>
        index == chain.Count - 1 && chain[index].SubjectName.RawData.AsSpan().SequenceEqual(chain[index].IssuerName.RawData);

    internal static string NameOf(X509Certificate2 certificate) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) is { Length: > 0 } name ? name : certificate.Subject;

    /// <inheritdoc/>
    public void Dispose() => chain.Dispose();

    /// <summary>
    /// Whether a token stands although its authority's certificate was revoked (RFC 3161, section 4): it was made before, and the list gives a reason by which the key was not in
    /// other hands. Without a reason, or with any other, all that the key signed is worth nothing, whenever that was.
    /// </summary>
    private static bool Survives(RevokedCertificate entry, Instant time) => time < entry.Date && entry.Reason
        is RevocationReason.Unspecified or RevocationReason.AffiliationChanged or RevocationReason.Superseded or RevocationReason.CessationOfOperation;

    private static string ReasonOf(RevokedCertificate entry) => entry.Reason switch
    {
        null => "for a reason that is not said, so nothing that it signed stands (RFC 3161, section 4)",
        RevocationReason.Unspecified => "for no particular reason",
        RevocationReason.KeyCompromise or RevocationReason.AuthorityCompromise => "because its key was in other hands, so nothing that it signed stands (RFC 3161, section 4)",
        RevocationReason.AffiliationChanged => "because its owner changed",
        RevocationReason.Superseded => "because another one took its place",
        RevocationReason.CessationOfOperation => "because it was no longer needed",
        { } reason => $"for the reason {reason} (RFC 5280, section 5.3.1)",
    };

    /// <summary>What is wrong beyond that nobody says they trust it.</summary>
    private string? FindDefect(Instant time)
    {
        foreach (X509ChainElement element in chain.ChainElements)
        {
            foreach (X509ChainStatus status in element.ChainElementStatus)
            {
                if (status.Status is X509ChainStatusFlags.PartialChain or X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.NoError)
                    continue;
                return status.Status == X509ChainStatusFlags.NotTimeValid
                    ? $"the certificate of {NameOf(element.Certificate)} was not valid at {Timestamps.Format(time)}: it is from {element.Certificate.NotBefore.ToUniversalTime():u} to {element.Certificate.NotAfter.ToUniversalTime():u}."
                    : $"the certificate of {NameOf(element.Certificate)} cannot carry it: {status.StatusInformation.TrimEnd('.', '\n')} ({status.Status}).";
            }
        }

        return chain.ChainStatus.Length == 0 ? "the authority's certificate cannot be followed to its issuer." : null;
    }
}
