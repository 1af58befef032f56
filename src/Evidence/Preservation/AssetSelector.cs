using System.IO.Enumeration;
using System.Text;
using Evidence.Platform;

namespace Evidence.Preservation;

/// <summary>
/// Chooses assets by a short text, in the same language everywhere: terms with commas between, whose assets are taken together. A term is a name; a name with <c>*</c> (any
/// characters) or <c>?</c> (one character); <c>rack=GLOB</c>, for what stands there; <c>party=ID</c>, for what a party has a say in; <c>all</c>; or <c>@FILE</c>, a file with a
/// name on each line, as it stands there. Each term must find something: what was mistyped must not mean nothing.
/// </summary>
public sealed class AssetSelector
{
    private const string Rack = "rack=";
    private const string Party = "party=";
    private const string All = "all";
    private const int LargestFile = 64 << 20;

    private readonly IReadOnlyList<string> terms;

    private AssetSelector(string text, IReadOnlyList<string> terms) => (Text, this.terms) = (text, terms);

    /// <summary>The text.</summary>
    public string Text { get; }

    /// <summary>Reads a text.</summary>
    /// <exception cref="EvidenceException">A term of it is empty (<see cref="ErrorCode.Usage"/>).</exception>
    public static AssetSelector Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        return Array.Exists(parts, term => term is "" or "@" or Rack or Party)
            ? throw new EvidenceException(ErrorCode.Usage, $"'{text}' chooses no assets: write names, * and ?, rack=GLOB, party=ID, all, or @FILE, with commas between.")
            : new AssetSelector(text, parts);
    }

    /// <summary>The assets that it chooses of a docket, in ordinal order, each once.</summary>
    /// <exception cref="EvidenceException">A term finds no asset (<see cref="ErrorCode.DocketInvalid"/>), or its file cannot be read.</exception>
    public IReadOnlyList<string> Resolve(Docket docket)
    {
        ArgumentNullException.ThrowIfNull(docket);
        Asset[] declared = [.. docket.Assets.Values.Where(asset => asset.Declarations.Count > 0)];
        var chosen = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string term in terms)
        {
            string[] found = [.. Find(term, docket, declared)];
            chosen.UnionWith(found);
            if (found.Length == 0)
                throw DocketWriter.Invalid($"'{term}' finds no asset on the record: 'evidence asset list' shows those that there are.");
        }

        return [.. chosen];
    }

    /// <summary>The names in it, where no docket is at hand: only names and files can be resolved then.</summary>
    /// <exception cref="EvidenceException">A term needs a docket (<see cref="ErrorCode.Usage"/>), or its file cannot be read.</exception>
    public IReadOnlyList<string> Names()
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string term in terms)
        {
            if (term is All || term.StartsWith(Rack, StringComparison.Ordinal) || term.StartsWith(Party, StringComparison.Ordinal) || IsGlob(term))
                throw new EvidenceException(ErrorCode.Usage, $"'{term}' can only be resolved where the ledger is: without it, write names, or @FILE.");
            names.UnionWith(term[0] == '@' ? Lines(term[1..]) : [term]);
        }

        return [.. names];
    }

    private static IEnumerable<string> Find(string term, Docket docket, Asset[] declared)
    {
        if (term == All)
            return declared.Select(asset => asset.Id);
        if (term.StartsWith(Rack, StringComparison.Ordinal))
            return declared.Where(asset => asset.Rack is { } rack && Matches(term[Rack.Length..], rack)).Select(asset => asset.Id);
        if (term.StartsWith(Party, StringComparison.Ordinal))
        {
            string party = term[Party.Length..];
            return docket.Parties.ContainsKey(party)
                ? declared.Where(asset => asset.Parties.Contains(party, StringComparer.Ordinal)).Select(asset => asset.Id)
                : throw DocketWriter.Invalid($"There is no party '{party}' on the record: 'evidence party list' shows those that there are.");
        }

        if (term[0] == '@')
            return Lines(term[1..]).Select(name => Known(name, $"{term[1..]} names '{name}', which is no asset on the record."));
        return IsGlob(term) ? declared.Where(asset => Matches(term, asset.Id)).Select(asset => asset.Id)
            : docket.Assets.GetValueOrDefault(term) is { Declarations.Count: > 0 } ? [term]
            : [];

        string Known(string name, string otherwise) => docket.Assets.GetValueOrDefault(name) is { Declarations.Count: > 0 } ? name : throw DocketWriter.Invalid(otherwise);
    }

    private static bool IsGlob(string term) => term.AsSpan().ContainsAny('*', '?');

    private static bool Matches(string glob, string name) => FileSystemName.MatchesSimpleExpression(glob, name, ignoreCase: false);

    private static string[] Lines(string path)
    {
        byte[] bytes = SmallFile.Read(path, LargestFile);
        if (bytes.Length > LargestFile)
            throw new EvidenceException(ErrorCode.Usage, $"{path} is too long for a list of names.");
        string[] lines = [.. Encoding.UTF8.GetString(bytes).Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0)];
        return lines.Length > 0 ? lines : throw new EvidenceException(ErrorCode.Usage, $"{path} names no asset: it is to have one on each line.");
    }
}
