using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Preservation;
using Evidence.Preservation.Statements;

namespace Evidence.Cli;

/// <summary>The gate's answer, for people and for scripts.</summary>
internal static class DecisionText
{
    private const int NameWidth = 12;

    internal static JsonObject ToJson(GateDecision decision) => new()
    {
        ["asset"] = decision.Asset,
        ["cleared"] = decision.IsCleared,
        ["ground"] = decision.Ground is { } ground ? ClearanceGrant.NameOf(ground) : null,
        ["expires"] = decision.Expires is { } expires ? Timestamps.Format(expires) : null,
        ["at"] = Timestamps.Format(decision.At),
        ["size"] = DecimalText.Format(decision.Size),
        ["root"] = decision.Root.ToString(),
        ["policy"] = decision.Policy?.ToString(),
        ["outsideTime"] = decision.Latest is not { } latest ? null : new JsonObject
        {
            ["entry"] = DocketOptions.Number(latest.Entry),
            ["size"] = DecimalText.Format(latest.Size),
            ["notBefore"] = Timestamps.Format(latest.NotBefore),
            ["noLaterThan"] = Timestamps.Format(latest.NoLaterThan),
            ["by"] = latest.By,
        },
        ["rules"] = new JsonArray([.. decision.Rules.Select(rule => new JsonObject
        {
            ["name"] = rule.Name, ["outcome"] = NameOf(rule.Outcome), ["reasons"] = new JsonArray([.. rule.Reasons.Select(ToJson)]),
        })]),
    };

    internal static JsonObject ToJson(GateReason reason) => new()
    {
        ["sentence"] = reason.Sentence,
        ["entries"] = DocketOptions.Numbers(reason.Entries),
        ["wayOut"] = reason.WayOut,
    };

    /// <summary>Yes with its ground, or no with every reason.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="decision">The answer.</param>
    /// <param name="explain">Whether also what is met is told, and what is missing and who can supply it.</param>
    internal static void Print(TextWriter text, GateDecision decision, bool explain)
    {
        string basis = $"at {decision.At}, over the first {Units.Count(decision.Size)} entries of the ledger";
        text.WriteLine(decision.Ground is { } ground
            ? $"YES  {decision.Asset} may be wiped: {(ground == ClearanceGround.Preserved ? "all that was on it is preserved" : "everyone with a say was told, and let the time run out")}; {basis}"
            : $"NO   {decision.Asset} may not be wiped, {basis}");
        foreach (GateRule rule in decision.Rules)
        {
            if (!explain && (rule.Outcome == RuleOutcome.Met || (rule.Outcome == RuleOutcome.NotMet && HasGround(decision))))
                continue;
            string name = rule.Name;
            foreach (GateReason reason in rule.Reasons.Where(reason => explain || reason.IsObstacle))
            {
                text.WriteLine($"  {name.PadRight(NameWidth)} {(explain ? Mark(rule, reason) : "")}{reason.Sentence}");
                name = "";
                if (explain && reason.WayOut is { } way)
                    text.WriteLine($"  {name.PadRight(NameWidth)}     -> {way}");
            }
        }

        if (decision.Expires is { } expires)
        {
            text.WriteLine($"  A clearance is worth something until {expires}.");
            return;
        }

        if (decision.Rules.Any(rule => rule.Outcome == RuleOutcome.NotMet) && !HasGround(decision))
            text.WriteLine("  It takes either 'preserved' and 'told', or 'silence'; and all of the others besides.");
        if (!explain)
            text.WriteLine("  'evidence gate --explain' says who can supply what is missing.");
    }

    /// <summary>Whether one of the two grounds is there, whatever else stands in the way.</summary>
    private static bool HasGround(GateDecision decision)
    {
        return (Is("preserved") && Is("told")) || Is("silence");

        bool Is(string name) => decision.Rules.Any(rule => rule.Name == name && rule.Outcome == RuleOutcome.Met);
    }

    private static string Mark(GateRule rule, GateReason reason) => !reason.IsObstacle ? "ok  " : rule.Outcome == RuleOutcome.Refused ? "NO  " : "no  ";

    private static string NameOf(RuleOutcome outcome) => outcome switch
    {
        RuleOutcome.Met => "met",
        RuleOutcome.Refused => "refused",
        RuleOutcome.NotMet => "not-met",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "This is no outcome."),
    };
}
