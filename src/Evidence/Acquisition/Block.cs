using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Evidence.Hashing.Lanes;

namespace Evidence.Acquisition;

/// <summary>
/// A piece of the source in memory, read once and handed on by reference; it goes back to its pool when the last stage releases it. In front of
/// its bytes is room for what the stage before left uncut, so that a segment that spans two blocks lies in one place.
/// </summary>
internal sealed unsafe class Block
{
    private readonly BlockPool pool;
    private readonly byte* memory;
    private readonly int headroom;
    private int references;

    internal Block(BlockPool pool, byte* memory, int headroom)
    {
        this.pool = pool;
        this.memory = memory;
        this.headroom = headroom;
    }

    /// <summary>Where in the buffer its bytes begin: not at 0 where what comes before could not be read.</summary>
    internal int Start { get; set; }

    /// <summary>The number of bytes read into it.</summary>
    internal int Length { get; set; }

    /// <summary>The bytes read.</summary>
    internal ReadOnlySpan<byte> Content => new(memory + headroom + Start, Length);

    /// <summary>Where bytes can be read into; starts at a multiple of 4 KiB, as direct I/O wants it.</summary>
    internal Span<byte> Buffer => new(memory + headroom, BlockPool.BlockSize);

    /// <summary>Bytes around the content's start: negative positions are before it, in the headroom.</summary>
    internal Span<byte> Around(int start, int length)
    {
        start += Start;
        ArgumentOutOfRangeException.ThrowIfLessThan(start, -headroom);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, BlockPool.BlockSize - start);
        return new Span<byte>(memory + (headroom + start), length);
    }

    /// <summary>The same as a message to be hashed. It must be held until that is done.</summary>
    internal LaneMessage Message(int start, int length)
    {
        Span<byte> bytes = Around(start, length);
        return new LaneMessage((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)), length);
    }

    internal void SetReferences(int count) => Volatile.Write(ref references, count);

    internal void AddReference() => Interlocked.Increment(ref references);

    internal void Release()
    {
        if (Interlocked.Decrement(ref references) == 0)
            pool.Return(this);
    }
}

/// <summary>The blocks of one acquisition: their number is what bounds its memory, and makes the slowest stage set the pace.</summary>
internal sealed unsafe class BlockPool : IDisposable
{
    /// <summary>The bytes of a block: 4 MiB, a divisor of a map page.</summary>
    internal const int BlockSize = 4 << 20;

    private const nuint Alignment = 4096;
    private readonly SemaphoreSlim free;
    private readonly ConcurrentBag<Block> returned = [];
    private readonly List<nint> allocated = [];
    private readonly int headroom;

    /// <summary>A pool of a number of blocks, each with that much headroom or a little more.</summary>
    internal BlockPool(int count, int headroom)
    {
        free = new SemaphoreSlim(count);
        this.headroom = (headroom + (int)Alignment - 1) / (int)Alignment * (int)Alignment;
    }

    /// <summary>Waits for a block. Called by the reading thread alone.</summary>
    internal Block Rent(CancellationToken cancellation)
    {
        free.Wait(cancellation);
        if (returned.TryTake(out Block? block))
        {
            block.Start = block.Length = 0;
            return block;
        }

        byte* memory = (byte*)NativeMemory.AlignedAlloc((nuint)(headroom + BlockSize), Alignment);
        allocated.Add((nint)memory);
        return new Block(this, memory, headroom);
    }

    internal void Return(Block block)
    {
        returned.Add(block);
        free.Release();
    }

    /// <summary>Frees the memory. No stage may be at work any more.</summary>
    public void Dispose()
    {
        foreach (nint memory in allocated)
            NativeMemory.AlignedFree((void*)memory);
        allocated.Clear();
        free.Dispose();
    }
}
