using System.Buffers;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Evidence.Hashing;
using Evidence.Hashing.Lanes;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Acquisition;

/// <summary>What became of one window: its runs, and what storing them took.</summary>
internal sealed record SegmentedWindow(MapRun[] Runs, int NewSegments, long NewBytes, long StoredBytes);

/// <summary>
/// Cuts what was read into segments, one block after the other, and has them named and stored on whatever cores are free; gives the runs on in order.
/// </summary>
internal sealed class Segmenting(SegmentParameters parameters, SegmentStore store, Compression compression)
{
    private readonly Channel<SourceItem> items = Channel.CreateUnbounded<SourceItem>(new() { SingleReader = true, SingleWriter = true });
    private readonly Channel<Task<SegmentedWindow>> windows =
        Channel.CreateUnbounded<Task<SegmentedWindow>>(new() { SingleReader = true, SingleWriter = true });

    private readonly Segmenter segmenter = new(parameters);

    // What the last window left uncut: in that block, from carryStart, at carryOffset in the source. The block is held until it is cut.
    private Block? carryBlock;
    private int carryStart;
    private int carryLength;
    private long carryOffset;

    internal ChannelWriter<SourceItem> Input => items.Writer;

    internal ChannelReader<Task<SegmentedWindow>> Output => windows.Reader;

    internal async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            await foreach (SourceItem item in items.Reader.ReadAllAsync(cancellation).ConfigureAwait(false))
            {
                // A gap, or a page of the map, ends a stretch.
                if (item.Block is null || item.Offset != carryOffset + carryLength || item.Offset % SegmentParameters.PageSize == 0)
                    EndStretch();
                if (item.Block is { } block)
                    Cut(block, item.Offset);
                else
                    windows.Writer.TryWrite(Task.FromResult(new SegmentedWindow([new(item.Offset, item.Length, item.Kind, 0, default)], 0, 0, 0)));
            }

            EndStretch();
        }
        finally
        {
            windows.Writer.TryComplete();
        }
    }

    private void Cut(Block block, long offset)
    {
        // The only copy on the way: what is uncut, less than a segment, moves in front of the block that continues it.
        if (carryLength > 0)
            carryBlock!.Around(carryStart, carryLength).CopyTo(block.Around(-carryLength, carryLength));
        carryBlock?.Release();
        carryBlock = block;
        carryStart = -carryLength;
        carryOffset = offset - carryLength;
        carryLength += block.Length;
        CutCarry(last: false);
    }

    private void EndStretch()
    {
        if (carryBlock is null)
            return;
        CutCarry(last: true);
        carryBlock.Release();
        carryBlock = null;
        carryLength = 0;
    }

    private void CutCarry(bool last)
    {
        var pieces = new List<Piece>();
        int consumed = segmenter.Cut(carryBlock!.Around(carryStart, carryLength), last, pieces);
        if (pieces.Count > 0)
        {
            Block block = carryBlock;
            int start = carryStart;
            long offset = carryOffset;
            block.AddReference();
            windows.Writer.TryWrite(Task.Run(() => Store(block, start, offset, pieces)));
        }

        carryStart += consumed;
        carryOffset += consumed;
        carryLength -= consumed;
    }

    private SegmentedWindow Store(Block block, int start, long offset, List<Piece> pieces)
    {
        byte[] scratch = ArrayPool<byte>.Shared.Rent(parameters.MaximumLength);
        try
        {
            Queue<Sha256Digest> ids = Name(block, start, pieces);
            var runs = new MapRun[pieces.Count];
            int newSegments = 0;
            long newBytes = 0;
            long storedBytes = 0;
            for (int i = 0; i < runs.Length; i++)
            {
                Piece piece = pieces[i];
                if (piece.IsFill)
                {
                    runs[i] = new MapRun(offset, piece.Length, piece.Value == 0 ? RunKind.Zero : RunKind.Fill, piece.Value, default);
                }
                else
                {
                    ReadOnlySpan<byte> content = block.Around(start, piece.Length);
                    Sha256Digest id = ids.Dequeue();
                    runs[i] = new MapRun(offset, piece.Length, RunKind.Data, 0, id);
                    int stored = store.Put(id, content, compression, scratch);
                    if (stored > 0)
                    {
                        newSegments++;
                        newBytes += piece.Length;
                        storedBytes += stored;
                    }
                }

                start += piece.Length;
                offset += piece.Length;
            }

            return new SegmentedWindow(runs, newSegments, newBytes, storedBytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(scratch);
            block.Release();
        }
    }

    /// <summary>The ids of a window's segments, in their order: hashed together, they go side by side.</summary>
    private static Queue<Sha256Digest> Name(Block block, int start, List<Piece> pieces)
    {
        var contents = new List<LaneMessage>(pieces.Count);
        foreach (Piece piece in pieces)
        {
            if (!piece.IsFill)
                contents.Add(block.Message(start, piece.Length));
            start += piece.Length;
        }

        var ids = new Sha256Digest[contents.Count];
        Sha256Digest.Compute(CollectionsMarshal.AsSpan(contents), ids);
        return new Queue<Sha256Digest>(ids);
    }
}
