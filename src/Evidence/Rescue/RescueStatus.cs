namespace Evidence.Rescue;

/// <summary>How far a range of a failing source is. The values are the status characters of a GNU ddrescue mapfile.</summary>
public enum RescueStatus
{
    /// <summary>No read has asked for it yet.</summary>
    NonTried = '?',

    /// <summary>A read of many sectors failed in it; which of them are bad is not known.</summary>
    NonTrimmed = '*',

    /// <summary>It lies between two sectors known to be bad, and was not read sector by sector yet.</summary>
    NonScraped = '/',

    /// <summary>It was read by itself, and refused.</summary>
    BadSector = '-',

    /// <summary>Its bytes are rescued.</summary>
    Finished = '+',
}

/// <summary>A range of a source, and how far it is.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Its length in bytes, at least 1.</param>
/// <param name="Status">How far it is.</param>
public readonly record struct RescueRange(long Offset, long Length, RescueStatus Status)
{
    /// <summary>The offset after its last byte.</summary>
    public long End => Offset + Length;
}
