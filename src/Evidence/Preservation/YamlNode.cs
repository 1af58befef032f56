using System.Globalization;
using Evidence.Canonical;

namespace Evidence.Preservation;

/// <summary>A value of a <see cref="YamlDocument"/>: a text, a list, or fields. Each getter throws a <see cref="FormatException"/> that names the line and the key.</summary>
internal sealed class YamlNode(string what, string name, int line, string? text, IReadOnlyList<YamlNode>? list, OrderedDictionary<string, YamlNode>? fields)
{
    /// <summary>Where it is: keys with dots between, from the document's root, which is empty.</summary>
    internal string Name => name;

    /// <summary>The line of its key; of what is in a list, its own.</summary>
    internal int Line => line;

    /// <summary>The keys in it, in their order; each with its value.</summary>
    internal IReadOnlyList<KeyValuePair<string, YamlNode>> Fields => [.. fields ?? throw Wrong("must have keys of its own below it, with a value each.")];

    /// <summary>What is in a list.</summary>
    internal IReadOnlyList<YamlNode> Items => list ?? throw Wrong("must be a list: [one, another], or [] for none.");

    /// <summary>The text that stands there; not empty.</summary>
    internal string Text => text is { Length: > 0 } ? text
        : text is null ? throw Wrong("must be one value, and is a list or has keys below it.")
        : throw Wrong("has no value.");

    /// <summary>The value of a key. Which keys there are is asked for first (<see cref="RequireOnly"/>).</summary>
    internal YamlNode this[string key] => fields![key];

    /// <summary>Demands that just these keys are there: what nobody reads nobody should rely on, and what is not there nobody should have to guess.</summary>
    internal YamlNode RequireOnly(params ReadOnlySpan<string> keys)
    {
        foreach ((string key, YamlNode value) in Fields)
        {
            if (!keys.Contains(key))
                throw value.Wrong($"is no key that is known here. Known are: {string.Join(", ", keys!)}.");
        }

        foreach (string key in keys)
        {
            if (!fields!.ContainsKey(key))
                throw Wrong($"lacks the key '{key}': it must be there, whatever its value.");
        }

        return this;
    }

    /// <summary>A whole number in plain digits.</summary>
    internal int Integer(int least, int most) => DecimalText.TryParse(Text, out long number) && number >= least && number <= most
        ? (int)number
        : throw Wrong(string.Create(CultureInfo.InvariantCulture, $"is '{Text}', and must be a whole number from {least} to {most}."));

    /// <summary>One of some words.</summary>
    internal T Choice<T>(params ReadOnlySpan<(string Word, T Value)> choices)
    {
        string given = Text;
        var words = new List<string>();
        foreach ((string word, T value) in choices)
        {
            if (string.Equals(word, given, StringComparison.Ordinal))
                return value;
            words.Add(word);
        }

        throw Wrong($"is '{given}', and must be one of: {string.Join(", ", words)}.");
    }

    /// <summary>The values of a list, each read by itself, no two the same.</summary>
    internal IReadOnlyList<T> Distinct<T>(Func<YamlNode, T> read)
    {
        var values = new List<T>();
        foreach (YamlNode item in Items)
        {
            T value = read(item);
            if (values.Contains(value))
                throw item.Wrong("stands in the list already.");
            values.Add(value);
        }

        return values;
    }

    /// <summary>The error for what is wrong with it.</summary>
    internal FormatException Wrong(string reason) => new(string.Create(
        CultureInfo.InvariantCulture, $"Line {line} of {what}{(name.Length == 0 ? "" : $": '{name}'")} {reason}"));
}
