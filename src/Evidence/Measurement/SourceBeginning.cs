using Evidence.Sources;

namespace Evidence.Measurement;

/// <summary>The beginning of a source, to measure on: what it claims to be empty is read, for that is what is to be known.</summary>
internal sealed class SourceBeginning(Source source, long length) : Source
{
    public override SourceIdentity Identity { get; } = new()
    {
        Kind = SourceKind.Stream,
        Name = source.Identity.Name,
        Length = length,
        LogicalSectorSize = source.Identity.LogicalSectorSize,
    };

    public override long? Length => length;

    public override bool IsDirect => source.IsDirect;

    public override int ErrorGranularity => source.ErrorGranularity;

    public override int PreferredReadSize => source.PreferredReadSize;

    protected override int ReadCore(long offset, Span<byte> buffer) => source.Read(offset, buffer);
}
