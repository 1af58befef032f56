using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Evidence.Canonical;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// Entries about to be appended, staged durably before a single tile is written, so that a crash at any point is followed by the very same
/// bytes: three header lines (format, origin, size before and count), the entries as in a bundle, and the SHA-256 of all that.
/// </summary>
internal sealed record StagedBatch(string Origin, long Start, IReadOnlyList<ReadOnlyMemory<byte>> Entries)
{
    internal const string Name = "staging/batch";

    /// <summary>How many bytes of entries one batch, hence one checkpoint, takes: what bounds the sequencer's memory.</summary>
    internal const int MaximumEntryBytes = 16 << 20;

    private const string Format = "evidence-staged-batch/1";
    private const int MaximumLength = MaximumEntryBytes + (64 << 10);

    internal long End => Start + Entries.Count;

    /// <summary>What an entry takes in a batch.</summary>
    internal static int Cost(ReadOnlySpan<byte> entry) => entry.Length + sizeof(ushort);

    internal byte[] ToBytes()
    {
        var bytes = new List<byte>(Encoding.UTF8.GetBytes(
            $"{Format}\n{Origin}\n{DecimalText.Format(Start)} {DecimalText.Format(Entries.Count)}\n"));
        foreach (ReadOnlyMemory<byte> entry in Entries)
            EntryBundle.Append(bytes, entry.Span);
        bytes.AddRange(SHA256.HashData(CollectionsMarshal.AsSpan(bytes)));
        return [.. bytes];
    }

    /// <summary>Reads the staged batch.</summary>
    /// <returns>Null where there is none.</returns>
    /// <exception cref="EvidenceException">It is damaged.</exception>
    internal static StagedBatch? TryRead(ILedgerStorage storage)
    {
        if (storage.TryRead(Name, MaximumLength + 1) is not { } bytes)
            return null;
        try
        {
            return Parse(bytes);
        }
        catch (FormatException e)
        {
            throw TileReader.Damaged(Name, e.Message, e);
        }
    }

    private static StagedBatch Parse(byte[] bytes)
    {
        int length = bytes.Length - Sha256Digest.Size;
        if (length < 0 || bytes.Length > MaximumLength ||
            !SHA256.HashData(bytes.AsSpan(0, length)).AsSpan().SequenceEqual(bytes.AsSpan(length)))
        {
            throw new FormatException("its checksum is wrong");
        }

        var lines = new string[3];
        int at = 0;
        for (int i = 0; i < lines.Length; i++)
        {
            int line = bytes.AsSpan(at, length - at).IndexOf((byte)'\n');
            if (line < 0)
                throw new FormatException("its header is cut short");
            lines[i] = Encoding.UTF8.GetString(bytes, at, line);
            at += line + 1;
        }

        if (!string.Equals(lines[0], Format, StringComparison.Ordinal) || lines[2].Split(' ') is not [var start, var count] ||
            !DecimalText.TryParse(start, out long first) || !DecimalText.TryParse(count, out long number) || number > length)
        {
            throw new FormatException("its header is wrong");
        }

        IReadOnlyList<ReadOnlyMemory<byte>> entries = EntryBundle.Read(bytes.AsMemory(at, length - at), (int)number, out int end);
        return end == length - at
            ? new StagedBatch(lines[1], first, entries)
            : throw new FormatException(string.Create(
                CultureInfo.InvariantCulture, $"it has {length - at - end} bytes after its last entry"));
    }
}
