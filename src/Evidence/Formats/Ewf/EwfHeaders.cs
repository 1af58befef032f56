using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Formats.Ewf;

/// <summary>The case data of an E01, as EnCase 6 writes them: the sections <c>header2</c> (UTF-16) and <c>header</c> (ASCII).</summary>
internal sealed class EwfHeaders
{
    private readonly List<(string Name, string Value)> values;
    private readonly Instant acquired;

    private EwfHeaders(List<(string Name, string Value)> values, Instant acquired)
    {
        this.values = values;
        this.acquired = acquired;
    }

    /// <summary>What an image's manifest, and the names that people gave it, say.</summary>
    internal static EwfHeaders Of(VaultImage image, EwfExportOptions options)
    {
        ImageManifest manifest = image.Manifest;
        string scope = string.Create(CultureInfo.InvariantCulture, $"image sha256:{image.Id}, {image.Size} bytes");
        return new EwfHeaders(
            [
                ("a", options.Item ?? ""),
                ("c", options.Case ?? ""),
                ("n", options.Item ?? ""),
                ("e", manifest.Examiner ?? ""),
                ("t", scope),
                ("md", Text(manifest.Source, "model")),
                ("sn", Text(manifest.Source, "serial")),
                ("av", $"{manifest.Tool.Name} {manifest.Tool.Version.Split('+')[0]}"),
                ("ov", "Linux"),
            ],
            manifest.Started);
    }

    /// <summary>The content of the section <c>header2</c>.</summary>
    internal byte[] EncodeHeader2()
    {
        string when = acquired.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        List<(string Name, string Value)> all = [.. values, ("m", when), ("u", when), ("p", "0"), ("dc", "")];
        string text = $"3\nmain\n{string.Join('\t', all.Select(v => v.Name))}\n{string.Join('\t', all.Select(v => Clean(v.Value)))}\n\n" +
            "srce\n0\t1\np\tn\tid\tev\ttb\tlo\tpo\tah\tgu\taq\n0\t0\n\t\t\t\t\t-1\t-1\t\t\t\n\n" +
            "sub\n0\t1\np\tn\tid\tnu\tco\tgu\n0\t0\n\t\t\t\t1\t\n\n";
        return Deflate([.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(text)]);
    }

    /// <summary>The content of the section <c>header</c>.</summary>
    internal byte[] EncodeHeader()
    {
        var utc = acquired.InUtc();
        string when = string.Create(CultureInfo.InvariantCulture, $"{utc.Year} {utc.Month} {utc.Day} {utc.Hour} {utc.Minute} {utc.Second}");
        string[] order = ["c", "n", "a", "e", "t", "av", "ov"];
        IEnumerable<string> shown = order.Select(name => Clean(values.First(v => string.Equals(v.Name, name, StringComparison.Ordinal)).Value));
        string text = $"1\r\nmain\r\n{string.Join('\t', order)}\tm\tu\tp\r\n{string.Join('\t', shown)}\t{when}\t{when}\t0\r\n\r\n";
        // What ASCII cannot say comes as a question mark; header2 has it right.
        return Deflate(Encoding.ASCII.GetBytes(text));
    }

    private static string Text(JsonObject source, string name) => source[name]?.GetValue<string>() ?? "";

    private static string Clean(string value) => new([.. value.Select(c => char.IsControl(c) ? ' ' : c)]);

    private static byte[] Deflate(byte[] text)
    {
        using var stream = new MemoryStream();
        using (var deflate = new ZLibStream(stream, CompressionLevel.Optimal, leaveOpen: true))
            deflate.Write(text);
        return stream.ToArray();
    }
}
