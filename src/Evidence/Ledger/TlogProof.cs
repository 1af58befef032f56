using System.Text;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// A proof that a log has an entry, as one file (<c>c2sp.org/tlog-proof@v1</c>): the entry's place, its inclusion proof, and the checkpoint that it leads
/// to. Parsed, not judged: see <see cref="Includes"/> for the tree, and <see cref="NoteVerifier"/> for who signed.
/// </summary>
public sealed class TlogProof
{
    /// <summary>What such files are named by.</summary>
    public const string Extension = ".tlog-proof";

    /// <summary>The most bytes of extra data: an entry at its longest.</summary>
    public const int LongestExtra = ushort.MaxValue;

    /// <summary>The longest file that is read.</summary>
    public const int MaximumLength = (LongestExtra * 4 / 3) + (MerkleProof.LongestInclusion * 45) + SignedNote.MaximumLength + 256;

    private const string FirstLine = "c2sp.org/tlog-proof@v1";
    private const string ExtraPrefix = "extra ";
    private const string IndexPrefix = "index ";

    private readonly Sha256Digest[] hashes;

    private TlogProof(long index, Sha256Digest[] hashes, byte[] note, byte[]? extra)
    {
        Index = index;
        this.hashes = hashes;
        Note = note;
        // Not by a conditional expression: there null would become memory of no bytes.
        if (extra is not null)
            Extra = extra;
        SignedCheckpoint = SignedNote.Parse(note);
        Checkpoint = Checkpoint.Parse(SignedCheckpoint.Text);
    }

    /// <summary>The entry's place in the log, from 0.</summary>
    public long Index { get; }

    /// <summary>The inclusion proof (RFC 6962, section 2.1.1), from the leaf's sibling up.</summary>
    public IReadOnlyList<Sha256Digest> Hashes => hashes;

    /// <summary>The checkpoint as it was signed, with all its signature lines.</summary>
    public ReadOnlyMemory<byte> Note { get; }

    /// <summary>The checkpoint's signatures.</summary>
    public SignedNote SignedCheckpoint { get; }

    /// <summary>What the log committed to.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>What was sent along; nothing vouches for it, unless its leaf hash is included. Null where there is none.</summary>
    public ReadOnlyMemory<byte>? Extra { get; }

    /// <summary>Puts a proof together.</summary>
    /// <param name="index">The entry's place.</param>
    /// <param name="hashes">The inclusion proof.</param>
    /// <param name="note">The signed checkpoint.</param>
    /// <param name="extra">What to send along: the entry itself, say. At most <see cref="LongestExtra"/> bytes; empty counts as none.</param>
    /// <exception cref="FormatException">One of the parts is not what it must be.</exception>
    public static TlogProof Create(long index, IReadOnlyList<Sha256Digest> hashes, ReadOnlySpan<byte> note, ReadOnlySpan<byte> extra = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentNullException.ThrowIfNull(hashes);
        if (hashes.Count > MerkleProof.LongestInclusion)
            throw new FormatException($"An inclusion proof has at most {MerkleProof.LongestInclusion} hashes.");
        if (extra.Length > LongestExtra)
            throw new FormatException($"The extra data is longer than {LongestExtra} bytes.");
        return new TlogProof(index, [.. hashes], note.ToArray(), extra.IsEmpty ? null : extra.ToArray());
    }

    /// <summary>Reads a proof's file.</summary>
    /// <exception cref="FormatException">It is no such file, in its one spelling; the message names the line.</exception>
    public static TlogProof Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumLength)
            throw new FormatException($"The proof is longer than {MaximumLength} bytes.");
        var lines = new LineReader(bytes, "the proof");
        if (!string.Equals(lines.Next(), FirstLine, StringComparison.Ordinal))
            throw lines.Wrong($"is not '{FirstLine}'");
        string line = lines.Next();
        byte[]? extra = null;
        if (line.StartsWith(ExtraPrefix, StringComparison.Ordinal))
        {
            extra = Base64Text.TryDecode(line[ExtraPrefix.Length..]);
            if (extra is not { Length: > 0 and <= LongestExtra })
                throw lines.Wrong($"is not '{ExtraPrefix}' and 1 to {LongestExtra} bytes in base64");
            line = lines.Next();
        }

        if (!line.StartsWith(IndexPrefix, StringComparison.Ordinal) || !DecimalText.TryParse(line.AsSpan(IndexPrefix.Length), out long index))
            throw lines.Wrong($"is not '{IndexPrefix}' and a number in decimal");
        Sha256Digest[] path = lines.NextHashes(MerkleProof.LongestInclusion);
        return new TlogProof(index, path, lines.Rest.ToArray(), extra);
    }

    /// <summary>The file's bytes.</summary>
    public byte[] ToBytes()
    {
        var text = new StringBuilder(FirstLine).Append('\n');
        if (Extra is { } extra)
            text.Append(ExtraPrefix).Append(Convert.ToBase64String(extra.Span)).Append('\n');
        text.Append(IndexPrefix).Append(DecimalText.Format(Index)).Append('\n');
        LineReader.AppendHashes(text, hashes);
        return [.. Encoding.UTF8.GetBytes(text.Append('\n').ToString()), .. Note.Span];
    }

    /// <summary>Whether the tree that the checkpoint commits to has a leaf at the proof's place. Who signed the checkpoint is another question.</summary>
    public bool Includes(Sha256Digest leafHash) => MerkleProof.VerifyInclusion(Index, Checkpoint.Size, leafHash, hashes, Checkpoint.Root);
}
