using System.Security.Cryptography;

namespace Evidence.Ledger;

/// <summary>The private key of a person, an appliance or a party that signs entries: ECDSA P-256.</summary>
public sealed class ActorKey : IDisposable
{
    private const string IdPrefix = "sha256:";

    private readonly ECDsa ecdsa;

    private ActorKey(ECDsa ecdsa)
    {
        this.ecdsa = ecdsa;
        PublicKey = ecdsa.ExportSubjectPublicKeyInfo();
        Id = ComputeId(PublicKey.Span);
    }

    /// <summary>The key's id: <c>sha256:</c> and the SHA-256 of its SubjectPublicKeyInfo in hexadecimal.</summary>
    public string Id { get; }

    /// <summary>The public key, a SubjectPublicKeyInfo in DER.</summary>
    public ReadOnlyMemory<byte> PublicKey { get; }

    /// <summary>Makes a new key.</summary>
    public static ActorKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Takes a key from PEM.</summary>
    /// <exception cref="FormatException">The text is no ECDSA P-256 private key.</exception>
    public static ActorKey Import(string pem) => new(EcdsaPem.Import(pem));

    /// <summary>The private key as PKCS#8 PEM.</summary>
    public string ExportPem() => ecdsa.ExportPkcs8PrivateKeyPem();

    /// <summary>The id of a public key.</summary>
    public static string ComputeId(ReadOnlySpan<byte> subjectPublicKeyInfo) =>
        IdPrefix + Convert.ToHexStringLower(SHA256.HashData(subjectPublicKeyInfo));

    internal static bool IsKeyId(string? text) =>
        text is not null && text.Length == IdPrefix.Length + 64 && text.StartsWith(IdPrefix, StringComparison.Ordinal) &&
        text.Skip(IdPrefix.Length).All(char.IsAsciiHexDigitLower);

    internal byte[] Sign(ReadOnlySpan<byte> content) =>
        ecdsa.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    /// <inheritdoc/>
    public void Dispose() => ecdsa.Dispose();
}
