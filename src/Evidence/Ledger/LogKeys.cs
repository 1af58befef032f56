using System.Security.Cryptography;
using System.Text;

namespace Evidence.Ledger;

/// <summary>
/// The private keys of a log: who holds them is its sequencer. Ed25519, which transparency-log verifiers and witnesses expect, and
/// ECDSA P-256, which any .NET verifies on any platform and a hardware module can hold.
/// </summary>
public sealed class LogKeys : IDisposable
{
    private readonly byte[] seed;
    private readonly ECDsa ecdsa;

    private LogKeys(string origin, byte[] seed, ECDsa ecdsa)
    {
        Origin = KeyName.IsValid(origin) ? origin : throw new ArgumentException($"'{origin}' cannot be a log's origin.", nameof(origin));
        this.seed = seed;
        this.ecdsa = ecdsa;
        Ed25519Key = VerifierKey.FromEd25519(origin, Ed25519.PublicKey(seed));
        EcdsaKey = VerifierKey.FromEcdsa(origin, ecdsa.ExportSubjectPublicKeyInfo());
    }

    /// <summary>The log's origin, which is the name of both keys.</summary>
    public string Origin { get; }

    /// <summary>The public Ed25519 key.</summary>
    public VerifierKey Ed25519Key { get; }

    /// <summary>The public ECDSA key.</summary>
    public VerifierKey EcdsaKey { get; }

    /// <summary>Both public keys.</summary>
    public IReadOnlyList<VerifierKey> VerifierKeys => [Ed25519Key, EcdsaKey];

    /// <summary>Makes new keys.</summary>
    public static LogKeys Create(string origin) =>
        new(origin, RandomNumberGenerator.GetBytes(Ed25519.SeedSize), ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Takes keys from PKCS#8 PEM.</summary>
    /// <exception cref="FormatException">One of the texts is not such a key.</exception>
    public static LogKeys Import(string origin, string ed25519Pem, string ecdsaPem) =>
        new(origin, Ed25519.ImportPem(ed25519Pem), EcdsaPem.Import(ecdsaPem));

    /// <summary>The Ed25519 private key as PKCS#8 PEM.</summary>
    public string ExportEd25519Pem() => Ed25519.ExportPem(seed);

    /// <summary>The ECDSA private key as PKCS#8 PEM.</summary>
    public string ExportEcdsaPem() => ecdsa.ExportPkcs8PrivateKeyPem();

    /// <summary>Signs a checkpoint with both keys.</summary>
    internal byte[] Sign(Checkpoint checkpoint)
    {
        string text = checkpoint.ToText();
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return SignedNote.Write(
            text,
            [
                new NoteSignature(Origin, Ed25519Key.KeyId, Ed25519.Sign(seed, bytes)),
                new NoteSignature(
                    Origin, EcdsaKey.KeyId, ecdsa.SignData(bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)),
            ]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(seed);
        ecdsa.Dispose();
    }
}

/// <summary>ECDSA P-256 private keys as PKCS#8 PEM.</summary>
internal static class EcdsaPem
{
    internal static ECDsa Import(string pem)
    {
        var ecdsa = ECDsa.Create();
        try
        {
            ecdsa.ImportFromPem(pem);
            if (!string.Equals(ecdsa.ExportParameters(includePrivateParameters: true).Curve.Oid.Value, EcdsaPublicKey.P256, StringComparison.Ordinal))
                throw new FormatException("The private key is not on the curve P-256.");
            return ecdsa;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            ecdsa.Dispose();
            throw new FormatException("This is no ECDSA private key in PEM form.", e);
        }
    }
}
