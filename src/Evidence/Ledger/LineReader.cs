using System.Globalization;
using System.Text;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>Reads the lines that stand before a checkpoint in C2SP's files: ASCII, each ended by LF, and then a blank one.</summary>
/// <param name="bytes">The whole file.</param>
/// <param name="what">What the file is, for errors.</param>
internal ref struct LineReader(ReadOnlySpan<byte> bytes, string what)
{
    private readonly string what = what;
    private int number;

    /// <summary>What follows the lines that were read.</summary>
    internal ReadOnlySpan<byte> Rest { get; private set; } = bytes;

    /// <summary>The next line, without its LF.</summary>
    /// <exception cref="FormatException">There is none, or it is not ASCII.</exception>
    internal string Next()
    {
        number++;
        int end = Rest.IndexOf((byte)'\n');
        if (end < 0)
            throw Wrong("is missing, or does not end in a line feed");
        ReadOnlySpan<byte> line = Rest[..end];
        Rest = Rest[(end + 1)..];
        return line.ContainsAnyExceptInRange((byte)' ', (byte)'~') ? throw Wrong("holds a byte that is no ASCII character") : Encoding.ASCII.GetString(line);
    }

    /// <summary>The hashes up to the blank line, one in base64 a line.</summary>
    /// <exception cref="FormatException">One is none, or there are more.</exception>
    internal Sha256Digest[] NextHashes(int most)
    {
        var hashes = new List<Sha256Digest>();
        Span<byte> hash = stackalloc byte[Sha256Digest.Size + 1];
        while (Next() is { Length: > 0 } line)
        {
            if (!Base64Text.TryDecode(line, hash, out int length) || length != Sha256Digest.Size)
                throw Wrong($"is no SHA-256 hash in base64");
            if (hashes.Count == most)
                throw Wrong($"is one hash more than the {most} that a proof can have");
            hashes.Add(new Sha256Digest(hash[..length]));
        }

        return [.. hashes];
    }

    internal static void AppendHashes(StringBuilder text, IEnumerable<Sha256Digest> hashes)
    {
        foreach (Sha256Digest hash in hashes)
            text.Append(Convert.ToBase64String(hash.ToArray())).Append('\n');
    }

    /// <summary>An error about the line that was read last.</summary>
    internal readonly FormatException Wrong(string reason) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Line {number} of {what} {reason}."));
}
