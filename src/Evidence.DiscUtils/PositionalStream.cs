using System.Runtime.CompilerServices;
using DiscUtils.Streams;

namespace Evidence.DiscUtils;

/// <summary>
/// What DiscUtils reads from: bytes that can be read at any offset, and not be written. Each read is a place to stop at for whoever recurses or loops over them without an end: DiscUtils
/// bounds neither.
/// </summary>
internal abstract class PositionalStream : SparseStream.ReadOnlySparseStream
{
    /// <summary>No one asks so often in vain for what is behind the end.</summary>
    private const int MostReadsBehindTheEnd = 256;

    private int behindTheEnd;

    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => true;

    public sealed override long Position { get; set; }

    public sealed override IEnumerable<StreamExtent> Extents => [new StreamExtent(0, Length)];

    public sealed override int Read(Span<byte> buffer)
    {
        // A tree that has itself for a branch.
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (Position < 0)
            throw new IOException($"It would read at {Position}");
        int count = (int)Math.Clamp(Length - Position, 0, buffer.Length);
        if (count == 0 && buffer.Length > 0 && ++behindTheEnd > MostReadsBehindTheEnd)
            throw new EndOfStreamException($"It ends at {Length}, and more is expected at {Position}");
        int read = count == 0 ? 0 : ReadAt(Position, buffer[..count]);
        if (read > 0)
            behindTheEnd = 0;
        Position += read;
        return read;
    }

    public sealed override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public sealed override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

    public sealed override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => Position + offset,
        SeekOrigin.End => Length + offset,
        _ => throw new ArgumentOutOfRangeException(nameof(origin)),
    };

    /// <summary>Reads at least one byte of those that there are.</summary>
    protected abstract int ReadAt(long offset, Span<byte> buffer);
}
