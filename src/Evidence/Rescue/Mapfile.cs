using System.Globalization;

namespace Evidence.Rescue;

/// <summary>
/// The text form of a <see cref="RescueMap"/>: the mapfile of GNU ddrescue, as its manual describes it (version 1.27, "Mapfile structure"),
/// so that either tool goes on where the other stopped.
/// </summary>
public static class Mapfile
{
    private const string Statuses = "?*/-+";

    /// <summary>Reads a mapfile.</summary>
    /// <param name="reader">Its text.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <returns>The map; what lies before its first block is <see cref="RescueStatus.NonTried"/>.</returns>
    /// <exception cref="EvidenceException">It is no mapfile, or its blocks do not follow one another; the message names the line.</exception>
    public static RescueMap Read(TextReader reader, string name)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var blocks = new List<RescueRange>();
        bool hasStatus = false;
        int line = 0;
        while (reader.ReadLine() is { } text)
        {
            line++;
            string[] fields = WithoutComment(text).Split([' ', '\t', '\r', '\v', '\f'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 0)
                continue;
            if (hasStatus)
                blocks.Add(Block(fields, blocks, name, line));
            else
                CheckStatus(fields, name, line);
            hasStatus = true;
        }

        if (!hasStatus)
            throw Invalid(name, line, "it ends before its status line");
        var map = new RescueMap(blocks.Count > 0 ? blocks[^1].End : 0);
        foreach (RescueRange block in blocks)
            map.Set(block.Offset, block.Length, block.Status);
        return map;
    }

    /// <summary>Writes a map as a mapfile. The status line says what is to be done next, and where.</summary>
    /// <param name="map">The map.</param>
    /// <param name="writer">Where the text goes.</param>
    /// <param name="comments">Lines for people, at the head of the file.</param>
    public static void Write(RescueMap map, TextWriter writer, params ReadOnlySpan<string> comments)
    {
        ArgumentNullException.ThrowIfNull(map);
        ArgumentNullException.ThrowIfNull(writer);
        Line("# Mapfile. Created by Evidence");
        foreach (string comment in comments)
            Line("# " + comment.ReplaceLineEndings(" "));
        Line("# current_pos  current_status  current_pass");
        RescueRange? next = Statuses.Select(status => map.Next((RescueStatus)status, 0)).FirstOrDefault(range => range is not null);
        // What is left when only bad sectors are is a finished rescue: to retry them is a choice.
        char current = next is { Status: not RescueStatus.BadSector } range ? (char)range.Status : '+';
        Line(string.Create(CultureInfo.InvariantCulture, $"0x{(current == '+' ? map.Length : next!.Value.Offset):X8}     {current}               1"));
        Line("#      pos        size  status");
        foreach (RescueRange block in map.Ranges)
            Line(string.Create(CultureInfo.InvariantCulture, $"0x{block.Offset:X8}  0x{block.Length:X8}  {(char)block.Status}"));

        // The same bytes on every system.
        void Line(string text)
        {
            writer.Write(text);
            writer.Write('\n');
        }
    }

    /// <summary>A comment begins with a <c>#</c> at the beginning of a line or after white space.</summary>
    private static string WithoutComment(string line)
    {
        for (int i = line.IndexOf('#', StringComparison.Ordinal); i >= 0; i = line.IndexOf('#', i + 1))
        {
            if (i == 0 || char.IsWhiteSpace(line[i - 1]))
                return line[..i];
        }

        return line;
    }

    private static void CheckStatus(string[] fields, string name, int line)
    {
        // Before version 1.20 there was no pass.
        bool valid = fields.Length is 2 or 3
            && Number(fields[0]) is not null
            && fields[1] is [var status] && (Statuses + "FG").Contains(status, StringComparison.Ordinal)
            && (fields.Length == 2 || (int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out int pass) && pass > 0));
        if (!valid)
            throw Invalid(name, line, "here a status line is due: a position, one of ?*/-FG+, the number of a pass");
    }

    private static RescueRange Block(string[] fields, List<RescueRange> before, string name, int line)
    {
        if (fields is not [var offsetText, var lengthText, [var status]]
            || Number(offsetText) is not { } offset
            || Number(lengthText) is not { } length
            || !Statuses.Contains(status, StringComparison.Ordinal))
        {
            throw Invalid(name, line, "here a block is due: a position, a size, one of ?*/-+");
        }

        if (length == 0)
            throw Invalid(name, line, "the block is empty");
        if (length > long.MaxValue - offset)
            throw Invalid(name, line, "the block reaches beyond 2^63 - 1 bytes");
        if (before.Count > 0 && before[^1].End != offset)
        {
            throw Invalid(name, line, string.Create(
                CultureInfo.InvariantCulture, $"the block begins at 0x{offset:X}, and the one before it ends at 0x{before[^1].End:X}"));
        }

        return new RescueRange(offset, length, (RescueStatus)status);
    }

    /// <summary>A number from 0 to 2^63 - 1 as C++ writes integers: hexadecimal after 0x, octal after 0, else decimal.</summary>
    private static long? Number(string text)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
            return long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long hex) && hex >= 0 ? hex : null;
        if (text is not ['0', _, ..])
            return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;
        long octal = 0;
        foreach (char digit in text)
        {
            if (digit is < '0' or > '7' || octal > long.MaxValue >> 3)
                return null;
            octal = (octal << 3) + (digit - '0');
        }

        return octal;
    }

    private static EvidenceException Invalid(string name, int line, string what) => new(
        ErrorCode.RescueMapInvalid,
        string.Create(CultureInfo.InvariantCulture, $"{name} is no mapfile that can be used: line {line}: {what}. Correct it, or begin without it."));
}
