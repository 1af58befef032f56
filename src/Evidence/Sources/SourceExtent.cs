namespace Evidence.Sources;

/// <summary>What a source says of a range before it is read.</summary>
public enum SourceExtentKind
{
    /// <summary>There may be data: read it.</summary>
    Data,

    /// <summary>The source says that nothing was ever written there, and that it reads as zeros. A claim, not a fact.</summary>
    Hole,
}

/// <summary>A range of a source.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Its length in bytes, at least 1.</param>
/// <param name="Kind">What the source says is there.</param>
public readonly record struct SourceExtent(long Offset, long Length, SourceExtentKind Kind)
{
    /// <summary>The offset after its last byte.</summary>
    public long End => Offset + Length;
}
