using System.Text.Json.Nodes;

namespace Evidence.Sources;

/// <summary>A digest that a container stores of what is in it.</summary>
/// <param name="Algorithm">Its name: <c>md5</c>, <c>sha1</c>, <c>sha256</c>.</param>
/// <param name="Value">The digest in lower-case hexadecimal.</param>
/// <param name="IsOfImage">
/// Whether it is over the source's own bytes, what is absent counted as zeros. Otherwise it is over more: what fills the last sector, or what stands where bad sectors are.
/// </param>
public sealed record StoredDigest(string Algorithm, string Value, bool IsOfImage);

/// <summary>Something about a container that is not as its format has it: tolerated, or the reason why a range cannot be read.</summary>
/// <param name="What">Its kind: <c>checksum</c>, <c>table</c>, <c>chunk</c>, <c>section</c>, <c>volume</c>, <c>header</c>, <c>digest</c>, <c>errors</c>, <c>remarks</c>, <c>file</c>.</param>
/// <param name="File">The file.</param>
/// <param name="Offset">Where in the file, in bytes.</param>
/// <param name="Detail">In words.</param>
public sealed record ContainerFinding(string What, string File, long Offset, string Detail);

/// <summary>What a container that holds a source says of itself, and what was found in it so far.</summary>
public sealed record ContainerReport
{
    /// <summary>The format: <c>ewf</c>.</summary>
    public required string Format { get; init; }

    /// <summary>What it says of its contents: case data, software, times. Strings, as they stand there: claims.</summary>
    public required JsonObject Details { get; init; }

    /// <summary>The digests that it stores.</summary>
    public required IReadOnlyList<StoredDigest> Digests { get; init; }

    /// <summary>What was found until now, the first of many; complete when all of the source has been read.</summary>
    public required IReadOnlyList<ContainerFinding> Findings { get; init; }

    /// <summary>How many findings there are beside those that are listed.</summary>
    public required long MoreFindings { get; init; }
}

/// <summary>A range that a container says was not read when it was made.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Its length in bytes, at least 1.</param>
/// <param name="IsUnreadable">Whether the source refused it then; otherwise it was not attempted.</param>
/// <param name="Reason">Why, in words.</param>
public sealed record SourceAbsence(long Offset, long Length, bool IsUnreadable, string Reason);
