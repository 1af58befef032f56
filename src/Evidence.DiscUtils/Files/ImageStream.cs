namespace Evidence.DiscUtils.Files;

/// <summary>Reads at an offset, as <see cref="Vaults.ImageReader.Read"/> does.</summary>
internal delegate int PositionalRead(long offset, Span<byte> destination);

/// <summary>An image, for DiscUtils to read, and what it has read of it since it was last asked something: that is how it is known where a file lies.</summary>
/// <param name="read">Reads the image, with zeros for what it lacks: whatever is returned is held against a reader that takes no zeros for content.</param>
/// <param name="length">The image's length in bytes.</param>
internal sealed class ImageStream(PositionalRead read, long length) : PositionalStream
{
    /// <summary>The most reads for one answer. A list that leads back into itself takes more.</summary>
    private const int MostReads = 1 << 22;

    private readonly List<(long Offset, int Length)> reads = [];
    private CancellationToken cancellation;
    private bool isTraced;
    private int left = MostReads;

    public override long Length => length;

    /// <summary>What was read since <see cref="Trace"/>, in order.</summary>
    internal IReadOnlyList<(long Offset, int Length)> Reads => reads;

    /// <summary>Begins a question: what is read for it is not remembered.</summary>
    internal void Begin(CancellationToken ends)
    {
        cancellation = ends;
        isTraced = false;
        left = MostReads;
        reads.Clear();
    }

    /// <summary>Begins to remember what is read from here on.</summary>
    internal void Trace()
    {
        isTraced = true;
        left = MostReads;
        reads.Clear();
    }

    protected override int ReadAt(long offset, Span<byte> buffer)
    {
        cancellation.ThrowIfCancellationRequested();
        if (left-- == 0)
            throw new IOException($"It reads on and on: {MostReads} times for one answer");
        int count = read(offset, buffer);
        if (isTraced)
            reads.Add((offset, count));
        return count;
    }
}
