namespace Evidence.Hashing.Lanes;

/// <summary>How a number of hashes are made: the longest ones each alone, where a lane would be at them when all others have ended, and the rest together.</summary>
/// <param name="Kernel">What the rest go through; null where there is no rest.</param>
/// <param name="Alone">How many of the longest are made alone.</param>
internal readonly record struct LanePlan(LaneKernel? Kernel, int Alone)
{
    /// <summary>The fastest way, by <see cref="LaneCosts"/>.</summary>
    /// <param name="kernels">What there is to choose from.</param>
    /// <param name="blocks">The blocks of each hash, the longest first.</param>
    /// <param name="aloneCall">What beginning and ending one alone takes, in cycles.</param>
    /// <param name="aloneBlock">What one block of one alone takes, in cycles.</param>
    internal static LanePlan Fastest(ReadOnlySpan<LaneKernel> kernels, ReadOnlySpan<long> blocks, int aloneCall, int aloneBlock)
    {
        long rest = 0;
        foreach (long one in blocks)
            rest += one;
        var best = new LanePlan(null, blocks.Length);
        double least = ((double)aloneBlock * rest) + ((double)aloneCall * blocks.Length);
        double alone = 0;
        for (int count = 0; count < blocks.Length && alone < least; count++)
        {
            foreach (LaneKernel kernel in kernels)
            {
                double steps = Math.Max(blocks[count], (double)rest / kernel.Lanes);
                double cost = alone + (steps * LaneCosts.Together(kernel));
                if (cost < least)
                    (best, least) = (new LanePlan(kernel, count), cost);
            }

            rest -= blocks[count];
            alone += aloneCall + ((double)aloneBlock * blocks[count]);
        }

        return best;
    }
}
