using System.CommandLine;
using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Cli.Commands;

internal static class GateCommand
{
    private static readonly Argument<string?> Asset = new("ASSET")
    {
        Description = $"The asset; with --all, which of them: {DocketOptions.SelectorWords}",
        Arity = ArgumentArity.ZeroOrOne,
        Validators = { Options.RefuseUnknownOptions },
    };

    private static readonly Option<string?> At = new("--at") { Description = "For which instant; without it, for now.", HelpName = "INSTANT" };

    private static readonly Option<string?> Policy = new("--policy") { Description = "The policy that you take to be in force; where another one is, that is a refusal.", HelpName = "FILE" };

    private static readonly Option<bool> Explain = new("--explain") { Description = "Also what is met; and of what is missing, who can supply it." };

    private static readonly Option<bool> All = new("--all") { Description = "How it stands with all assets, a line each." };

    private static readonly Option<bool> Summary = new("--summary") { Description = "With --all: assets that stand alike on one line." };

    internal static Command Build()
    {
        var command = new Command(
            "gate",
            """
            May this server be wiped? The answer follows from the ledger, the policy and the instant alone, so anybody with a copy gets the same one. Default is no. It opens
            where all that was on the server is preserved and everyone with a say was told; or, without that, where everyone was told more often, and let every window close;
            and where besides no hold binds, nobody objects, and enough people approve.

            Exit codes: 0 it may be wiped; 5 it may not.

            Examples:
              evidence gate server-7
              evidence gate server-7 --explain
              evidence --json gate server-7 || exit 1
              evidence gate --all --summary
            """)
        {
            Asset, At, Policy, Explain, All, Summary,
        };
        Session.Bind(command, (session, parsed, cancellation) =>
        {
            Instant at = parsed.GetValue(At) is { } given ? Units.ParseInstant(given) : session.Access.Clock.GetCurrentInstant();
            PreservationPolicy? policy = parsed.GetValue(Policy) is { } path ? PreservationPolicy.Load(path) : null;
            using Vault vault = session.OpenVault();
            // What somebody left in staging may be a hold.
            if (vault.Ledger.HasStaged)
                vault.Ledger.TakeInStaged();
            string? name = parsed.GetValue(Asset);
            if (parsed.GetValue(All))
                return Task.FromResult(State(session, vault, name, at, policy, parsed.GetValue(Summary), cancellation));
            if (name is null || parsed.GetValue(Summary))
                throw new EvidenceException(ErrorCode.Usage, "Name an asset, or ask for all of them with --all.");
            var docket = Docket.ReadFor(vault, name, cancellation);
            GateDecision decision = WipeGate.Judge(docket, GateMaterial.Of(vault, docket), name, at, policy);
            session.Answer(() => DecisionText.ToJson(decision), text => DecisionText.Print(text, decision, parsed.GetValue(Explain)));
            return Task.FromResult(decision.IsCleared ? ExitCode.Done : ExitCode.Refused);
        });
        return command;
    }

    private static int State(Session session, Vault vault, string? selector, Instant at, PreservationPolicy? policy, bool summary, CancellationToken cancellation)
    {
        var docket = Docket.Read(vault.Ledger.Open(), cancellation: cancellation);
        var material = GateMaterial.Of(vault, docket);
        (GateDecision Decision, IReadOnlyList<string> Words)[] states =
        [
            .. AssetSelector.Parse(selector ?? "all").Resolve(docket).Select(asset => WipeGate.Judge(docket, material, asset, at, policy)).Select(decision => (decision, AssetStanding.WordsFor(docket, decision))),
        ];
        int open = states.Count(state => state.Decision.IsCleared);
        session.Answer(
            () => new JsonObject
            {
                ["at"] = Timestamps.Format(at),
                ["size"] = DecimalText.Format(docket.Size),
                ["root"] = docket.Root.ToString(),
                ["assets"] = new JsonArray([.. states.Select(state => new JsonObject
                {
                    ["asset"] = state.Decision.Asset,
                    ["state"] = DocketOptions.Strings(state.Words),
                    ["cleared"] = state.Decision.IsCleared,
                    ["ground"] = state.Decision.Ground is { } ground ? ClearanceGrant.NameOf(ground) : null,
                    ["refusedBy"] = DocketOptions.Strings(state.Decision.Rules.Where(rule => rule.Outcome == RuleOutcome.Refused).Select(rule => rule.Name)),
                })]),
            },
            text =>
            {
                if (summary)
                {
                    TextTable.Print(text, ["ASSETS", "GATE", "STATE", "WHICH"], states.GroupBy(state => (state.Decision.IsCleared, Words: string.Join(", ", state.Words))).Select(group => (IReadOnlyList<string>)
                    [
                        Units.Count(group.Count()), group.Key.IsCleared ? "open" : "shut", group.Key.Words, Which([.. group.Select(state => state.Decision.Asset)]),
                    ]));
                }
                else
                {
                    TextTable.Print(text, ["ASSET", "GATE", "STATE"], states.Select(state => (IReadOnlyList<string>)
                    [
                        state.Decision.Asset, state.Decision.IsCleared ? "open" : "shut", string.Join(", ", state.Words),
                    ]));
                }

                text.WriteLine($"{Units.Count(open)} of {Units.Count(states.Length)} assets may be wiped at {at}, over the first {Units.Count(docket.Size)} entries of the ledger.");
            });
        return ExitCode.Done;
    }

    private static string Which(IReadOnlyList<string> assets) => assets.Count <= 4 ? string.Join(", ", assets) : $"{assets[0]}, {assets[1]} ... {assets[^1]}";
}
