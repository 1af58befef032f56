using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Preservation;

namespace Evidence.Cli;

/// <summary>What a clearance is worth to a machine that is about to be wiped, for people and for scripts.</summary>
internal static class ClearanceText
{
    /// <param name="check">The check; null where the proof is not about one entry, or does not hold.</param>
    internal static JsonObject ToJson(ClearanceCheck? check) => new()
    {
        ["good"] = check is { IsGood: true },
        ["asset"] = check?.Grant?.Asset,
        ["expires"] = check?.Grant is { } grant ? Timestamps.Format(grant.Expires) : null,
        ["refusals"] = DocketOptions.Strings(check?.Refusals ?? ["The proof shows no clearance."]),
    };

    internal static void Print(TextWriter text, ClearanceCheck? check)
    {
        text.WriteLine();
        if (check is { IsGood: true, Grant: { } grant })
        {
            text.WriteLine($"YES  By this clearance {grant.Asset} may be wiped, once, until {grant.Expires}: the serials are those of the machine, and it is in time by this clock.");
            text.WriteLine("  What came into the ledger after it, a hold, say, this file cannot know: 'evidence wipe begin' asks the gate once more.");
            return;
        }

        text.WriteLine("NO   By this clearance the machine may not be wiped.");
        foreach (string refusal in check?.Refusals ?? ["The proof shows no clearance."])
            text.WriteLine($"  {refusal}");
    }
}
