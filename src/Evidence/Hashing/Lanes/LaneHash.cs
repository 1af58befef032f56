using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Evidence.Hashing.Lanes;

/// <summary>A message to be hashed: bytes that stay where they are meanwhile.</summary>
internal readonly unsafe struct LaneMessage(byte* start, int length)
{
    internal byte* Start { get; } = start;

    internal int Length { get; } = length;

    internal ReadOnlySpan<byte> Bytes => new(Start, Length);
}

/// <summary>Hashes many messages at once.</summary>
internal static unsafe class LaneHash
{
    /// <summary>Hashes messages, each through whatever is fastest for all of them: the lanes of a kernel, or the framework's hasher.</summary>
    /// <param name="function">The function.</param>
    /// <param name="messages">The messages, of any lengths.</param>
    /// <param name="digests">Receives the digests, one behind the other.</param>
    /// <returns>The way that was taken.</returns>
    internal static LanePlan Compute(HashFunction function, ReadOnlySpan<LaneMessage> messages, Span<byte> digests)
    {
        int[] order = LongestFirst(messages);
        var blocks = new long[order.Length];
        for (int i = 0; i < order.Length; i++)
            blocks[i] = (messages[order[i]].Length / HashFunction.BlockSize) + 1;
        LanePlan plan = LanePlan.Fastest(LaneKernel.Vectors(function), blocks, LaneCosts.Call, LaneCosts.Alone(function));
        foreach (int message in order.AsSpan(0, plan.Alone))
            CryptographicOperations.HashData(function.Algorithm.FrameworkName(), messages[message].Bytes, Slot(function, digests, message));
        if (plan.Kernel is { } kernel)
            ComputeTogether(kernel, messages, order.AsSpan(plan.Alone), digests);
        return plan;
    }

    /// <summary>Hashes messages, all of them through the lanes of one kernel.</summary>
    /// <inheritdoc cref="Compute(HashFunction, ReadOnlySpan{LaneMessage}, Span{byte})"/>
    /// <param name="kernel">The kernel.</param>
    /// <param name="messages"/>
    /// <param name="digests"/>
    internal static void Compute(LaneKernel kernel, ReadOnlySpan<LaneMessage> messages, Span<byte> digests) =>
        ComputeTogether(kernel, messages, LongestFirst(messages), digests);

    private static int[] LongestFirst(ReadOnlySpan<LaneMessage> messages)
    {
        var order = new int[messages.Length];
        var lengths = new int[messages.Length];
        bool ordered = true;
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = i;
            lengths[i] = -messages[i].Length;
            ordered &= i == 0 || lengths[i - 1] <= lengths[i];
        }

        if (!ordered)
            Array.Sort(lengths, order);
        return order;
    }

    private static void ComputeTogether(LaneKernel kernel, ReadOnlySpan<LaneMessage> messages, ReadOnlySpan<int> order, Span<byte> digests)
    {
        HashFunction function = kernel.Function;
        var endings = (Ending*)NativeMemory.Alloc((nuint)order.Length, (nuint)sizeof(Ending));
        try
        {
            var work = new LaneWork[order.Length];
            for (int i = 0; i < work.Length; i++)
            {
                LaneMessage message = messages[order[i]];
                Span<byte> tail = new(endings[i].Tail, HashFunction.LargestTail);
                int whole = message.Length / HashFunction.BlockSize * HashFunction.BlockSize;
                function.Start.CopyTo(new Span<uint>(endings[i].Words, HashFunction.MostWords));
                work[i] = new LaneWork
                {
                    First = message.Start,
                    FirstBlocks = (nuint)(whole / HashFunction.BlockSize),
                    Second = endings[i].Tail,
                    SecondBlocks = (nuint)function.WriteTail(message.Bytes[whole..], (ulong)message.Length, tail),
                    Words = endings[i].Words,
                };
            }

            LaneRunner.Run(kernel, work);
            for (int i = 0; i < work.Length; i++)
                function.WriteDigest(new ReadOnlySpan<uint>(work[i].Words, HashFunction.MostWords), Slot(function, digests, order[i]));
        }
        finally
        {
            NativeMemory.Free(endings);
        }
    }

    private static Span<byte> Slot(HashFunction function, Span<byte> digests, int message) =>
        digests.Slice(message * function.DigestSize, function.DigestSize);

    /// <summary>What a message needs of memory while it is hashed: its last blocks, and its hash's words.</summary>
    private struct Ending
    {
        internal fixed byte Tail[HashFunction.LargestTail];
        internal fixed uint Words[HashFunction.MostWords];
    }
}
