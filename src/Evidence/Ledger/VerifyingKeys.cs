using System.Security.Cryptography;

namespace Evidence.Ledger;

/// <summary>Verifies by actors' public keys, of which the last ones are kept ready: to read a key from its bytes takes twice as long as to verify by it.</summary>
internal sealed class VerifyingKeys
{
    /// <summary>How many are kept: a log can be full of keys that each sign one entry.</summary>
    private const int Most = 64;

    // By the key's id, which is the digest of its bytes. Null: it is no key.
    private readonly Dictionary<string, ECDsa?> ready = new(StringComparer.Ordinal);

    /// <summary>Whether a signature of an entry is a key's.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="signature">The signature, by the key's id.</param>
    /// <param name="publicKey">The key, SubjectPublicKeyInfo in DER. What is no key has made no signature.</param>
    internal bool IsRight(LedgerEntry entry, EntrySignature signature, ReadOnlySpan<byte> publicKey)
    {
        if (!ready.TryGetValue(signature.KeyId, out ECDsa? key))
        {
            if (ready.Count == Most)
                Clear();
            ready.Add(signature.KeyId, key = TryImport(publicKey));
        }

        try
        {
            return key?.VerifyData(entry.SignedBytes.Span, signature.Signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence) == true;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static ECDsa? TryImport(ReadOnlySpan<byte> publicKey)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out _);
            return key;
        }
        catch (CryptographicException)
        {
            key.Dispose();
            return null;
        }
    }

    private void Clear()
    {
        foreach (ECDsa? key in ready.Values)
            key?.Dispose();
        ready.Clear();
    }
}
