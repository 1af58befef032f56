using Evidence.Segments;

namespace Evidence.Vaults;

/// <summary>An image as a read-only stream; keeps the last segment, so that reading in order expands each segment once.</summary>
internal sealed class VaultImageStream(VaultImage image) : Stream
{
    private byte[] segment = [];
    private MapRun current;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => image.Size;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        if (Position >= Length || buffer.IsEmpty)
            return 0;
        if (Position < current.Offset || Position >= current.End)
        {
            MapRun run = image.Runs(Position, 1).First();
            // A read that fails leaves other bytes in the buffer: what was in it counts no more.
            current = default;
            if (run.Kind == RunKind.Data)
            {
                if (segment.Length < run.Length)
                    segment = new byte[run.Length];
                image.ReadRun(run, segment.AsSpan(0, (int)run.Length));
            }

            current = run;
        }

        int count = (int)Math.Min(buffer.Length, current.End - Position);
        if (current.Kind == RunKind.Data)
            segment.AsSpan((int)(Position - current.Offset), count).CopyTo(buffer);
        else
            buffer[..count].Fill(current.Value);
        Position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin)
    {
        long position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            SeekOrigin.End => Length + offset,
            _ => throw new ArgumentOutOfRangeException(nameof(origin)),
        };
        if (position < 0)
            throw new IOException("Cannot seek to before the image's first byte.");
        return Position = position;
    }

    public override void Flush()
    {
        // Nothing is ever written.
    }

    public override void SetLength(long value) => throw new NotSupportedException("An image in a vault cannot be changed.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("An image in a vault cannot be changed.");
}
