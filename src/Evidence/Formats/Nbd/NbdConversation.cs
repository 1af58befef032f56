using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Evidence.Segments;
using Evidence.Sources.Nbd;
using Microsoft.Extensions.Logging;

namespace Evidence.Formats.Nbd;

/// <summary>
/// One client, from the first byte to the last. Requests are answered side by side, in whatever order they are ready, each in pieces that are sent as they are read, so that memory is
/// bounded by the number of requests and not by what they ask for.
/// </summary>
internal sealed class NbdConversation
{
    private const int PieceLength = 256 << 10;

    /// <summary>A chunk's header, and the offset that its content begins with.</summary>
    private const int HeaderRoom = NbdProtocol.ChunkHeaderLength + sizeof(ulong);
    private const int SimpleHeaderLength = 16;
    private const int MostDescriptors = 8192;
    private const int DescriptorLength = 2 * sizeof(uint);

    /// <summary>Fewer zeros than these are sent: a chunk of their own would cost more.</summary>
    private const int FewestZeros = 4096;

    private const uint EPERM = 1;
    private const uint EIO = 5;
    private const uint EINVAL = 22;
    private const uint EOVERFLOW = 75;

    private readonly NbdWire wire;
    private readonly NbdServedImage image;
    private readonly NbdAgreement agreement;
    private readonly ILogger logger;
    private readonly CancellationTokenSource broken;

    private NbdConversation(NbdWire wire, NbdServedImage image, NbdAgreement agreement, ILogger logger, CancellationTokenSource broken)
    {
        this.wire = wire;
        this.image = image;
        this.agreement = agreement;
        this.logger = logger;
        this.broken = broken;
    }

    private readonly record struct Request(NbdCommandFlags Flags, NbdCommand Command, ulong Cookie, long Offset, uint Length)
    {
        internal long End => Offset + Length;
    }

    /// <summary>Serves a client until it leaves, breaks the protocol, or the server is stopped.</summary>
    /// <exception cref="IOException">The client has gone.</exception>
    /// <exception cref="InvalidDataException">The client broke the protocol.</exception>
    internal static async Task RunAsync(Stream stream, NbdServedImage image, NbdLimits limits, ILogger logger, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var client = new NbdWire(stream, limits, stop);
        NbdAgreement? agreed;
        using (var patience = CancellationTokenSource.CreateLinkedTokenSource(stop))
        {
            patience.CancelAfter(limits.Negotiation);
            agreed = await NbdGreeting.RunAsync(client, image, patience.Token).ConfigureAwait(false);
        }

        if (agreed is not null)
            await new NbdConversation(client, image, agreed.Value, logger, ending).RunAsync(limits.Requests).ConfigureAwait(false);
    }

    private async Task RunAsync(int mostRequests)
    {
        using var places = new SemaphoreSlim(mostRequests);
        var header = new byte[NbdProtocol.RequestLength];
        try
        {
            while (true)
            {
                await places.WaitAsync(broken.Token).ConfigureAwait(false);
                bool isTaken = false;
                try
                {
                    await wire.ReadAsync(header, broken.Token).ConfigureAwait(false);
                    Request request = Parse(header);
                    if (request.Command == NbdCommand.Disconnect)
                        return;
                    // What was to be written follows, and must be taken, or it would be read as requests.
                    if (request.Command == NbdCommand.Write)
                        await wire.SkipAsync(request.Length <= NbdGreeting.LargestRead ? request.Length : throw new InvalidDataException($"it writes {request.Length} bytes"), broken.Token).ConfigureAwait(false);
                    isTaken = true;
                    _ = Task.Run(() => AnswerAsync(request, places), CancellationToken.None);
                }
                finally
                {
                    if (!isTaken)
                        places.Release();
                }
            }
        }
        finally
        {
            // What is being answered uses the places.
            for (int i = 0; i < mostRequests; i++)
                await places.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static Request Parse(ReadOnlySpan<byte> header)
    {
        uint magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (magic != NbdProtocol.RequestMagic)
            throw new InvalidDataException($"a request began with 0x{magic:x8}");
        ulong offset = BinaryPrimitives.ReadUInt64BigEndian(header[16..]);
        return new Request(
            (NbdCommandFlags)BinaryPrimitives.ReadUInt16BigEndian(header[4..]), (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(header[6..]),
            BinaryPrimitives.ReadUInt64BigEndian(header[8..]), offset <= long.MaxValue ? (long)offset : -1, BinaryPrimitives.ReadUInt32BigEndian(header[24..]));
    }

    private async Task AnswerAsync(Request request, SemaphoreSlim places)
    {
        try
        {
            if (Refusal(request) is var (error, words) && error != 0)
                await RefuseAsync(request, error, words).ConfigureAwait(false);
            else if (request.Command == NbdCommand.BlockStatus)
                await TellStatusAsync(request).ConfigureAwait(false);
            else if (agreement.IsStructured)
                await ReadInChunksAsync(request).ConfigureAwait(false);
            else
                await ReadAsOneAsync(request).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Nobody is there any more: whoever reads the next request is to know.
            await broken.CancelAsync().ConfigureAwait(false);
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>Why a request is not answered; an error of zero where it is.</summary>
    private (uint Error, string Words) Refusal(Request request)
    {
        switch (request.Command)
        {
            case NbdCommand.Read when request.Length > NbdGreeting.LargestRead:
                return (EINVAL, $"A read has at most {NbdGreeting.LargestRead} bytes.");
            case NbdCommand.Read when request.Flags.HasFlag(NbdCommandFlags.Whole) && request.Length > PieceLength:
                return (EOVERFLOW, $"An answer in one piece has at most {PieceLength} bytes.");
            case NbdCommand.BlockStatus when !agreement.HasAllocation:
                return (EINVAL, "The client has not asked for a metadata context.");
            case NbdCommand.BlockStatus when request.Length == 0:
                return (EINVAL, "A block status is of one byte at least.");
            case NbdCommand.Read or NbdCommand.BlockStatus:
                return request.Offset < 0 || request.Offset > image.Reader.Size || request.Length > image.Reader.Size - request.Offset
                    ? (EINVAL, string.Create(CultureInfo.InvariantCulture, $"The export has {image.Reader.Size} bytes."))
                    : default;
            case NbdCommand.Write or NbdCommand.WriteZeroes or NbdCommand.Trim:
                return (EPERM, "An image in a vault cannot be changed.");
            default:
                return (EINVAL, "There is no such command here.");
        }
    }

    private async Task ReadInChunksAsync(Request request)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(HeaderRoom + PieceLength);
        long at = request.Offset;
        try
        {
            do
            {
                (long count, bool isHole) = NextPiece(request, at);
                bool isLast = at + count == request.End;
                int length = isHole ? sizeof(ulong) + sizeof(uint) : sizeof(ulong) + (int)count;
                if (request.Length == 0)
                    length = 0;
                WriteHeader(buffer, request, length == 0 ? NbdChunk.None : isHole ? NbdChunk.OffsetHole : NbdChunk.OffsetData, isLast, length);
                BinaryPrimitives.WriteInt64BigEndian(buffer.AsSpan(NbdProtocol.ChunkHeaderLength), at);
                if (isHole)
                    BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(HeaderRoom), (uint)count);
                else
                    image.Reader.Read(at, buffer.AsSpan(HeaderRoom, (int)count));
                await wire.SendAsync(buffer.AsMemory(0, NbdProtocol.ChunkHeaderLength + length)).ConfigureAwait(false);
                at += count;
            }
            while (at < request.End);
        }
        catch (EvidenceException e)
        {
            Log.ServedRangeRefused(logger, at, request.End - at, e.Message);
            await RefuseAsync(request, EIO, e.Message, at).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>What of a request is sent next: zeros as a hole; else as many bytes as fit, up to the next long stretch of zeros, or to what is absent.</summary>
    private (long Count, bool IsHole) NextPiece(Request request, long at)
    {
        bool isWhole = request.Flags.HasFlag(NbdCommandFlags.Whole);
        if (isWhole || request.Length == 0)
            return (request.Length, false);
        long zeros = image.ZerosAt(at, request.End);
        if (zeros >= FewestZeros)
            return (zeros, true);
        long bound = at + Math.Min(PieceLength, request.End - at);
        long end = at;
        while (end < bound)
        {
            MapRun run = image.Reader.RunAt(end);
            // What comes before an error is sent before it.
            if (end > at && (!run.IsPresent || image.ZerosAt(end, bound) >= FewestZeros))
                break;
            end = run.End;
        }

        return (Math.Min(end, bound) - at, false);
    }

    /// <summary>
    /// An answer of the older form says at its beginning whether all goes well, so what is longer than a piece is read once before to see that. A client that wants speed asks for
    /// structured replies.
    /// </summary>
    private async Task ReadAsOneAsync(Request request)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(SimpleHeaderLength + PieceLength);
        long at = request.Offset;
        bool isPromised = false;
        try
        {
            for (; request.Length > PieceLength && at < request.End; at += Math.Min(PieceLength, request.End - at))
                image.Reader.Read(at, buffer.AsSpan(0, (int)Math.Min(PieceLength, request.End - at)));
            at = request.Offset;
            int room = SimpleHeaderLength;
            WriteSimpleHeader(buffer, request, 0);
            do
            {
                int count = (int)Math.Min(PieceLength, request.End - at);
                image.Reader.Read(at, buffer.AsSpan(room, count));
                isPromised = true;
                await wire.SendAsync(buffer.AsMemory(0, room + count)).ConfigureAwait(false);
                at += count;
                room = 0;
            }
            while (at < request.End);
        }
        catch (EvidenceException e)
        {
            Log.ServedRangeRefused(logger, at, request.End - at, e.Message);
            if (isPromised)
                throw new IOException("what was read a moment ago cannot be read any more", e);
            await RefuseAsync(request, EIO, e.Message).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task TellStatusAsync(Request request)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(NbdProtocol.ChunkHeaderLength + sizeof(uint) + (MostDescriptors * DescriptorLength));
        try
        {
            int most = request.Flags.HasFlag(NbdCommandFlags.One) ? 1 : MostDescriptors;
            int length = sizeof(uint);
            BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(NbdProtocol.ChunkHeaderLength), NbdGreeting.AllocationNumber);
            // A reply may end before the request does.
            for (long at = request.Offset; at < request.End && most > 0; most--)
            {
                (long end, uint state) = image.StateAt(at, request.End);
                BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(NbdProtocol.ChunkHeaderLength + length), (uint)(end - at));
                BinaryPrimitives.WriteUInt32BigEndian(buffer.AsSpan(NbdProtocol.ChunkHeaderLength + length + sizeof(uint)), state);
                length += DescriptorLength;
                at = end;
            }

            WriteHeader(buffer, request, NbdChunk.BlockStatus, isLast: true, length);
            await wire.SendAsync(buffer.AsMemory(0, NbdProtocol.ChunkHeaderLength + length)).ConfigureAwait(false);
        }
        catch (EvidenceException e)
        {
            Log.ServedRangeRefused(logger, request.Offset, request.Length, e.Message);
            await RefuseAsync(request, EIO, e.Message).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private ValueTask RefuseAsync(Request request, uint error, string words, long? offset = null)
    {
        if (!agreement.IsStructured)
        {
            var simple = new byte[SimpleHeaderLength];
            WriteSimpleHeader(simple, request, error);
            return wire.SendAsync(simple);
        }

        byte[] text = Encoding.UTF8.GetBytes(words);
        int length = Math.Min(text.Length, NbdProtocol.LongestString);
        int whole = sizeof(uint) + sizeof(ushort) + length + (offset is null ? 0 : sizeof(ulong));
        var reply = new byte[NbdProtocol.ChunkHeaderLength + whole];
        WriteHeader(reply, request, offset is null ? NbdChunk.Error : NbdChunk.ErrorOffset, isLast: true, whole);
        Span<byte> content = reply.AsSpan(NbdProtocol.ChunkHeaderLength);
        BinaryPrimitives.WriteUInt32BigEndian(content, error);
        BinaryPrimitives.WriteUInt16BigEndian(content[4..], (ushort)length);
        text.AsSpan(0, length).CopyTo(content[6..]);
        if (offset is { } place)
            BinaryPrimitives.WriteInt64BigEndian(content[(6 + length)..], place);
        return wire.SendAsync(reply);
    }

    private static void WriteSimpleHeader(Span<byte> header, Request request, uint error)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header, NbdProtocol.SimpleReplyMagic);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], error);
        BinaryPrimitives.WriteUInt64BigEndian(header[8..], request.Cookie);
    }

    private static void WriteHeader(Span<byte> header, Request request, NbdChunk kind, bool isLast, int length)
    {
        BinaryPrimitives.WriteUInt32BigEndian(header, NbdProtocol.StructuredReplyMagic);
        BinaryPrimitives.WriteUInt16BigEndian(header[4..], isLast ? NbdProtocol.ChunkDone : (ushort)0);
        BinaryPrimitives.WriteUInt16BigEndian(header[6..], (ushort)kind);
        BinaryPrimitives.WriteUInt64BigEndian(header[8..], request.Cookie);
        BinaryPrimitives.WriteInt32BigEndian(header[16..], length);
    }
}
