using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Evidence.Interop.Tests.Rescue;

/// <summary>A request for bytes that reached a server.</summary>
internal readonly record struct ReadRequest(long Offset, long Length)
{
    internal long End => Offset + Length;
}

/// <summary>What nbdkit's log filter writes, as it grows.</summary>
internal sealed partial class RequestLog(string path)
{
    private long position;

    internal string Path => path;

    /// <summary>The reads that came since the last call.</summary>
    internal ReadRequest[] Next()
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = position;
        using var reader = new StreamReader(stream, Encoding.Latin1);
        string text = reader.ReadToEnd();
        position = stream.Length;
        return [.. Request().Matches(text).Select(request => new ReadRequest(Hex(request.Groups["offset"]), Hex(request.Groups["count"])))];
    }

    private static long Hex(Group group) => long.Parse(group.ValueSpan, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    [GeneratedRegex(@" Read id=\d+ offset=0x(?<offset>[0-9a-f]+) count=0x(?<count>[0-9a-f]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 60_000)]
    private static partial Regex Request();
}
