using System.Runtime.InteropServices;

namespace Evidence.Hashing.Lanes;

/// <summary>The whole blocks that a hash is to be taken through: two runs of them, each in one place.</summary>
internal unsafe struct LaneWork
{
    /// <summary>Where the first run begins.</summary>
    internal byte* First;

    /// <summary>The blocks of the first run; may be 0.</summary>
    internal nuint FirstBlocks;

    /// <summary>Where the second run begins.</summary>
    internal byte* Second;

    /// <summary>The blocks of the second run; may be 0.</summary>
    internal nuint SecondBlocks;

    /// <summary>The hash's words, before and after.</summary>
    internal uint* Words;

    internal readonly nuint Blocks => FirstBlocks + SecondBlocks;
}

/// <summary>Takes many hashes through blocks of unequal number, so many at a time as a kernel has lanes: where one ends, its lane takes the next.</summary>
internal unsafe ref struct LaneRunner
{
    private readonly LaneKernel kernel;
    private readonly ReadOnlySpan<LaneWork> work;
    private readonly Span<Lane> lanes;
    private readonly uint* states;
    private readonly byte** inputs;
    private int taken;

    private LaneRunner(LaneKernel kernel, ReadOnlySpan<LaneWork> work, Span<Lane> lanes, uint* states, byte** inputs)
    {
        this.kernel = kernel;
        this.work = work;
        this.lanes = lanes;
        this.states = states;
        this.inputs = inputs;
    }

    /// <summary>Takes every hash through its blocks.</summary>
    /// <param name="kernel">The function, and how many at once.</param>
    /// <param name="work">The hashes; best with the longest first, for then the last lanes end at about the same time.</param>
    internal static void Run(LaneKernel kernel, ReadOnlySpan<LaneWork> work)
    {
        int vector = kernel.Lanes * sizeof(uint);
        byte* space = stackalloc byte[(kernel.Function.Start.Length + 1) * vector];
        byte** places = stackalloc byte*[kernel.Lanes];
        Span<Lane> idle = stackalloc Lane[kernel.Lanes];
        idle.Clear();
        new LaneRunner(kernel, work, idle, (uint*)LaneKernel.Align(space, vector), places).Run();
    }

    private void Run()
    {
        while (true)
        {
            nuint blocks = nuint.MaxValue;
            byte* input = null;
            for (int i = 0; i < lanes.Length; i++)
            {
                if (lanes[i].Left == 0)
                    Refill(i);
                if (lanes[i].Left == 0)
                    continue;
                blocks = Math.Min(blocks, lanes[i].Left);
                input = inputs[i];
            }

            if (input == null)
                return;
            for (int i = 0; i < lanes.Length; i++)
            {
                // A lane that has nothing to do does what another one does, for nothing.
                if (lanes[i].Left == 0)
                    inputs[i] = input;
            }

            kernel.Compress(states, inputs, blocks);
            for (int i = 0; i < lanes.Length; i++)
            {
                if (lanes[i].Left == 0)
                    continue;
                lanes[i].Left -= blocks;
                inputs[i] += blocks * HashFunction.BlockSize;
            }
        }
    }

    /// <summary>Gives a lane whose run has ended the next: of the same hash, or, once that is done, of the next one.</summary>
    private void Refill(int i)
    {
        ref Lane lane = ref lanes[i];
        if (lane.HasSecond)
        {
            lane.HasSecond = false;
            lane.Left = work[lane.Work].SecondBlocks;
            inputs[i] = work[lane.Work].Second;
            return;
        }

        int words = kernel.Function.Start.Length;
        if (lane.IsBusy)
        {
            for (int word = 0; word < words; word++)
                work[lane.Work].Words[word] = states[(word * lanes.Length) + i];
        }

        lane.IsBusy = false;
        while (taken < work.Length && work[taken].Blocks == 0)
            taken++;
        if (taken == work.Length)
            return;
        LaneWork next = work[taken];
        bool fromSecond = next.FirstBlocks == 0;
        lane = new Lane
        {
            Work = taken++,
            IsBusy = true,
            HasSecond = !fromSecond && next.SecondBlocks > 0,
            Left = fromSecond ? next.SecondBlocks : next.FirstBlocks,
        };
        inputs[i] = fromSecond ? next.Second : next.First;
        for (int word = 0; word < words; word++)
            states[(word * lanes.Length) + i] = next.Words[word];
    }

    [StructLayout(LayoutKind.Auto)]
    private struct Lane
    {
        /// <summary>Which work it is at.</summary>
        internal int Work;

        /// <summary>Whether it is at any.</summary>
        internal bool IsBusy;

        /// <summary>Whether a second run is still to come.</summary>
        internal bool HasSecond;

        /// <summary>The blocks that are left of its run.</summary>
        internal nuint Left;
    }
}
