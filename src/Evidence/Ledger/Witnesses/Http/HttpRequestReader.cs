using System.Globalization;
using System.Text;

namespace Evidence.Ledger.Witnesses.Http;

/// <summary>A request of HTTP/1.1 or HTTP/1.0 (RFC 9112).</summary>
/// <param name="Method">The method.</param>
/// <param name="Path">The path of its target, as it was sent, without a query.</param>
/// <param name="Body">The body.</param>
/// <param name="KeepsOpen">Whether the client may send another one on the same connection.</param>
internal sealed record HttpRequest(string Method, string Path, byte[] Body, bool KeepsOpen);

/// <summary>A request that is not served: the status that says why. The connection ends with it, for where the next request begins is not known.</summary>
internal sealed class HttpRefusedException(int status, string message) : Exception(message)
{
    internal int Status => status;
}

/// <summary>
/// Reads requests from a connection: what a witness needs of RFC 9112, and nothing besides. A body has a length that is told before it; what can be read in two ways
/// (two lengths, a length and a transfer coding, a folded line, a bare CR) is refused.
/// </summary>
internal sealed class HttpRequestReader(Stream stream, HttpLimits limits, int longestBody)
{
    private readonly byte[] buffer = new byte[limits.HeadLength];
    private int filled;

    /// <summary>Reads the next request.</summary>
    /// <returns>Null where the client ended the connection instead.</returns>
    /// <exception cref="HttpRefusedException">It is not served.</exception>
    internal async Task<HttpRequest?> ReadAsync(CancellationToken cancellation)
    {
        int head = await ReadHeadAsync(cancellation).ConfigureAwait(false);
        if (head == 0)
            return null;
        string[] lines = Lines(buffer.AsSpan(0, head));
        if (lines[0].Split(' ') is not [{ Length: > 0 } method, var target, var version])
            throw new HttpRefusedException(400, "The first line is no request line.");
        if (version is not ("HTTP/1.1" or "HTTP/1.0"))
            throw new HttpRefusedException(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
        ILookup<string, string> headers = lines.Skip(1).Select(Header).ToLookup(h => h.Name, h => h.Value, StringComparer.OrdinalIgnoreCase);
        if (version is "HTTP/1.1" && headers["Host"].Count() != 1)
            throw new HttpRefusedException(400, "There is not one header Host.");
        int length = BodyLength(headers);
        if (length > 0 && headers["Expect"].Contains("100-continue", StringComparer.OrdinalIgnoreCase))
            await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), cancellation).ConfigureAwait(false);
        byte[] body = await ReadBodyAsync(head, length, cancellation).ConfigureAwait(false);
        return new HttpRequest(method, PathOf(target), body, KeepsOpen(version, headers));
    }

    /// <summary>Fills the buffer up to the blank line that ends a head.</summary>
    /// <returns>The head's length with that line; 0 where the connection ended before its first byte.</returns>
    private async Task<int> ReadHeadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            int end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
                return end + 4;
            if (filled == buffer.Length)
                throw new HttpRefusedException(431, "The request's headers are too long.");
            int read = await stream.ReadAsync(buffer.AsMemory(filled), cancellation).ConfigureAwait(false);
            if (read == 0)
                return filled == 0 ? 0 : throw new EndOfStreamException("The request was cut short.");
            filled += read;
        }
    }

    private async Task<byte[]> ReadBodyAsync(int head, int length, CancellationToken cancellation)
    {
        var body = new byte[length];
        int there = Math.Min(length, filled - head);
        buffer.AsSpan(head, there).CopyTo(body);
        await stream.ReadExactlyAsync(body.AsMemory(there), cancellation).ConfigureAwait(false);
        // What follows is the next request's.
        buffer.AsSpan(head + there, filled - head - there).CopyTo(buffer);
        filled -= head + there;
        return body;
    }

    private static string[] Lines(ReadOnlySpan<byte> head)
    {
        string[] lines = Encoding.Latin1.GetString(head[..^4]).Split("\r\n");
        return lines.Any(line => line.Any(c => c is < ' ' and not '\t' or '\u007f'))
            ? throw new HttpRefusedException(400, "The request's head holds a control character.")
            : lines;
    }

    private static (string Name, string Value) Header(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || !line.AsSpan(0, colon).ContainsOnlyTokenCharacters())
            throw new HttpRefusedException(400, "A header is malformed.");
        return (line[..colon], line[(colon + 1)..].Trim(' ', '\t'));
    }

    private int BodyLength(ILookup<string, string> headers)
    {
        if (headers["Transfer-Encoding"].Any())
            throw new HttpRefusedException(411, "Send the body with a Content-Length.");
        return headers["Content-Length"].ToArray() switch
        {
            [] => 0,
            [var text] when text.Length <= 9 && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int length) =>
                length <= longestBody ? length : throw new HttpRefusedException(413, $"The body is longer than {longestBody} bytes."),
            [var text] when text.Length > 9 && text.All(char.IsAsciiDigit) => throw new HttpRefusedException(413, $"The body is longer than {longestBody} bytes."),
            _ => throw new HttpRefusedException(400, "The body's length is not told in one number."),
        };
    }

    private static string PathOf(string target)
    {
        // A client that takes this for a proxy names the whole address.
        if (Uri.TryCreate(target, UriKind.Absolute, out Uri? absolute) && absolute.Scheme == Uri.UriSchemeHttp)
            return absolute.AbsolutePath;
        int query = target.IndexOf('?', StringComparison.Ordinal);
        return query < 0 ? target : target[..query];
    }

    private static bool KeepsOpen(string version, ILookup<string, string> headers)
    {
        string[] wishes = [.. headers["Connection"].SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries))];
        return version is "HTTP/1.1"
            ? !wishes.Contains("close", StringComparer.OrdinalIgnoreCase)
            : wishes.Contains("keep-alive", StringComparer.OrdinalIgnoreCase);
    }
}

/// <summary>The characters of a header's name (RFC 9110, section 5.6.2).</summary>
internal static class HttpToken
{
    private static readonly System.Buffers.SearchValues<char> Characters =
        System.Buffers.SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    internal static bool ContainsOnlyTokenCharacters(this ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Characters);
}
