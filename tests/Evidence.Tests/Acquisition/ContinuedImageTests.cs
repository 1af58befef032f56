using Evidence.Acquisition;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>An image that continues another: what was wrong with that one is not forgotten, and what another tool did not get is never taken.</summary>
public sealed class ContinuedImageTests : IDisposable
{
    private readonly TestVault place = new();
    private readonly byte[] content = TestBytes.Random(4 << 20, 1);

    [Fact]
    public async Task An_image_of_no_single_moment_does_not_become_complete_by_being_continued()
    {
        using Vault vault = place.Create();
        using var torn = new TornSource(content);
        AcquisitionResult first = await new Acquirer(vault).AcquireAsync(torn, cancellation: TestVault.Stop);
        Assert.Equal("modified", Assert.Single(first.Manifest.Differences).What);
        Assert.NotEmpty(first.Manifest.Absent);

        using var quiet = new FailingSource(content);
        AcquisitionResult second = await new Acquirer(vault).AcquireAsync(quiet, new AcquisitionOptions { Continues = first.Image, Item = first.Item }, cancellation: TestVault.Stop);
        Assert.Empty(second.Manifest.Absent);
        Assert.Equal(first.Manifest.Differences, second.Manifest.Differences);
        Assert.False(second.Manifest.IsComplete);
    }

    [Fact]
    public async Task Holes_of_the_image_before_are_read_where_holes_are_to_be_read()
    {
        using Vault vault = place.Create();
        SourceExtent[] extents = [new(0, 1 << 20, SourceExtentKind.Data), new(1 << 20, 1 << 20, SourceExtentKind.Hole), new(2 << 20, 2 << 20, SourceExtentKind.Data)];
        using var sparse = new FailingSource(content) { ClaimedExtents = extents, BadSectors = [10] };
        AcquisitionResult first = await new Acquirer(vault).AcquireAsync(sparse, cancellation: TestVault.Stop);
        Assert.Equal(1 << 20, first.Manifest.Totals[RunKind.Hole]);

        using var again = new FailingSource(content) { ClaimedExtents = extents };
        AcquisitionResult second = await new Acquirer(vault).AcquireAsync(
            again, new AcquisitionOptions { Continues = first.Image, Item = first.Item, ReadHoles = true }, cancellation: TestVault.Stop);
        Assert.True(second.Manifest.HolesRead);
        Assert.Equal(0, second.Manifest.Totals.GetValueOrDefault(RunKind.Hole));
        Assert.Equal(content, await TestVault.ExportAsync(vault, second));
    }

    [Fact]
    public async Task A_tools_output_is_not_compared_where_its_mapfile_says_that_nothing_was_rescued()
    {
        using Vault vault = place.Create();
        AcquisitionResult first = await ImageWithBadSectorsAsync(vault);
        (byte[] output, RescueMap mapfile) = OutputOfAnotherTool();
        using var source = new FailingSource(output);
        AcquisitionResult second = await new Acquirer(vault).AcquireAsync(
            source, new AcquisitionOptions { Continues = first.Image, Item = first.Item, Mapfile = mapfile }, cancellation: TestVault.Stop);
        Assert.Empty(second.Manifest.Differences);
        Assert.Equal(content, await TestVault.ExportAsync(vault, second));
    }

    [Fact]
    public async Task What_rotted_in_the_vault_is_not_taken_from_where_the_mapfile_says_that_nothing_was_rescued()
    {
        AcquisitionResult first;
        (byte[] output, RescueMap mapfile) = OutputOfAnotherTool();
        SegmentLocation rotten;
        MapRun run;
        using (Vault vault = place.Create(Compression.None))
        {
            first = await ImageWithBadSectorsAsync(vault);
            run = vault.OpenImage(first.Image).Runs(2 << 20, 1).First();
            Assert.True(vault.Index.TryFind(run.Segment, out rotten));
        }

        TestVault.Flip(place.Layout.Pack(rotten.Pack), rotten.Offset + PackFormat.RecordHeaderSize);
        using Vault later = place.Open();
        using var source = new FailingSource(output);
        var options = new AcquisitionOptions { Continues = first.Image, Item = first.Item, Mapfile = mapfile };
        // With bad sectors alone to read, that is met only when the image is put together; the same command then goes on without it.
        EvidenceException error = await Assert.ThrowsAsync<EvidenceException>(() => new Acquirer(later).AcquireAsync(source, options, cancellation: TestVault.Stop));
        Assert.Equal(ErrorCode.ContentRefuted, error.Code);
        AcquisitionResult second = await new Acquirer(later).AcquireAsync(source, options, cancellation: TestVault.Stop);
        AbsentRange absent = Assert.Single(second.Manifest.Absent);
        Assert.Equal((run.Offset, run.Length), (absent.Offset, absent.Length));
    }

    [Theory]
    [InlineData("-+", 0, 1024, RunKind.Unreadable)]
    [InlineData("+-", 512, 0, RunKind.Unreadable)]
    [InlineData("?+", 0, 1024, RunKind.Unread)]
    public async Task A_sector_of_which_a_part_was_not_rescued_is_absent_as_a_whole(string statuses, int start, int end, RunKind kind)
    {
        using Vault vault = place.Create();
        var mapfile = new RescueMap(content.Length);
        mapfile.Set(0, 1000, (RescueStatus)statuses[0]);
        mapfile.Set(1000, content.Length - 1000, (RescueStatus)statuses[1]);
        AcquisitionResult result = await TestVault.AcquireAsync(vault, content, new AcquisitionOptions { Mapfile = mapfile });
        AbsentRange absent = Assert.Single(result.Manifest.Absent);
        Assert.Equal((start, end == 0 ? content.Length : end, kind), (absent.Offset, absent.End, absent.Kind));
    }

    [Fact]
    public async Task Sectors_in_which_two_kinds_of_absence_meet_make_a_map_that_can_be_read()
    {
        using Vault vault = place.Create();
        var mapfile = new RescueMap(content.Length - 100);
        mapfile.Set(0, mapfile.Length, RescueStatus.Finished);
        mapfile.Set(1000, 1000, RescueStatus.BadSector);
        mapfile.Set(2000, 1000, RescueStatus.NonScraped);
        AcquisitionResult result = await TestVault.AcquireAsync(vault, content, new AcquisitionOptions { Mapfile = mapfile });
        Assert.Equal(
            [(RunKind.Unreadable, 512L, 1536L), (RunKind.Unread, 1536L, 3072L), (RunKind.Unread, content.Length - 512L, (long)content.Length)],
            result.Manifest.Absent.Select(a => (a.Kind, a.Offset, a.End)));
    }

    public void Dispose() => place.Dispose();

    private async Task<AcquisitionResult> ImageWithBadSectorsAsync(Vault vault)
    {
        using var failing = new FailingSource(content) { BadSectors = [100, 101] };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(failing, cancellation: TestVault.Stop);
        Assert.NotEmpty(result.Manifest.Absent);
        return result;
    }

    /// <summary>It got what Evidence did not, and not what Evidence did.</summary>
    private (byte[] Output, RescueMap Mapfile) OutputOfAnotherTool()
    {
        byte[] output = [.. content];
        output.AsSpan(1 << 20, 2 << 20).Clear();
        var mapfile = new RescueMap(output.Length);
        mapfile.Set(0, output.Length, RescueStatus.Finished);
        mapfile.Set(1 << 20, 2 << 20, RescueStatus.BadSector);
        return (output, mapfile);
    }

    /// <summary>A disk with a bad sector that is written to while it is read.</summary>
    private sealed class TornSource(byte[] content) : Source
    {
        private const int BadOffset = 51_200;
        private const int EIO = 5;

        public override SourceIdentity Identity { get; } = new() { Kind = SourceKind.File, Name = "/torn", Length = content.Length };

        public override long? Length => content.Length;

        public override void EnsureUnchanged() => throw new SourceChangedException(Identity.Name, SourceChange.Modified, content.Length, content.Length);

        protected override int ReadCore(long offset, Span<byte> buffer)
        {
            if (offset <= BadOffset && offset + buffer.Length > BadOffset)
                throw new SourceReadException(Identity.Name, offset, buffer.Length, EIO);
            content.AsSpan((int)offset, buffer.Length).CopyTo(buffer);
            return buffer.Length;
        }
    }
}
