using Evidence.Rescue;
using Evidence.Sources;
using Evidence.Tests.Sources;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Rescue;

public sealed class RescuerTests
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;

    private static CancellationToken Never => CancellationToken.None;

    [Fact]
    [Trait("Requirement", "ACQ-5")]
    public void Whatever_is_bad_and_whatever_was_done_before_all_that_is_good_is_rescued_once_and_the_bad_sectors_are_left()
    {
        Prop.ForAll(RescueDisk.Generate().ToArbitrary(), disk =>
        {
            using FailingSource source = disk.Open();
            RescueMap map = disk.Start();
            RescueRange[] before = [.. map.Ranges];
            var sink = new RecordingSink(map);
            new Rescuer(source, map).Recover(sink, Never);
            disk.CheckEnd(map, sink, before);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_sector_is_asked_for_at_most_twice_and_a_bad_one_by_itself_at_last()
    {
        Prop.ForAll(RescueDisk.Generate().Where(disk => disk is { Fails: FailureKind.AsAWhole, Before: [] }).ToArbitrary(), disk =>
        {
            using FailingSource source = disk.Open();
            RescueMap map = disk.Start();
            new Rescuer(source, map).Recover(new RecordingSink(map), Never);
            int sectors = (disk.Length + disk.SectorSize - 1) / disk.SectorSize;
            var met = new int[sectors];
            var last = new long[sectors];
            foreach (SourceExtent request in source.Requests)
            {
                for (long sector = request.Offset / disk.SectorSize; sector * disk.SectorSize < request.End; sector++)
                {
                    met[sector]++;
                    last[sector] = request.Length;
                }
            }

            Assert.DoesNotContain(met, times => times is < 1 or > 2);
            Assert.DoesNotContain(disk.Bad, sector => last[sector] > disk.SectorSize);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void The_first_pass_goes_forward_only_however_it_is_called_and_the_rest_ends_as_if_it_were_one()
    {
        Prop.ForAll(RescueDisk.Generate().ToArbitrary(), Gen.Choose(1, 4 * MiB).ToArbitrary(), (disk, step) =>
        {
            using FailingSource source = disk.Open();
            RescueMap map = disk.Start();
            RescueRange[] before = [.. map.Ranges];
            var sink = new RecordingSink(map);
            var rescuer = new Rescuer(source, map);
            int piece = Math.Max(step / 512 * 512, 512 * (1 + (disk.Length / (512 * 100))));
            for (long start = 0; start < disk.Length; start += piece)
            {
                int told = sink.Told.Count;
                rescuer.CopyForward(start, Math.Min(start + piece, disk.Length), sink, Never);
                Assert.All(sink.Told.Skip(told), range => Assert.True(range.Offset >= start && range.End <= start + piece));
            }

            Assert.All(sink.Told.Zip(sink.Told.Skip(1)), pair => Assert.True(pair.First.End <= pair.Second.Offset));
            rescuer.Recover(sink, Never);
            disk.CheckEnd(map, sink, before);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    [Trait("Requirement", "ACQ-7")]
    public void Interrupted_anywhere_and_resumed_from_the_mapfile_it_ends_the_same()
    {
        Prop.ForAll(RescueDisk.Generate().ToArbitrary(), Gen.Choose(1, 300).ToArbitrary(), (disk, interval) =>
        {
            using FailingSource source = disk.Open();
            RescueMap map = disk.Start();
            RescueRange[] before = [.. map.Ranges];
            var sink = new RecordingSink(map);
            for (bool ended = false; !ended;)
            {
                using var stop = new CancellationTokenSource();
                int left = interval + (disk.Bad.Count / 4);
                sink.OnTold = _ =>
                {
                    if (--left == 0)
                        stop.Cancel();
                };
                try
                {
                    new Rescuer(source, map).Recover(sink, stop.Token);
                    ended = true;
                }
                catch (OperationCanceledException)
                {
                    using var text = new StringWriter();
                    Mapfile.Write(map, text);
                    using var reader = new StringReader(text.ToString());
                    map = Mapfile.Read(reader, "interrupted");
                    sink = sink.With(map);
                }
            }

            disk.CheckEnd(map, sink, before);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_healthy_source_is_read_in_the_size_that_suits_it()
    {
        using var source = new FailingSource(new byte[9 * MiB]) { SuitableReadSize = 512 * KiB };
        Assert.All(Rescue(source).Requests, r => Assert.Equal(512 * KiB, r.Length));
        using var cached = new FailingSource(new byte[9 * MiB]);
        Assert.Equal([4 * MiB, 4 * MiB, MiB], Rescue(cached).Requests.Select(r => (int)r.Length));
    }

    [Fact]
    public void After_an_error_the_reads_are_small_and_grow_again_after_a_long_stretch_without_one()
    {
        const int Length = 100 * MiB;
        using var source = new FailingSource(new byte[Length]) { BadSectors = [0], FailsWholeRequest = true, SuitableReadSize = MiB };
        var map = new RescueMap(Length);
        new Rescuer(source, map).CopyForward(0, Length, new DiscardingSink(), Never);
        Assert.Equal(
            // The first cluster of a larger size begins at a multiple of it, and one more small one comes before that.
            [(MiB, 1), (64 * KiB, 1025), (128 * KiB, (Length - MiB - (1026 * 64 * KiB)) / (128 * KiB))],
            Sizes(source.Requests));
    }

    [Fact]
    public void Skips_grow_with_errors_that_follow_one_another_and_no_further_than_a_hundredth()
    {
        const int Length = 40 * MiB;
        using var source = new FailingSource(new byte[Length])
        {
            BadSectors = [.. Enumerable.Range(0, 16 * MiB / 512).Select(i => (long)i)],
            FailsWholeRequest = true,
            SuitableReadSize = 64 * KiB,
        };
        var map = new RescueMap(Length);
        new Rescuer(source, map).CopyForward(0, Length, new DiscardingSink(), Never);
        long[] starts = [.. source.Requests.Select(r => r.Offset / (64 * KiB)).TakeWhile(s => s < 16 * MiB / (64 * KiB))];
        // A hundredth of 40 MiB is 6.4 clusters of 64 KiB, in whole ones 7; each failed cluster comes before its skip.
        Assert.Equal([0, 2, 5, 10, 18, 26], starts.Take(6));
        Assert.Equal(8, starts[^1] - starts[^2]);
        Assert.Equal(1, source.Requests[^1].Offset / (64 * KiB) - source.Requests[^2].Offset / (64 * KiB));
    }

    [Fact]
    public void Retries_turn_direction_and_rescue_what_comes_at_last()
    {
        byte[] content = TestBytes.Random(MiB, 1);
        using var source = new FailingSource(content) { BadSectors = [100, 101, 102, 900], FailuresPerSector = 4, FailsWholeRequest = true };
        var map = new RescueMap(content.Length);
        var sink = new RecordingSink(map);
        // Two failures each before the retries, two in them; the third retry is good.
        new Rescuer(source, map, new RescueOptions { Retries = 5 }).Recover(sink, Never);
        Assert.Equal([new RescueRange(0, MiB, RescueStatus.Finished)], map.Ranges);
        Assert.True(content.AsSpan().SequenceEqual(sink.Image));
    }

    [Fact]
    public void Each_retry_reads_each_bad_sector_once_forward_and_backward_in_turn()
    {
        using var source = new FailingSource(new byte[MiB]) { BadSectors = [3, 4, 900], FailsWholeRequest = true };
        var map = new RescueMap(MiB);
        map.Set(0, MiB, RescueStatus.Finished);
        map.Set(3 * 512, 1024, RescueStatus.BadSector);
        map.Set(900 * 512, 512, RescueStatus.BadSector);
        new Rescuer(source, map, new RescueOptions { Retries = 3 }).Recover(new RecordingSink(map), Never);
        Assert.Equal([3, 4, 900, 900, 4, 3, 3, 4, 900], source.Requests.Select(r => r.Offset / 512));
        Assert.All(source.Requests, r => Assert.Equal(512, r.Length));
    }

    [Theory]
    [InlineData(false, false, "*")]
    [InlineData(true, false, "+-/-+")]
    [InlineData(true, true, "+-+-+")]
    [InlineData(false, true, "*")]
    public void Phases_can_be_left_out(bool trim, bool scrape, string statuses)
    {
        using var source = new FailingSource(new byte[64 * KiB]) { BadSectors = [5, 50], FailsWholeRequest = true };
        var map = new RescueMap(64 * KiB);
        new Rescuer(source, map, new RescueOptions { Trim = trim, Scrape = scrape }).Recover(new RecordingSink(map), Never);
        Assert.Equal(statuses, string.Concat(map.Ranges.Select(r => (char)r.Status)));
    }

    [Fact]
    public void When_its_time_is_over_it_stops_and_all_keeps_its_status()
    {
        var time = new SteppingTime();
        using var source = new FailingSource(new byte[10 * MiB]) { BadSectors = [2500], FailsWholeRequest = true, SuitableReadSize = 64 * KiB };
        var map = new RescueMap(10 * MiB);
        var sink = new RecordingSink(map) { OnTold = _ => time.Step(TimeSpan.FromSeconds(1)) };
        var rescuer = new Rescuer(source, map, new RescueOptions { TimeBudget = TimeSpan.FromSeconds(30) }, time);
        time.Step(TimeSpan.FromHours(1));
        Assert.False(rescuer.IsOutOfTime);
        rescuer.CopyForward(0, MiB, sink, Never);
        Assert.False(rescuer.IsOutOfTime);
        rescuer.Recover(sink, Never);
        Assert.True(rescuer.IsOutOfTime);
        Assert.Equal(30, source.Requests.Count);
        RescueRange[] stopped = [.. map.Ranges];
        Assert.Contains(stopped, r => r.Status == RescueStatus.NonTrimmed);
        rescuer.CopyForward(0, map.Length, sink, Never);
        rescuer.Recover(sink, Never);
        Assert.Equal(stopped, map.Ranges);
    }

    [Fact]
    public void When_time_is_over_within_a_range_the_rest_of_it_is_still_to_be_trimmed()
    {
        var time = new SteppingTime();
        using var source = new FailingSource(new byte[64 * KiB]) { BadSectors = [50], FailsWholeRequest = true };
        var map = new RescueMap(64 * KiB);
        var sink = new RecordingSink(map) { OnTold = _ => time.Step(TimeSpan.FromSeconds(1)) };
        new Rescuer(source, map, new RescueOptions { TimeBudget = TimeSpan.FromSeconds(11) }, time).Recover(sink, Never);
        Assert.Equal([new(0, 5120, RescueStatus.Finished), new(5120, (64 * KiB) - 5120, RescueStatus.NonTrimmed)], map.Ranges);
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public void A_source_that_is_gone_stops_everything_and_all_keeps_its_status()
    {
        foreach (int after in (int[])[0, 3, 40])
        {
            using var source = new FailingSource(TestBytes.Random(10 * MiB, 1))
            {
                BadSectors = [2500],
                FailsWholeRequest = true,
                SuitableReadSize = 512 * KiB,
                VanishesAfter = after,
            };
            var map = new RescueMap(10 * MiB);
            var sink = new RecordingSink(map);
            Assert.True(Assert.Throws<SourceReadException>(() => new Rescuer(source, map).Recover(sink, Never)).IsSourceGone);
            Assert.Equal(after + 1, source.Requests.Count);
            var told = new RescueMap(10 * MiB);
            sink.Told.ForEach(range => told.Set(range.Offset, range.Length, range.Status));
            Assert.Equal(told.Ranges, map.Ranges);
            Assert.Equal(after, sink.Told.Count);
        }
    }

    [Fact]
    [Trait("Requirement", "ACQ-8")]
    public void A_source_that_was_cut_short_is_no_bad_sector()
    {
        using var source = new FailingSource(new byte[MiB]) { TruncatedLength = 1000, SuitableReadSize = 64 * KiB };
        var map = new RescueMap(MiB);
        Assert.Throws<SourceChangedException>(() => new Rescuer(source, map).Recover(new RecordingSink(map), Never));
        Assert.Equal([new RescueRange(0, MiB, RescueStatus.NonTried)], map.Ranges);
    }

    [Fact]
    public void What_the_sink_could_not_take_is_not_rescued()
    {
        using var source = new FailingSource(new byte[MiB]) { SuitableReadSize = 64 * KiB };
        var map = new RescueMap(MiB);
        var sink = new RecordingSink(map);
        sink.OnTold = range => _ = range.Offset < 128 * KiB ? 0 : throw new IOException("full");
        Assert.Throws<IOException>(() => new Rescuer(source, map).Recover(sink, Never));
        Assert.Equal([new(0, 128 * KiB, RescueStatus.Finished), new(128 * KiB, MiB - (128 * KiB), RescueStatus.NonTried)], map.Ranges);
    }

    [Fact]
    public void Of_a_resumed_map_the_first_pass_leaves_what_was_skipped_but_not_what_was_never_reached()
    {
        const int Cluster = 64 * KiB;
        using var source = new FailingSource(new byte[10 * Cluster]) { SuitableReadSize = Cluster };
        var map = new RescueMap(10 * Cluster);
        map.Set(0, Cluster, RescueStatus.Finished);
        map.Set(Cluster, Cluster, RescueStatus.NonTrimmed);
        map.Set(4 * Cluster, Cluster, RescueStatus.Finished);
        map.Set(5 * Cluster, Cluster, RescueStatus.BadSector);
        new Rescuer(source, map).CopyForward(0, map.Length, new RecordingSink(map), Never);
        Assert.Equal([6, 7, 8, 9], source.Requests.Select(r => r.Offset / Cluster));
        Assert.Equal(new RescueRange(2 * Cluster, 2 * Cluster, RescueStatus.NonTried), map.RangeAt(3 * Cluster));
    }

    [Fact]
    public void A_map_of_another_length_and_a_source_without_one_are_refused()
    {
        using var source = new FailingSource(new byte[1000]);
        EvidenceException error = Assert.Throws<EvidenceException>(() => new Rescuer(source, new RescueMap(1001)));
        Assert.Equal(ErrorCode.RescueMapInvalid, error.Code);
        Assert.Contains("1001 bytes, and /dev/failing has 1000", error.Message, StringComparison.Ordinal);
        using var pipe = new StreamSource(new MemoryStream(), "pipe");
        using var sequential = Source.OpenStandardInput();
        Assert.Throws<ArgumentException>(() => new Rescuer(sequential, new RescueMap(0)));
        new Rescuer(pipe, new RescueMap(0)).Recover(new RecordingSink(new RescueMap(0)), Never);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RescueOptions { Retries = -1 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new RescueOptions { TimeBudget = TimeSpan.FromTicks(-1) });
    }

    private static FailingSource Rescue(FailingSource source)
    {
        var map = new RescueMap(source.Length!.Value);
        new Rescuer(source, map).CopyForward(0, map.Length, new RecordingSink(map), Never);
        return source;
    }

    private static List<(int Length, int Count)> Sizes(IEnumerable<SourceExtent> requests)
    {
        var sizes = new List<(int Length, int Count)>();
        foreach (SourceExtent request in requests)
        {
            if (sizes.Count > 0 && sizes[^1].Length == request.Length)
                sizes[^1] = (sizes[^1].Length, sizes[^1].Count + 1);
            else
                sizes.Add(((int)request.Length, 1));
        }

        return sizes;
    }

    private sealed class DiscardingSink : IRescueSink
    {
        private readonly byte[] buffer = new byte[4 * MiB];

        public Span<byte> Buffer(long offset, int length) => buffer;

        public void Rescued(long offset, int length)
        {
        }

        public void Failed(long offset, long length, RescueStatus status, SourceReadException? error)
        {
        }
    }

    /// <summary>A clock that goes on when it is told to.</summary>
    private sealed class SteppingTime : TimeProvider
    {
        private long now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => now;

        internal void Step(TimeSpan by) => now += by.Ticks;
    }
}
