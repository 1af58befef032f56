using Evidence.Hashing;
using Evidence.Sources;

namespace Evidence.Repair;

/// <summary>What was imaged, or an export of it. It knows no ids: it is asked for the bytes at a place, and mostly they are others.</summary>
internal sealed class ImageOrigin : RepairOrigin
{
    private readonly Source source;

    private ImageOrigin(Source source) => this.source = source;

    internal override string Name => source.Identity.Name;

    internal override RepairOriginKind Kind => RepairOriginKind.Image;

    /// <summary>Opens a device, a file, or the parts of a split file.</summary>
    /// <exception cref="EvidenceException">It cannot be opened, or can only be read once from its beginning.</exception>
    internal static ImageOrigin Open(string path)
    {
        Source opened = Source.Open(path);
        if (!opened.IsSequential)
            return new ImageOrigin(opened);
        opened.Dispose();
        throw new EvidenceException(
            ErrorCode.SourceUnsupported, $"{path} can only be read once, from its beginning. Repair from a file, a device, or another vault.");
    }

    /// <inheritdoc/>
    public override void Dispose() => source.Dispose();

    /// <summary>What the source says of its ranges.</summary>
    internal IEnumerable<SourceExtent> Extents() => source.Extents();

    /// <summary>The bytes of a range; null where it has not all of them.</summary>
    internal byte[]? TryReadRange(long offset, int length)
    {
        if (source.Length is not { } all || offset > all - length)
            return null;
        var content = new byte[length];
        try
        {
            return source.Read(offset, content) == content.Length ? content : null;
        }
        catch (Exception e) when (e is SourceReadException or SourceChangedException)
        {
            // What it cannot give may be in another.
            Refuse();
            return null;
        }
    }

    protected override byte[]? Read(Sha256Digest id, int maximumLength, ImagePlace? place, CancellationToken cancellation) =>
        place is { } at && at.Length <= maximumLength ? TryReadRange(at.Offset, at.Length) : null;
}
