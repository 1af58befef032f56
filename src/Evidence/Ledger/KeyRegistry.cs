using System.Security.Cryptography;

namespace Evidence.Ledger;

/// <summary>
/// The actor keys that the ledger declares, folded entry by entry in the log's order: what a signature is worth is judged by what was
/// declared up to its place in the log, and nothing declared later changes that.
/// </summary>
public sealed class KeyRegistry
{
    private readonly Dictionary<string, ActorIdentity> actors = new(StringComparer.Ordinal);

    /// <summary>The declared actors by key id, up to the last entry folded in.</summary>
    public IReadOnlyDictionary<string, ActorIdentity> Actors => actors;

    /// <summary>The vault's identity, once an entry declared it. The first declaration stands.</summary>
    public VaultIdentity? Vault { get; private set; }

    /// <summary>Judges the next entry of the log, and takes in what it declares if its signature holds.</summary>
    public EntryVerdict Fold(LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        IdentityBody? declared = null;
        string? refusal = null;
        if (string.Equals(entry.Payload.Kind, EntryKind.Identity, StringComparison.Ordinal))
        {
            try
            {
                declared = IdentityBody.Parse(entry.Payload.Body);
            }
            catch (FormatException e)
            {
                refusal = e.Message;
            }
        }

        ActorIdentity? signer = actors.GetValueOrDefault(entry.Payload.Key);
        if (signer is null && declared is ActorIdentity self && string.Equals(self.KeyId, entry.Payload.Key, StringComparison.Ordinal))
            signer = self;
        // A wrong signature of any known key condemns the entry. Beyond that the signature of the key that the payload names decides;
        // that there is one, LedgerEntry.Parse has seen to.
        bool anyInvalid = entry.Signatures.Any(signature => Judge(entry, signature, signer) == EntrySignatureStatus.Invalid);
        EntrySignatureStatus status =
            anyInvalid ? EntrySignatureStatus.Invalid
            : signer is null ? EntrySignatureStatus.UnknownSigner
            : EntrySignatureStatus.Valid;
        if (status == EntrySignatureStatus.Valid)
            Declare(declared);
        return new EntryVerdict(status, signer, refusal);
    }

    private EntrySignatureStatus Judge(LedgerEntry entry, EntrySignature signature, ActorIdentity? signer)
    {
        ActorIdentity? key = string.Equals(signature.KeyId, entry.Payload.Key, StringComparison.Ordinal)
            ? signer
            : actors.GetValueOrDefault(signature.KeyId);
        if (key is null)
            return EntrySignatureStatus.UnknownSigner;
        try
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(key.PublicKey.Span, out _);
            return ecdsa.VerifyData(
                entry.SignedBytes.Span, signature.Signature.Span, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
                ? EntrySignatureStatus.Valid
                : EntrySignatureStatus.Invalid;
        }
        catch (CryptographicException)
        {
            // The declared public key is no key: then no signature is its.
            return EntrySignatureStatus.Invalid;
        }
    }

    private void Declare(IdentityBody? declared)
    {
        switch (declared)
        {
            case ActorIdentity actor:
                actors.TryAdd(actor.KeyId, actor);
                break;
            case VaultIdentity vault:
                Vault ??= vault;
                break;
            default:
                break;
        }
    }
}

/// <summary>What an entry's signatures are worth at its place in the log.</summary>
public enum EntrySignatureStatus
{
    /// <summary>No entry up to here declared the key.</summary>
    UnknownSigner,

    /// <summary>A declared key's signature, and right.</summary>
    Valid,

    /// <summary>A declared key's signature, and wrong.</summary>
    Invalid,
}

/// <summary>The judgement of one entry.</summary>
/// <param name="Status">What its signatures are worth.</param>
/// <param name="Signer">The actor, where known.</param>
/// <param name="RefusedIdentity">For an identity entry that declares nothing: why.</param>
public sealed record EntryVerdict(EntrySignatureStatus Status, ActorIdentity? Signer, string? RefusedIdentity);
