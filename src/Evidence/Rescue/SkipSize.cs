namespace Evidence.Rescue;

/// <summary>
/// How far a copying pass leaps ahead after an error: first a hundred-thousandth of the source, then twice as far after each further error,
/// up to a hundredth; from the beginning again once bytes are read. Whole clusters, and at least one. As GNU ddrescue does it.
/// </summary>
internal sealed class SkipSize
{
    private readonly long first;
    private readonly long largest;
    private long next;

    internal SkipSize(long sourceLength)
    {
        first = Clusters(sourceLength / 100_000);
        largest = Math.Max(first, Clusters(sourceLength / 100));
        next = first;
    }

    internal void Succeeded() => next = first;

    /// <summary>The bytes to leave out now.</summary>
    internal long Failed()
    {
        long skip = next;
        next = Math.Min(2 * next, largest);
        return skip;
    }

    private static long Clusters(long bytes) => Math.Max(1, (bytes + ClusterSize.AfterError - 1) / ClusterSize.AfterError) * ClusterSize.AfterError;
}
