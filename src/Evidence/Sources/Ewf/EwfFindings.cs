namespace Evidence.Sources.Ewf;

/// <summary>What is found in segment files, by several threads. The first are listed, in the order of their places; the others are counted.</summary>
internal sealed class EwfFindings
{
    /// <summary>The most that are listed.</summary>
    internal const int Most = 1000;

    private readonly Lock gate = new();
    private readonly HashSet<(string File, long Offset, string What)> places = [];
    private readonly List<ContainerFinding> listed = [];
    private long more;

    /// <summary>How many there are beside those that are listed.</summary>
    internal long More
    {
        get
        {
            lock (gate)
                return more;
        }
    }

    /// <summary>Notes one; the same again at the same place is no other.</summary>
    internal void Add(string what, string file, long offset, string detail)
    {
        lock (gate)
        {
            if (listed.Count == Most)
                more++;
            else if (places.Add((file, offset, what)))
                listed.Add(new ContainerFinding(what, file, offset, detail));
        }
    }

    /// <summary>Those that are listed.</summary>
    internal IReadOnlyList<ContainerFinding> ToList()
    {
        lock (gate)
            return [.. listed.OrderBy(f => f.File, StringComparer.Ordinal).ThenBy(f => f.Offset)];
    }
}
