using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Evidence.Hashing.Lanes;

/// <summary>More of a running digest's message: bytes that stay where they are meanwhile.</summary>
internal readonly unsafe struct LaneInput(LaneChain chain, byte* start, int length)
{
    internal LaneChain Chain { get; } = chain;

    internal byte* Start { get; } = start;

    internal int Length { get; } = length;
}

/// <summary>
/// A running digest, of which many are taken on together, each by as much as there is of its message. Between two calls it is its words, the bytes of a
/// block that is not whole yet, and a length.
/// </summary>
internal sealed unsafe class LaneChain
{
    private readonly HashFunction function;

    /// <summary>The words, and the bytes behind the last whole block; in one place, because kernels are given their addresses.</summary>
    private readonly byte[] memory = GC.AllocateArray<byte>((HashFunction.MostWords * sizeof(uint)) + HashFunction.LargestTail, pinned: true);
    private ulong length;
    private bool isTaken;

    /// <summary>Begins a digest.</summary>
    internal LaneChain(HashFunction function)
        : this(function, function.Start, 0)
    {
    }

    /// <summary>Goes on with a digest.</summary>
    /// <param name="function">The function.</param>
    /// <param name="words">The hash's words after a number of whole blocks.</param>
    /// <param name="length">The bytes of those: a multiple of 64.</param>
    internal LaneChain(HashFunction function, ReadOnlySpan<uint> words, ulong length)
    {
        if (words.Length != function.Start.Length)
            throw new ArgumentException($"{function.Algorithm.Name()} has {function.Start.Length} words, not {words.Length}.", nameof(words));
        if (length % HashFunction.BlockSize != 0)
            throw new ArgumentException($"A digest goes on behind a whole block, not behind {length} bytes.", nameof(length));
        this.function = function;
        this.length = length;
        words.CopyTo(Words);
    }

    private Span<uint> Words => MemoryMarshal.Cast<byte, uint>(memory.AsSpan(0, HashFunction.MostWords * sizeof(uint)));

    /// <summary>Room for two blocks; at its beginning, what is behind the last whole block of the message.</summary>
    private Span<byte> Rest => memory.AsSpan(HashFunction.MostWords * sizeof(uint));

    private int RestLength => (int)(length % HashFunction.BlockSize);

    /// <summary>Takes digests of one function on, through the kernel that is fastest for all of them.</summary>
    /// <param name="inputs">For each, more of its message. No digest more than once.</param>
    /// <returns>The way that was taken; those alone went through the kernel for one.</returns>
    internal static LanePlan Append(ReadOnlySpan<LaneInput> inputs)
    {
        if (inputs.IsEmpty)
            return default;
        LaneKernel alone = LaneKernel.Alone(inputs[0].Chain.function);
        LaneWork[] work = Take(inputs, alone.Function);
        long[] blocks = [.. work.Select(w => (long)w.Blocks)];
        LanePlan plan = LanePlan.Fastest(LaneKernel.Vectors(alone.Function), blocks, 0, LaneCosts.Together(alone));
        LaneRunner.Run(alone, work.AsSpan(0, plan.Alone));
        if (plan.Kernel is { } kernel)
            LaneRunner.Run(kernel, work.AsSpan(plan.Alone));
        Keep(inputs);
        return plan;
    }

    /// <summary>Takes digests on, all of them through one kernel.</summary>
    /// <inheritdoc cref="Append(ReadOnlySpan{LaneInput})"/>
    /// <param name="kernel">The kernel.</param>
    /// <param name="inputs"/>
    internal static void Append(LaneKernel kernel, ReadOnlySpan<LaneInput> inputs)
    {
        LaneRunner.Run(kernel, Take(inputs, kernel.Function));
        Keep(inputs);
    }

    /// <summary>The digest of the message so far. The message may go on.</summary>
    internal byte[] ToDigest()
    {
        var end = new LaneChain(function, Words[..function.Start.Length], length - (ulong)RestLength);
        int blocks = function.WriteTail(Rest[..RestLength], length, end.Rest);
        LaneRunner.Run(
            LaneKernel.Alone(function),
            [new LaneWork { First = AddressOf(end.Rest), FirstBlocks = (nuint)blocks, Words = (uint*)AddressOf(end.memory) }]);
        var digest = new byte[function.DigestSize];
        function.WriteDigest(end.Words, digest);
        return digest;
    }

    /// <summary>The whole blocks that there are now, the most first.</summary>
    private static LaneWork[] Take(ReadOnlySpan<LaneInput> inputs, HashFunction common)
    {
        var work = new LaneWork[inputs.Length];
        for (int i = 0; i < work.Length; i++)
        {
            LaneChain chain = inputs[i].Chain;
            if (chain.function != common || chain.isTaken)
                throw new ArgumentException("The digests are not all of one function, or one of them is there twice.", nameof(inputs));
            chain.isTaken = true;
            work[i] = chain.Take(inputs[i]);
        }

        Array.Sort(work, static (a, b) => b.Blocks.CompareTo(a.Blocks));
        return work;
    }

    private LaneWork Take(LaneInput input)
    {
        var work = new LaneWork { Words = (uint*)AddressOf(memory), Second = input.Start };
        int missing = RestLength == 0 ? 0 : HashFunction.BlockSize - RestLength;
        if (input.Length < missing)
            return work;
        if (missing > 0)
        {
            new ReadOnlySpan<byte>(input.Start, missing).CopyTo(Rest[RestLength..]);
            work.First = AddressOf(Rest);
            work.FirstBlocks = 1;
            work.Second += missing;
        }

        work.SecondBlocks = (nuint)((input.Length - missing) / HashFunction.BlockSize);
        return work;
    }

    private static void Keep(ReadOnlySpan<LaneInput> inputs)
    {
        foreach (LaneInput input in inputs)
        {
            input.Chain.Keep(new ReadOnlySpan<byte>(input.Start, input.Length));
            input.Chain.isTaken = false;
        }
    }

    /// <summary>Counts what was taken, and keeps what is behind its last whole block.</summary>
    private void Keep(ReadOnlySpan<byte> input)
    {
        int before = RestLength;
        length += (ulong)input.Length;
        if (before + input.Length < HashFunction.BlockSize)
            input.CopyTo(Rest[before..]);
        else
            input[^RestLength..].CopyTo(Rest);
    }

    /// <summary>An address in the memory, which stays where it is.</summary>
    private static byte* AddressOf(Span<byte> part) => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(part));
}
