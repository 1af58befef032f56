using System.Buffers.Binary;
using System.Text;

namespace Evidence.Sources.Nbd;

/// <summary>The server's answer that a request failed.</summary>
/// <param name="Errno">The system's error number.</param>
/// <param name="Words">The server's words for it; empty where it has none.</param>
internal readonly record struct NbdFailure(int Errno, string Words);

/// <summary>A request, and what has come in answer to it so far.</summary>
internal abstract class NbdRequest(NbdUri uri, NbdCommand command, long offset, int length)
{
    /// <summary>The most chunks of one reply: more would be chunks of a few bytes.</summary>
    private const int MostChunks = 1 << 14;

    private int chunks;

    internal NbdCommand Command => command;

    internal long Offset => offset;

    internal int Length => length;

    /// <summary>Whether the last of the answer has come.</summary>
    internal bool IsAnswered { get; private set; }

    /// <summary>Why it failed; null where it did not.</summary>
    internal NbdFailure? Failure { get; private set; }

    /// <summary>Where the server says that it failed, if it says so: the first such place within the request, as an offset from its start.</summary>
    protected int? FailurePlace { get; private set; }

    protected NbdUri Uri => uri;

    /// <summary>Forgets what came of an answer, so that the request can be sent again.</summary>
    internal virtual void Reset()
    {
        chunks = 0;
        IsAnswered = false;
        Failure = null;
        FailurePlace = null;
    }

    /// <summary>Takes a simple reply.</summary>
    internal void TakeSimple(uint error, NbdTransport transport, Span<byte> buffer)
    {
        if (error != 0)
            Fail(error, "");
        else
            TakeSimplePayload(transport, buffer);
        IsAnswered = true;
    }

    /// <summary>Takes a chunk of a structured reply, whose payload is still to be read.</summary>
    internal void TakeChunk(ushort flags, NbdChunk kind, uint length, NbdTransport transport, Span<byte> buffer)
    {
        bool isLast = (flags & NbdProtocol.ChunkDone) != 0;
        if (++chunks > MostChunks)
            throw Violation($"with more than {MostChunks} chunks");
        if (((ushort)kind & NbdProtocol.ChunkErrorBit) != 0)
            TakeError(kind, length, transport);
        else if (kind != NbdChunk.None)
            TakeContent(kind, length, transport, buffer);
        else if (length != 0 || !isLast)
            throw Violation($"with an empty chunk that has {length} bytes{(isLast ? "" : " and is not the last")}");
        if (!isLast)
            return;
        if (Failure is null)
            CheckComplete();
        IsAnswered = true;
    }

    protected abstract void TakeSimplePayload(NbdTransport transport, Span<byte> buffer);

    protected abstract void TakeContent(NbdChunk kind, uint length, NbdTransport transport, Span<byte> buffer);

    /// <summary>Checks what a reply without an error must have brought.</summary>
    protected abstract void CheckComplete();

    protected EvidenceException Violation(string how) => NbdError.Violation(
        uri, string.Create(null, $"it answered {NbdError.Name(command)} of {length} bytes at offset {offset} {how}"));

    private void TakeError(NbdChunk kind, uint length, NbdTransport transport)
    {
        // An error, the length of a message, the message, and what the kind of chunk has besides.
        const int Fixed = sizeof(uint) + sizeof(ushort);
        if (length is < Fixed or > Fixed + NbdProtocol.LongestString + 64)
            throw Violation($"with an error chunk of {length} bytes");
        byte[] payload = new byte[(int)length];
        transport.ReadExactly(payload);
        uint error = BinaryPrimitives.ReadUInt32BigEndian(payload);
        int message = BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(sizeof(uint)));
        if (error == 0)
            throw Violation("with an error chunk of no error");
        if (message > payload.Length - Fixed)
            throw Violation($"with an error chunk of {length} bytes that claims a message of {message}");
        if (kind == NbdChunk.ErrorOffset)
        {
            ReadOnlySpan<byte> place = payload.AsSpan(Fixed + message);
            if (place.Length != sizeof(ulong))
                throw Violation($"with an error chunk that tells its offset in {place.Length} bytes instead of 8");
            ulong at = BinaryPrimitives.ReadUInt64BigEndian(place);
            if (at < (ulong)Offset || at - (ulong)Offset >= (ulong)Length)
                throw Violation($"with an error at offset {at}, which is outside");
            FailurePlace = Math.Min(FailurePlace ?? int.MaxValue, (int)(at - (ulong)Offset));
        }
        else
        {
            // No word of where: nothing of it can be relied on.
            FailurePlace = 0;
        }

        Fail(error, Encoding.UTF8.GetString(payload, Fixed, message));
    }

    private void Fail(uint error, string words)
    {
        // The protocol has eight numbers, which are Linux's. Any other one would be taken for something that it need not mean.
        const int InputOutputError = 5;
        bool isKnown = error is 1 or InputOutputError or 12 or 22 or 28 or 75 or 95 or NbdProtocol.EShutdown;
        Failure ??= isKnown
            ? new NbdFailure((int)error, words)
            : new NbdFailure(InputOutputError, words.Length > 0 ? words : $"the server's error number is {error}");
    }
}
