using Evidence.Rescue;
using Evidence.Tests.Sources;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Rescue;

public sealed class RescuerTests
{
    private static CancellationToken Never => CancellationToken.None;

    [Fact]
    public void Whatever_is_bad_and_whatever_was_done_before_all_that_is_good_is_rescued_once_and_the_bad_sectors_are_left()
    {
        Prop.ForAll(Disks.ToArbitrary(), disk =>
        {
            using FailingSource source = disk.Open();
            RescueMap map = disk.Start();
            RescueRange[] before = [.. map.Ranges];
            var sink = new RecordingSink(map);
            new Rescuer(source, map).Recover(sink, Never);
            disk.CheckEnd(map, sink, before);
        }).QuickCheckThrowOnFailure();
    }

    internal static Gen<RescueDisk> Disks => RescueDisk.Generate();
}
