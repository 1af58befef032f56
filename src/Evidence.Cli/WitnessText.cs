using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger.Witnesses;
using Evidence.Ledger.Witnesses.Http;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>What witnesses vouch for, in words and in JSON.</summary>
internal static class WitnessText
{
    /// <summary>How far a ledger is vouched for, and its unwitnessed tail.</summary>
    internal static string Anchor(long size, long witnessed, PolicyVerdict? verdict)
    {
        if (witnessed == 0)
        {
            return verdict is null
                ? "anchor: none. Nothing that this machine has a policy for vouches for the ledger from outside, so its own keeper could have written all of it anew"
                : "anchor: none. By the policy no quorum of witnesses vouches for the ledger, so its own keeper could have written all of it anew";
        }

        string tail = size == witnessed
            ? "There is no unwitnessed tail"
            : $"The unwitnessed tail has {Units.Count(size - witnessed)}: its own keeper could still exchange them";
        return $"anchor: witnessed, up to {Units.Count(witnessed)} of {Units.Count(size)} entries. {tail}";
    }

    /// <summary>Says on standard error what came of asking witnesses beside a command: where quiet, only what accuses somebody.</summary>
    internal static void Tell(WitnessingOutcome outcome, bool quiet)
    {
        if (outcome.Asked is not { } asked)
        {
            if (!quiet)
                Write($"The witnesses were not asked: {outcome.Failure!.Message}");
            return;
        }

        string size = $"{Units.Count(asked.Checkpoint.Size)} entries";
        string[] cosigned = [.. asked.Replies.Where(reply => reply.Cosigned).Select(reply => reply.Witness.Name)];
        if (cosigned.Length > 0 && !quiet)
            Write($"{string.Join(", ", cosigned)} cosigned the ledger's {size}{(asked.Verdict.IsWitnessed ? "" : ", which are no quorum yet")}.");
        foreach (WitnessReply reply in asked.Replies.Where(reply => !reply.Cosigned && (!quiet || reply.Status is 409 or 422)))
            Write($"{reply.Witness.Name} did not cosign the ledger's {size}: {reply.Detail}{(reply.Status is null ? " 'evidence witness ask' asks again." : "")}");
    }

    private static void Write(string text) => Console.Error.WriteLine($"evidence: {SafeWriter.Shown(text)}");

    internal static JsonObject ToJson(PolicyVerdict verdict) => new()
    {
        ["quorum"] = verdict.IsWitnessed,
        ["witnesses"] = new JsonArray([.. verdict.Witnesses.Select(witness => new JsonObject
        {
            ["name"] = witness.Witness.Name,
            ["key"] = witness.Witness.Key.ToString(),
            ["status"] = NameOf(witness.Status),
            ["time"] = witness.Time is { } time ? Timestamps.Format(time) : null,
        })]),
        ["explanation"] = new JsonArray([.. verdict.Explanation.Select(sentence => (JsonNode)sentence)]),
    };

    private static string NameOf(WitnessStatus status) => status switch
    {
        WitnessStatus.Cosigned => "cosigned",
        WitnessStatus.Wrong => "wrong",
        WitnessStatus.NotChecked => "not-checked",
        _ => "absent",
    };
}
