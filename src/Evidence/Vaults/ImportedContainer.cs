using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Sources;

namespace Evidence.Vaults;

/// <summary>Whether the digests that a container stores are those of what was read out of it.</summary>
public enum StoredDigestsVerdict
{
    /// <summary>All that are stored are.</summary>
    Match,

    /// <summary>None is stored that could be compared: nothing vouches for what is in it.</summary>
    None,

    /// <summary>At least one is not.</summary>
    Mismatch,
}

/// <summary>A digest that a container stores, and what was computed.</summary>
/// <param name="Algorithm">Its name.</param>
/// <param name="Stored">The digest that is stored, in lower-case hexadecimal.</param>
/// <param name="Computed">The digest of what was read, over the same bytes; null where it was not computed.</param>
/// <param name="IsOfImage">Whether it is over the image's own bytes; otherwise over all that the container holds, with what fills its last sector.</param>
public sealed record ComparedDigest(string Algorithm, string Stored, string? Computed, bool IsOfImage);

/// <summary>What the container that an image came in says, as it stands in a manifest (<c>docs/format/manifest.md</c>).</summary>
public sealed record ImportedContainer
{
    /// <summary>The format: <c>ewf</c>.</summary>
    public required string Format { get; init; }

    /// <summary>What it says of its contents: claims.</summary>
    public required JsonObject Details { get; init; }

    /// <summary>The digests that it stores, compared.</summary>
    public required IReadOnlyList<ComparedDigest> Digests { get; init; }

    /// <summary>What in it is not as the format has it, the first of many.</summary>
    public required IReadOnlyList<ContainerFinding> Findings { get; init; }

    /// <summary>How many findings there are beside those that are listed.</summary>
    public required long MoreFindings { get; init; }

    /// <summary>Whether the stored digests are those of what was read.</summary>
    public StoredDigestsVerdict Verdict =>
        Digests.Any(d => d.Computed is not null && !string.Equals(d.Computed, d.Stored, StringComparison.Ordinal)) ? StoredDigestsVerdict.Mismatch
        : Digests.Any(d => d.Computed is not null) ? StoredDigestsVerdict.Match
        : StoredDigestsVerdict.None;

    /// <summary>The verdict's name: <c>match</c>, <c>none</c>, <c>mismatch</c>.</summary>
    public string VerdictName => Verdict.ToString().ToLowerInvariant();

    /// <summary>In words, with the way out.</summary>
    public string Describe() => Verdict switch
    {
        StoredDigestsVerdict.Match => $"The {string.Join(" and ", Digests.Where(d => d.Computed is not null).Select(d => d.Algorithm))} that the container stores {(Digests.Count(d => d.Computed is not null) == 1 ? "is that" : "are those")} of what was read.",
        StoredDigestsVerdict.None => "The container stores no digest, so there is nothing to compare with: whether this is what was imaged cannot be told from it.",
        _ => "The container's stored digest is not that of what was read: " + string.Join(
            "; ", Digests.Where(d => d.Computed is not null && !string.Equals(d.Computed, d.Stored, StringComparison.Ordinal)).Select(d => $"{d.Algorithm} {d.Stored} is stored, {d.Computed} was computed")) +
            ". It was damaged or changed, or its maker hashed other bytes than it stored. Compare it with another copy.",
    };

    /// <summary>What the ledger says of it.</summary>
    internal JsonObject EncodeSummary() => new()
    {
        ["format"] = Format,
        ["digests"] = VerdictName,
        ["findings"] = DecimalText.Format(Findings.Count + MoreFindings),
    };

    internal JsonObject Encode() => new()
    {
        ["format"] = Format,
        ["details"] = Details.DeepClone(),
        ["digests"] = new JsonArray([.. Digests.Select(d => new JsonObject
        {
            ["algorithm"] = d.Algorithm,
            ["stored"] = d.Stored,
            ["computed"] = d.Computed,
            ["scope"] = d.IsOfImage ? "image" : "container",
        })]),
        ["findings"] = new JsonArray([.. Findings.Select(f => new JsonObject
        {
            ["what"] = f.What,
            ["file"] = f.File,
            ["offset"] = DecimalText.Format(f.Offset),
            ["detail"] = f.Detail,
        })]),
        ["moreFindings"] = DecimalText.Format(MoreFindings),
    };

    /// <exception cref="FormatException">It is not in the one valid form.</exception>
    internal static ImportedContainer Decode(JsonObject json) => new()
    {
        Format = json.RequireString("format"),
        Details = json.RequireObject("details"),
        Digests = [.. json.RequireArray("digests").Select(node =>
        {
            JsonObject digest = JsonFields.RequireObject(node, "A container's digest");
            return new ComparedDigest(digest.RequireString("algorithm"), digest.RequireString("stored"), digest.RequireNullableString("computed"), digest.RequireString("scope") == "image");
        })],
        Findings = [.. json.RequireArray("findings").Select(node =>
        {
            JsonObject finding = JsonFields.RequireObject(node, "A container's finding");
            return new ContainerFinding(finding.RequireString("what"), finding.RequireString("file"), finding.RequireDecimal("offset"), finding.RequireString("detail"));
        })],
        MoreFindings = json.RequireDecimal("moreFindings"),
    };
}
