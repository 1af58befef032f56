using Evidence.Sources;
using Xunit;

namespace Evidence.Tests.Sources;

/// <summary>What <see cref="Source.Read"/> promises when the medium fails, and that the double fails as a disk does.</summary>
public sealed class FailingSourceTests
{
    private static readonly byte[] Content = TemporaryDirectory.Content(10 * 512);

    [Fact]
    public void Up_to_a_bad_sector_the_bytes_are_in_the_buffer()
    {
        using var source = new FailingSource(Content) { BadSectors = [3] };
        var buffer = new byte[Content.Length];
        SourceReadException error = Assert.Throws<SourceReadException>(() => source.Read(100, buffer));
        Assert.Equal((3 * 512, 5), (error.Offset, error.Errno));
        Assert.False(error.IsSourceGone);
        Assert.Contains("offset 1536 of /dev/failing", error.Message, StringComparison.Ordinal);
        Assert.Equal(Content.AsSpan(100, 1436), buffer.AsSpan(0, 1436));
        Assert.Equal(6 * 512, source.Read(4 * 512, buffer));
    }

    [Fact]
    public void A_request_can_fail_as_a_whole()
    {
        using var source = new FailingSource(Content) { BadSectors = [3], FailsWholeRequest = true };
        SourceReadException error = Assert.Throws<SourceReadException>(() => source.Read(0, new byte[2_048]));
        Assert.Equal((0, 2_048), (error.Offset, error.Length));
        Assert.Equal(1_536, source.Read(0, new byte[1_536]));
    }

    [Fact]
    public void Retries_can_help()
    {
        using var source = new FailingSource(Content) { BadSectors = [3], FailuresPerSector = 2 };
        Assert.Throws<SourceReadException>(() => source.Read(3 * 512, new byte[512]));
        Assert.Throws<SourceReadException>(() => source.Read(3 * 512, new byte[512]));
        Assert.Equal(512, source.Read(3 * 512, new byte[512]));
        Assert.Equal(3, source.Requests.Count);
    }

    [Fact]
    public void A_source_that_vanishes_says_so_and_one_that_is_cut_short_is_changed()
    {
        using var vanishing = new FailingSource(Content) { VanishesAfter = 1 };
        Assert.Equal(512, vanishing.Read(0, new byte[512]));
        Assert.True(Assert.Throws<SourceReadException>(() => vanishing.Read(512, new byte[512])).IsSourceGone);

        using var shrinking = new FailingSource(Content) { TruncatedLength = 600 };
        Assert.Throws<SourceChangedException>(() => shrinking.Read(512, new byte[512]));
        Assert.Equal(600, Assert.Throws<SourceChangedException>(shrinking.EnsureUnchanged).ActualLength);
    }
}
