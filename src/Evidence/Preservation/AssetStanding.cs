using Evidence.Preservation.Rules;
using Evidence.Preservation.Statements;

namespace Evidence.Preservation;

/// <summary>How it stands with an asset, in words that people use; told from the gate's answer, and from nothing else.</summary>
public static class AssetStanding
{
    /// <summary>
    /// The words: <c>wiped</c>, <c>wiping</c>, <c>in-service</c>, <c>isolated</c>, <c>seized</c>, <c>returned</c>, <c>held</c>, <c>objected</c>, <c>preserved</c>, <c>told</c>
    /// (as often as is asked for where it is preserved), <c>silent</c> (as often as is asked for where it is not), <c>approved</c>, <c>cleared</c>.
    /// </summary>
    /// <param name="docket">The docket.</param>
    /// <param name="decision">The gate's answer over it.</param>
    public static IReadOnlyList<string> WordsFor(Docket docket, GateDecision decision)
    {
        ArgumentNullException.ThrowIfNull(docket);
        ArgumentNullException.ThrowIfNull(decision);
        if (docket.Assets.GetValueOrDefault(decision.Asset) is not { Declarations.Count: > 0 } asset)
            return ["unknown"];
        if (asset.Wiped is not null)
            return ["wiped"];
        var words = new List<string>();
        if (asset.OpenIntent is not null)
            words.Add("wiping");
        if (asset.States is [.., var last])
            words.Add(AssetStateChange.NameOf(last.Statement.State));
        AddIf(Is(HoldsRule.Name, RuleOutcome.Refused), "held");
        AddIf(Is(ObjectionsRule.Name, RuleOutcome.Refused), "objected");
        AddIf(Is(PreservedRule.Name, RuleOutcome.Met), "preserved");
        AddIf(Is(ToldRule.WhenPreserved, RuleOutcome.Met), "told");
        AddIf(Is(ToldRule.OnSilence, RuleOutcome.Met), "silent");
        AddIf(Is(ApprovalsRule.Name, RuleOutcome.Met), "approved");
        AddIf(decision.IsCleared, "cleared");
        return words;

        bool Is(string rule, RuleOutcome outcome) => decision.Rules.Any(one => one.Name == rule && one.Outcome == outcome);

        void AddIf(bool holds, string word)
        {
            if (holds)
                words.Add(word);
        }
    }
}
