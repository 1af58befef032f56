using Evidence.Hashing;

namespace Evidence.Segments;

/// <summary>What a run of an image's map is. The numbers stand on disk (<c>docs/format/map.md</c>).</summary>
public enum RunKind
{
    /// <summary>Read: the content of a segment.</summary>
    Data = 1,

    /// <summary>Read: every byte is zero.</summary>
    Zero = 2,

    /// <summary>Read: every byte is one value, not zero.</summary>
    Fill = 3,

    /// <summary>Not read: the source said that there is nothing. A claim, not a fact.</summary>
    Hole = 4,

    /// <summary>The source refused to give these bytes.</summary>
    Unreadable = 5,

    /// <summary>Not attempted.</summary>
    Unread = 6,
}

/// <summary>The names of kinds of run, as they stand in manifests.</summary>
public static class RunKinds
{
    /// <summary>The name: <c>data</c>, <c>zero</c>, <c>fill</c>, <c>hole</c>, <c>unreadable</c> or <c>unread</c>.</summary>
    public static string Name(this RunKind kind) => kind switch
    {
        RunKind.Data => "data",
        RunKind.Zero => "zero",
        RunKind.Fill => "fill",
        RunKind.Hole => "hole",
        RunKind.Unreadable => "unreadable",
        RunKind.Unread => "unread",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}

/// <summary>A run of an image's map.</summary>
/// <param name="Offset">Where it starts, in bytes: within its page where it stands in one, within the image elsewhere.</param>
/// <param name="Length">Its length in bytes, at least 1.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Value">The repeated byte of a <see cref="RunKind.Fill"/>; zero otherwise.</param>
/// <param name="Segment">The id of the segment of a <see cref="RunKind.Data"/>; zeros otherwise.</param>
public readonly record struct MapRun(long Offset, long Length, RunKind Kind, byte Value, Sha256Digest Segment)
{
    /// <summary>Whether the bytes were read from the source: then they are a fact, otherwise they are absent.</summary>
    public bool IsPresent => Kind is RunKind.Data or RunKind.Zero or RunKind.Fill;

    /// <summary>Where the run ends, in bytes.</summary>
    public long End => Offset + Length;
}
