namespace Evidence.Vaults;

/// <summary>An image as a read-only stream that several threads may read.</summary>
internal sealed class VaultImageStream(ImageReader reader) : Stream
{
    private readonly Lock gate = new();
    private long position;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => reader.Size;

    public override long Position
    {
        get
        {
            lock (gate)
                return position;
        }

        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            lock (gate)
                position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        long start;
        int count;
        lock (gate)
        {
            start = position;
            count = (int)Math.Clamp(Length - start, 0, buffer.Length);
            position = start + count;
        }

        try
        {
            int read = reader.Read(start, buffer[..count], inPart: true);
            if (read < count && !TryGoBack(start + count, start + read))
            {
                // Another thread has read on from behind it: the rest would be lost to both, so the error is met here.
                reader.Read(start + read, buffer[read..count]);
                return count;
            }

            return read;
        }
        catch
        {
            TryGoBack(start + count, start);
            throw;
        }
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Task.Run(() => Read(buffer.Span), cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override long Seek(long offset, SeekOrigin origin)
    {
        lock (gate)
        {
            long sought = origin switch
            {
                SeekOrigin.Begin => offset,
                SeekOrigin.Current => position + offset,
                SeekOrigin.End => Length + offset,
                _ => throw new ArgumentOutOfRangeException(nameof(origin)),
            };
            if (sought < 0)
                throw new IOException("Cannot seek to before the image's first byte.");
            return position = sought;
        }
    }

    public override void Flush()
    {
        // Nothing is ever written.
    }

    public override void SetLength(long value) => throw new NotSupportedException("An image in a vault cannot be changed.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("An image in a vault cannot be changed.");

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            reader.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Gives back what was not read, unless somebody has moved the position since.</summary>
    private bool TryGoBack(long from, long to)
    {
        lock (gate)
        {
            if (position != from)
                return false;
            position = to;
            return true;
        }
    }
}
