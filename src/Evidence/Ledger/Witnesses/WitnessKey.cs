using System.Security.Cryptography;
using System.Text;
using NodaTime;

namespace Evidence.Ledger.Witnesses;

/// <summary>The private key of a witness: Ed25519. It must never sign anything but cosignatures, and those only by one folder of what it signed.</summary>
public sealed class WitnessKey : IDisposable
{
    private readonly byte[] seed;

    private WitnessKey(string name, byte[] seed)
    {
        this.seed = KeyName.IsValid(name) ? seed : throw new ArgumentException($"'{name}' cannot be a witness's name.", nameof(name));
        VerifierKey = VerifierKey.FromEd25519(name, Ed25519.PublicKey(seed), NoteKeyType.Ed25519Cosignature);
    }

    /// <summary>The witness's name.</summary>
    public string Name => VerifierKey.Name;

    /// <summary>The public key, of type 04.</summary>
    public VerifierKey VerifierKey { get; }

    /// <summary>Makes a new key.</summary>
    /// <param name="name">The witness's name: a URL without a scheme that tells it from others.</param>
    public static WitnessKey Create(string name) => new(name, RandomNumberGenerator.GetBytes(Ed25519.SeedSize));

    /// <summary>Takes a key from PKCS#8 PEM.</summary>
    /// <exception cref="FormatException">The text is no Ed25519 private key.</exception>
    public static WitnessKey Import(string name, string pem) => new(name, Ed25519.ImportPem(pem));

    /// <summary>The private key as PKCS#8 PEM.</summary>
    public string ExportPem() => Ed25519.ExportPem(seed);

    /// <summary>Cosigns a checkpoint's text.</summary>
    internal NoteSignature Cosign(string text, Instant time) =>
        new(Name, VerifierKey.KeyId, Cosignature.Sign(seed, Encoding.UTF8.GetBytes(text), time));

    /// <inheritdoc/>
    public void Dispose() => CryptographicOperations.ZeroMemory(seed);
}
