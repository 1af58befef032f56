namespace Evidence.Sources;

/// <summary>
/// What can be imaged: a block device, a raw or split image, a stream, a disk behind an NBD server. A source is only ever read; no source has a member that writes.
/// Sources that are not sequential may be read from several threads at once.
/// </summary>
public abstract class Source : IDisposable
{
    /// <summary>The sector size of a source that has none of its own.</summary>
    public const int DefaultSectorSize = 512;

    private bool disposed;

    /// <summary>What the source is, as the system described it when it was opened.</summary>
    public abstract SourceIdentity Identity { get; }

    /// <summary>The length in bytes when it was opened; null where only the end will tell (a pipe).</summary>
    public abstract long? Length { get; }

    /// <summary>The logical sector size in bytes; <see cref="DefaultSectorSize"/> where the source has none.</summary>
    public int SectorSize => Identity.LogicalSectorSize ?? DefaultSectorSize;

    /// <summary>Whether reads must come in order, each byte once (a pipe).</summary>
    public virtual bool IsSequential => false;

    /// <summary>Whether reads go past the page cache (<c>O_DIRECT</c>) now. A regular file may begin without, and turn to it at the first error.</summary>
    public virtual bool IsDirect => false;

    /// <summary>
    /// The smallest aligned piece whose failure tells nothing of its neighbours, in bytes: a sector with direct reads, a page through the page
    /// cache. It can change together with <see cref="IsDirect"/>, and where the system turns out to want larger pieces.
    /// </summary>
    public virtual int ErrorGranularity => SectorSize;

    /// <summary>
    /// How many bytes, aligned to as many, a read had best ask for while nothing fails: a power of two. With direct reads that is what goes to
    /// the device as one request.
    /// </summary>
    public virtual int PreferredReadSize => 4 << 20;

    /// <summary>What a container that holds the source says of itself, and what was found in it until now; null where there is none.</summary>
    public virtual ContainerReport? Container => null;

    /// <summary>What the source says was not read when it was made, in order, without overlap. It is not to be asked for that.</summary>
    public virtual IReadOnlyList<SourceAbsence> Absences => [];

    /// <summary>Opens what is at a path: an image file, the parts of a split image, a block device, a pipe; or an NBD export.</summary>
    /// <param name="path">
    /// A file, any part of a split image or of an E01, a block device, a named pipe or a character device; or the URI of an NBD export
    /// (<c>nbd://host:port/export</c>, <c>nbds://…</c> for TLS, <c>nbd+unix:///export?socket=path</c>).
    /// </param>
    /// <param name="options">How to open it; null for the defaults.</param>
    /// <exception cref="EvidenceException">It is missing, may not be read, or is nothing that can be imaged.</exception>
    public static Source Open(string path, SourceOptions? options = null) => SourceOpener.Open(path, options ?? new SourceOptions());

    /// <summary>Standard input, as a sequential source.</summary>
    public static Source OpenStandardInput() => StreamSource.StandardInput();

    /// <summary>
    /// What the source says of its ranges, in order, without gap or overlap from 0 to <see cref="Length"/>; none where the length is 0 or
    /// not known. Unless a source knows better, all of it is data.
    /// </summary>
    public virtual IEnumerable<SourceExtent> Extents() =>
        Length is > 0 and { } length ? [new SourceExtent(0, length, SourceExtentKind.Data)] : [];

    /// <summary>Fills the buffer, unless the end of the source comes first.</summary>
    /// <param name="offset">Where to read; from a sequential source, where the last read ended.</param>
    /// <param name="buffer">Where the bytes go.</param>
    /// <returns>The number of bytes read: less than the buffer holds only at the end of the source, and 0 past it.</returns>
    /// <exception cref="SourceReadException">The source refused. The bytes before the error's offset are in the buffer.</exception>
    /// <exception cref="SourceChangedException">The source ends before the length that it had when it was opened.</exception>
    public int Read(long offset, Span<byte> buffer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ObjectDisposedException.ThrowIf(disposed, this);
        if (Length is { } length)
            buffer = buffer[..(int)Math.Clamp(length - offset, 0, buffer.Length)];

        int filled = 0;
        while (filled < buffer.Length)
        {
            int count = ReadCore(offset + filled, buffer[filled..]);
            if (count == 0)
            {
                return Length is { } expected
                    ? throw new SourceChangedException(Identity.Name, SourceChange.Shorter, expected, actualLength: null)
                    : filled;
            }

            filled += count;
        }

        return filled;
    }

    /// <summary>The digest over what a container's own digests are over, where that is not the source's own bytes; null where there is no such thing.</summary>
    /// <param name="algorithm">The digest's name.</param>
    /// <param name="cancellation">Stops it.</param>
    public virtual string? DigestOfContainer(string algorithm, CancellationToken cancellation = default) => null;

    /// <summary>
    /// Compares the source with what it was when it was opened, as far as the system tells. Call it after the last read: growth, and writes
    /// by others, do not show in the reads themselves.
    /// </summary>
    /// <exception cref="SourceChangedException">Its length changed, or its file was written to.</exception>
    public virtual void EnsureUnchanged()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        disposed = true;
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Reads at least one byte into a buffer that is not empty and does not reach past <see cref="Length"/>.</summary>
    /// <returns>The number of bytes read; 0 only where the source ends.</returns>
    protected abstract int ReadCore(long offset, Span<byte> buffer);

    /// <summary>Closes the source.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}
