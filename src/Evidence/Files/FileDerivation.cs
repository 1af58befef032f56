namespace Evidence.Files;

/// <summary>How the bytes of a file come from those ranges of the image that are proved.</summary>
public enum FileDerivation
{
    /// <summary>They are those bytes, one range after another in the file's order, with zeros where no range is.</summary>
    Direct,

    /// <summary>NTFS keeps them compressed in those ranges; the reader of file systems expanded them.</summary>
    NtfsCompressed,

    /// <summary>They lie within the file's own record of NTFS's master file table, which is the range.</summary>
    NtfsResident,
}
