using System.Globalization;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Evidence.Preservation;

/// <summary>
/// Reads YAML (yaml.org/spec/1.2.2) as far as people need it to write rules down: mappings, sequences and values that stand on one line. What has a second meaning is refused:
/// anchors and aliases, tags, directives, several documents, a key that stands there twice. A value is the text that stands there, and its reader says what it must be: so no
/// <c>no</c> becomes a boolean, and no date an instant.
/// </summary>
internal sealed class YamlDocument
{
    private const int MaximumDepth = 8;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly string what;
    private readonly Parser parser;

    private YamlDocument(string text, string what) => (parser, this.what) = (new Parser(new StringReader(text)), what);

    /// <summary>Reads a document.</summary>
    /// <param name="bytes">Its bytes: UTF-8.</param>
    /// <param name="what">What it is to be, for messages: <c>the policy</c>.</param>
    /// <param name="maximumLength">The most bytes that it can have.</param>
    /// <exception cref="FormatException">It is none; the message names the line.</exception>
    internal static YamlNode Read(ReadOnlySpan<byte> bytes, string what, int maximumLength)
    {
        if (bytes.Length > maximumLength)
            throw new FormatException(string.Create(CultureInfo.InvariantCulture, $"It is longer than the {maximumLength} bytes that {what} can have."));
        string text = Decode(bytes, what);
        var document = new YamlDocument(text, what);
        try
        {
            return document.ReadDocument();
        }
        catch (YamlException e)
        {
            throw Wrong(e.Start, what, $"is no YAML: {e.Message.TrimEnd('.')}.", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException or NullReferenceException)
        {
            // The parser has these, too, for text that is none.
            throw Wrong(document.parser.Current?.End.Line ?? 1, what, "is no YAML, or the next one is not.", e);
        }
    }

    private static string Decode(ReadOnlySpan<byte> bytes, string what)
    {
        // A file that was cut short can be YAML all the same.
        if (bytes.IsEmpty || bytes[^1] != (byte)'\n')
            throw Wrong(1 + bytes.Count((byte)'\n'), what, "does not end in a line feed: the file may have been cut short.");
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw Wrong(1 + bytes[..e.Index].Count((byte)'\n'), what, "is no UTF-8.", e);
        }
    }

    private YamlNode ReadDocument()
    {
        _ = Next<StreamStart>("begins in an unexpected way.");
        DocumentStart start = Next<DocumentStart>("holds nothing.");
        if (start.Version is not null || !start.IsImplicit)
            throw Wrong(start.Start, what, "begins with a directive or '---': leave that out.");
        YamlNode root = ReadNode(Next(), "", (int)parser.Current!.Start.Line, 0);
        DocumentEnd end = Next<DocumentEnd>("goes on after its end.");
        if (!end.IsImplicit || Next() is not StreamEnd)
            throw Wrong(end.Start, what, "ends the document, and there is more: one file is one document, without '---' and '...'.");
        return root;
    }

    private YamlNode ReadNode(ParsingEvent first, string name, int line, int depth)
    {
        if (depth > MaximumDepth)
            throw Wrong(first.Start, what, "is nested too deeply.");
        if (first is not NodeEvent node)
            throw Wrong(first.Start, what, "is an alias: write the value out.");
        if (!node.Anchor.IsEmpty || !node.Tag.IsEmpty)
            throw Wrong(first.Start, what, "has an anchor or a tag: leave it out.");
        return node switch
        {
            Scalar scalar => new YamlNode(what, name, line, ReadText(scalar), null, null),
            SequenceStart => new YamlNode(what, name, line, null, ReadList(name, depth), null),
            MappingStart => new YamlNode(what, name, line, null, null, ReadFields(name, depth)),
            _ => throw Wrong(first.Start, what, "is an alias: write the value out."),
        };
    }

    private List<YamlNode> ReadList(string name, int depth)
    {
        var list = new List<YamlNode>();
        while (Next() is var next and not SequenceEnd)
            list.Add(ReadNode(next, string.Create(CultureInfo.InvariantCulture, $"{name}[{list.Count}]"), (int)next.Start.Line, depth + 1));
        return list;
    }

    private OrderedDictionary<string, YamlNode> ReadFields(string name, int depth)
    {
        var fields = new OrderedDictionary<string, YamlNode>(StringComparer.Ordinal);
        while (Next() is var next and not MappingEnd)
        {
            if (next is not Scalar { Anchor.IsEmpty: true, Tag.IsEmpty: true } key)
                throw Wrong(next.Start, what, "has a key that is no plain word.");
            string text = ReadText(key);
            string full = name.Length == 0 ? text : $"{name}.{text}";
            if (!fields.TryAdd(text, ReadNode(Next(), full, (int)key.Start.Line, depth + 1)))
                throw Wrong(key.Start, what, $"has the key '{full}' a second time.");
        }

        return fields;
    }

    private string ReadText(Scalar scalar)
    {
        if (scalar.Start.Line != scalar.End.Line)
            throw Wrong(scalar.Start, what, "has a value that goes over several lines: write it on one.");
        return scalar.Value.Any(char.IsControl) ? throw Wrong(scalar.Start, what, "has a value with a control character.") : scalar.Value;
    }

    private T Next<T>(string otherwise)
        where T : ParsingEvent => Next() is T wanted ? wanted : throw Wrong(parser.Current!.Start, what, otherwise);

    private ParsingEvent Next() => parser.MoveNext() ? parser.Current! : throw new FormatException($"Of {what} the end is missing.");

    private static FormatException Wrong(Mark at, string what, string reason, Exception? cause = null) => Wrong(at.Line, what, reason, cause);

    private static FormatException Wrong(long line, string what, string reason, Exception? cause = null) =>
        new(string.Create(CultureInfo.InvariantCulture, $"Line {line} of {what} {reason}"), cause);
}
