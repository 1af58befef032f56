using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Repair;
using Evidence.Vaults;

namespace Evidence.Cli.Commands;

internal static class RepairCommand
{
    private static readonly Argument<string[]> Images = new("IMAGE")
    {
        Description = "Items, or sha256: and at least eight digits: only their maps are gone through. Without any: all.",
        Arity = ArgumentArity.ZeroOrMore,
        Validators = { Options.RefuseUnknownOptions },
    };

    private static readonly Option<string[]> From = new("--from")
    {
        Description = "Where to bring content back from: another vault, an exported image (a file, or any part of a split one), what was imaged. May be given several times.",
        HelpName = "SOURCE",
    };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be brought back; write nothing." };

    internal static Command Build()
    {
        var command = new Command(
            "repair",
            """
            Brings damaged and missing content back from other copies. Every segment is proven by its id before it is stored; what does not match is refused.
            What is still good in a damaged pack is copied into a new one, and the damaged file is moved to 'damaged/' in the vault: nothing is deleted.
            What was done is recorded in the ledger. The exit code is 4 where something is missing still.

            Examples:
              evidence repair                                        from what the vault itself holds in other packs
              evidence repair --from /mnt/copy/evidence.vault        from a copy of the vault
              evidence repair --from server-7.img server-7           from an export, or what was imaged
              evidence repair --dry-run --from /dev/sdb
            """)
        {
            Images, From, DryRun,
        };
        Session.Bind(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(Session session, ParseResult parsed, CancellationToken cancellation)
    {
        var options = new RepairOptions { Images = parsed.GetValue(Images) ?? [], From = parsed.GetValue(From) ?? [], DryRun = parsed.GetValue(DryRun) };
        using Vault vault = session.OpenVault();
        RepairResult result;
        await using (var display = new ProgressDisplay(session.IsQuiet))
        {
            ProgressDisplay.Job job = display.Add(session.VaultFolder);
            result = await new Repairer(vault).RepairAsync(
                options, new DirectProgress<RepairProgress>(p => job.Report(NameOf(p.Phase), p.Done, p.Total)), cancellation);
        }

        session.Answer(() => ToJson(result, options), text => Print(text, session.VaultFolder, result, options));
        return result.IsDamaged ? ExitCode.Incomplete : ExitCode.Done;
    }

    private static JsonObject ToJson(RepairResult result, RepairOptions options) => new()
    {
        ["repaired"] = new JsonArray([.. result.Outcome.Segments.Select(s => new JsonObject
        {
            ["segment"] = s.Id.ToString(),
            ["length"] = DecimalText.Format(s.Length),
            ["from"] = s.From,
        })]),
        ["repairedCount"] = DecimalText.Format(result.Outcome.SegmentCount),
        ["repairedBytes"] = DecimalText.Format(result.Outcome.SegmentBytes),
        ["from"] = new JsonArray([.. result.Outcome.Origins.Select(o => new JsonObject
        {
            ["name"] = o.Name,
            ["kind"] = o.Kind,
            ["segments"] = DecimalText.Format(o.Segments),
            ["bytes"] = DecimalText.Format(o.Bytes),
            ["refused"] = DecimalText.Format(o.Refused),
        })]),
        ["packs"] = new JsonArray([.. result.Outcome.Packs.Select(p => new JsonObject
        {
            ["pack"] = p.Pack.ToString(),
            ["records"] = DecimalText.Format(p.Records),
            ["copied"] = DecimalText.Format(p.Copied),
        })]),
        ["manifests"] = Ids(result.Outcome.Manifests),
        ["wholeAgain"] = Ids(result.Outcome.WholeAgain),
        ["missing"] = new JsonArray([.. result.Missing.Select(m => new JsonObject
        {
            ["image"] = $"sha256:{m.Image}",
            ["item"] = m.Item,
            ["offset"] = DecimalText.Format(m.Offset),
            ["length"] = DecimalText.Format(m.Length),
            ["segment"] = m.Segment?.ToString(),
            ["detail"] = m.Detail,
        })]),
        ["missingCount"] = DecimalText.Format(result.MissingCount),
        ["missingBytes"] = DecimalText.Format(result.Outcome.MissingBytes),
        ["dryRun"] = options.DryRun,
        ["entry"] = result.Entry is { } index ? DecimalText.Format(index) : null,
    };

    private static JsonArray Ids(IEnumerable<Sha256Digest> images) => new([.. images.Select(i => (JsonNode)$"sha256:{i}")]);

    private static void Print(TextWriter text, string folder, RepairResult result, RepairOptions options)
    {
        const int MostShown = 20;
        RepairOutcome outcome = result.Outcome;
        string would = options.DryRun ? "would be " : "";
        if (!result.HasChanged && !result.IsDamaged)
        {
            text.WriteLine($"Nothing to repair in {folder}.");
            return;
        }

        text.WriteLine($"{(result.IsDamaged ? "INCOMPLETE" : options.DryRun ? "REPAIRABLE" : "REPAIRED")}  {folder}");
        text.WriteLine($"  {Units.Count(outcome.SegmentCount)} segments {would}brought back, {Units.Exact(outcome.SegmentBytes)}");
        foreach (RecoveredFrom origin in outcome.Origins.Where(o => o.Segments > 0))
            text.WriteLine($"    {Units.Count(origin.Segments)} from {origin.Name}, {Units.Exact(origin.Bytes)}");
        foreach (RecoveredFrom origin in outcome.Origins.Where(o => o.Refused > 0))
            text.WriteLine($"    {origin.Name} had other bytes {Units.Count(origin.Refused)} times; they were refused");
        foreach (Sha256Digest manifest in outcome.Manifests)
            text.WriteLine($"  manifest images/{manifest}.json {would}restored");
        foreach (SetAsidePack pack in outcome.Packs)
            text.WriteLine($"  pack {pack.Pack} {would}set aside in damaged/: {Units.Count(pack.Records)} good records, {Units.Count(pack.Copied)} of them {would}copied into new packs");
        foreach (Sha256Digest image in outcome.WholeAgain)
            text.WriteLine($"  image sha256:{image.ToString()[..16]} {(options.DryRun ? "would be" : "is")} whole again");
        foreach (MissingRange missing in result.Missing.Take(MostShown))
            text.WriteLine($"  missing: bytes {missing.Offset} to {missing.Offset + missing.Length - 1} of {missing.Item}: {missing.Detail}");
        if (result.MissingCount > MostShown)
            text.WriteLine($"  and {Units.Count(result.MissingCount - MostShown)} more ranges; --json lists more of them");
        if (result.IsDamaged)
            text.WriteLine($"  {Units.Exact(outcome.MissingBytes)} are missing still: run it again with --from another vault, an export, or what was imaged");
        if (result.Entry is { } index)
            text.WriteLine($"  recorded as ledger entry {index}");
        else if (result.HasChanged && !options.DryRun)
            text.WriteLine("  signed; the entry waits in staging for the holder of the log key");
    }

    private static string NameOf(RepairPhase phase) => phase switch
    {
        RepairPhase.Checking => "checking packs",
        RepairPhase.BringingBack => "bringing back",
        _ => "reading back",
    };
}
