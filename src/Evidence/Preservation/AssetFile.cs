using System.Globalization;
using System.Text;
using Evidence.Platform;
using Evidence.Preservation.Statements;
using Microsoft.VisualBasic.FileIO;

namespace Evidence.Preservation;

/// <summary>
/// Assets in a file of comma-separated values (RFC 4180), UTF-8, as inventories give them out. The first line names the columns: <c>asset</c> must be there; <c>serials</c>,
/// <c>disks</c>, <c>rack</c> and <c>parties</c> may, in any order. Several serials, disks or parties of a cell have a semicolon between; a disk is written as
/// <see cref="AssetDisk.ParseText"/> reads it.
/// </summary>
public static class AssetFile
{
    private const int LargestFile = 64 << 20;
    private const char Between = ';';

    private static readonly string[] Columns = ["asset", "serials", "disks", "rack", "parties"];

    /// <summary>Reads a file.</summary>
    /// <exception cref="EvidenceException">It cannot be read, or is not of this form (<see cref="ErrorCode.DocketInvalid"/>); the message names the line and the column.</exception>
    public static IReadOnlyList<AssetDeclaration> Read(string path)
    {
        byte[] bytes = SmallFile.Read(path, LargestFile);
        if (bytes.Length > LargestFile)
            throw DocketWriter.Invalid($"{path} is longer than a list of assets can be ({LargestFile} bytes): import it in parts.");
        var assets = new List<AssetDeclaration>();
        string text = Decode(path, bytes);
        string[] lines = text.Split('\n');
        using var parser = new TextFieldParser(new StringReader(text)) { TextFieldType = FieldType.Delimited, Delimiters = [","], HasFieldsEnclosedInQuotes = true };
        string[]? header = null;
        while (!parser.EndOfData)
        {
            // The parser passes over empty lines, and counts them only then.
            long line = parser.LineNumber;
            while (string.IsNullOrWhiteSpace(lines[line - 1]))
                line++;
            string[] cells = ReadCells(path, parser);
            if (header is null)
                header = ReadHeader(path, cells);
            else if (cells.Length == header.Length)
                assets.Add(ReadAsset(path, line, header, cells));
            else
                throw Wrong(path, line, $"it has {cells.Length} cells, and the first line names {header.Length} columns");
        }

        return assets.Count > 0 ? assets : throw DocketWriter.Invalid($"{path} lists no asset: its first line names the columns ({string.Join(",", Columns)}), and each further one is an asset.");
    }

    private static string Decode(string path, byte[] bytes)
    {
        try
        {
            string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        }
        catch (DecoderFallbackException e)
        {
            throw Wrong(path, 1 + bytes.AsSpan(0, e.Index).Count((byte)'\n'), "it is no UTF-8");
        }
    }

    private static string[] ReadCells(string path, TextFieldParser parser)
    {
        try
        {
            return parser.ReadFields() ?? [];
        }
        catch (MalformedLineException e)
        {
            throw Wrong(path, e.LineNumber, "its quotes do not match; within quotes, a quote is written twice");
        }
    }

    private static string[] ReadHeader(string path, string[] cells)
    {
        string[] header = [.. cells.Select(cell => cell.ToLowerInvariant())];
        if (header.FirstOrDefault(name => !Columns.Contains(name, StringComparer.Ordinal)) is { } unknown)
            throw Wrong(path, 1, $"the column '{unknown}' is not known; known are {string.Join(", ", Columns)}");
        if (header.Distinct(StringComparer.Ordinal).Count() != header.Length || !header.Contains(Columns[0], StringComparer.Ordinal))
            throw Wrong(path, 1, $"it must name each column once, and '{Columns[0]}' among them");
        return header;
    }

    private static AssetDeclaration ReadAsset(string path, long line, string[] header, string[] cells)
    {
        string asset = Cell("asset");
        if (!Statement.IsName(asset))
            throw Wrong(path, line, "there is no name that can be one", "asset");
        return new AssetDeclaration(asset, Names("serials"), Disks(), Cell("rack") is { Length: > 0 } rack ? rack : null, Names("parties"));

        string Cell(string column) => Array.IndexOf(header, column) is >= 0 and var index ? cells[index] : "";

        string[] Several(string column) => Cell(column).Split(Between, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

        string[] Names(string column)
        {
            string[] names = Several(column);
            return names.Distinct(StringComparer.Ordinal).Count() == names.Length && names.Length <= AssetDeclaration.MostListed && names.All(Statement.IsName)
                ? names
                : throw Wrong(path, line, $"one stands there twice, is no name, or they are more than {AssetDeclaration.MostListed}", column);
        }

        AssetDisk[] Disks()
        {
            try
            {
                AssetDisk[] disks = [.. Several("disks").Select(AssetDisk.ParseText)];
                return disks.DistinctBy(disk => disk.Id, StringComparer.Ordinal).Count() == disks.Length ? disks : throw Wrong(path, line, "a disk stands there twice", "disks");
            }
            catch (FormatException e)
            {
                throw Wrong(path, line, e.Message.TrimEnd('.'), "disks");
            }
        }
    }

    private static EvidenceException Wrong(string path, long line, string why, string? column = null) => DocketWriter.Invalid(
        string.Create(CultureInfo.InvariantCulture, $"{path}, line {line}{(column is null ? "" : $", column '{column}'")}: {why}. Nothing was imported."));
}
