using Microsoft.Win32.SafeHandles;

namespace Evidence.Sources;

/// <summary>
/// Any <see cref="Stream"/>. One that can seek is read at any offset and has a length; one that cannot is sequential. This is also the way
/// in for virtual disks that another library opens: hand over its stream, and its extents where it knows them.
/// </summary>
public sealed class StreamSource : Source
{
    private readonly Stream stream;
    private readonly bool leaveOpen;
    private readonly SourceExtent[]? extents;
    private readonly Lock gate = new();
    private long position;

    /// <summary>Takes a stream as a source.</summary>
    /// <param name="stream">A readable stream. Nothing else may move its position while the source is in use.</param>
    /// <param name="name">What to call it in messages and in the record.</param>
    /// <param name="extents">The ranges of a seekable stream from 0 to its length; null where they are not known.</param>
    /// <param name="sectorSize">The logical sector size, where the stream has one.</param>
    /// <param name="leaveOpen">Whether the stream stays open when the source is disposed.</param>
    public StreamSource(
        Stream stream, string name, IEnumerable<SourceExtent>? extents = null, int? sectorSize = null, bool leaveOpen = false)
        : this(stream, name, sequential: stream is { CanSeek: false }, extents, sectorSize, leaveOpen)
    {
    }

    private StreamSource(
        Stream stream, string name, bool sequential, IEnumerable<SourceExtent>? extents, int? sectorSize, bool leaveOpen)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!stream.CanRead)
            throw new ArgumentException("The stream cannot be read.", nameof(stream));
        this.stream = stream;
        this.leaveOpen = leaveOpen;
        IsSequential = sequential;
        Length = sequential ? null : stream.Length;
        this.extents = extents is null ? null : ValidExtents(extents, Length, nameof(extents));
        Identity = new SourceIdentity { Kind = SourceKind.Stream, Name = name, Length = Length, LogicalSectorSize = sectorSize };
    }

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; }

    /// <inheritdoc/>
    public override long? Length { get; }

    /// <inheritdoc/>
    public override bool IsSequential { get; }

    /// <inheritdoc/>
    public override IEnumerable<SourceExtent> Extents() => extents ?? base.Extents();

    /// <inheritdoc/>
    public override void EnsureUnchanged()
    {
        if (Length is not { } opened || stream.Length == opened)
            return;
        SourceChange change = stream.Length < opened ? SourceChange.Shorter : SourceChange.Longer;
        throw new SourceChangedException(Identity.Name, change, opened, stream.Length);
    }

    /// <summary>A descriptor that is read in order from where it stands, even where it could seek.</summary>
    internal static StreamSource Sequential(SafeFileHandle handle, string name, int? sectorSize = null) =>
        new(new FileStream(handle, FileAccess.Read, bufferSize: 0), name, sequential: true, extents: null, sectorSize, leaveOpen: false);

    internal static StreamSource StandardInput() => Sequential(new SafeFileHandle(0, ownsHandle: false), "standard input");

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        lock (gate)
        {
            if (IsSequential && offset != position)
            {
                throw new InvalidOperationException(string.Create(
                    null, $"{Identity.Name} is read in order, and stands at offset {position}; the read asks for offset {offset}."));
            }

            try
            {
                if (!IsSequential)
                    stream.Position = offset;
                int count = stream.Read(buffer);
                position = offset + count;
                return count;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new SourceReadException(Identity.Name, offset, buffer.Length, Errno(e), e);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (!leaveOpen)
            stream.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>On Unix the framework keeps the system's error number in HResult; its own codes are negative.</summary>
    private static int? Errno(Exception e) => e.HResult is > 0 and < 4096 ? e.HResult : null;

    private static SourceExtent[] ValidExtents(IEnumerable<SourceExtent> extents, long? length, string parameter)
    {
        SourceExtent[] list = [.. extents];
        long end = 0;
        foreach (SourceExtent extent in list)
        {
            if (extent.Offset != end || extent.Length <= 0 || !Enum.IsDefined(extent.Kind))
                throw new ArgumentException("Extents must follow one another without gap or overlap.", parameter);
            end = extent.End;
        }

        return end == length ? list : throw new ArgumentException("Extents must cover the whole of a seekable stream.", parameter);
    }
}
