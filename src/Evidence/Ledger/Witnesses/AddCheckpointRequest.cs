using System.Text;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Ledger.Witnesses;

/// <summary>What a log asks a witness: to cosign a checkpoint that follows the last one that it cosigned (c2sp.org/tlog-witness, <c>add-checkpoint</c>).</summary>
/// <param name="OldSize">The size that the log thinks the witness cosigned last; 0 for none.</param>
/// <param name="Proof">The consistency proof from that size.</param>
/// <param name="Note">The signed checkpoint.</param>
/// <param name="Checkpoint">What it says.</param>
public sealed record AddCheckpointRequest(long OldSize, ReadOnlyMemory<Sha256Digest> Proof, SignedNote Note, Checkpoint Checkpoint)
{
    /// <summary>The most lines of a proof.</summary>
    public const int LongestProof = 63;

    /// <summary>The longest request that is read, in bytes.</summary>
    public const int MaximumLength = SignedNote.MaximumLength + (LongestProof * 45) + 64;

    private const string OldPrefix = "old ";

    /// <summary>Puts a request's bytes together.</summary>
    public static byte[] Write(long oldSize, IReadOnlyList<Sha256Digest> proof, ReadOnlySpan<byte> note)
    {
        var text = new StringBuilder(OldPrefix).Append(DecimalText.Format(oldSize)).Append('\n');
        LineReader.AppendHashes(text, proof);
        return [.. Encoding.UTF8.GetBytes(text.Append('\n').ToString()), .. note];
    }

    /// <summary>Reads a request.</summary>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    public static AddCheckpointRequest Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumLength)
            throw new FormatException($"The request is longer than {MaximumLength} bytes.");
        var lines = new LineReader(bytes, "the request");
        string old = lines.Next();
        if (!old.StartsWith(OldPrefix, StringComparison.Ordinal) || !DecimalText.TryParse(old.AsSpan(OldPrefix.Length), out long oldSize))
            throw lines.Wrong($"is not '{OldPrefix}' and a size in decimal");
        Sha256Digest[] proof = lines.NextHashes(LongestProof);
        SignedNote note = SignedNote.Parse(lines.Rest);
        return new AddCheckpointRequest(oldSize, proof, note, Checkpoint.Parse(note.Text));
    }
}
