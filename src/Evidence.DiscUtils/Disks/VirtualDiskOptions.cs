namespace Evidence.DiscUtils.Disks;

/// <summary>How a virtual disk is opened.</summary>
public sealed record VirtualDiskOptions
{
    /// <summary>The folders, beside that of the disk itself, in which its parents and its parts may lie. A file anywhere else is not opened, whatever the disk says.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    /// <summary>Whether the SHA-256 of each of its files goes into the record. Each is read once more for that, when the disk is opened.</summary>
    public bool DigestFiles { get; init; } = true;
}
