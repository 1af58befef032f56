using Evidence.Hashing.Lanes;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Hashing.Lanes;

public sealed class LanePlanTests
{
    /// <summary>Says which the widest vectors have to be, where a run means to test others than the machine's best.</summary>
    internal const string WidestVariable = "EVIDENCE_TEST_WIDEST_LANES";

    private const int Segment = 48 << 10;

    private static LaneWidth Widest => Enum.GetValues<LaneWidth>().Where(LaneKernel.IsSupported).Max();

    [Fact]
    public void This_run_has_the_vectors_that_it_is_meant_to_have() =>
        Assert.Equal(Environment.GetEnvironmentVariable(WidestVariable) ?? Widest.ToString(), Widest.ToString());

    [Fact]
    public void Every_kernel_of_the_widest_vectors_is_there() => Assert.All(Kernels.Functions, function =>
    {
        Assert.Contains(LaneKernel.All(function), k => k.Width == Widest && !k.IsPaired);
        Assert.DoesNotContain(LaneKernel.All(function), k => k.Width > Widest);
        Assert.All(LaneKernel.All(function), k => Assert.Equal(k.Lanes, (k.IsPaired ? 2 : 1) * Words(k.Width)));
    });

    [Fact]
    public void Vectors_that_are_not_there_are_not_emulated()
    {
        foreach (LaneWidth width in Enum.GetValues<LaneWidth>().Where(w => !LaneKernel.IsSupported(w)))
            Assert.Throws<PlatformNotSupportedException>(() => LaneKernel.Of(HashFunction.Sha256, width));
        Assert.Throws<ArgumentOutOfRangeException>(() => LaneKernel.Of(HashFunction.Md5, LaneWidth.Scalar, paired: true));
        if (LaneKernel.IsSupported(LaneWidth.Vector128))
            Assert.Throws<ArgumentOutOfRangeException>(() => LaneKernel.Of(HashFunction.Sha1, LaneWidth.Vector128, paired: true));
    }

    [Fact]
    public void One_message_of_SHA_is_made_alone()
    {
        Assert.Equal(new LanePlan(null, 1), PlanOf(HashFunction.Sha1, Segment));
        Assert.Equal(new LanePlan(null, 1), PlanOf(HashFunction.Sha256, Segment));
    }

    /// <summary>Segments as a window of the source has them.</summary>
    [Fact]
    public void Many_messages_go_through_the_lanes_of_AVX512()
    {
        if (Widest != LaneWidth.Vector512)
            Assert.Skip("AVX-512 is not there.");
        Assert.All(Kernels.Functions, function =>
        {
            LanePlan plan = PlanOf(function, [.. Enumerable.Repeat(Segment, 64)]);
            Assert.Equal((LaneWidth.Vector512, 0), (plan.Kernel?.Width, plan.Alone));
        });
    }

    /// <summary>No processor has instructions for MD5 alone.</summary>
    [Fact]
    public void Two_messages_and_more_go_through_lanes_for_MD5_whatever_vectors_there_are()
    {
        if (Widest == LaneWidth.Scalar)
            Assert.Skip("There are no vectors.");
        for (int count = 2; count < 70; count++)
        {
            LanePlan plan = PlanOf(HashFunction.Md5, [.. Enumerable.Repeat(Segment, count)]);
            Assert.NotNull(plan.Kernel);
            Assert.Equal(0, plan.Alone);
        }
    }

    [Fact]
    public void Without_vectors_all_are_made_alone()
    {
        if (Widest != LaneWidth.Scalar)
            Assert.Skip("There are vectors.");
        Assert.Equal(new LanePlan(null, 64), PlanOf(HashFunction.Md5, [.. Enumerable.Repeat(Segment, 64)]));
    }

    [Fact]
    public void What_would_keep_the_lanes_waiting_is_made_alone()
    {
        if (Widest != LaneWidth.Vector512)
            Assert.Skip("AVX-512 is not there.");
        LanePlan plan = PlanOf(HashFunction.Sha256, [16 << 20, 16 << 20, .. Enumerable.Repeat(Segment, 32)]);
        Assert.Equal(2, plan.Alone);
        Assert.Equal(LaneWidth.Vector512, plan.Kernel?.Width);
    }

    /// <summary>Whatever the lengths: no other number alone, and no other kernel, would be faster by the costs.</summary>
    [Fact]
    public void No_other_way_is_faster() => Prop.ForAll(
        Gen.Choose(1, 3000).ArrayOf().ToArbitrary(), Gen.Elements(Kernels.Functions).ToArbitrary(), (lengths, function) =>
        {
            long[] blocks = [.. lengths.Select(l => (long)l).OrderDescending()];
            LanePlan plan = LanePlan.Fastest(LaneKernel.Vectors(function), blocks, LaneCosts.Call, LaneCosts.Alone(function));
            double cost = Cost(function, plan, blocks);
            for (int alone = 0; alone < blocks.Length; alone++)
                Assert.All(LaneKernel.Vectors(function).ToArray(), k => Assert.True(cost <= Cost(function, new LanePlan(k, alone), blocks) + 1));
            Assert.True(cost <= Cost(function, new LanePlan(null, blocks.Length), blocks) + 1);
        }).QuickCheckThrowOnFailure();

    private static LanePlan PlanOf(HashFunction function, params int[] lengths) => LanePlan.Fastest(
        LaneKernel.Vectors(function), [.. lengths.OrderDescending().Select(l => (l / 64L) + 1)], LaneCosts.Call, LaneCosts.Alone(function));

    private static double Cost(HashFunction function, LanePlan plan, long[] blocks)
    {
        double alone = blocks.Take(plan.Alone).Sum(b => LaneCosts.Call + ((double)b * LaneCosts.Alone(function)));
        long[] rest = blocks[plan.Alone..];
        return plan.Kernel is null ? alone : alone + (LaneCosts.Together(plan.Kernel) * Math.Max(rest[0], (double)rest.Sum() / plan.Kernel.Lanes));
    }

    private static int Words(LaneWidth width) => width switch
    {
        LaneWidth.Vector128 => 4,
        LaneWidth.Vector256 => 8,
        LaneWidth.Vector512 => 16,
        _ => 1,
    };
}
