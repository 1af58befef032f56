using System.Buffers;
using Microsoft.Extensions.Logging;

namespace Evidence.Sources.Nbd;

/// <summary>
/// A disk that a server offers over the network block device protocol: a virtual machine's, through <c>qemu-nbd</c>; a remote one. Evidence
/// sends the server reads and questions, never a write.
/// </summary>
public sealed class NbdSource : Source
{
    /// <summary>The most bytes that one request asks for. Several of them are on their way at once.</summary>
    internal const int LargestRequest = 256 << 10;

    /// <summary>The most bytes that are on their way at once: a block of the acquisition.</summary>
    private const int LargestBatch = 4 << 20;

    /// <summary>The most requests that are on their way at once.</summary>
    private const int MostRequests = 16;

    /// <summary>What one question about holes covers: a fragmented disk's answer is some 100 KiB, at most 8 MiB.</summary>
    private const int StatusRange = 1 << 30;

    private readonly NbdUri uri;
    private readonly NbdSession session;
    private readonly ILogger logger;
    private readonly int block;

    /// <summary>A request's length: as much as the server and we allow, in whole blocks.</summary>
    private readonly int requestLength;

    private NbdSource(NbdUri uri, NbdSession session, SourceOptions options)
    {
        this.uri = uri;
        this.session = session;
        logger = options.Logger;
        NbdExport export = session.Export;
        block = export.MinimumBlock;
        requestLength = (int)(Math.Min(LargestRequest, export.MaximumPayload) / block * block);
        Identity = new SourceIdentity
        {
            Kind = SourceKind.Nbd,
            Name = uri.ToString(),
            Length = export.Size,
            LogicalSectorSize = block > DefaultSectorSize ? block : options.SectorSize,
            Nbd = new NbdIdentity
            {
                Server = export.Server,
                Export = uri.Export,
                CanonicalName = export.Name,
                Description = export.Description,
                BlockSizes = export.BlockSizes,
                IsReadOnly = export.Flags.HasFlag(NbdTransmissionFlags.ReadOnly),
                HasStructuredReplies = export.HasStructuredReplies,
                TellsHoles = export.AllocationContext is not null,
                Tls = export.Tls,
            },
        };
    }

    /// <inheritdoc/>
    public override SourceIdentity Identity { get; }

    /// <inheritdoc/>
    public override long? Length => session.Export.Size;

    /// <summary>Connects to a server and enters an export.</summary>
    /// <param name="address">The export's URI (the NetworkBlockDevice project's <c>doc/uri.md</c>).</param>
    /// <param name="options">How patient to be, and who hears of lost connections; null for the defaults.</param>
    /// <exception cref="EvidenceException">The URI is not valid, nobody is there, or the server refuses or breaks the protocol.</exception>
    public static new NbdSource Open(string address, SourceOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        options ??= new SourceOptions();
        NbdUri place = NbdUri.Parse(address);
        return new NbdSource(place, NbdSession.Open(place, options.Nbd, options.Logger), options);
    }

    /// <summary>
    /// The data and the holes, as the server tells them (<c>base:allocation</c>), asked for as they are needed. A hole is what the server calls
    /// one and says to read as zeros; where it tells nothing, all of it is data.
    /// </summary>
    public override IEnumerable<SourceExtent> Extents()
    {
        long length = session.Export.Size;
        bool tellsHoles = session.Export.AllocationContext is not null;
        for (long offset = 0; offset < length;)
        {
            IReadOnlyList<SourceExtent> extents = tellsHoles ? ExtentsAt(offset) : [];
            if (extents.Count == 0)
            {
                yield return new SourceExtent(offset, length - offset, SourceExtentKind.Data);
                yield break;
            }

            foreach (SourceExtent extent in extents)
                yield return extent;
            offset = extents[^1].End;
        }
    }

    /// <inheritdoc/>
    protected override int ReadCore(long offset, Span<byte> buffer)
    {
        int before = (int)(offset % block);
        bool toEnd = buffer.Length == session.Export.Size - offset;
        if (before == 0 && (buffer.Length >= block || toEnd))
        {
            int most = (int)Math.Min(LargestBatch, (long)MostRequests * requestLength) / block * block;
            Span<byte> part = buffer.Length <= most && toEnd ? buffer : buffer[..(Math.Min(buffer.Length, most) / block * block)];
            int good = ReadBlocks(offset, part, out NbdFailure? failure);
            return failure is { } f ? throw Failed(f, offset + good, part.Length - good) : part.Length;
        }

        // A part of a block: the server is asked for the whole one.
        long start = offset - before;
        int length = (int)Math.Min(block, session.Export.Size - start);
        byte[] whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            int good = ReadBlocks(start, whole.AsSpan(0, length), out NbdFailure? failure);
            int count = Math.Min(good - before, buffer.Length);
            if (count <= 0)
                throw Failed(failure!.Value, offset, Math.Min(length - before, buffer.Length));
            whole.AsSpan(before, count).CopyTo(buffer);
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        session.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Reads whole blocks, in several requests; returns how many bytes are good, all of them unless there is a failure.</summary>
    private int ReadBlocks(long offset, Span<byte> buffer, out NbdFailure? failure)
    {
        var requests = new List<NbdReadRequest>();
        for (int place = 0; place < buffer.Length; place += requestLength)
            requests.Add(new NbdReadRequest(uri, offset + place, Math.Min(requestLength, buffer.Length - place), place));
        session.Run(requests, buffer);

        int good = 0;
        foreach (NbdReadRequest request in requests)
        {
            good += request.Good;
            if (request.Failure is not null)
            {
                failure = request.Failure;
                return good;
            }
        }

        failure = null;
        return good;
    }

    private SourceReadException Failed(NbdFailure failure, long offset, int length) =>
        new(Identity.Name, offset, length, failure.Errno, failure.Words.Length > 0 ? $"the server says: {failure.Words}" : null);

    /// <summary>The extents from an offset on, up to a block's boundary; none where the server does not tell.</summary>
    private IReadOnlyList<SourceExtent> ExtentsAt(long offset)
    {
        long length = session.Export.Size;
        var request = new NbdStatusRequest(uri, offset, (int)Math.Min(StatusRange, length - offset), length);
        session.Run([request], []);
        if (request.Failure is { } failure)
        {
            Log.NbdHolesNotTold(logger, Identity.Name, offset, failure.Errno, failure.Words);
            return [];
        }

        // The next question must begin at a block's boundary. Of a block that is only in part a hole all is data.
        long end = request.Extents[^1].End;
        if (end == length || end % block == 0)
            return request.Extents;
        long whole = end - (end % block);
        return whole > offset
            ? [.. request.Extents.Where(e => e.Offset < whole).Select(e => e with { Length = Math.Min(e.End, whole) - e.Offset })]
            : [new SourceExtent(offset, Math.Min(block, length - offset), SourceExtentKind.Data)];
    }
}
