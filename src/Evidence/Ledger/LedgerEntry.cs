using System.Globalization;
using System.Text;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>An entry of the ledger: a payload and who signed it, in the very bytes that the tree's leaf is hashed over.</summary>
public sealed record LedgerEntry
{
    /// <summary>The longest entry; tlog-tiles keeps lengths in 16 bits.</summary>
    public const int MaximumLength = EntryBundle.MaximumEntryLength;

    private const string TypePrefix = "application/vnd.evidence.";
    private const string TypeSuffix = "+json";

    private readonly byte[] bytes;

    private LedgerEntry(byte[] bytes, EntryPayload payload, byte[] signedBytes, IReadOnlyList<EntrySignature> signatures)
    {
        this.bytes = bytes;
        Payload = payload;
        SignedBytes = signedBytes;
        Signatures = signatures;
        LeafHash = MerkleTree.LeafHash(bytes);
    }

    /// <summary>What the entry says.</summary>
    public EntryPayload Payload { get; }

    /// <summary>The signatures, not yet judged: see <see cref="KeyRegistry"/>.</summary>
    public IReadOnlyList<EntrySignature> Signatures { get; }

    /// <summary>The DSSE pre-authentication encoding, over which the signatures are.</summary>
    public ReadOnlyMemory<byte> SignedBytes { get; }

    /// <summary>
    /// The SHA-256 of <see cref="SignedBytes"/>: what the entry says, from which claimed instant and by which key, whatever its signatures are (<see cref="Statements"/>).
    /// </summary>
    public Sha256Digest Statement => Sha256Digest.Compute(SignedBytes.Span);

    /// <summary>The entry's leaf hash, by which other entries name it.</summary>
    public Sha256Digest LeafHash { get; }

    /// <summary>The entry as it stands in the log.</summary>
    public byte[] ToBytes() => [.. bytes];

    /// <summary>Builds and signs an entry. Its payload's key must be the first signer's.</summary>
    /// <exception cref="ArgumentException">The first signer is not the payload's, or the entry would be too long.</exception>
    /// <exception cref="InvalidOperationException">A field of the payload is not valid.</exception>
    public static LedgerEntry Create(EntryPayload payload, params IReadOnlyList<ActorKey> signers)
    {
        ArgumentNullException.ThrowIfNull(payload);
        ArgumentNullException.ThrowIfNull(signers);
        if (signers.Count == 0 || !string.Equals(signers[0].Id, payload.Key, StringComparison.Ordinal))
            throw new ArgumentException("The payload names another key than the first signer's.", nameof(signers));
        string type = TypePrefix + payload.Kind + TypeSuffix;
        byte[] content = payload.ToBytes();
        byte[] signed = DsseEnvelope.PreAuthenticationEncoding(type, content);
        var envelope = new DsseEnvelope(type, content, [.. signers.Select(signer => new EntrySignature(signer.Id, signer.Sign(signed)))]);
        byte[] entry = envelope.ToBytes();
        return entry.Length <= MaximumLength
            ? new LedgerEntry(entry, payload, signed, envelope.Signatures)
            : throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture, $"The entry has {entry.Length} bytes, more than {MaximumLength}."),
                nameof(payload));
    }

    /// <summary>Whether an entry may be of a kind, told without parsing it: in canonical JSON its type has one spelling.</summary>
    /// <returns>False only where <see cref="Parse"/> would not give an entry of that kind.</returns>
    internal static bool MayBe(string kind, ReadOnlySpan<byte> entry) => entry.IndexOf(Encoding.UTF8.GetBytes($"\"{TypePrefix}{kind}{TypeSuffix}\"")) >= 0;

    /// <summary>Reads an entry. Its signatures are not judged.</summary>
    /// <exception cref="FormatException">The bytes are not a well-formed entry.</exception>
    public static LedgerEntry Parse(ReadOnlySpan<byte> entry)
    {
        if (entry.Length > MaximumLength)
            throw new FormatException($"The entry is longer than {MaximumLength.ToString(CultureInfo.InvariantCulture)} bytes.");
        DsseEnvelope envelope = DsseEnvelope.Parse(entry);
        EntryPayload payload = EntryPayload.Parse(envelope.Payload);
        if (!string.Equals(envelope.PayloadType, TypePrefix + payload.Kind + TypeSuffix, StringComparison.Ordinal))
            throw new FormatException($"The payload type '{envelope.PayloadType}' is not that of the kind '{payload.Kind}'.");
        if (!envelope.Signatures.Any(signature => string.Equals(signature.KeyId, payload.Key, StringComparison.Ordinal)))
            throw new FormatException("The entry is not signed by the key that its payload names.");
        return new LedgerEntry(
            entry.ToArray(),
            payload,
            DsseEnvelope.PreAuthenticationEncoding(envelope.PayloadType, envelope.Payload),
            envelope.Signatures);
    }
}
