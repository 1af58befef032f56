namespace Evidence.Sources;

/// <summary>How a source differs from what it was when it was opened.</summary>
public enum SourceChange
{
    /// <summary>It ends earlier; a device that was taken away has no length at all.</summary>
    Shorter,

    /// <summary>It ends later.</summary>
    Longer,

    /// <summary>Its length is the same, and its file has been written to since.</summary>
    Modified,

    /// <summary>Its length is the same, and something else that names it is not.</summary>
    Replaced,
}

/// <summary>The source is no longer what was opened, so what is read of it is no image of one state.</summary>
public sealed class SourceChangedException : EvidenceException
{
    /// <summary>Creates the error.</summary>
    /// <param name="sourceName">The source, by <see cref="SourceIdentity.Name"/>.</param>
    /// <param name="change">How it differs.</param>
    /// <param name="expectedLength">Its length when it was opened.</param>
    /// <param name="actualLength">Its length now, where known: a read past a new end tells only that there is one.</param>
    public SourceChangedException(string sourceName, SourceChange change, long expectedLength, long? actualLength)
        : base(ErrorCode.SourceFailed, Describe(sourceName, change, expectedLength, actualLength))
    {
        SourceName = sourceName;
        Change = change;
        ExpectedLength = expectedLength;
        ActualLength = actualLength;
    }

    /// <summary>Creates the error of a source that is another one than it was.</summary>
    internal SourceChangedException(string sourceName, string difference, long length)
        : base(
            ErrorCode.SourceFailed,
            $"{sourceName} is not what it was when it was opened: {difference}. Make sure that it is the right one, and begin again.")
    {
        SourceName = sourceName;
        Change = SourceChange.Replaced;
        ExpectedLength = length;
        ActualLength = length;
    }

    /// <summary>The source, by <see cref="SourceIdentity.Name"/>.</summary>
    public string SourceName { get; }

    /// <summary>How it differs.</summary>
    public SourceChange Change { get; }

    /// <summary>Its length when it was opened.</summary>
    public long ExpectedLength { get; }

    /// <summary>Its length now, where known.</summary>
    public long? ActualLength { get; }

    private static string Describe(string sourceName, SourceChange change, long expected, long? actual)
    {
        const string WayOut = "Stop whatever writes to it, or image a snapshot of it, and begin again.";
        string now = actual is { } length ? string.Create(null, $"now it has {length}") : "now it ends earlier";
        return change switch
        {
            SourceChange.Modified => $"{sourceName} was written to while it was read. {WayOut}",
            SourceChange.Shorter when actual is 0 => string.Create(
                null, $"{sourceName} had {expected} bytes when it was opened and {now}: it was emptied or taken away. Attach it again."),
            _ => string.Create(null, $"{sourceName} had {expected} bytes when it was opened; {now}. {WayOut}"),
        };
    }
}
