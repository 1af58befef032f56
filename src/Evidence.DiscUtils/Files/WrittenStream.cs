namespace Evidence.DiscUtils.Files;

/// <summary>A file as its map says: what was written of it as DiscUtils reads it, and zeros where nothing ever was.</summary>
/// <param name="content">The file, as DiscUtils reads it.</param>
/// <param name="written">What was written, in the file's order, none over another.</param>
/// <param name="length">The file's length.</param>
internal sealed class WrittenStream(Stream content, IReadOnlyList<VolumeExtent> written, long length) : PositionalStream
{
    private int next;

    public override long Length => length;

    protected override int ReadAt(long offset, Span<byte> buffer)
    {
        if (next > 0 && offset < written[next - 1].FileOffset + written[next - 1].Length)
            next = 0;
        while (next < written.Count && written[next].FileOffset + written[next].Length <= offset)
            next++;
        long start = next < written.Count ? written[next].FileOffset : length;
        if (offset < start)
        {
            Span<byte> hole = buffer[..(int)Math.Min(buffer.Length, start - offset)];
            hole.Clear();
            return hole.Length;
        }

        content.Position = offset;
        int count = content.Read(buffer[..(int)Math.Min(buffer.Length, start + written[next].Length - offset)]);
        return count > 0 ? count : throw new EndOfStreamException($"DiscUtils finds nothing at {offset} of {length} bytes");
    }

    protected override void Dispose(bool disposing)
    {
        content.Dispose();
        base.Dispose(disposing);
    }
}
