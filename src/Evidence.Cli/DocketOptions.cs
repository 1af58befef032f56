using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Preservation;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>What the commands share that put acts on the docket.</summary>
internal static class DocketOptions
{
    internal const string SelectorWords = "names, * and ?, rack=GLOB, party=ID, all, @FILE with a name on each line; with commas between.";

    internal static readonly Option<string?> Document = new("--document") { Description = "The paper that shows it; a copy is kept in the vault, and the entry names its SHA-256.", HelpName = "FILE" };

    internal static readonly Option<string?> Text = new("--text") { Description = "What else there is to say.", HelpName = "TEXT" };

    internal static readonly Option<string> Party = new("--party") { Description = "Which party, by its id on the record.", HelpName = "ID", Required = true };

    internal static readonly Option<string> Assets = new("--assets") { Description = $"Which assets: {SelectorWords}", HelpName = "SELECTOR", Required = true };

    internal static readonly Option<string?> SomeAssets = new("--assets") { Description = $"Which of its assets; without it, all of them: {SelectorWords}", HelpName = "SELECTOR" };

    internal static readonly Argument<long> Entry = new("ENTRY") { Description = "The entry's number in the ledger.", CustomParser = Options.Entry };

    /// <summary>Keeps a document in the vault; null where none is given.</summary>
    internal static Sha256Digest? Keep(Vault vault, string? path) => path is null ? null : vault.Documents.AddFile(path);

    /// <summary>The digest of a document that is not kept here; null where none is given.</summary>
    internal static Sha256Digest? DigestOf(string? path)
    {
        if (path is null)
            return null;
        using FileStream file = Open(path);
        return new Sha256Digest(System.Security.Cryptography.SHA256.HashData(file));
    }

    /// <summary>The assets that a selector chooses; null where none is given.</summary>
    internal static IReadOnlyList<string>? Resolve(string? selector, Docket docket) => selector is null ? null : AssetSelector.Parse(selector).Resolve(docket);

    /// <summary>An entry's number.</summary>
    /// <param name="name">What was given.</param>
    /// <param name="otherwise">What a file, in its place, is for.</param>
    internal static long ParseEntry(string name, string otherwise) => long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out long entry)
        ? entry
        : throw new EvidenceException(ErrorCode.Usage, $"'{name}' is no entry's number; {otherwise}.");

    internal static JsonArray Numbers(IEnumerable<long> entries) => new([.. entries.Select(entry => (JsonNode)DecimalText.Format(entry))]);

    internal static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode)value)]);

    internal static string? Number(long? entry) => entry is { } index ? DecimalText.Format(index) : null;

    /// <summary>Answers with the entries that an act became.</summary>
    internal static void Answer(this Session session, IReadOnlyList<long> entries, Action<JsonObject>? json = null, Action<TextWriter>? text = null) => session.Answer(
        () =>
        {
            var answer = new JsonObject { ["entries"] = Numbers(entries) };
            json?.Invoke(answer);
            return answer;
        },
        output =>
        {
            output.WriteLine(Recorded(entries));
            text?.Invoke(output);
        });

    internal static string Recorded(IReadOnlyList<long> entries) => entries switch
    {
        [] => "Signed; it waits in staging, and what the holder of the log key records next takes it in.",
        [var entry] => $"Recorded as ledger entry {entry}.",
        [var first, .., var last] => $"Recorded as ledger entries {first} to {last}.",
    };

    internal static IReadOnlyList<long> One(long? entry) => entry is { } index ? [index] : [];

    /// <summary>Some names; of many the first, and how many they are.</summary>
    internal static string Names(IReadOnlyCollection<string> names, int most = 5) =>
        names.Count <= most ? string.Join(", ", names) : $"{Units.Count(names.Count)} assets ({string.Join(", ", names.Take(3))} ...)";

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new EvidenceException(ErrorCode.InputOutput, $"There is no file {path}.", e);
        }
    }
}
