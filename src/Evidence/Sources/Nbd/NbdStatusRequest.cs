using System.Buffers;
using System.Buffers.Binary;

namespace Evidence.Sources.Nbd;

/// <summary>Asks what is a hole in a range. The answer may end earlier than the range, or later.</summary>
internal sealed class NbdStatusRequest(NbdUri uri, long offset, int length, long exportSize)
    : NbdRequest(uri, NbdCommand.BlockStatus, offset, length)
{
    private const int DescriptorLength = 2 * sizeof(uint);

    private readonly List<SourceExtent> extents = [];
    private bool hasStatus;

    /// <summary>The number under which the connection knows the context that is asked.</summary>
    internal uint Context { get; set; }

    /// <summary>The extents from the offset on, neighbours of one kind joined; none where it failed.</summary>
    internal IReadOnlyList<SourceExtent> Extents => extents;

    internal override void Reset()
    {
        base.Reset();
        extents.Clear();
        hasStatus = false;
    }

    protected override void TakeSimplePayload(NbdTransport transport, Span<byte> buffer) => throw Violation("with a simple reply");

    protected override void TakeContent(NbdChunk kind, uint length, NbdTransport transport, Span<byte> buffer)
    {
        const uint Longest = sizeof(uint) + ((uint)NbdProtocol.MostDescriptors * DescriptorLength);
        if (kind != NbdChunk.BlockStatus || length is < sizeof(uint) + DescriptorLength or > Longest || (length - sizeof(uint)) % DescriptorLength != 0)
            throw Violation($"with a chunk of the kind {NbdError.Name(kind)} that has {length} bytes");
        uint context = transport.ReadUInt32();
        if (context != Context || hasStatus)
            throw Violation(hasStatus ? "twice" : $"for the metadata context {context}, and asked was {Context}");
        hasStatus = true;
        int rest = (int)length - sizeof(uint);
        byte[] descriptors = ArrayPool<byte>.Shared.Rent(rest);
        try
        {
            transport.ReadExactly(descriptors.AsSpan(0, rest));
            for (int i = 0; i < rest; i += DescriptorLength)
                Take(BinaryPrimitives.ReadUInt32BigEndian(descriptors.AsSpan(i)), BinaryPrimitives.ReadUInt32BigEndian(descriptors.AsSpan(i + sizeof(uint))));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(descriptors);
        }
    }

    protected override void CheckComplete()
    {
        if (!hasStatus)
            throw Violation("with nothing");
    }

    private void Take(uint extentLength, uint state)
    {
        long start = extents.Count > 0 ? extents[^1].End : Offset;
        if (extentLength == 0 || start >= Offset + Length)
            throw Violation($"with an extent of {extentLength} bytes at offset {start}");
        long end = extentLength < exportSize - start ? start + extentLength : exportSize;
        // A hole that may read as anything, and zeros that are written somewhere, are both to be read.
        const uint Nothing = NbdProtocol.StateHole | NbdProtocol.StateZero;
        SourceExtentKind kind = (state & Nothing) == Nothing ? SourceExtentKind.Hole : SourceExtentKind.Data;
        if (extents is [.., var last] && last.Kind == kind)
            extents[^1] = last with { Length = end - last.Offset };
        else
            extents.Add(new SourceExtent(start, end - start, kind));
    }
}
