using Evidence.Segments;
using Evidence.Sources;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

[Trait("Requirement", "ACQ-6")]
public sealed class SpaceEstimateTests : IDisposable
{
    private const int MiB = 1 << 20;
    private const int Length = 12 * MiB;

    private readonly TestVault place = new();

    /// <summary>Content that costs the most for its length: noise, one sector of noise between shortest runs, runs alone, runs that are just too short.</summary>
    [Theory]
    [InlineData(Length, 0)]
    [InlineData(512, 4096)]
    [InlineData(1024, 4096)]
    [InlineData(1, 4608)]
    [InlineData(512, 3584)]
    [InlineData(4096, 4096)]
    public async Task ACQ_6_no_content_takes_more_than_the_estimate(int noise, int zeros)
    {
        byte[] content = TestBytes.Random(Length, 1);
        for (int at = noise; at < Length; at += noise + zeros)
            content.AsSpan(at, Math.Min(zeros, Length - at)).Clear();
        using Vault vault = place.Create(Compression.None);
        long before = Taken();
        using var source = new StreamSource(new MemoryStream(content), "memory");
        SpaceEstimate estimate = SpaceEstimate.Of(vault, [source]);
        await TestVault.AcquireAsync(vault, content);
        Assert.InRange(Taken() - before, 0, estimate.AtMost!.Value);
        Assert.True(estimate.Free > 0);
    }

    [Fact]
    public async Task ACQ_6_the_estimate_of_noise_is_near_what_it_takes()
    {
        using Vault vault = place.Create(Compression.None, average: 64 << 10);
        byte[] content = TestBytes.Random(Length, 2);
        long before = Taken();
        using var source = new StreamSource(new MemoryStream(content), "memory");
        long most = SpaceEstimate.Of(vault, [source]).AtMost!.Value;
        await TestVault.AcquireAsync(vault, content);
        Assert.InRange(most, Taken() - before, (long)((Taken() - before) * 1.05) + (2 * MiB));
    }

    [Fact]
    public void ACQ_6_holes_count_only_where_they_are_read()
    {
        using Vault vault = place.Create();
        using Source sparse = Sparse();
        Assert.InRange(SpaceEstimate.Of(vault, [sparse]).AtMost!.Value, 0, 3 * MiB);
        Assert.True(SpaceEstimate.Of(vault, [sparse], readHoles: true).AtMost > Length);
    }

    [Fact]
    public void ACQ_6_several_sources_are_taken_together_and_a_pipe_has_no_estimate()
    {
        using Vault vault = place.Create();
        using Source one = Sparse();
        using Source other = Sparse();
        Assert.Equal(2 * SpaceEstimate.Of(vault, [one]).AtMost, SpaceEstimate.Of(vault, [one, other]).AtMost);
        using var pipe = new StreamSource(new Unseekable(), "pipe");
        SpaceEstimate unknown = SpaceEstimate.Of(vault, [one, pipe]);
        Assert.Equal((null, null), (unknown.AtMost, unknown.Fits));
    }

    public void Dispose() => place.Dispose();

    private static StreamSource Sparse() => new(
        new MemoryStream(new byte[Length]), "sparse",
        [new SourceExtent(0, MiB, SourceExtentKind.Data), new SourceExtent(MiB, Length - MiB, SourceExtentKind.Hole)]);

    /// <summary>What the vault's files take, each in whole blocks.</summary>
    private long Taken() => Directory.EnumerateFiles(place.Folder, "*", SearchOption.AllDirectories).Sum(path => (new FileInfo(path).Length + 4095) / 4096 * 4096);

    private sealed class Unseekable : MemoryStream
    {
        public override bool CanSeek => false;
    }
}
