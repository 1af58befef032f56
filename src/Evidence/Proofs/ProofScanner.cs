using System.Buffers;
using System.Buffers.Text;
using Evidence.Segments;

namespace Evidence.Proofs;

/// <summary>
/// Parts a proof's file into what is small, its JSON with an empty array of segments, and where in it the segments' content is. What is cut out is an array of strings
/// of base64 and nothing else; all else is left for the parser to accept or refuse.
/// </summary>
internal sealed class ProofScanner
{
    /// <summary>How many segments are counted up to: more than a range of the greatest length has, were each one sector.</summary>
    private const int MostSegments = 1 << 20;

    private static readonly int LongestText = Base64.GetMaxEncodedToUtf8Length(PackFormat.LargestContent);

    private readonly Stream file;
    private readonly byte[] buffer = new byte[1 << 16];
    private readonly ArrayBufferWriter<byte> rest = new();
    private readonly List<ProofContents.Place> places = [];
    private long position;
    private int next;
    private int end;

    private ProofScanner(Stream file) => this.file = file;

    // It cannot stand inside of a string: there quotation marks are escaped.
    private static ReadOnlySpan<byte> Beginning => "\"segments\":["u8;

    /// <summary>Goes through a file.</summary>
    /// <param name="file">The file, at its beginning; it can seek.</param>
    /// <returns>The JSON, and the segments' places.</returns>
    /// <exception cref="FormatException">The array of segments holds something else, or too much.</exception>
    internal static (ReadOnlyMemory<byte> Json, IReadOnlyList<ProofContents.Place> Places) Run(Stream file)
    {
        var scanner = new ProofScanner(file);
        if (scanner.CopyThroughBeginning())
            scanner.CutSegments();
        while (scanner.Fill())
        {
            scanner.rest.Write(scanner.buffer.AsSpan(scanner.next, scanner.end - scanner.next));
            scanner.next = scanner.end;
        }

        return (scanner.rest.WrittenMemory, scanner.places);
    }

    private bool CopyThroughBeginning()
    {
        int matched = 0;
        while (matched < Beginning.Length)
        {
            int octet = Next();
            if (octet < 0)
                return false;
            Copy((byte)octet);
            if (octet == Beginning[matched])
                matched++;
            else
                matched = octet == Beginning[0] ? 1 : 0;
        }

        return true;
    }

    /// <summary>Goes through the strings of the array, and copies its end.</summary>
    private void CutSegments()
    {
        int octet = Next();
        while (octet == '"')
        {
            if (places.Count == MostSegments)
                throw new FormatException($"It has more than {MostSegments} segments.");
            long start = position - (end - next);
            places.Add(new ProofContents.Place(start, SkipString()));
            octet = Next();
            if (octet != ',')
                break;
            octet = Next();
            if (octet != '"')
                throw Wrong();
        }

        if (octet != ']')
            throw Wrong();
        Copy((byte)']');
    }

    /// <summary>Goes past a string's closing quotation mark.</summary>
    /// <returns>The string's length.</returns>
    private int SkipString()
    {
        int length = 0;
        while (Fill())
        {
            int quote = buffer.AsSpan(next, end - next).IndexOf((byte)'"');
            int part = quote < 0 ? end - next : quote;
            length += part;
            next += part;
            if (length > LongestText)
                throw new FormatException("A segment in it is longer than any segment is.");
            if (quote >= 0)
            {
                next++;
                return length;
            }
        }

        throw Wrong();
    }

    private void Copy(byte octet)
    {
        rest.GetSpan(1)[0] = octet;
        rest.Advance(1);
    }

    private int Next() => Fill() ? buffer[next++] : -1;

    private bool Fill()
    {
        if (next < end)
            return true;
        next = 0;
        end = ProofContents.ReadFrom(file, buffer);
        position += end;
        return position <= ProofFile.LargestSize ? end > 0 : throw new FormatException($"It has more than {ProofFile.LargestSize} bytes.");
    }

    private static FormatException Wrong() => new("Its segments are not an array of strings in canonical form (RFC 8785).");
}
