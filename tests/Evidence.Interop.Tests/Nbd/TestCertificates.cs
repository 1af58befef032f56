using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Evidence.Interop.Tests.Nbd;

/// <summary>An authority, a server on 127.0.0.1 and a client, in files of the names that NBD programs use.</summary>
internal sealed class TestCertificates : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly X509Certificate2 authority;

    internal TestCertificates(string folder)
    {
        ServerFolder = Directory.CreateDirectory(Path.Combine(folder, "server")).FullName;
        ClientFolder = Directory.CreateDirectory(Path.Combine(folder, "client")).FullName;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        authority = request.CreateSelfSigned(From, Until);
        foreach (string each in (string[])[ServerFolder, ClientFolder])
            File.WriteAllText(Path.Combine(each, "ca-cert.pem"), authority.ExportCertificatePem());
        ServerFingerprint = Issue(ServerFolder, "server");
        Issue(ClientFolder, "client");
    }

    internal string ServerFolder { get; }

    internal string ClientFolder { get; }

    /// <summary>The SHA-256 of the server's certificate.</summary>
    internal string ServerFingerprint { get; }

    public void Dispose() => authority.Dispose();

    private string Issue(string folder, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        using X509Certificate2 certificate = request.Create(authority, From, Until.AddDays(-1), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(folder, $"{name}-cert.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, $"{name}-key.pem"), key.ExportPkcs8PrivateKeyPem());
        return Convert.ToHexStringLower(SHA256.HashData(certificate.RawData));
    }
}
