using System.Runtime.InteropServices;
using Evidence.Platform;

namespace Evidence.Sources;

/// <summary>A regular file that holds a raw image.</summary>
public sealed class RawFile : Source
{
    /// <summary>The size of direct reads, in bytes, that no file system divides.</summary>
    private const int DirectReadSize = 128 << 10;

    private readonly SourceFile file;

    private RawFile(string path, SourceFile file, int? sectorSize)
    {
        this.file = file;
        file.AdviseSequential();
        Identity = new SourceIdentity
        {
            Kind = SourceKind.File,
            Name = path,
            Length = file.Status.Length,
            LogicalSectorSize = sectorSize,
            Modified = file.Status.Modified,
            Inode = file.Status.Inode,
            Usage = FileUsageReader.Read(file.Status),
        };
    }

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; }

    /// <inheritdoc/>
    public override long? Length => file.Status.Length;

    /// <inheritdoc/>
    public override bool IsDirect => file.IsDirect;

    /// <inheritdoc/>
    public override int ErrorGranularity => file.ErrorGranularity;

    /// <inheritdoc/>
    public override int PreferredReadSize => IsDirect ? DirectReadSize : base.PreferredReadSize;

    /// <summary>Opens an image file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sectorSize">The logical sector size of the disk in it, where known.</param>
    /// <param name="directIO">See <see cref="SourceOptions.DirectIO"/>.</param>
    /// <exception cref="EvidenceException">It is missing, may not be read, or is no regular file.</exception>
    public static RawFile Open(string path, int? sectorSize = null, bool? directIO = null)
    {
        path = Path.GetFullPath(path);
        return new RawFile(path, SourceFile.Open(path, FileType.Regular, directIO), sectorSize);
    }

    /// <summary>The data and the holes of the file. A file system that keeps no holes says that all of it is data.</summary>
    public override IEnumerable<SourceExtent> Extents() => SparseExtents.Of(file.Handle, Identity.Name, file.Status.Length);

    /// <inheritdoc/>
    public override void EnsureUnchanged()
    {
        FileStatus opened = file.Status;
        FileStatus now = FileStatus.TryGet(file.Handle)
            ?? throw new SourceReadException(Identity.Name, 0, opened.Length, Marshal.GetLastPInvokeError());
        if (now.Length == opened.Length && now.Modified == opened.Modified)
            return;
        SourceChange change = now.Length.CompareTo(opened.Length) switch
        {
            < 0 => SourceChange.Shorter,
            > 0 => SourceChange.Longer,
            _ => SourceChange.Modified,
        };
        throw new SourceChangedException(Identity.Name, change, opened.Length, now.Length);
    }

    /// <summary>Where the first error makes reads direct, one in another part of the same image does so too.</summary>
    internal void TurnAfterError() => file.TurnAfterError();

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer) => file.Read(offset, buffer);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        file.Dispose();
        base.Dispose(disposing);
    }
}
