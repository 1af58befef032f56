using Evidence.Sources.Nbd;
using NodaTime;

namespace Evidence.Sources;

/// <summary>The kinds of source.</summary>
public enum SourceKind
{
    /// <summary>A regular file that holds a raw image.</summary>
    File,

    /// <summary>A raw image in numbered parts.</summary>
    SplitFiles,

    /// <summary>A block device: a disk, a partition, a logical volume.</summary>
    BlockDevice,

    /// <summary>A stream: a pipe, a character device, or whatever a program hands over.</summary>
    Stream,

    /// <summary>The disk in an E01 or S01.</summary>
    Ewf,

    /// <summary>An export of a server that speaks the network block device protocol.</summary>
    Nbd,

    /// <summary>The disk of a virtual machine, in files of its format, which another library reads.</summary>
    VirtualDisk,
}

/// <summary>A file that a source is made of: a part of a split image, a layer of a virtual disk.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Length">Its length in bytes.</param>
public sealed record SourcePart(string Path, long Length)
{
    /// <summary>The SHA-256 of the file, in lower-case hexadecimal; null where it was not computed.</summary>
    public string? Sha256 { get; init; }
}

/// <summary>What a source is, as the system described it when it was opened. What the system does not tell is null.</summary>
public sealed record SourceIdentity
{
    /// <summary>The kind of source.</summary>
    public required SourceKind Kind { get; init; }

    /// <summary>The full path under which it was opened, the URI of an NBD export, or the name that the caller gave to a stream.</summary>
    public required string Name { get; init; }

    /// <summary>The format of a virtual disk: <c>vhd</c>, <c>vhdx</c>, <c>vmdk</c>, <c>vdi</c>.</summary>
    public string? Format { get; init; }

    /// <summary>The length in bytes.</summary>
    public long? Length { get; init; }

    /// <summary>The unit in which the source is addressed, in bytes.</summary>
    public int? LogicalSectorSize
    {
        get;
        init
        {
            if (value is { } size)
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size, nameof(value));
            field = value;
        }
    }

    /// <summary>The unit in which the medium is written, in bytes.</summary>
    public int? PhysicalSectorSize { get; init; }

    /// <summary>When the file was last written to: of a split image, the latest of its parts.</summary>
    public Instant? Modified { get; init; }

    /// <summary>The file's inode number.</summary>
    public ulong? Inode { get; init; }

    /// <summary>The device behind the source.</summary>
    public DeviceIdentity? Device { get; init; }

    /// <summary>What the running system does with the device or file.</summary>
    public DeviceUsage? Usage { get; init; }

    /// <summary>What an NBD server said of itself and its export.</summary>
    public NbdIdentity? Nbd { get; init; }

    /// <summary>The parts of a split image in order; the files of a virtual disk, the newest first.</summary>
    public IReadOnlyList<SourcePart> Parts { get; init; } = [];

    /// <summary>Whether the running system uses the source (mounted, held, swapped to), so that it may change while it is read.</summary>
    public bool? IsLive => Usage?.IsLive;

    /// <summary>
    /// Whether the parts of a split image differ in length, other than by a shorter last one: a sign that one of them was cut short.
    /// </summary>
    public bool HasUnequalParts => Kind != SourceKind.VirtualDisk && Parts.Count > 1
        && (Parts.SkipLast(1).Any(part => part.Length != Parts[0].Length) || Parts[^1].Length > Parts[0].Length);
}
