namespace Evidence.DiscUtils.Files;

/// <summary>A piece of a file in its volume.</summary>
/// <param name="FileOffset">Where it begins in the file, in bytes.</param>
/// <param name="Offset">Where it lies in the volume, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
internal readonly record struct VolumeExtent(long FileOffset, long Offset, long Length)
{
    /// <summary>The pieces as far as the file goes; none over another, and none behind the volume's end.</summary>
    /// <param name="extents">The pieces, in the file's order.</param>
    /// <param name="length">The file's length.</param>
    /// <param name="volume">The volume's.</param>
    /// <exception cref="InvalidDataException">They are not so.</exception>
    internal static List<VolumeExtent> Checked(IEnumerable<VolumeExtent> extents, long length, long volume)
    {
        var kept = new List<VolumeExtent>();
        long end = 0;
        foreach (VolumeExtent extent in extents.Where(extent => extent.FileOffset < length))
        {
            VolumeExtent part = extent with { Length = Math.Min(extent.Length, length - extent.FileOffset) };
            if (part.FileOffset < end || part.Length <= 0 || part.Offset < 0 || part.Offset > volume - part.Length)
                throw new InvalidDataException("Its pieces overlap, or lie behind the end of the volume");
            end = part.FileOffset + part.Length;
            kept.Add(part);
        }

        return kept;
    }
}
