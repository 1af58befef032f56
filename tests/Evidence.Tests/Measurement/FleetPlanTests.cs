using Evidence.Measurement;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Measurement;

public sealed class FleetPlanTests
{
    [Fact]
    public void A_plan_counts_machines_up_and_time_as_it_is()
    {
        // 630 servers of 2 TB are 1.26 PB; a machine of half a gigabyte a second needs 29 days and four hours.
        var plan = new FleetPlan(500e6, 630, 2_000_000_000_000, TimeSpan.FromDays(10));
        Assert.Equal(1.26e15, plan.Bytes);
        Assert.Equal(2_520_000, plan.OneMachine);
        Assert.Equal(3, plan.Machines);
        Assert.Equal(1, new FleetPlan(500e6, 1, 1, TimeSpan.FromDays(1)).Machines);
        // Exactly enough is enough.
        Assert.Equal(2, new FleetPlan(1000, 2, 86_400_000, TimeSpan.FromDays(1)).Machines);
    }

    [Fact]
    public void So_many_machines_are_enough_and_one_fewer_is_not() => Prop.ForAll(
        Gen.Choose(1, 2000).Select(n => n * 1e6).ToArbitrary(), Gen.Choose(1, 5000).ToArbitrary(), Gen.Choose(1, 400).ToArbitrary(), (rate, servers, days) =>
        {
            var plan = new FleetPlan(rate, servers, 1_000_000_000_000, TimeSpan.FromDays(days));
            double seconds = days * 86400d;
            return plan.Machines * rate * seconds >= plan.Bytes && (plan.Machines - 1) * rate * seconds < plan.Bytes;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(999, 500, 1)]
    [InlineData(1000, 500, 2)]
    [InlineData(100, 500, 0)]
    public void A_disk_that_would_have_to_wait_is_not_kept_up_with(double throughput, double diskSpeed, long disks) =>
        Assert.Equal(disks, FleetPlan.DisksAtOnce(throughput, diskSpeed));

    [Fact]
    public void What_cannot_be_planned_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new FleetPlan(0, 1, 1, TimeSpan.FromDays(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FleetPlan(1, 0, 1, TimeSpan.FromDays(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FleetPlan(1, 1, 0, TimeSpan.FromDays(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FleetPlan(1, 1, 1, TimeSpan.Zero));
        Assert.Throws<ArgumentOutOfRangeException>(() => FleetPlan.DisksAtOnce(1, 0));
    }
}
