using Evidence.Ledger;
using FsCheck;
using FsCheck.Fluent;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class TimeBoundsTests
{
    /// <summary>The same as told by going through all of them.</summary>
    [Fact]
    public void An_entry_is_between_the_latest_stamp_that_one_before_it_names_and_the_earliest_over_it()
    {
        Gen<(int At, int Seconds)> time = from at in Gen.Choose(0, 20) from seconds in Gen.Choose(0, 100) select (at, seconds);
        Prop.ForAll(Gen.ListOf(time).Zip(Gen.ListOf(time)).ToArbitrary(), given =>
        {
            ProvedTime[] above = [.. given.Item1.Select(t => new ProvedTime(t.At, Instant.FromUnixTimeSeconds(t.Seconds), "somebody"))];
            NamedTime[] below = [.. given.Item2.DistinctBy(t => t.At).Select(t => new NamedTime(t.At, Instant.FromUnixTimeSeconds(t.Seconds)))];
            var bounds = new TimeBounds(new ProvedTimes(above), below);
            for (long index = 0; index <= 21; index++)
            {
                EntryBounds of = bounds.Of(index);
                Instant[] later = [.. above.Where(t => t.Size > index).Select(t => t.NoLaterThan)];
                Instant[] earlier = [.. below.Where(t => t.Entry < index).Select(t => t.Instant)];
                Assert.Equal(later.Length == 0 ? null : later.Min(), of.NoLaterThan?.NoLaterThan);
                Assert.Equal(earlier.Length == 0 ? null : earlier.Max(), of.NotBefore?.Instant);
                Assert.True(of.NotBefore is null || of.NotBefore.Entry < index);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithQuietOnSuccess(true));
    }
}
