using Evidence.Acquisition;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>That a source is another one is noticed by what was read of it, however little that is, and zeros too.</summary>
public sealed class SourceSamplesTests : IDisposable
{
    private readonly TestVault place = new();

    [Theory]
    [InlineData(1L << 20, 0)]
    [InlineData(1L << 20, 7)]
    [InlineData(1L << 44, 0)]
    [InlineData(1L << 44, 7)]
    public async Task A_disk_in_place_of_another_is_noticed_by_one_page(long size, byte value)
    {
        using Vault vault = place.Create();
        byte[] first = new byte[Math.Min(size, SegmentParameters.PageSize)];
        first.AsSpan().Fill(value);
        AcquisitionResult result = await TestVault.AcquireAsync(vault, first);
        using var reader = new SegmentReader(vault.Layout, vault.Index);
        var held = new HeldContent(reader, vault.Index);
        held.AddPage(0, vault.OpenImage(result.Image).Entry(0).Id);
        var map = new RescueMap(size);
        map.Set(0, first.Length, RescueStatus.Finished);

        Assert.Null(SourceSamples.FirstDifference(new Monotone(size, value), held, map, mapfile: null, TestVault.Stop));
        Assert.NotNull(SourceSamples.FirstDifference(new Monotone(size, (byte)(value + 1)), held, map, mapfile: null, TestVault.Stop));
    }

    public void Dispose() => place.Dispose();

    private sealed class Monotone(long size, byte value) : Source
    {
        public override SourceIdentity Identity { get; } = new() { Kind = SourceKind.Stream, Name = "monotone", Length = size };

        public override long? Length => size;

        protected override int ReadCore(long offset, Span<byte> buffer)
        {
            buffer.Fill(value);
            return buffer.Length;
        }
    }
}
