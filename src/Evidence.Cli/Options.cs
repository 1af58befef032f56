using System.CommandLine;
using System.CommandLine.Parsing;
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

    internal static readonly Argument<string> Image = new("IMAGE")
    {
        Description = "The item's id, or sha256: and at least eight digits of the image's id.",
    };

    /// <summary>A mistyped option is not the name of anything.</summary>
    internal static void RefuseUnknownOptions(ArgumentResult result)
    {
        if (result.Tokens.FirstOrDefault(t => t.Value.StartsWith("--", StringComparison.Ordinal)) is { } token)
            result.AddError($"There is no option {token.Value} here.");
    }

    internal static Compression? CompressionOf(ParseResult parsed) => parsed.GetValue(Compression) switch
    {
        "none" => Segments.Compression.None,
        "fast" => Segments.Compression.Fast,
        "best" => Segments.Compression.Best,
        _ => null,
    };
}
