using System.Globalization;
using System.Net;
using System.Text;

namespace Evidence.Sources.Nbd;

/// <summary>
/// The place of an export (the NetworkBlockDevice project's <c>doc/uri.md</c>, over RFC 3986): <c>nbd://host:port/export</c>,
/// <c>nbd+unix:///export?socket=path</c>, and both with <c>nbds</c> for TLS.
/// </summary>
internal sealed record NbdUri
{
    private const string Form = "The form is nbd://HOST[:PORT]/EXPORT or nbd+unix:///EXPORT?socket=PATH, and nbds for TLS.";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether TLS is used; where it is, nothing goes without it.</summary>
    internal required bool IsTls { get; init; }

    /// <summary>The host's name or address, without brackets.</summary>
    internal required string Host { get; init; }

    internal required int Port { get; init; }

    /// <summary>The full path of a Unix domain socket, or its abstract name after a NUL; null for TCP.</summary>
    internal string? Socket { get; init; }

    /// <summary>The export's name; empty for the default export.</summary>
    internal required string Export { get; init; }

    /// <summary>The folder with <c>ca-cert.pem</c>, <c>client-cert.pem</c> and <c>client-key.pem</c>; null for the system's authorities.</summary>
    internal string? CertificateFolder { get; init; }

    /// <summary>The name that the server's certificate must have, where it is not <see cref="Host"/>.</summary>
    internal string? TlsHostname { get; init; }

    internal bool VerifiesPeer { get; init; } = true;

    /// <summary>Whether a source's name is meant as a URI of this kind. A file of such a name is reached by <c>./nbd:</c>.</summary>
    internal static bool IsMeant(string text)
    {
        int end = text.IndexOf("://", StringComparison.Ordinal);
        return end > 0 && text.StartsWith("nbd", StringComparison.OrdinalIgnoreCase)
            && text[3..end].ToLowerInvariant() is "" or "s" or ['+', ..] or ['s', '+', ..];
    }

    /// <exception cref="EvidenceException">It is not valid, or asks for what there is not here (<see cref="ErrorCode.Usage"/>).</exception>
    internal static NbdUri Parse(string text)
    {
        int schemeEnd = text.IndexOf("://", StringComparison.Ordinal);
        if (schemeEnd < 0)
            throw new EvidenceException(ErrorCode.Usage, $"{text} is no NBD address. {Form}");
        (bool isTls, bool isUnix) = text[..schemeEnd].ToLowerInvariant() switch
        {
            "nbd" => (false, false),
            "nbds" => (true, false),
            "nbd+unix" => (false, true),
            "nbds+unix" => (true, true),
            var other => throw Invalid(text, $"the scheme {other} is not one that is known here"),
        };
        string rest = text[(schemeEnd + 3)..];
        if (rest.Contains('#', StringComparison.Ordinal))
            throw Invalid(text, "it has a fragment; in an export's name # is written %23");
        int queryStart = rest.IndexOf('?', StringComparison.Ordinal);
        string query = queryStart < 0 ? "" : rest[(queryStart + 1)..];
        rest = queryStart < 0 ? rest : rest[..queryStart];
        int pathStart = rest.IndexOf('/', StringComparison.Ordinal);
        string authority = pathStart < 0 ? rest : rest[..pathStart];
        string export = pathStart < 0 ? "" : Decode(text, rest[(pathStart + 1)..]);
        if (export.Contains('\0', StringComparison.Ordinal) || Utf8.GetByteCount(export) > NbdProtocol.LongestString)
            throw Invalid(text, $"an export's name has at most {NbdProtocol.LongestString} bytes, and none of them is zero");

        (string host, int port) = SplitAuthority(text, authority, isUnix);
        Dictionary<string, string> parameters = SplitQuery(text, query);
        if (isUnix != parameters.ContainsKey("socket"))
            throw Invalid(text, isUnix ? "it does not name the socket" : "a socket goes with nbd+unix:// or nbds+unix://");
        if (!isTls && parameters.Keys.FirstOrDefault(name => name.StartsWith("tls-", StringComparison.Ordinal)) is { } stray)
            throw Invalid(text, $"{stray} goes with nbds:// or nbds+unix://");
        RefuseOtherAuthentication(text, parameters);
        var uri = new NbdUri
        {
            IsTls = isTls,
            Host = host,
            Port = port,
            Socket = parameters.Remove("socket", out string? socket) ? FullSocketPath(text, socket) : null,
            Export = export,
            CertificateFolder = parameters.Remove("tls-certificates", out string? folder) ? Path.GetFullPath(NonEmpty(text, "tls-certificates", folder)) : null,
            TlsHostname = parameters.Remove("tls-hostname", out string? name) ? NonEmpty(text, "tls-hostname", name) : null,
            VerifiesPeer = !parameters.Remove("tls-verify-peer", out string? verify) || verify switch
            {
                "1" or "true" => true,
                "0" or "false" => false,
                _ => throw Invalid(text, "tls-verify-peer is true or false"),
            },
        };
        if (parameters.Keys.FirstOrDefault() is { } unknown)
            throw Invalid(text, $"the parameter {unknown} is not known");
        if (isTls && isUnix && uri is { VerifiesPeer: true, TlsHostname: null })
            throw Invalid(text, "a socket has no host's name to verify the certificate by: give tls-hostname=NAME, or tls-verify-peer=false");
        return uri;
    }

    /// <summary>The place without anything that is only the reader's: what stands in messages and in the record.</summary>
    public override string ToString()
    {
        string scheme = IsTls ? "nbds" : "nbd";
        string export = Encode(Export, "/:@!$&'()*+,;=");
        if (Socket is not null)
            return $"{scheme}+unix:///{export}?socket={Encode(Socket, "/:@,")}";
        string host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Encode(Host, ":")}]" : Encode(Host, "!$&'()*+,;=");
        string port = Port == NbdProtocol.DefaultPort ? "" : string.Create(null, $":{Port}");
        return $"{scheme}://{host}{port}/{export}";
    }

    private static (string Host, int Port) SplitAuthority(string text, string authority, bool isUnix)
    {
        if (authority.Contains('@', StringComparison.Ordinal))
            throw Invalid(text, "it has a user's name, which only TLS with pre-shared keys has a use for, and that there is not here");
        if (isUnix && authority.Length > 0)
            throw Invalid(text, "a host goes with nbd:// or nbds://; before the export's name of a socket stand three slashes");
        string host = authority;
        string port = "";
        if (authority.StartsWith('['))
        {
            int end = authority.IndexOf(']', StringComparison.Ordinal);
            if (end < 0 || (end + 1 < authority.Length && authority[end + 1] != ':') || !IPAddress.TryParse(Decode(text, authority[1..end]), out _))
                throw Invalid(text, "what is in brackets is no IPv6 address");
            host = authority[1..end];
            port = end + 1 < authority.Length ? authority[(end + 2)..] : "";
        }
        else if (authority.LastIndexOf(':') is >= 0 and var colon)
        {
            host = authority[..colon];
            port = authority[(colon + 1)..];
            if (host.Contains(':', StringComparison.Ordinal))
                throw Invalid(text, "an IPv6 address is written in brackets");
        }

        int number = NbdProtocol.DefaultPort;
        if (port.Length > 0 && (!int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number is 0 or > 65535))
            throw Invalid(text, "a port is a number from 1 to 65535");
        return (host.Length == 0 ? "localhost" : Decode(text, host), number);
    }

    private static Dictionary<string, string> SplitQuery(string text, string query)
    {
        var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = parameter.Split('=', 2);
            if (!parameters.TryAdd(Decode(text, parts[0]), parts.Length == 2 ? Decode(text, parts[1]) : ""))
                throw Invalid(text, $"the parameter {parts[0]} stands there twice");
        }

        return parameters;
    }

    private static void RefuseOtherAuthentication(string text, Dictionary<string, string> parameters)
    {
        if (parameters.ContainsKey("tls-psk-file") || parameters.ContainsKey("tls-username")
            || (parameters.Remove("tls-type", out string? type) && type is not "x509"))
        {
            throw Invalid(text, "TLS is only done with certificates here (tls-type=x509): .NET has no pre-shared keys, and anonymous TLS proves nothing");
        }
    }

    private static string FullSocketPath(string text, string socket) =>
        NonEmpty(text, "socket", socket)[0] == '\0' ? socket : Path.GetFullPath(socket);

    private static string NonEmpty(string text, string name, string value) =>
        value.Length > 0 ? value : throw Invalid(text, $"the parameter {name} is empty");

    /// <summary>Undoes percent-encoding; the bytes must be UTF-8.</summary>
    private static string Decode(string text, string encoded)
    {
        try
        {
            byte[] bytes = Utf8.GetBytes(encoded);
            int length = 0;
            for (int i = 0; i < bytes.Length; i++)
            {
                if (bytes[i] != (byte)'%')
                    bytes[length++] = bytes[i];
                else if (i + 2 < bytes.Length && char.IsAsciiHexDigit((char)bytes[i + 1]) && char.IsAsciiHexDigit((char)bytes[i + 2]))
                    bytes[length++] = byte.Parse([bytes[++i], bytes[++i]], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                else
                    throw Invalid(text, "a % is not followed by two hexadecimal digits");
            }

            return Utf8.GetString(bytes, 0, length);
        }
        catch (ArgumentException)
        {
            throw Invalid(text, "it is not UTF-8");
        }
    }

    private static string Encode(string value, string alsoPlain)
    {
        var encoded = new StringBuilder();
        foreach (byte b in Utf8.GetBytes(value))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || "-._~".Contains((char)b, StringComparison.Ordinal) || alsoPlain.Contains((char)b, StringComparison.Ordinal))
                encoded.Append((char)b);
            else
                encoded.Append(CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return encoded.ToString();
    }

    /// <summary>The error, without what may be a password.</summary>
    private static EvidenceException Invalid(string text, string why)
    {
        int start = text.IndexOf("://", StringComparison.Ordinal) + 3;
        int length = text.AsSpan(start).IndexOfAny('/', '?') is >= 0 and var end ? end : text.Length - start;
        int at = text.AsSpan(start, length).LastIndexOf('@');
        string shown = at < 0 ? text : string.Concat(text.AsSpan(0, start), "...", text.AsSpan(start + at));
        return new EvidenceException(ErrorCode.Usage, $"{shown} is no NBD address: {why}. {Form}");
    }
}
