using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Evidence.Interop.Tests.Harness;

namespace Evidence.Interop.Tests.Timestamping;

/// <summary>A time-stamp authority on 127.0.0.1: <c>openssl ts -reply</c> behind HTTP, with a root of its own that serves its revocation list.</summary>
internal sealed class OpenSslAuthority : IDisposable
{
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Until = new(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly string folder;
    private readonly X509Certificate2 root;
    private readonly X509Certificate2 certificate;
    private readonly HttpListener listener = new();
    private readonly Task serving;

    internal OpenSslAuthority(string folder, bool rsa)
    {
        this.folder = Directory.CreateDirectory(folder).FullName;
        Address = Listen();
        root = Make("CN=OpenSSL Root", rsa, null, request =>
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
            request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        });
        certificate = Make("CN=OpenSSL Clock", rsa, root, request =>
        {
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, false, 0, critical: true));
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.8", null)], critical: true));
            request.CertificateExtensions.Add(CertificateRevocationListBuilder.BuildCrlDistributionPointExtension([Address + "root.crl"]));
        });
        File.WriteAllText(RootFile, root.ExportCertificatePem());
        File.WriteAllText(At("tsa.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(At("tsa.key"), rsa ? certificate.GetRSAPrivateKey()!.ExportPkcs8PrivateKeyPem() : certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(At("serial"), "01\n");
        File.WriteAllText(
            At("ts.cnf"),
            $"""
            [tsa]
            default_tsa = clock
            [clock]
            serial = {At("serial")}
            signer_cert = {At("tsa.pem")}
            signer_key = {At("tsa.key")}
            certs = {RootFile}
            signer_digest = sha256
            default_policy = 1.2.3.4.1
            other_policies = 1.2.3.4.5
            digests = sha256, sha512
            accuracy = secs:1, millisecs:500, microsecs:100
            ess_cert_id_chain = no
            ess_cert_id_alg = sha256
            """);
        serving = Task.Run(ServeAsync);
    }

    internal string Address { get; }

    internal string RootFile => At("root.pem");

    /// <summary>Revoked at this instant, as the list says that is served from then on; null where it is not.</summary>
    internal DateTimeOffset? RevokedAt { get; set; }

    /// <summary>The answer to a question, by openssl.</summary>
    internal byte[] Reply(string queryFile)
    {
        string reply = At($"{Guid.NewGuid():N}.tsr");
        Peer.Run("openssl", "ts", "-reply", "-config", At("ts.cnf"), "-queryfile", queryFile, "-out", reply);
        return File.ReadAllBytes(reply);
    }

    public void Dispose()
    {
        listener.Close();
        serving.GetAwaiter().GetResult();
        root.Dispose();
        certificate.Dispose();
    }

    private string Listen()
    {
        // HttpListener takes no port 0: another process may take the free one in between, then the next is tried.
        for (int attempt = 0; ; attempt++)
        {
            using var probe = new TcpListener(IPAddress.Loopback, 0);
            probe.Start();
            int port = ((IPEndPoint)probe.LocalEndpoint).Port;
            probe.Stop();
            string address = $"http://127.0.0.1:{port}/";
            listener.Prefixes.Clear();
            listener.Prefixes.Add(address);
            try
            {
                listener.Start();
                return address;
            }
            catch (HttpListenerException) when (attempt < 20)
            {
                // Taken meanwhile.
            }
        }
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            byte[] answer;
            if (context.Request.HttpMethod == "POST")
            {
                string query = At($"{Guid.NewGuid():N}.tsq");
                await using (FileStream file = File.Create(query))
                    await context.Request.InputStream.CopyToAsync(file);
                answer = Reply(query);
                context.Response.ContentType = "application/timestamp-reply";
            }
            else
            {
                answer = List();
                context.Response.ContentType = "application/pkix-crl";
            }

            await context.Response.OutputStream.WriteAsync(answer);
            context.Response.Close();
        }
    }

    private byte[] List()
    {
        var builder = new CertificateRevocationListBuilder();
        if (RevokedAt is { } at)
            builder.AddEntry(certificate, at, X509RevocationReason.Superseded);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        return builder.Build(root, BigInteger.One, now.AddDays(30), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1, now.AddSeconds(-1));
    }

    private string At(string name) => Path.Combine(folder, name);

    private static X509Certificate2 Make(string name, bool rsa, X509Certificate2? issuer, Action<CertificateRequest> extend)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = key is RSA rsaKey
            ? new CertificateRequest(name, rsaKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest(name, (ECDsa)key, HashAlgorithmName.SHA256);
        extend(request);
        if (issuer is null)
            return request.CreateSelfSigned(From, Until);
        using X509Certificate2 issued = request.Create(issuer, From, Until, [0x4D, .. RandomNumberGenerator.GetBytes(7)]);
        return key is RSA own ? issued.CopyWithPrivateKey(own) : issued.CopyWithPrivateKey((ECDsa)key);
    }
}
