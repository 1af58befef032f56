using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Evidence.Sources.Nbd;

/// <summary>TLS with certificates. Their files have the names that other NBD clients and servers use.</summary>
internal static class NbdTls
{
    private const string AuthorityFile = "ca-cert.pem";
    private const string ClientFile = "client-cert.pem";
    private const string ClientKeyFile = "client-key.pem";

    /// <exception cref="EvidenceException">The server is not who it must be, or one of our own files cannot be used.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    internal static (SslStream Stream, NbdTlsIdentity Identity) Authenticate(Stream stream, NbdUri uri)
    {
        string name = uri.TlsHostname ?? uri.Host;
        string? wrong = null;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = AuthorityOf(uri),
            ClientCertificateContext = ClientOf(uri),
            RemoteCertificateValidationCallback = (_, _, chain, errors) =>
            {
                wrong = Describe(errors, chain, name);
                return !uri.VerifiesPeer || wrong is null;
            },
        };
        var tls = new SslStream(stream);
        try
        {
            tls.AuthenticateAsClient(options);
        }
        catch (AuthenticationException e)
        {
            throw new EvidenceException(
                ErrorCode.SourceFailed,
                wrong is null
                    ? $"{uri}: TLS could not be started: {e.InnerException?.Message ?? e.Message} {ClientHint(uri)}"
                    : $"{uri}: the server's certificate does not verify: {wrong}. Give the authority that signed it in the {AuthorityFile} of " +
                      "tls-certificates=DIR, its name in tls-hostname=NAME, or, where nothing better can be had, tls-verify-peer=false: the record will say so.",
                e);
        }

        string certificate = Convert.ToHexStringLower(SHA256.HashData(tls.RemoteCertificate!.GetRawCertData()));
        return (tls, new NbdTlsIdentity(tls.SslProtocol.ToString(), certificate, IsVerified: uri.VerifiesPeer));
    }

    private static X509ChainPolicy? AuthorityOf(NbdUri uri)
    {
        if (uri.CertificateFolder is not { } folder || !uri.VerifiesPeer)
            return null;
        string path = Path.Combine(folder, AuthorityFile);
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        ReadPem(path, () => policy.CustomTrustStore.ImportFromPemFile(path));
        return policy.CustomTrustStore.Count > 0 ? policy : throw Unusable(path, "there is no certificate in it", null);
    }

    private static SslStreamCertificateContext? ClientOf(NbdUri uri)
    {
        if (uri.CertificateFolder is not { } folder || !File.Exists(Path.Combine(folder, ClientFile)))
            return null;
        string path = Path.Combine(folder, ClientFile);
        SslStreamCertificateContext? context = null;
        ReadPem(path, () =>
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(path);
            context = SslStreamCertificateContext.Create(
                X509Certificate2.CreateFromPemFile(path, Path.Combine(folder, ClientKeyFile)), chain, offline: true);
        });
        return context;
    }

    private static void ReadPem(string path, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Unusable(path, e.Message, e);
        }
    }

    private static EvidenceException Unusable(string path, string why, Exception? e) =>
        new(ErrorCode.Usage, $"Cannot use {path}: {why} tls-certificates=DIR names a folder with {AuthorityFile}, and with {ClientFile} and {ClientKeyFile} where the server wants them.", e);

    private static string ClientHint(NbdUri uri) => uri.CertificateFolder is { } folder && File.Exists(Path.Combine(folder, ClientFile))
        ? ""
        : $"A server may want to see a certificate of the client's: {ClientFile} and {ClientKeyFile} in tls-certificates=DIR.";

    private static string? Describe(SslPolicyErrors errors, X509Chain? chain, string name)
    {
        if (errors == SslPolicyErrors.None)
            return null;
        var reasons = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            reasons.Add("it sent none");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            reasons.Add($"it is not {name}'s");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors))
            reasons.AddRange((chain?.ChainStatus ?? []).Select(status => status.StatusInformation.Trim().TrimEnd('.')).Distinct(StringComparer.Ordinal));
        return string.Join(", ", reasons);
    }
}
