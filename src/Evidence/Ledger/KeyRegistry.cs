namespace Evidence.Ledger;

/// <summary>
/// The actor keys that the ledger declares, replaces and revokes, folded entry by entry in the log's order: what a signature is worth is judged by what was
/// said up to its place in the log, and nothing said later changes that.
/// </summary>
public sealed class KeyRegistry
{
    private readonly Dictionary<string, DeclaredKey> keys = new(StringComparer.Ordinal);
    private readonly VerifyingKeys verifying = new();

    /// <summary>The declared keys by id, as of the last entry folded in.</summary>
    public IReadOnlyDictionary<string, DeclaredKey> Keys => keys;

    /// <summary>The vault's identity, once an entry declared it. The first declaration stands.</summary>
    public VaultIdentity? Vault { get; private set; }

    /// <summary>The id of the key that signed that declaration: whoever began the vault. Null where no entry declared it.</summary>
    public string? Keeper { get; private set; }

    /// <summary>Judges the next entry of the log, and takes in what it declares if its signature holds.</summary>
    /// <param name="index">Its place.</param>
    /// <param name="entry">The entry.</param>
    public EntryVerdict Fold(long index, LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        IdentityBody? declared = null;
        string? refusal = null;
        if (IsIdentity(entry))
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

        DeclaredKey? key = keys.GetValueOrDefault(entry.Payload.Key);
        ActorIdentity? signer = key?.Identity;
        if (signer is null && declared is ActorIdentity self && string.Equals(self.KeyId, entry.Payload.Key, StringComparison.Ordinal))
            signer = self;
        // A wrong signature of any known key condemns the entry. Beyond that the signature of the key that the payload names decides;
        // that there is one, LedgerEntry.Parse has seen to.
        bool anyInvalid = entry.Signatures.Any(signature => PublicKeyOf(signature.KeyId, declared) is { } known && !verifying.IsRight(entry, signature, known.Span));
        bool isEnded = key?.EndedBy is not null && !(declared is KeyRevocation own && string.Equals(own.KeyId, key.KeyId, StringComparison.Ordinal));
        EntrySignatureStatus status =
            anyInvalid ? EntrySignatureStatus.Invalid
            : signer is null ? EntrySignatureStatus.UnknownSigner
            : isEnded ? EntrySignatureStatus.Ended
            : EntrySignatureStatus.Valid;
        if (status == EntrySignatureStatus.Valid)
            refusal ??= Declare(index, entry, signer!, declared);
        return new EntryVerdict(status, signer, refusal) { KeyEnd = status == EntrySignatureStatus.Ended ? key!.End : null };
    }

    /// <summary>Whether two keys are one actor's: the same, or one came in the place of the other.</summary>
    public bool IsSameActor(string one, string other) =>
        string.Equals(one, other, StringComparison.Ordinal) ||
        (keys.TryGetValue(one, out DeclaredKey? first) && keys.TryGetValue(other, out DeclaredKey? second) && string.Equals(first.FirstKey, second.FirstKey, StringComparison.Ordinal));

    /// <summary>Whether an entry declares a key that is declared already, and nothing else.</summary>
    internal bool Knows(LedgerEntry entry) => IsIdentity(entry) && TryParse(entry) switch
    {
        ActorIdentity actor => keys.TryGetValue(actor.KeyId, out DeclaredKey? known) && (known.IsOwn || !IsSignedBy(entry, actor.KeyId)),
        // Of a key that declared itself a rotation says more, as long as the old key can sign one.
        KeyRotation rotation => keys.TryGetValue(rotation.KeyId, out DeclaredKey? known) && known.IsOwn &&
            (known.Replaces is not null || keys.GetValueOrDefault(rotation.Replaces) is not { EndedBy: null }),
        _ => false,
    };

    /// <summary>Computes the signatures of entries that are to be judged next, by the keys that are known so far, on all cores.</summary>
    internal void VerifyAhead(IReadOnlyList<LedgerEntry> entries) => verifying.VerifyAhead(entries, keyId => keys.GetValueOrDefault(keyId)?.Identity.PublicKey);

    /// <summary>Takes in what the next entry declares. An entry that declares nothing is not judged.</summary>
    internal void FoldIdentity(long index, LedgerEntry entry)
    {
        if (IsIdentity(entry))
            Fold(index, entry);
    }

    private static IdentityBody? TryParse(LedgerEntry entry)
    {
        try
        {
            return IdentityBody.Parse(entry.Payload.Body);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static bool IsIdentity(LedgerEntry entry) => string.Equals(entry.Payload.Kind, EntryKind.Identity, StringComparison.Ordinal);

    /// <summary>The public key of an id: one that was declared, or that this very entry declares.</summary>
    private ReadOnlyMemory<byte>? PublicKeyOf(string keyId, IdentityBody? declared) =>
        keys.TryGetValue(keyId, out DeclaredKey? known) ? known.Identity.PublicKey
        : declared is ActorIdentity actor && string.Equals(actor.KeyId, keyId, StringComparison.Ordinal) ? actor.PublicKey
        : declared is KeyRotation rotation && string.Equals(rotation.KeyId, keyId, StringComparison.Ordinal) ? rotation.PublicKey
        : (ReadOnlyMemory<byte>?)null;

    /// <summary>Takes in what a valid entry declares.</summary>
    /// <returns>Why it declares nothing; null where it does, or says what was declared before.</returns>
    private string? Declare(long index, LedgerEntry entry, ActorIdentity signer, IdentityBody? declared)
    {
        switch (declared)
        {
            case ActorIdentity actor:
                DeclareActor(index, actor, IsSignedBy(entry, actor.KeyId) ? null : signer.KeyId);
                return null;
            case VaultIdentity when Vault is not null:
                return "The vault is declared already, and the first declaration stands.";
            case VaultIdentity vault:
                (Vault, Keeper) = (vault, signer.KeyId);
                return null;
            case KeyRotation rotation:
                return Rotate(index, entry, rotation);
            case KeyRevocation revocation:
                return Revoke(index, entry, signer, revocation);
            default:
                return null;
        }
    }

    /// <summary>
    /// The first declaration stands, but that a key's own comes in the place of another's: else whoever is first could choose an owner's name, and take away
    /// whom the owner named as revokers.
    /// </summary>
    /// <param name="index">The place of the entry that says so.</param>
    /// <param name="actor">What it says.</param>
    /// <param name="introducer">The id of the other key by whose word it is; null where the declared key signed it.</param>
    private void DeclareActor(long index, ActorIdentity actor, string? introducer)
    {
        bool isOwn = introducer is null;
        if (!keys.TryGetValue(actor.KeyId, out DeclaredKey? known))
            keys.Add(actor.KeyId, new DeclaredKey(isOwn ? actor : actor with { Revokers = [] }, index) { IsOwn = isOwn, IntroducedBy = introducer });
        else if (isOwn && !known.IsOwn && known.EndedBy is null)
            keys[actor.KeyId] = known with { Identity = actor, DeclaredBy = index, IsOwn = true, IntroducedBy = null };
    }

    /// <summary>
    /// Puts a key in the place of another. What was said of the new key before does not keep it from that: else whoever sees it first could keep its owner on the
    /// old one. Whom it named as revokers itself stays named.
    /// </summary>
    private string? Rotate(long index, LedgerEntry entry, KeyRotation rotation)
    {
        DeclaredKey old = keys[entry.Payload.Key];
        if (!string.Equals(rotation.Replaces, old.KeyId, StringComparison.Ordinal))
            return "It replaces another key than the one that signs it.";
        if (string.Equals(rotation.KeyId, old.KeyId, StringComparison.Ordinal))
            return "It puts a key in its own place.";
        if (!IsSignedBy(entry, rotation.KeyId))
            return "The new key did not sign it, so nothing shows that the actor has it.";
        if (keys.TryGetValue(rotation.KeyId, out DeclaredKey? known) && known.BarToSucceed is { } bar)
            return bar;
        IEnumerable<string> revokers = [.. old.Identity.Revokers, .. known?.Identity.Revokers ?? []];
        keys[old.KeyId] = old with { Successor = new KeySuccession(index, rotation.KeyId) };
        keys[rotation.KeyId] = new DeclaredKey(old.Identity with { PublicKey = rotation.PublicKey, Revokers = [.. revokers.Distinct(StringComparer.Ordinal)] }, index)
        {
            Replaces = old.KeyId,
            IntroducedBy = old.KeyId,
            FirstKey = old.FirstKey,
            IsOwn = true,
        };
        return null;
    }

    private string? Revoke(long index, LedgerEntry entry, ActorIdentity signer, KeyRevocation revocation)
    {
        if (!keys.TryGetValue(revocation.KeyId, out DeclaredKey? revoked))
            return "It revokes a key that no entry before it declares.";
        if (!revoked.MayBeRevokedBy(keys[signer.KeyId]))
            return $"{signer.Name} may not revoke that key: only the key itself may, the one that is now in its place, and those that its owner named.";
        if (revocation.CompromisedSince > entry.Payload.Time)
            return "It says that the key is compromised since an instant that was still to come.";
        keys[revoked.KeyId] = revoked with { Revocations = revoked.Revocations.Add(new RecordedRevocation(index, signer, entry.Payload.Time, revocation)) };
        return null;
    }

    private static bool IsSignedBy(LedgerEntry entry, string keyId) =>
        entry.Signatures.Any(signature => string.Equals(signature.KeyId, keyId, StringComparison.Ordinal));
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

    /// <summary>A declared key's signature, and right, but an entry before this one revoked the key or put another in its place.</summary>
    Ended,
}

/// <summary>The judgement of one entry.</summary>
/// <param name="Status">What its signatures are worth at its place.</param>
/// <param name="Signer">The actor, where known.</param>
/// <param name="RefusedIdentity">For an identity entry that declares nothing: why.</param>
public sealed record EntryVerdict(EntrySignatureStatus Status, ActorIdentity? Signer, string? RefusedIdentity)
{
    /// <summary>With <see cref="EntrySignatureStatus.Ended"/>: what ended the key, in words.</summary>
    public string? KeyEnd { get; init; }

    /// <summary>
    /// What the log says later of the key, a second statement beside the first (<see cref="Hindsight"/>); null where it says nothing, or was not asked.
    /// </summary>
    public LaterKnowledge? Later { get; init; }
}
