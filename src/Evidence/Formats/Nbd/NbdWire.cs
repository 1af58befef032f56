using System.Buffers.Binary;

namespace Evidence.Formats.Nbd;

/// <summary>The server's end of a connection. One reads at a time; answers may come from several, and each is sent in one piece.</summary>
internal sealed class NbdWire(Stream stream, NbdLimits limits, CancellationToken stop) : IDisposable
{
    private readonly byte[] number = new byte[sizeof(ulong)];
    private readonly SemaphoreSlim sending = new(1, 1);

    internal async ValueTask<ushort> ReadUInt16Async(CancellationToken cancellation) => BinaryPrimitives.ReadUInt16BigEndian((await ReadNumberAsync(sizeof(ushort), cancellation).ConfigureAwait(false)).Span);

    internal async ValueTask<uint> ReadUInt32Async(CancellationToken cancellation) => BinaryPrimitives.ReadUInt32BigEndian((await ReadNumberAsync(sizeof(uint), cancellation).ConfigureAwait(false)).Span);

    internal async ValueTask<ulong> ReadUInt64Async(CancellationToken cancellation) => BinaryPrimitives.ReadUInt64BigEndian((await ReadNumberAsync(sizeof(ulong), cancellation).ConfigureAwait(false)).Span);

    /// <exception cref="EndOfStreamException">The client has gone.</exception>
    internal ValueTask ReadAsync(Memory<byte> buffer, CancellationToken cancellation) => stream.ReadExactlyAsync(buffer, cancellation);

    /// <summary>Takes what the client sends and nobody wants.</summary>
    internal async ValueTask SkipAsync(long count, CancellationToken cancellation)
    {
        var rest = new byte[(int)Math.Min(count, 64 << 10)];
        for (; count > 0; count -= Math.Min(count, rest.Length))
            await ReadAsync(rest.AsMemory(0, (int)Math.Min(count, rest.Length)), cancellation).ConfigureAwait(false);
    }

    /// <summary>Sends bytes, one sender after another. A client that does not take them in time has broken the connection.</summary>
    /// <exception cref="IOException">The client has gone, or takes nothing.</exception>
    internal async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        // What is asked for is still answered when the server is told to stop, but then it is not waited for long.
        using var patience = new CancellationTokenSource(limits.Answer);
        CancellationTokenRegistration stopping = stop.UnsafeRegister(static state => ((CancellationTokenSource)state!).CancelAfter(TimeSpan.FromSeconds(0.5)), patience);
        await using (stopping.ConfigureAwait(false))
        {
            try
            {
                await sending.WaitAsync(patience.Token).ConfigureAwait(false);
                try
                {
                    await stream.WriteAsync(bytes, patience.Token).ConfigureAwait(false);
                }
                finally
                {
                    sending.Release();
                }
            }
            catch (OperationCanceledException e)
            {
                throw new IOException("the client takes no answer", e);
            }
        }
    }

    public void Dispose() => sending.Dispose();

    private async ValueTask<ReadOnlyMemory<byte>> ReadNumberAsync(int length, CancellationToken cancellation)
    {
        await ReadAsync(number.AsMemory(0, length), cancellation).ConfigureAwait(false);
        return number.AsMemory(0, length);
    }
}
