namespace Evidence.Hashing.Lanes;

/// <summary>
/// The running digests of many messages that come in parts, from as many places: what is there of them at one time is hashed together, in lanes. While that goes on,
/// more comes: so the busier the processor, the more of them go side by side, and where there is time for each alone nobody waits for the others.
/// </summary>
/// <param name="function">The function.</param>
/// <param name="most">How many threads work for it at once, at most.</param>
internal sealed class SharedLanes(HashFunction function, int most)
{
    private readonly int mostTogether = LaneKernel.All(function).Max(k => k.Lanes);
    private readonly Lock gate = new();
    private readonly Queue<Request> waiting = new();
    private int running;

    /// <summary>How often digests were taken on: the fewer for so much content, the more went side by side.</summary>
    internal long Rounds { get; private set; }

    /// <summary>Begins a digest.</summary>
    internal RunningDigest Begin() => new Member(this);

    /// <summary>
    /// Takes more of a message. The task's continuation runs on the thread that hashes, so that what it asks for next is there when the next digests are
    /// gathered: it must not do more than that.
    /// </summary>
    /// <param name="chain">The digest; no more than one part of it at a time.</param>
    /// <param name="part">The bytes.</param>
    private Task AppendAsync(LaneChain chain, LaneMessage part)
    {
        var request = new Request(chain, part);
        lock (gate)
        {
            waiting.Enqueue(request);
            if (running == most)
                return request.Task;
            running++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static lanes => lanes.Run(), this, preferLocal: false);
        return request.Task;
    }

    /// <summary>Hashes what is there, once; then other work has its turn.</summary>
    private void Run()
    {
        Request[] batch = Take();
        try
        {
            LaneInput[] inputs = [.. batch.Select(r => r.Input)];
            LaneChain.Append(inputs);
        }
        catch (Exception e)
        {
            foreach (Request request in batch)
                request.TrySetException(e);
        }

        foreach (Request request in batch)
            request.TrySetResult();
        lock (gate)
        {
            if (waiting.Count == 0)
            {
                running--;
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(static lanes => lanes.Run(), this, preferLocal: false);
    }

    /// <summary>A fair share of what waits: all of it where no other thread may come to help, and no more than there are lanes.</summary>
    private Request[] Take()
    {
        lock (gate)
        {
            Rounds++;
            int helpers = most - running + 1;
            int count = Math.Min(mostTogether, (waiting.Count + helpers - 1) / helpers);
            var batch = new Request[count];
            for (int i = 0; i < count; i++)
                batch[i] = waiting.Dequeue();
            return batch;
        }
    }

    private sealed unsafe class Request(LaneChain chain, LaneMessage part) : TaskCompletionSource
    {
        internal LaneInput Input { get; } = new(chain, part.Start, part.Length);
    }

    private sealed class Member(SharedLanes lanes) : RunningDigest
    {
        private readonly LaneChain chain = new(lanes.Function);

        internal override unsafe void Append(ReadOnlySpan<byte> part)
        {
            fixed (byte* start = part)
                LaneChain.Append([new LaneInput(chain, start, part.Length)]);
        }

        internal override ValueTask AppendAsync(LaneMessage part) => new(lanes.AppendAsync(chain, part));

        internal override string ToHex() => Convert.ToHexStringLower(chain.ToDigest());

        public override void Dispose()
        {
            // It holds nothing but memory of the runtime's.
        }
    }

    private HashFunction Function => function;
}
