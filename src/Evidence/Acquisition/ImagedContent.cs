using Evidence.Sources;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>
/// What an image holds, as a source: to look into it again costs a dying disk no further read, and a stream is gone by then. What was not read refuses to be read
/// here, so that it is not taken for zeros.
/// </summary>
internal sealed class ImagedContent(VaultImage image, SourceIdentity identity) : Source
{
    private readonly Stream stream = image.OpenRead();

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; } = identity;

    /// <inheritdoc/>
    public override long? Length => image.Size;

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        IReadOnlyList<AbsentRange> absent = image.Manifest.Absent;
        // The first range that ends behind the offset.
        int first = 0;
        for (int end = absent.Count; first < end;)
        {
            int middle = first + ((end - first) / 2);
            if (absent[middle].Offset + absent[middle].Length > offset)
                end = middle;
            else
                first = middle + 1;
        }

        if (first < absent.Count && absent[first].Offset < offset + buffer.Length)
        {
            if (absent[first].Offset <= offset)
                throw new EvidenceException(ErrorCode.SourceFailed, "It could not be read.");
            buffer = buffer[..(int)(absent[first].Offset - offset)];
        }

        stream.Position = offset;
        return stream.Read(buffer);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        stream.Dispose();
        base.Dispose(disposing);
    }
}
