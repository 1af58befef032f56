using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Cli;

/// <summary>What a container that an image came in says, for people and for scripts.</summary>
internal static class ContainerText
{
    /// <summary>More findings than this are counted here; the manifest lists them.</summary>
    private const int MostShown = 10;

    internal static JsonObject ToJson(ImportedContainer container) => new()
    {
        ["format"] = container.Format,
        ["verdict"] = container.VerdictName,
        ["digests"] = new JsonArray([.. container.Digests.Select(d => new JsonObject
        {
            ["algorithm"] = d.Algorithm,
            ["stored"] = d.Stored,
            ["computed"] = d.Computed,
        })]),
        ["details"] = container.Details.DeepClone(),
        ["findings"] = new JsonArray([.. container.Findings.Select(f => new JsonObject
        {
            ["what"] = f.What,
            ["file"] = f.File,
            ["offset"] = DecimalText.Format(f.Offset),
            ["detail"] = f.Detail,
        })]),
        ["moreFindings"] = DecimalText.Format(container.MoreFindings),
    };

    internal static void Print(TextWriter text, ImportedContainer container)
    {
        text.WriteLine($"  {(container.Verdict == StoredDigestsVerdict.Match ? "stored    " : "WARNING   ")} {container.Describe()}");
        foreach (ContainerFinding finding in container.Findings.Take(MostShown))
            text.WriteLine($"  found      {finding.File}, offset {finding.Offset}: {finding.Detail}");
        if (container.Findings.Count + container.MoreFindings > MostShown)
            text.WriteLine($"  found      and {container.Findings.Count + container.MoreFindings - MostShown} more; the image's manifest lists them");
    }
}
