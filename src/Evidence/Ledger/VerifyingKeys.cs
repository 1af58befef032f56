using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Evidence.Ledger;

/// <summary>Verifies by actors' public keys, of which the last ones are kept ready: to read a key from its bytes takes twice as long as to verify by it.</summary>
internal sealed class VerifyingKeys
{
    /// <summary>How many are kept: a log can be full of keys that each sign one entry.</summary>
    private const int Most = 64;

    // By the key's id, which is the digest of its bytes. Null: it is no key.
    private readonly Dictionary<string, ECDsa?> ready = new(StringComparer.Ordinal);

    // For the cores that compute ahead; a key serves one at a time.
    private readonly ConcurrentBag<VerifyingKeys> others = [];

    // What was computed ahead: by the entry itself, of each of its signatures; null where the key was not known.
    private Dictionary<LedgerEntry, bool?[]> ahead = new(ReferenceEqualityComparer.Instance);

    /// <summary>Computes the signatures of some entries, in the place of those that were computed before.</summary>
    /// <param name="entries">The entries.</param>
    /// <param name="publicKeyOf">The key of an id; null where it is not known.</param>
    internal void VerifyAhead(IReadOnlyList<LedgerEntry> entries, Func<string, ReadOnlyMemory<byte>?> publicKeyOf)
    {
        var computed = new bool?[entries.Count][];
        Parallel.For(
            0, entries.Count, () => others.TryTake(out VerifyingKeys? keys) ? keys : new VerifyingKeys(),
            (i, _, keys) =>
            {
                LedgerEntry entry = entries[i];
                computed[i] = [.. entry.Signatures.Select(signature => publicKeyOf(signature.KeyId) is { } key ? keys.Verify(entry, signature, key.Span) : (bool?)null)];
                return keys;
            },
            others.Add);
        ahead = new Dictionary<LedgerEntry, bool?[]>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < entries.Count; i++)
            ahead.Add(entries[i], computed[i]);
    }

    /// <summary>Whether a signature of an entry is a key's.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="signature">One of its signatures, by the key's id.</param>
    /// <param name="publicKey">The key, SubjectPublicKeyInfo in DER. What is no key has made no signature.</param>
    internal bool IsRight(LedgerEntry entry, EntrySignature signature, ReadOnlySpan<byte> publicKey)
    {
        if (ahead.TryGetValue(entry, out bool?[]? computed))
        {
            for (int i = 0; i < computed.Length; i++)
            {
                if (ReferenceEquals(entry.Signatures[i], signature) && computed[i] is { } isRight)
                    return isRight;
            }
        }

        return Verify(entry, signature, publicKey);
    }

    private bool Verify(LedgerEntry entry, EntrySignature signature, ReadOnlySpan<byte> publicKey)
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
