using System.Globalization;
using System.Text;
using System.Xml;

namespace Evidence.Files;

/// <summary>
/// Reads what fiwalk writes: Digital Forensics XML. What is in it comes from a file system that may be hostile, so every number is checked, nothing outside is looked up, and one file is in
/// memory at a time.
/// </summary>
internal static class DfxmlReader
{
    /// <summary>The most runs of one file that are kept: one of more is listed, and cannot be returned.</summary>
    internal const int MostRuns = 1 << 20;

    private const int LongestPath = 1 << 16;

    /// <summary>The files in order; the entries for a folder itself and for the one above it are left out.</summary>
    /// <exception cref="FormatException">It is no Digital Forensics XML.</exception>
    internal static IEnumerable<ImageFile> Read(Stream xml)
    {
        // Names on a disk need not be valid in any encoding.
        using var text = new StreamReader(xml, Encoding.UTF8, detectEncodingFromByteOrderMarks: false);
        using var reader = XmlReader.Create(text, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, CheckCharacters = false, IgnoreComments = true });
        var place = new Place();
        while (ReadNext(reader, place) is { } file)
            yield return file;
    }

    /// <summary>The next file; null at the end.</summary>
    private static ImageFile? ReadNext(XmlReader reader, Place place)
    {
        try
        {
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element)
                    continue;
                switch (reader.LocalName)
                {
                    case "volume":
                        place.Partition++;
                        break;
                    case "partition_offset":
                        place.Volume = Number(Text(reader));
                        break;
                    case "ftype_str":
                        place.FileSystem = Text(reader);
                        break;
                    case "fileobject" when ReadFile(reader, place) is { } file && !IsLink(file.Path):
                        return file;
                }
            }

            return null;
        }
        catch (XmlException e)
        {
            throw new FormatException($"What fiwalk says of the files cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Whether it is a folder's entry for itself, or for the one above it.</summary>
    private static bool IsLink(string path) =>
        path is "." or ".." || path.EndsWith("/.", StringComparison.Ordinal) || path.EndsWith("/..", StringComparison.Ordinal);

    private static ImageFile? ReadFile(XmlReader reader, Place place)
    {
        var runs = new List<FileRun>();
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        bool isCompressed = false;
        bool isResident = false;
        int depth = reader.Depth;
        if (reader.IsEmptyElement)
            return null;
        bool isOfParent = false;
        while (reader.Read())
        {
            if (reader.NodeType == XmlNodeType.EndElement && reader.Depth == depth)
                break;
            if (reader.LocalName is "parent_object")
                isOfParent = reader.NodeType == XmlNodeType.Element && !reader.IsEmptyElement;
            // The inode in there is the folder's.
            if (reader.NodeType != XmlNodeType.Element || isOfParent)
                continue;
            switch (reader.LocalName)
            {
                case "byte_run":
                    isResident |= string.Equals(reader.GetAttribute("type"), "resident", StringComparison.Ordinal);
                    if (ReadRun(reader) is { } run && runs.Count < MostRuns)
                        runs.Add(run);
                    break;
                case "compressed":
                    isCompressed = true;
                    break;
                case "filename" or "filesize" or "inode" or "unalloc" or "name_type" or "meta_type":
                    string name = reader.LocalName;
                    fields[name] = Text(reader);
                    break;
            }
        }

        if (!fields.TryGetValue("filename", out string? path) || path.Length is 0 or > LongestPath || !fields.TryGetValue("inode", out string? inode))
            return null;
        return new ImageFile(
            place.Partition, place.Volume, place.FileSystem, (ulong)Number(inode), path, Number(fields.GetValueOrDefault("filesize", "0")), fields.ContainsKey("unalloc"),
            fields.GetValueOrDefault("meta_type") == "2" || fields.GetValueOrDefault("name_type") == "d", isResident ? [] : runs)
        {
            IsCompressed = isCompressed,
            IsResident = isResident,
        };
    }

    private static FileRun? ReadRun(XmlReader reader)
    {
        // Zeros that are nowhere have no place.
        if (reader.GetAttribute("img_offset") is not { } place || (reader.GetAttribute("len") ?? reader.GetAttribute("uncompressed_len")) is not { } length || reader.GetAttribute("file_offset") is not { } at)
            return null;
        var run = new FileRun(Number(at), Number(place), Number(length));
        return run.Length > 0 && run.FileOffset <= long.MaxValue - run.Length && run.ImageOffset <= long.MaxValue - run.Length ? run : null;
    }

    /// <summary>The text of the element that the reader is at; leaves it at the element's end.</summary>
    private static string Text(XmlReader reader)
    {
        if (reader.IsEmptyElement || !reader.Read() || reader.NodeType is not (XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace))
            return "";
        return reader.Value;
    }

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
        ? number
        : throw new FormatException($"Where fiwalk was to give a number, it says '{text[..Math.Min(text.Length, 40)]}'.");

    /// <summary>The file system that the reader is in.</summary>
    private sealed class Place
    {
        internal int Partition { get; set; }

        internal long Volume { get; set; }

        internal string FileSystem { get; set; } = "";
    }
}
