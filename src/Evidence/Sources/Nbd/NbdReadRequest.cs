namespace Evidence.Sources.Nbd;

/// <summary>A read. The chunks of its answer may come in any order, but must cover it without overlap.</summary>
internal sealed class NbdReadRequest(NbdUri uri, long offset, int length, int place) : NbdRequest(uri, NbdCommand.Read, offset, length)
{
    /// <summary>What has come, as ranges from the start of the request: in order, with gaps between them.</summary>
    private readonly List<(int Start, int End)> covered = [];

    /// <summary>How many bytes from the start on are good: all of them unless it failed.</summary>
    internal int Good => Failure is null ? Length : Math.Min(FailurePlace ?? 0, covered is [(0, var end), ..] ? end : 0);

    internal override void Reset()
    {
        base.Reset();
        covered.Clear();
    }

    protected override void TakeSimplePayload(NbdTransport transport, Span<byte> buffer) => transport.ReadExactly(buffer.Slice(place, Length));

    protected override void TakeContent(NbdChunk kind, uint length, NbdTransport transport, Span<byte> buffer)
    {
        ulong at;
        switch (kind)
        {
            case NbdChunk.OffsetData when length > sizeof(ulong):
                at = transport.ReadUInt64();
                transport.ReadExactly(Cover(at, length - sizeof(ulong), buffer));
                break;
            case NbdChunk.OffsetHole when length == sizeof(ulong) + sizeof(uint):
                at = transport.ReadUInt64();
                Cover(at, transport.ReadUInt32(), buffer).Clear();
                break;
            default:
                throw Violation($"with a chunk of the kind {NbdError.Name(kind)} that has {length} bytes");
        }
    }

    protected override void CheckComplete()
    {
        if (covered is not [(0, var end)] || end != Length)
        {
            long missing = Offset + (covered is [(0, var first), ..] ? first : 0);
            throw Violation(string.Create(null, $"without the bytes at offset {missing}"));
        }
    }

    /// <summary>Notes that a range has come; returns the bytes that it goes to.</summary>
    private Span<byte> Cover(ulong at, uint count, Span<byte> buffer)
    {
        if (count == 0 || at < (ulong)Offset || at - (ulong)Offset > (ulong)Length || count > (ulong)Length - (at - (ulong)Offset))
            throw Violation($"with {count} bytes at offset {at}");
        int start = (int)(at - (ulong)Offset);
        int end = start + (int)count;

        // Most servers send them in order, so the search begins at the end.
        int next = covered.Count;
        while (next > 0 && covered[next - 1].Start >= end)
            next--;
        if (next > 0 && covered[next - 1].End > start)
            throw Violation($"twice with the bytes at offset {Math.Max(at, (ulong)(Offset + covered[next - 1].Start))}");
        bool joinsBefore = next > 0 && covered[next - 1].End == start;
        bool joinsAfter = next < covered.Count && covered[next].Start == end;
        if (joinsBefore && joinsAfter)
        {
            covered[next - 1] = (covered[next - 1].Start, covered[next].End);
            covered.RemoveAt(next);
        }
        else if (joinsBefore)
        {
            covered[next - 1] = (covered[next - 1].Start, end);
        }
        else if (joinsAfter)
        {
            covered[next] = (start, covered[next].End);
        }
        else
        {
            covered.Insert(next, (start, end));
        }

        return buffer.Slice(place + start, (int)count);
    }
}
