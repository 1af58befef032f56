using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Evidence.Sources.Nbd;
using Xunit;

namespace Evidence.Tests.Sources.Nbd;

public sealed class NbdTlsTests : IDisposable
{
    private static readonly byte[] Content = TemporaryDirectory.Content(100_000);

    private readonly TemporaryDirectory directory = new();
    private readonly X509Certificate2 authority = Authority("Test authority");

    [Fact]
    public void A_verified_server_is_read_and_named_in_the_identity()
    {
        using X509Certificate2 certificate = Signed(authority, "vm.example");
        WriteAuthority(authority);
        using var server = new ScriptedServer(new ExportDouble(Content) { Tls = new() { ServerCertificate = certificate } });
        using var source = NbdSource.Open(server.TlsAddress($"tls-hostname=vm.example&tls-certificates={directory.Path}"));
        SourceAssert.Reads(Content, source);
        NbdTlsIdentity tls = source.Identity.Nbd!.Tls!;
        Assert.Equal((Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), true), (tls.Certificate, tls.IsVerified));
        Assert.StartsWith("Tls1", tls.Protocol, StringComparison.Ordinal);
        Assert.DoesNotContain("tls-", source.Identity.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_that_does_not_verify_is_not_read_unless_that_was_asked_for_and_then_the_record_says_so()
    {
        using X509Certificate2 certificate = Signed(authority, "vm.example");
        using X509Certificate2 stranger = Authority("Test stranger");
        using var server = new ScriptedServer(new ExportDouble(Content) { Tls = new() { ServerCertificate = certificate } });

        // The system does not know our authority; another authority did not sign it; it is another host's.
        Refused("tls-hostname=vm.example", "tls-certificates=DIR");
        WriteAuthority(stranger);
        Refused($"tls-hostname=vm.example&tls-certificates={directory.Path}", "does not verify");
        WriteAuthority(authority);
        Refused($"tls-hostname=other.example&tls-certificates={directory.Path}", "it is not other.example's");

        using var source = NbdSource.Open(server.TlsAddress($"tls-verify-peer=false&tls-certificates={directory.Path}"));
        Assert.False(source.Identity.Nbd!.Tls!.IsVerified);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(certificate.RawData)), source.Identity.Nbd.Tls.Certificate);

        void Refused(string parameters, string told)
        {
            EvidenceException error = Assert.Throws<EvidenceException>(() => NbdSource.Open(server.TlsAddress(parameters)));
            Assert.Equal(ErrorCode.SourceFailed, error.Code);
            Assert.Contains(told, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_server_may_want_to_see_the_client()
    {
        using X509Certificate2 certificate = Signed(authority, "vm.example");
        using X509Certificate2 client = Signed(authority, "examiner");
        WriteAuthority(authority);
        string? seen = null;
        var export = new ExportDouble(Content)
        {
            Tls = new()
            {
                ServerCertificate = certificate,
                ClientCertificateRequired = true,
                RemoteCertificateValidationCallback = (_, shown, _, _) => (seen = shown?.Subject) is not null,
            },
        };
        using var server = new ScriptedServer(export);
        string address = server.TlsAddress($"tls-hostname=vm.example&tls-certificates={directory.Path}");
        Assert.Throws<EvidenceException>(() => NbdSource.Open(address));

        directory.Write("client-cert.pem", System.Text.Encoding.ASCII.GetBytes(client.ExportCertificatePem()));
        Assert.Contains("client-key.pem", Assert.Throws<EvidenceException>(() => NbdSource.Open(address)).Message, StringComparison.Ordinal);
        directory.Write("client-key.pem", System.Text.Encoding.ASCII.GetBytes(client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem()));
        using var source = NbdSource.Open(address);
        Assert.Equal(100, source.Read(0, new byte[100]));
        Assert.Equal("CN=examiner", seen);
    }

    [Fact]
    public void A_server_that_demands_TLS_is_told_to_be_one()
    {
        using X509Certificate2 certificate = Signed(authority, "vm.example");
        using var server = new ScriptedServer(new ExportDouble(Content) { Tls = new() { ServerCertificate = certificate } });
        Assert.Contains("Use nbds", Assert.Throws<EvidenceException>(() => server.Open()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("no certificate")]
    public void An_authority_that_cannot_be_read_is_named(string? content)
    {
        if (content is not null)
            directory.Write("ca-cert.pem", System.Text.Encoding.ASCII.GetBytes(content));
        using X509Certificate2 certificate = Signed(authority, "vm.example");
        using var server = new ScriptedServer(new ExportDouble(Content) { Tls = new() { ServerCertificate = certificate } });
        EvidenceException error = Assert.Throws<EvidenceException>(
            () => NbdSource.Open(server.TlsAddress($"tls-hostname=h&tls-certificates={directory.Path}")));
        Assert.Contains(directory.At("ca-cert.pem"), error.Message, StringComparison.Ordinal);
    }

    /// <summary>Whoever does not verify knows a server by its certificate alone; whoever does lets it have a new one.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Another_certificate_after_a_reconnection(bool verifies)
    {
        using X509Certificate2 first = Signed(authority, "vm.example");
        using X509Certificate2 second = Signed(authority, "vm.example");
        WriteAuthority(authority);
        using var server = new ScriptedServer((wire, number) =>
        {
            var export = new ExportDouble(Content) { Tls = new SslServerAuthenticationOptions { ServerCertificate = number == 0 ? first : second } };
            export.Greet(wire);
            if (number > 0)
                export.Transmit(wire);
        });
        using var source = NbdSource.Open(server.TlsAddress(verifies ? $"tls-hostname=vm.example&tls-certificates={directory.Path}" : "tls-verify-peer=0"));
        var bytes = new byte[100];
        if (verifies)
            Assert.Equal(100, source.Read(0, bytes));
        else
            Assert.Contains("another certificate", Assert.Throws<Evidence.Sources.SourceChangedException>(() => source.Read(0, bytes)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        authority.Dispose();
        directory.Dispose();
    }

    private void WriteAuthority(X509Certificate2 certificate) =>
        directory.Write("ca-cert.pem", System.Text.Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()));

    private static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        return request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero));
    }

    private static X509Certificate2 Signed(X509Certificate2 issuer, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 bare = request.Create(
            issuer, new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2098, 1, 1, 0, 0, 0, TimeSpan.Zero), RandomNumberGenerator.GetBytes(8));
        return bare.CopyWithPrivateKey(key);
    }
}
