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
        stream.Position = offset;
        try
        {
            return stream.Read(buffer);
        }
        catch (AbsentRangeException e)
        {
            throw new EvidenceException(ErrorCode.SourceFailed, "It could not be read.", e);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        stream.Dispose();
        base.Dispose(disposing);
    }
}
