using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>The map is a function of content and absence alone, and content that is there takes no room again.</summary>
public sealed class SameContentTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task The_root_is_the_same_whatever_the_way_of_the_bytes_was()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Disk(9_000_123, 1);
        string path = place.At("disk.img");
        await File.WriteAllBytesAsync(path, content, TestVault.Stop);
        AcquisitionResult first = await TestVault.AcquireAsync(vault, content);

        using (var file = Source.Open(path))
            Assert.Equal(first.Manifest.Root, await RootAsync(vault, file, new AcquisitionOptions { ReadHoles = true }));
        foreach (DigestAlgorithm[] digests in (DigestAlgorithm[][])[[], [DigestAlgorithm.Sha512], Enum.GetValues<DigestAlgorithm>()])
            Assert.Equal(first.Manifest.Root, await RootAsync(vault, Memory(content), new AcquisitionOptions { Digests = digests }));
        Assert.Equal(first.Manifest.Root, await RootAsync(vault, Memory(content), new AcquisitionOptions { Compression = Compression.None }));
        using (var slow = new StreamSource(new TricklingStream(content), "pipe"))
            Assert.Equal(first.Manifest.Root, await RootAsync(vault, slow, new AcquisitionOptions()));
        // A sector that fails as part of a long read is asked for again, alone; that cuts the reading into other blocks.
        using (var failing = new FailingSource(content) { BadSectors = [5, 8000, 8191, 8192, 17000], FailuresPerSector = 1 })
            Assert.Equal(first.Manifest.Root, await RootAsync(vault, failing, new AcquisitionOptions { Rescue = new RescueOptions { Retries = 1 } }));

        string other = place.At("other");
        using Vault another = place.Create(Compression.Best, folder: other, origin: "vault.example/other");
        Assert.Equal(first.Manifest.Root, await RootAsync(another, Memory(content), new AcquisitionOptions()));
    }

    [Fact]
    public async Task The_same_content_again_stores_nothing_and_is_another_image()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Disk(1_000_000, 2);
        AcquisitionResult first = await TestVault.AcquireAsync(vault, content);
        Assert.True(first.NewBytes > 0 && first.NewSegments > 0 && first.StoredBytes > 0);
        int packs = vault.Layout.ListPacks().Count;

        AcquisitionResult second = await TestVault.AcquireAsync(vault, content);
        Assert.Equal((0, 0, 0), (second.NewBytes, second.NewSegments, second.StoredBytes));
        Assert.Equal(first.Segments, second.Segments);
        Assert.Equal(first.Manifest.Root, second.Manifest.Root);
        Assert.NotEqual(first.Image, second.Image);
        Assert.Equal(packs, vault.Layout.ListPacks().Count);

        using Vault later = place.Open();
        Assert.Equal(0, (await TestVault.AcquireAsync(later, content)).NewBytes);
        Assert.Equal(3, later.Images().Count);
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public async Task A_hole_is_not_a_zero()
    {
        using Vault vault = place.Create();
        byte[] content = [.. TestBytes.Random(8192, 3), .. new byte[8192]];
        AcquisitionResult read = await TestVault.AcquireAsync(vault, content);
        AcquisitionResult claimed = await TestVault.AcquireAsync(
            vault, content, extents: [new(0, 8192, SourceExtentKind.Data), new(8192, 8192, SourceExtentKind.Hole)]);
        Assert.NotEqual(read.Manifest.Root, claimed.Manifest.Root);
        Assert.Equal(8192, read.Manifest.Totals[RunKind.Zero]);
        Assert.Equal(8192, claimed.Manifest.Totals[RunKind.Hole]);
        Assert.Equal(read.Manifest.Digests, claimed.Manifest.Digests);
    }

    [Fact]
    public async Task That_nothing_was_read_back_is_recorded()
    {
        using Vault vault = place.Create();
        Assert.False((await TestVault.AcquireAsync(vault, TestBytes.Random(1000, 1), new() { Item = "a", SkipReadBack = true })).Verified);
        Assert.True((await TestVault.AcquireAsync(vault, TestBytes.Random(1000, 1), new() { Item = "b" })).Verified);
        Assert.Equal([("a", false), ("b", true)], vault.Images().Select(i => (i.Item, i.Verified)));
    }

    private static async Task<Sha256Digest> RootAsync(Vault vault, Source source, AcquisitionOptions options) =>
        (await new Acquirer(vault).AcquireAsync(source, options, cancellation: TestVault.Stop)).Manifest.Root;

    private static StreamSource Memory(byte[] content) => new(new MemoryStream(content), "memory");

    public void Dispose() => place.Dispose();

    /// <summary>A pipe that gives as little at a time as it likes.</summary>
    private sealed class TricklingStream(byte[] content) : MemoryStream(content)
    {
        private readonly Random random = new(1);

        public override bool CanSeek => false;

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, random.Next(1, 70_000))]);
    }
}
