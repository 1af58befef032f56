using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// A proof that a log has two histories: two checkpoints that its keys signed, neither of which is the beginning of the other (<c>docs/format/ledger.md</c>, Proofs of
/// two histories). Whoever has the log's public keys can check it; nothing else is believed. Parsed, not judged: see <see cref="Check"/>.
/// </summary>
public sealed class ForkProof
{
    /// <summary>The longest file that is read.</summary>
    public const int MaximumLength = (2 * 2 * SignedNote.MaximumLength) + (MerkleProof.LongestConsistency * 48) + 1024;

    private const string FormatName = "evidence-fork-proof";
    private const int Version = 1;

    private readonly Sha256Digest[] hashes;

    private ForkProof(byte[] older, byte[] newer, Sha256Digest? root, Sha256Digest[] hashes)
    {
        Older = older;
        Newer = newer;
        OtherRoot = root;
        this.hashes = hashes;
        OlderNote = SignedNote.Parse(older);
        NewerNote = SignedNote.Parse(newer);
        OlderCheckpoint = Checkpoint.Parse(OlderNote.Text);
        NewerCheckpoint = Checkpoint.Parse(NewerNote.Text);
    }

    /// <summary>The checkpoint of the smaller size, or of the same, as it was signed.</summary>
    public ReadOnlyMemory<byte> Older { get; }

    /// <summary>The other one.</summary>
    public ReadOnlyMemory<byte> Newer { get; }

    /// <summary>What <see cref="Older"/> says.</summary>
    public Checkpoint OlderCheckpoint { get; }

    /// <summary>What <see cref="Newer"/> says.</summary>
    public Checkpoint NewerCheckpoint { get; }

    /// <summary>Where the sizes differ: the root that the history of <see cref="Newer"/> has at the size of <see cref="Older"/>; else null.</summary>
    public Sha256Digest? OtherRoot { get; }

    /// <summary>Where the sizes differ: the consistency proof (RFC 6962, section 2.1.2) from <see cref="OtherRoot"/> to <see cref="Newer"/>; else none.</summary>
    public IReadOnlyList<Sha256Digest> Hashes => hashes;

    private SignedNote OlderNote { get; }

    private SignedNote NewerNote { get; }

    /// <summary>Puts a proof together from a checkpoint that was seen, and a ledger that is not its continuation.</summary>
    /// <param name="seen">The checkpoint that was seen, as it was signed; its size is at most the ledger's.</param>
    /// <param name="ledger">The ledger.</param>
    /// <exception cref="EvidenceException">The ledger's tiles are damaged: then they prove nothing.</exception>
    /// <exception cref="FormatException">What was seen is no checkpoint.</exception>
    public static ForkProof Create(ReadOnlySpan<byte> seen, CustodyLedger ledger)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var before = Checkpoint.Parse(SignedNote.Parse(seen).Text);
        return before.Size == ledger.Size
            ? new ForkProof(seen.ToArray(), ledger.SignedNote.ToArray(), null, [])
            : new ForkProof(seen.ToArray(), ledger.SignedNote.ToArray(), ledger.RootAt(before.Size), ledger.ProveConsistency(before.Size));
    }

    /// <summary>Reads a proof's file.</summary>
    /// <exception cref="FormatException">It is no such file, in its one spelling.</exception>
    public static ForkProof Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumLength)
            throw new FormatException($"The proof is longer than {MaximumLength} bytes.");
        JsonObject json = JsonFields.RequireObject(CanonicalJson.Parse(bytes), "The proof");
        json.RequireOnly("format", "version", "older", "newer", "root", "consistency");
        if (!string.Equals(json.RequireString("format"), FormatName, StringComparison.Ordinal) || json.RequireInteger("version") != Version)
            throw new FormatException($"It is not of the format {FormatName}, version {Version}.");
        IReadOnlyList<string> proof = json.RequireStrings("consistency");
        if (proof.Count > MerkleProof.LongestConsistency)
            throw new FormatException($"A consistency proof has at most {MerkleProof.LongestConsistency} hashes.");
        return new ForkProof(
            Encoding.UTF8.GetBytes(json.RequireString("older")), Encoding.UTF8.GetBytes(json.RequireString("newer")),
            json.RequireNullableString("root") is null ? null : Sha256Digest.Parse(json.RequireDigest("root")), [.. proof.Select(DecodeHash)]);
    }

    /// <summary>The file's bytes.</summary>
    public byte[] ToBytes() => CanonicalJson.Serialize(new JsonObject
    {
        ["format"] = FormatName,
        ["version"] = Version,
        ["older"] = Encoding.UTF8.GetString(Older.Span),
        ["newer"] = Encoding.UTF8.GetString(Newer.Span),
        ["root"] = OtherRoot?.ToString(),
        ["consistency"] = new JsonArray([.. hashes.Select(hash => JsonValue.Create(Convert.ToBase64String(hash.ToArray())))]),
    });

    /// <summary>Whether it proves what it claims, under keys that the checker knows to be the log's.</summary>
    /// <param name="keys">The log's public keys, and maybe others: only log keys of the checkpoints' origin count.</param>
    /// <returns>Why it proves nothing; null where it does.</returns>
    public string? Check(IReadOnlyCollection<VerifierKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (Contradiction() is { } defect)
            return defect;
        foreach ((string which, NoteVerdict verdict) in Verify(keys))
        {
            if (verdict.Failed is [var failed, ..])
                return $"The signature of {failed} on the {which} checkpoint is wrong.";
            if (verdict.Verified.Count == 0)
                return $"No known key of the log {OlderCheckpoint.Origin} signed the {which} checkpoint.";
        }

        return null;
    }

    /// <summary>What the log's own keys say of the two checkpoints.</summary>
    internal (string Which, NoteVerdict Verdict)[] Verify(IEnumerable<VerifierKey> keys)
    {
        // A witness's signature is no word of the log's.
        VerifierKey[] own = [.. keys.Where(key => !key.IsWitness && string.Equals(key.Name, OlderCheckpoint.Origin, StringComparison.Ordinal))];
        return [("older", NoteVerifier.Verify(OlderNote, own)), ("newer", NoteVerifier.Verify(NewerNote, own))];
    }

    /// <summary>Whether a file begins as such a proof does: in canonical JSON its first field is its own.</summary>
    internal static bool Begins(ReadOnlySpan<byte> beginning) => beginning.StartsWith("{\"consistency\":"u8);

    /// <summary>Whether the checkpoints contradict each other, whoever signed them.</summary>
    /// <returns>Why they can be of one history, or that nothing shows that they are not; null where they contradict each other.</returns>
    internal string? Contradiction()
    {
        (Checkpoint older, Checkpoint newer) = (OlderCheckpoint, NewerCheckpoint);
        if (!string.Equals(older.Origin, newer.Origin, StringComparison.Ordinal))
            return $"The checkpoints are of two logs, {older.Origin} and {newer.Origin}: each may have its own history.";
        if (older.Size > newer.Size)
            return "The checkpoint that is given as the older one has more entries.";
        if (older.Size == newer.Size)
        {
            return OtherRoot is not null || hashes.Length > 0 ? "The checkpoints have one size: there is nothing to be consistent with."
                : older.Root == newer.Root ? "The checkpoints say the same."
                : null;
        }

        if (OtherRoot is not { } other || !MerkleProof.VerifyConsistency(older.Size, other, newer.Size, newer.Root, hashes))
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"The consistency proof does not show what root the history of {newer.Size} entries has at {older.Size}: the older checkpoint may be its beginning.");
        }

        return other == older.Root ? "The older checkpoint is the beginning of the newer one." : null;
    }

    private static Sha256Digest DecodeHash(string text)
    {
        Span<byte> hash = stackalloc byte[Sha256Digest.Size + 1];
        return Base64Text.TryDecode(text, hash, out int length) && length == Sha256Digest.Size
            ? new Sha256Digest(hash[..length])
            : throw new FormatException("A hash of the consistency proof is not 32 bytes in base64.");
    }
}
