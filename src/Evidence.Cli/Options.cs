using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Evidence.Ledger.Witnesses;
using Evidence.Segments;

namespace Evidence.Cli;

/// <summary>Options that several commands share.</summary>
internal static class Options
{
    internal static readonly Option<string?> Compression = new Option<string?>("--compression")
    {
        Description = "none: as it is; fast: Brotli 1 (a new vault's default); best: Brotli 5, a seventh smaller at a fifth of the pace. Without it: the vault's.",
    }.AcceptOnlyFromAmong("none", "fast", "best");

    internal static readonly Option<string?> Case = new("--case") { Description = "The case.", HelpName = "ID" };

    internal static readonly Option<string[]> Items = new("--item") { Description = "The item: what people call the thing that is imaged. Once for each source, in order.", HelpName = "ID" };

    internal static readonly Option<string[]> Trust = new("--trust")
    {
        Description = "Root certificates of time-stamp authorities that you trust, and revocation lists: PEM or DER; beside those in EVIDENCE_HOME/authorities.",
        HelpName = "FILE",
    };

    internal static readonly Option<string?> Policy = new("--policy")
    {
        Description = "Whom you trust as witnesses: a tlog-policy file of your own. Without it: the file 'policy' in EVIDENCE_HOME, if there is one.",
        HelpName = "FILE",
    };

    internal static readonly Argument<string> Image = new("IMAGE")
    {
        Description = "The item's id, or sha256: and at least eight digits of the image's id.",
    };

    /// <summary>A mistyped option is not the name of anything.</summary>
    internal static void RefuseUnknownOptions(ArgumentResult result)
    {
        if (result.Tokens.FirstOrDefault(t => t.Value.StartsWith("--", StringComparison.Ordinal)) is { } token)
            result.AddError(NoSuch(token.Value));
    }

    /// <summary>What is said of an option that there is not.</summary>
    internal static string NoSuch(string option) => $"There is no option {option} here.";

    /// <summary>Reads how many.</summary>
    internal static int Count(ArgumentResult result, int least, int most = int.MaxValue) => (int)Number(result, result.Tokens[0], least, most);

    /// <summary>Reads an entry's number in the ledger.</summary>
    internal static long Entry(ArgumentResult result) => Entries(result)[0];

    /// <summary>Reads several of them.</summary>
    internal static long[] Entries(ArgumentResult result) => [.. result.Tokens.Select(token => Number(result, token, 0, long.MaxValue))];

    private static long Number(ArgumentResult result, Token token, long least, long most)
    {
        if (long.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most)
            return number;
        string name = result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
        result.AddError($"{name} takes a number from {least}{(most < int.MaxValue ? $" to {most}" : "")}, not '{token.Value}'.");
        return least;
    }

    /// <summary>The policy that is named, else the user's own; null where there is none.</summary>
    internal static WitnessPolicy? FindPolicy(Session session, ParseResult parsed) =>
        parsed.GetValue(Policy) is { Length: > 0 } path ? WitnessPolicy.Load(path) : session.Access.Keys!.FindPolicy();

    internal static WitnessPolicy RequirePolicy(Session session, ParseResult parsed) => FindPolicy(session, parsed) ?? throw new EvidenceException(
        ErrorCode.PolicyInvalid, $"No policy says whom you trust as witnesses. Name one with --policy, or put it at {session.Access.Keys!.PolicyPath}");

    internal static Compression? CompressionOf(ParseResult parsed) => ParseCompression(parsed.GetValue(Compression));

    /// <summary>Reads one of the words that the option takes; null where there is none.</summary>
    internal static Compression? ParseCompression(string? word) => word switch
    {
        "none" => Segments.Compression.None,
        "fast" => Segments.Compression.Fast,
        "best" => Segments.Compression.Best,
        _ => null,
    };
}
