using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Preservation;
using Evidence.Proofs;

namespace Evidence.Cli.Commands;

internal static class CheckCommand
{
    private static readonly Argument<string[]> Files = new("FILE") { Description = "Proofs.", Arity = ArgumentArity.OneOrMore, Validators = { Options.RefuseUnknownOptions } };

    private static readonly Option<string?> Extract = new("--extract") { Description = "Also write the proved bytes of the range here, if the proof holds. Only with one proof.", HelpName = "PATH" };

    private static readonly Option<string[]> Serials = new("--asset-serial")
    {
        Description = "The serials as they were read from the machine that is to be wiped: whether a clearance may be used for it, now. Only with one proof.",
        HelpName = "S",
    };

    private static readonly Option<string?> Against = new("--against")
    {
        Description = "What a party signed to be recorded ('evidence response', 'hold' or 'release' with --output): whether it is among all entries of the proof's item. Only with one proof.",
        HelpName = "FILE",
    };

    internal static Command Build()
    {
        var command = new Command(
            "check",
            """
            Checks proofs with no vault and no network: what each proves, by whom, by when, and what it does not. Whose log counts, and whose word on it, says your own
            policy (tlog-policy); without one a proof can only be found to agree with itself. Also checks proofs that a log has two histories ('replicate receive' makes
            them): proved is then that its keeper signed both.

            Exit codes: 0 all are proved; 3 one does not hold; 4 one is consistent, but its signer is unknown, or has not the quorum, or its signature does not count; 5 it is
            proved, and no clearance for the machine with these serials, or one that expired; or proved, and what the party signed is not in it.

            Examples:
              evidence check server-7.proof --policy my.policy
              evidence check superblock.proof --policy my.policy --trust tsa-root.pem --extract superblock.bin
              evidence check server-7.proof --policy my.policy --against objection.file
              evidence check server-7.clearance --policy my.policy --asset-serial "$(dmidecode -s system-serial-number)"
            """)
        {
            Files, Options.Policy, Options.Trust, Extract, Serials, Against,
        };
        Session.Bind(command, (session, parsed, _) =>
        {
            string[] files = parsed.GetValue(Files)!;
            string? extract = parsed.GetValue(Extract);
            if (extract is not null && files.Length != 1)
                throw new EvidenceException(ErrorCode.Usage, "--extract goes with one proof.");
            if (Path.Exists(extract))
                throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {extract} already; name another.");
            string[] serials = parsed.GetValue(Serials) ?? [];
            if (serials.Length > 0 && files.Length != 1)
                throw new EvidenceException(ErrorCode.Usage, "--asset-serial goes with one proof.");
            string? against = parsed.GetValue(Against);
            if (against is not null && files.Length != 1)
                throw new EvidenceException(ErrorCode.Usage, "--against goes with one proof.");
            WitnessPolicy? policy = Options.FindPolicy(session, parsed);
            TrustedAuthorities trust = session.TrustOf(parsed);
            (string File, ProofVerdict Verdict)[] checks = [.. files.Select(file => (file, Check(file, policy, trust, extract)))];
            ClearanceCheck? clearance = serials.Length == 0 || checks[0].Verdict.Entries is not [var entry] ? null : ClearanceCheck.Run(entry, serials, session.Access.Clock.GetCurrentInstant());
            CarriedCheck? carried = against is null ? null : Hold(against, checks[0]);
            session.Answer(
                () =>
                {
                    var json = new JsonObject { ["proofs"] = new JsonArray([.. checks.Select(c => ToJson(c.File, c.Verdict))]) };
                    if (serials.Length > 0)
                        json["clearance"] = ClearanceText.ToJson(clearance);
                    if (against is not null)
                        json["against"] = new JsonObject { ["recorded"] = carried?.Entry is not null, ["entry"] = DocketOptions.Number(carried?.Entry), ["finding"] = carried?.Finding };
                    return json;
                },
                text =>
                {
                    foreach ((string file, ProofVerdict verdict) in checks)
                        Print(text, file, verdict);
                    if (serials.Length > 0)
                        ClearanceText.Print(text, clearance);
                    if (carried is not null)
                        text.WriteLine($"\n{(carried.Entry is null ? "NO " : "YES")}  {carried.Finding}");
                });
            IEnumerable<int> codes = checks.Select(c => CodeOf(c.Verdict));
            bool isRefused = (serials.Length > 0 && clearance is not { IsGood: true }) || carried is { Entry: null };
            return Task.FromResult(ExitCode.Worst(isRefused ? codes.Append(ExitCode.Refused) : codes));
        });
        return command;
    }

    /// <summary>Holds what a party signed against a proof; null where that does not hold, and so says nothing.</summary>
    private static CarriedCheck? Hold(string against, (string File, ProofVerdict Verdict) check) => check.Verdict switch
    {
        { Refutation: not null } => null,
        { Subject.Item: { } item, Checkpoint: { } checkpoint } => CarriedCheck.Run(against, item, check.Verdict.Entries, checkpoint),
        _ => throw new EvidenceException(
            ErrorCode.Usage, $"{check.File} does not show all entries of an item, so what it lacks says nothing: 'evidence log --item ITEM --prove' makes a proof that does."),
    };

    private static ProofVerdict Check(string file, WitnessPolicy? policy, TrustedAuthorities trust, string? extract)
    {
        if (extract is null)
            return ProofCheck.Run(file, policy, trust);
        // What stands in a file by that name was proved, all of it.
        ProofVerdict verdict = ProofCheck.Extract(file, policy, trust, extract);
        return verdict is { Refutation: null, RangeDigest: null }
            ? throw new EvidenceException(ErrorCode.Usage, $"{file} is about no range, so it has no bytes to extract.")
            : verdict;
    }

    private static int CodeOf(ProofVerdict verdict) => verdict.Standing switch
    {
        ProofStanding.Proved => ExitCode.Done,
        ProofStanding.Consistent => ExitCode.Incomplete,
        _ => ExitCode.Refuted,
    };

    private static void Print(TextWriter text, string file, ProofVerdict verdict)
    {
        text.WriteLine($"{NameOf(verdict).ToUpperInvariant()}  {file}");
        if (verdict.Refutation is { } refutation)
            text.WriteLine($"  It does not hold: {refutation}");
        foreach (string statement in verdict.Statements)
            text.WriteLine($"  {statement}");
        foreach (Ledger.JudgedEntry entry in verdict.Entries)
        {
            text.WriteLine();
            EntryText.Print(text, entry);
        }

        if (ChainOf(verdict) is not { } chain)
            return;
        text.WriteLine();
        CustodyText.Print(text, "  ", chain, BoundsIn(verdict));
    }

    private static Func<long, Ledger.EntryBounds?> BoundsIn(ProofVerdict verdict) => entry => verdict.Bounds.FirstOrDefault(bounds => bounds.Entry == entry);

    /// <summary>Who had the item whose entries these all are; null where they are not.</summary>
    private static CustodyChain? ChainOf(ProofVerdict verdict) =>
        verdict is { Refutation: null, Subject.Item: { } item } ? CustodyChain.Of(item, verdict.Entries, verdict.Registry) : null;

    private static JsonObject ToJson(string file, ProofVerdict verdict) => new()
    {
        ["file"] = file,
        ["standing"] = NameOf(verdict),
        ["refutation"] = verdict.Refutation,
        ["statements"] = new JsonArray([.. verdict.Statements.Select(s => (JsonNode)s)]),
        ["origin"] = verdict.Checkpoint?.Origin,
        ["size"] = verdict.Checkpoint is { } checkpoint ? DecimalText.Format(checkpoint.Size) : null,
        ["root"] = verdict.Checkpoint?.Root.ToString(),
        ["item"] = verdict.Subject?.Item,
        ["image"] = verdict.Subject?.Image is { } image ? $"sha256:{image}" : null,
        ["offset"] = verdict.Subject?.Offset is { } offset ? DecimalText.Format(offset) : null,
        ["length"] = verdict.Subject?.Length is { } length ? DecimalText.Format(length) : null,
        ["sha256"] = verdict.RangeDigest?.ToString(),
        ["fork"] = verdict.Fork is not { } fork ? null : new JsonObject
        {
            ["older"] = ToJson(fork.OlderCheckpoint),
            ["newer"] = ToJson(fork.NewerCheckpoint),
            ["otherRoot"] = fork.OtherRoot?.ToString(),
        },
        ["entries"] = new JsonArray([.. verdict.Entries.Select(EntryText.ToJson)]),
        ["bounds"] = new JsonArray([.. verdict.Bounds.Select(bounds => new JsonObject
        {
            ["entry"] = DecimalText.Format(bounds.Entry),
            ["notBefore"] = bounds.NotBefore is { } after ? Timestamps.Format(after.Instant) : null,
            ["noLaterThan"] = bounds.NoLaterThan is { } by ? Timestamps.Format(by.NoLaterThan) : null,
        })]),
        ["custody"] = ChainOf(verdict) is { } chain ? CustodyText.ToJson(chain, BoundsIn(verdict)) : null,
        ["witnesses"] = verdict.Policy is { } policy ? WitnessText.ToJson(policy) : null,
        ["timestamps"] = new JsonArray([.. verdict.Timestamps.Select(t => new JsonObject
        {
            ["size"] = DecimalText.Format(t.Checkpoint.Size),
            ["noLaterThan"] = Timestamps.Format(t.NoLaterThan),
            ["authority"] = t.Authority,
            ["trusted"] = t.IsTrusted,
            ["refusal"] = t.Refusal,
        })]),
    };

    private static JsonObject ToJson(Ledger.Checkpoint checkpoint) => new() { ["size"] = DecimalText.Format(checkpoint.Size), ["root"] = checkpoint.Root.ToString() };

    private static string NameOf(ProofVerdict verdict) => verdict.Standing.ToString().ToLowerInvariant();
}
