using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Ledger.Timestamping;

namespace Evidence.Cli;

/// <summary>Time stamps as sentences and as JSON.</summary>
internal static class TimestampText
{
    internal static JsonArray ToJson(IEnumerable<KeptTimestamp> kept) => new([.. kept.Select(ToJson)]);

    internal static JsonObject ToJson(KeptTimestamp kept)
    {
        var json = new JsonObject
        {
            ["file"] = $"ledger/{kept.File}",
            ["counts"] = kept.Counts,
            ["defect"] = kept.Defect ?? kept.Contradiction ?? kept.Verdict?.Refusal,
        };
        if (kept.Verdict is not { } verdict)
            return json;
        json["size"] = DecimalText.Format(verdict.Checkpoint.Size);
        json["root"] = verdict.Checkpoint.Root.ToString();
        json["genTime"] = Timestamps.Format(verdict.Time);
        json["noLaterThan"] = Timestamps.Format(verdict.NoLaterThan);
        json["accuracy"] = verdict.Accuracy is { } accuracy ? accuracy.TotalSeconds.ToString("0.######", System.Globalization.CultureInfo.InvariantCulture) : null;
        json["authority"] = verdict.Authority;
        json["trusted"] = verdict.IsTrusted;
        json["policy"] = verdict.Policy;
        json["serial"] = verdict.Serial;
        json["remarks"] = new JsonArray([.. verdict.Remarks.Select(remark => (JsonNode)remark)]);
        json["detail"] = verdict.ToString();
        return json;
    }

    internal static void Print(TextWriter text, string indent, KeptTimestamp kept)
    {
        if ((kept.Defect ?? kept.Contradiction) is { } wrong)
            text.WriteLine($"{indent}ledger/{kept.File}: {wrong}");
        if (kept.Verdict is not { } verdict)
            return;
        text.WriteLine($"{indent}{verdict}{(verdict.Refusal is null ? "." : "")}");
        foreach (string remark in verdict.Remarks)
            text.WriteLine($"{indent}  {remark}");
    }
}
