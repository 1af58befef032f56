using System.Security.Cryptography;

namespace Evidence.Ledger;

/// <summary>
/// Ed25519 (RFC 8032) by OpenSSL, for .NET has none. Signatures of a home-made implementation would be worth nothing in a dispute, so where
/// the library is absent there is none: see <see cref="IsAvailable"/>.
/// </summary>
internal static class Ed25519
{
    internal const int PublicKeySize = 32;
    internal const int SeedSize = 32;
    internal const int SignatureSize = 64;

    // RFC 8410, section 7: PrivateKeyInfo { version 0, algorithm 1.3.101.112, OCTET STRING { OCTET STRING seed } }.
    private static ReadOnlySpan<byte> Pkcs8Prefix =>
        [0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

    /// <summary>Whether this machine can sign and verify.</summary>
    internal static bool IsAvailable => OpenSsl.IsAvailable;

    internal static byte[] PublicKey(ReadOnlySpan<byte> seed)
    {
        using OpenSsl.PublicKeyHandle key = PrivateKey(seed);
        var result = new byte[PublicKeySize];
        nuint length = PublicKeySize;
        Check(OpenSsl.GetRawPublicKey(key, result, ref length));
        return result;
    }

    internal static byte[] Sign(ReadOnlySpan<byte> seed, ReadOnlySpan<byte> text)
    {
        using OpenSsl.PublicKeyHandle key = PrivateKey(seed);
        using OpenSsl.DigestContextHandle context = OpenSsl.NewContext();
        var signature = new byte[SignatureSize];
        nuint length = SignatureSize;
        Check(OpenSsl.SignInit(context, 0, 0, 0, key));
        Check(OpenSsl.Sign(context, signature, ref length, text, (nuint)text.Length));
        return signature;
    }

    internal static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> text, ReadOnlySpan<byte> signature)
    {
        Demand();
        if (publicKey.Length != PublicKeySize || signature.Length != SignatureSize)
            return false;
        using OpenSsl.PublicKeyHandle key = OpenSsl.NewRawPublicKey(OpenSsl.EVP_PKEY_ED25519, 0, publicKey, PublicKeySize);
        using OpenSsl.DigestContextHandle context = OpenSsl.NewContext();
        bool valid = !key.IsInvalid && OpenSsl.VerifyInit(context, 0, 0, 0, key) == 1 &&
            OpenSsl.Verify(context, signature, SignatureSize, text, (nuint)text.Length) == 1;
        OpenSsl.ClearErrors();
        return valid;
    }

    /// <summary>The private key as PKCS#8 PEM, as <c>openssl genpkey -algorithm ed25519</c> writes it.</summary>
    internal static string ExportPem(ReadOnlySpan<byte> seed) => PemEncoding.WriteString("PRIVATE KEY", [.. Pkcs8Prefix, .. seed]);

    /// <summary>The seed in a PKCS#8 PEM.</summary>
    /// <exception cref="FormatException">The text is no Ed25519 private key.</exception>
    internal static byte[] ImportPem(string pem)
    {
        if (!PemEncoding.TryFind(pem, out PemFields fields) || pem[fields.Label] is not "PRIVATE KEY")
            throw new FormatException("This is no private key in PKCS#8 PEM form.");
        byte[] der = Convert.FromBase64String(pem[fields.Base64Data]);
        byte[] seed = der.Length == Pkcs8Prefix.Length + SeedSize && der.AsSpan().StartsWith(Pkcs8Prefix)
            ? der[Pkcs8Prefix.Length..]
            : throw new FormatException("This is no Ed25519 private key (RFC 8410).");
        CryptographicOperations.ZeroMemory(der);
        return seed;
    }

    private static OpenSsl.PublicKeyHandle PrivateKey(ReadOnlySpan<byte> seed)
    {
        Demand();
        OpenSsl.PublicKeyHandle key = OpenSsl.NewRawPrivateKey(OpenSsl.EVP_PKEY_ED25519, 0, seed, (nuint)seed.Length);
        return key.IsInvalid ? throw new CryptographicException("OpenSSL refused the Ed25519 private key.") : key;
    }

    private static void Demand()
    {
        if (!IsAvailable)
        {
            throw new EvidenceException(
                ErrorCode.KeyMissing,
                "Ed25519 needs OpenSSL 3 (libcrypto.so.3), which is not on this machine. Install it: only verification can do without.");
        }
    }

    private static void Check(int result)
    {
        if (result == 1)
            return;
        OpenSsl.ClearErrors();
        throw new CryptographicException("OpenSSL could not complete the Ed25519 operation.");
    }
}
