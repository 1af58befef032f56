using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Evidence.Ledger;

/// <summary>A text with signature lines (c2sp.org/signed-note), parsed, not judged: see <see cref="NoteVerifier"/>.</summary>
public sealed class SignedNote
{
    /// <summary>The longest note that is read. A checkpoint with a hundred cosignatures stays far below it.</summary>
    public const int MaximumLength = 1 << 16;

    /// <summary>The most signature lines that are read; signed-note asks verifiers to accept at least 16.</summary>
    public const int MaximumSignatures = 100;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private SignedNote(string text, IReadOnlyList<NoteSignature> signatures) => (Text, Signatures) = (text, signatures);

    /// <summary>The signed text, up to and with the line feed before the blank line.</summary>
    public string Text { get; }

    /// <summary>The signature lines, in order.</summary>
    public IReadOnlyList<NoteSignature> Signatures { get; }

    /// <summary>Puts a text and its signatures together.</summary>
    internal static byte[] Write(string text, IEnumerable<NoteSignature> signatures)
    {
        var note = new StringBuilder(text).Append('\n');
        foreach (NoteSignature signature in signatures)
            note.Append(signature.ToLine());
        return StrictUtf8.GetBytes(note.ToString());
    }

    /// <summary>Reads signature lines that stand alone, as a witness answers them.</summary>
    /// <exception cref="FormatException">The bytes are not one or more signature lines, each ended by a line feed.</exception>
    internal static IReadOnlyList<NoteSignature> ParseLines(ReadOnlySpan<byte> bytes) =>
        Parse([.. "\n\n"u8, .. bytes]) is { Text: "\n" } note ? note.Signatures : throw new FormatException("There is something else before the signature lines.");

    /// <summary>Reads a note.</summary>
    /// <exception cref="FormatException">The bytes are not a note with at least one signature line.</exception>
    public static SignedNote Parse(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaximumLength)
            throw new FormatException($"The note is longer than {MaximumLength} bytes.");
        string note = Decode(bytes);
        // The text may hold blank lines itself; the last one parts it from the signatures.
        int blank = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (blank < 0 || !note.EndsWith('\n') || blank + 2 == note.Length)
            throw new FormatException("The note has no signature lines after a blank line.");
        string[] lines = note[(blank + 2)..^1].Split('\n');
        if (lines.Length > MaximumSignatures)
            throw new FormatException($"The note has more than {MaximumSignatures} signature lines.");
        return new SignedNote(note[..(blank + 1)], [.. lines.Select(ParseSignature)]);
    }

    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        string note;
        try
        {
            note = StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new FormatException($"The note is no valid UTF-8 at byte {e.Index.ToString(CultureInfo.InvariantCulture)}.", e);
        }

        if (note.Any(c => c < ' ' && c != '\n'))
            throw new FormatException("The note holds a control character.");
        return note;
    }

    private static NoteSignature ParseSignature(string line)
    {
        if (!line.StartsWith(NoteSignature.LinePrefix, StringComparison.Ordinal) ||
            line[NoteSignature.LinePrefix.Length..].Split(' ') is not [var name, var value])
        {
            throw new FormatException("A signature line is not an em dash, a key name and a signature.");
        }

        if (!KeyName.IsValid(name))
            throw new FormatException("A signature line has no valid key name.");
        if (Base64Text.TryDecode(value) is not { Length: > sizeof(uint) } bytes)
            throw new FormatException($"The signature line of {name} is not valid base64 of a key id and a signature.");
        return new NoteSignature(name, BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes.AsMemory(sizeof(uint)));
    }
}

/// <summary>One signature line of a note.</summary>
/// <param name="KeyName">The signer's name.</param>
/// <param name="KeyId">The first four bytes, big-endian, that tell keys of one name apart.</param>
/// <param name="Signature">The signature; its form depends on the key's type.</param>
public sealed record NoteSignature(string KeyName, uint KeyId, ReadOnlyMemory<byte> Signature)
{
    internal const string LinePrefix = "— ";

    /// <summary>The line, with its line feed.</summary>
    internal string ToLine()
    {
        var value = new byte[sizeof(uint) + Signature.Length];
        BinaryPrimitives.WriteUInt32BigEndian(value, KeyId);
        Signature.Span.CopyTo(value.AsSpan(sizeof(uint)));
        return $"{LinePrefix}{KeyName} {Convert.ToBase64String(value)}\n";
    }
}
