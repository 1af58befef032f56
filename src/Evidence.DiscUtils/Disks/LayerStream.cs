using Evidence.Sources;

namespace Evidence.DiscUtils.Disks;

/// <summary>A file of a virtual disk, for DiscUtils to read.</summary>
internal sealed class LayerStream(RawFile file) : PositionalStream
{
    public override long Length => file.Length!.Value;

    protected override int ReadAt(long offset, Span<byte> buffer) => file.Read(offset, buffer);
}
