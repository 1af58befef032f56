using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Evidence.Ledger.Timestamping;

/// <summary>
/// What the verifier brings to judge tokens: the root certificates that they trust for telling the time, and revocation lists that they have. Never taken from what is
/// verified.
/// </summary>
public sealed class TrustedAuthorities
{
    private readonly List<X509Certificate2> anchors = [];
    private readonly List<RevocationList> lists = [];

    /// <summary>Nobody is trusted.</summary>
    public static TrustedAuthorities None { get; } = new();

    /// <summary>The trusted root certificates.</summary>
    public IReadOnlyList<X509Certificate2> Anchors => anchors;

    internal IReadOnlyList<RevocationList> Lists => lists;

    /// <summary>Takes certificates and revocation lists from files: PEM, any number in each, or one in DER.</summary>
    /// <param name="files">The files.</param>
    /// <exception cref="EvidenceException">One of them cannot be read, or holds neither.</exception>
    public static TrustedAuthorities Load(IEnumerable<string> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var trusted = new TrustedAuthorities();
        foreach (string file in files)
        {
            (IReadOnlyList<X509Certificate2> certificates, IReadOnlyList<RevocationList> revocations) = AuthorityFile.Read(file);
            trusted.anchors.AddRange(certificates);
            trusted.lists.AddRange(revocations);
        }

        return trusted;
    }

    /// <summary>Those of some certificates whose SHA-256 is named.</summary>
    internal static TrustedAuthorities Among(IEnumerable<X509Certificate2> certificates, IReadOnlyCollection<Hashing.Sha256Digest> named)
    {
        var trusted = new TrustedAuthorities();
        trusted.anchors.AddRange(certificates.Where(certificate => named.Contains(Hashing.Sha256Digest.Compute(certificate.RawData))));
        return trusted;
    }

    /// <summary>These and others.</summary>
    public TrustedAuthorities With(TrustedAuthorities others)
    {
        ArgumentNullException.ThrowIfNull(others);
        var all = new TrustedAuthorities();
        all.anchors.AddRange([.. anchors, .. others.anchors]);
        all.lists.AddRange([.. lists, .. others.lists]);
        return all;
    }
}

/// <summary>Certificates and revocation lists in a file.</summary>
internal static class AuthorityFile
{
    private const int LargestFile = 64 << 20;

    internal static (IReadOnlyList<X509Certificate2> Certificates, IReadOnlyList<RevocationList> Lists) Read(string file)
    {
        byte[] bytes = [];
        Platform.DurableFile.Translate(file, "read", () =>
        {
            var info = new FileInfo(file);
            if (info.Exists && info.Length > LargestFile)
                throw new IOException($"it has more than {LargestFile} bytes.");
            bytes = File.ReadAllBytes(file);
        });
        try
        {
            (List<X509Certificate2> certificates, List<RevocationList> lists) = bytes is [0x30, ..] ? ReadDer(bytes) : ReadPem(System.Text.Encoding.UTF8.GetString(bytes));
            if (certificates.Count + lists.Count > 0)
                return (certificates, lists);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new EvidenceException(ErrorCode.Usage, $"{file} cannot be used: {e.Message}", e);
        }

        throw new EvidenceException(ErrorCode.Usage, $"{file} holds no certificate and no revocation list, neither in PEM nor in DER.");
    }

    private static (List<X509Certificate2> Certificates, List<RevocationList> Lists) ReadDer(byte[] bytes)
    {
        try
        {
            return ([X509CertificateLoader.LoadCertificate(bytes)], []);
        }
        catch (CryptographicException)
        {
            return ([], [RevocationList.Decode(bytes)]);
        }
    }

    private static (List<X509Certificate2> Certificates, List<RevocationList> Lists) ReadPem(string text)
    {
        var certificates = new List<X509Certificate2>();
        var lists = new List<RevocationList>();
        ReadOnlySpan<char> rest = text;
        while (PemEncoding.TryFind(rest, out PemFields fields))
        {
            byte[] content = Convert.FromBase64String(rest[fields.Base64Data].ToString());
            if (rest[fields.Label] is "CERTIFICATE")
                certificates.Add(X509CertificateLoader.LoadCertificate(content));
            else if (rest[fields.Label] is "X509 CRL")
                lists.Add(RevocationList.Decode(content));
            rest = rest[fields.Location.End..];
        }

        return (certificates, lists);
    }
}
