using Evidence.Rescue;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Rescue;

/// <summary>The map, against one status for each byte.</summary>
public sealed class RescueMapTests
{
    private const int Longest = 60;

    private static readonly Gen<RescueStatus> Status = Gen.Elements(Enum.GetValues<RescueStatus>());

    private static readonly Gen<(int Length, List<(int Offset, int Length, RescueStatus Status)> Sets)> Histories =
        from length in Gen.Choose(0, Longest)
        from sets in (
            from offset in Gen.Choose(0, length)
            from count in Gen.Choose(0, length - offset)
            from status in Status
            select (offset, count, status)).ListOf()
        select (length, sets.ToList());

    [Fact]
    public void Is_what_one_status_for_each_byte_would_be()
    {
        Prop.ForAll(Histories.ToArbitrary(), history =>
        {
            var map = new RescueMap(history.Length);
            var model = Enumerable.Repeat(RescueStatus.NonTried, history.Length).ToArray();
            foreach ((int offset, int length, RescueStatus status) in history.Sets)
            {
                map.Set(offset, length, status);
                model.AsSpan(offset, length).Fill(status);
                Check(model, map);
            }

            Check(model, map);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void What_lies_in_one_unit_is_joined_with_the_status_that_is_least_far()
    {
        RescueStatus[] order = [RescueStatus.NonTried, RescueStatus.NonTrimmed, RescueStatus.NonScraped, RescueStatus.BadSector, RescueStatus.Finished];
        Prop.ForAll(Histories.Zip(Gen.Choose(1, 20)).ToArbitrary(), random =>
        {
            ((int length, List<(int, int, RescueStatus)> sets), int unit) = random;
            var map = new RescueMap(length);
            sets.ForEach(set => map.Set(set.Item1, set.Item2, set.Item3));
            RescueStatus[] model = [.. Enumerable.Range(0, length).Select(i => map.RangeAt(i).Status)];
            map.Join(unit);
            Check([.. model.Chunk(unit).SelectMany(c => Enumerable.Repeat(c.MinBy(s => Array.IndexOf(order, s)), c.Length))], map);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Refuses_what_is_not_in_it()
    {
        var map = new RescueMap(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Set(5, 6, RescueStatus.Finished));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Set(-1, 1, RescueStatus.Finished));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Set(long.MaxValue, 1, RescueStatus.Finished));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.Set(0, 1, (RescueStatus)'x'));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.RangeAt(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RescueMap(-1));
        Assert.Equal([new RescueRange(0, 10, RescueStatus.NonTried)], map.Ranges);
    }

    private static void Check(RescueStatus[] model, RescueMap map)
    {
        RescueRange[] ranges = [.. map.Ranges];
        Assert.Equal(ranges.Length, map.Count);
        Assert.Equal(model, ranges.SelectMany(r => Enumerable.Repeat(r.Status, (int)r.Length)));
        Assert.All(ranges, r => Assert.True(r.Length > 0));
        Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.True(pair.First.End == pair.Second.Offset && pair.First.Status != pair.Second.Status));
        for (int i = 0; i < model.Length; i++)
            Assert.Equal(ranges.Single(r => r.Offset <= i && i < r.End), map.RangeAt(i));
        foreach (RescueStatus status in Enum.GetValues<RescueStatus>())
        {
            Assert.Equal(model.Count(s => s == status), map.Total(status));
            for (int i = 0; i <= model.Length + 1; i++)
            {
                Assert.Equal(FirstRun(model, status, i), map.Next(status, i));
                Assert.Equal(LastRun(model, status, i), map.Previous(status, i));
            }
        }
    }

    private static RescueRange? FirstRun(RescueStatus[] model, RescueStatus status, int from)
    {
        int[] has = [.. Enumerable.Range(0, model.Length).Where(i => i >= from && model[i] == status)];
        return has.Length == 0 ? null : new RescueRange(has[0], has.TakeWhile((at, i) => at == has[0] + i).Count(), status);
    }

    private static RescueRange? LastRun(RescueStatus[] model, RescueStatus status, int before)
    {
        int[] has = [.. Enumerable.Range(0, model.Length).Where(i => i < before && model[i] == status).Reverse()];
        int count = has.TakeWhile((at, i) => at == has[0] - i).Count();
        return has.Length == 0 ? null : new RescueRange(has[0] - count + 1, count, status);
    }
}
