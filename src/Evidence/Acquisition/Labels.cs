namespace Evidence.Acquisition;

/// <summary>Names that people give: short, and without anything that a terminal or a list would take for something else.</summary>
internal static class Labels
{
    /// <summary>The most characters of an item, a case, or an examiner's name.</summary>
    private const int LongestLabel = 255;

    /// <exception cref="EvidenceException">The label is empty, too long, or has control characters (<see cref="ErrorCode.Usage"/>).</exception>
    internal static void Check(string label, string what)
    {
        if (label.Length is 0 or > LongestLabel || label.Any(char.IsControl))
            throw new EvidenceException(ErrorCode.Usage, $"{what}: 1 to {LongestLabel} characters, none of them a control character.");
    }

    internal static void CheckOptional(string? label, string what)
    {
        if (label is not null)
            Check(label, what);
    }
}
