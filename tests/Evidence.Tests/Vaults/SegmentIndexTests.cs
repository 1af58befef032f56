using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Evidence.Tests.Vaults;

/// <summary>The cache is never evidence: with it, without it, with a wrong one, the index says the same.</summary>
public sealed class SegmentIndexTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public void More_than_memory_holds_is_spilled_and_merged_and_found()
    {
        string cache = place.At("spill");
        var entries = new List<(Sha256Digest Id, Sha256Digest Pack, int Number)>();
        using (SegmentIndex index = SegmentIndex.Empty(place.Layout, cache, NullLogger.Instance))
        {
            // As much as the overlay holds each time: eighteen spills, of which the ninth merges the eight before it, and the seventeenth seven of the eight.
            for (int pack = 0; pack < 18; pack++)
            {
                Sha256Digest name = Digest(pack, -1);
                var added = new PackEntry[SegmentIndex.LargestOverlay / 8];
                for (int part = 0; part < 8; part++)
                {
                    Sha256Digest partName = part == 0 ? name : Digest(pack, -1 - part);
                    for (int i = 0; i < added.Length; i++)
                        added[i] = new PackEntry(new RecordHeader(Cheap(pack, (part * added.Length) + i), Codec.Stored, 10, 10, 0), 64 + i);
                    index.AddPack(partName, added);
                    entries.Add((added[17].Header.Id, partName, 17));
                }
            }

            Assert.Equal([1, 8, 9], Directory.GetFiles(cache, "*.run").Select(path => new FileInfo(path).Length / (SegmentIndex.LargestOverlay * 50)).Order());
            Assert.All(entries, e =>
                Assert.True(index.TryFind(e.Id, out SegmentLocation found) && found == new SegmentLocation(e.Pack, 64 + e.Number, 10, 10)));
            Assert.False(index.TryFind(Cheap(19, 0), out _));
        }
    }

    [Fact]
    public async Task A_cache_that_is_missing_damaged_or_stale_changes_nothing()
    {
        byte[] content = TestBytes.Random(20 << 20, 1);
        using (Vault vault = place.Create())
            await TestVault.AcquireAsync(vault, content, new() { Item = "x" });
        string[] runs = Directory.GetFiles(place.CacheFolder, "*.run", SearchOption.AllDirectories);
        Assert.NotEmpty(runs);
        byte[] good = await File.ReadAllBytesAsync(runs[0], TestVault.Stop);
        byte[][] bads =
        [
            [], good[..(good.Length / 2)], [.. good[..5000], (byte)(good[5000] ^ 1), .. good[5001..]], TestBytes.Random(good.Length, 1),
            [.. good[..^40], 9, .. good[^39..]],
        ];
        foreach (byte[] bad in bads)
        {
            foreach (string run in Directory.GetFiles(place.CacheFolder, "*.run", SearchOption.AllDirectories))
                await File.WriteAllBytesAsync(run, bad, TestVault.Stop);
            using Vault vault = place.Open();
            Assert.Equal(0, (await TestVault.AcquireAsync(vault, content, new() { SkipReadBack = true })).NewBytes);
            using Stream image = vault.OpenImage(vault.FindImage("x")).OpenRead();
            byte[] read = new byte[100_000];
            image.Position = 7_000_001;
            image.ReadExactly(read);
            Assert.Equal(content[7_000_001..7_100_001], read);
        }

        Directory.Delete(place.CacheFolder, recursive: true);
        using (Vault vault = place.Open())
            Assert.Equal(0, (await TestVault.AcquireAsync(vault, content)).NewBytes);
    }

    [Fact]
    public async Task A_cache_that_names_packs_that_are_gone_is_not_believed()
    {
        byte[] content = TestBytes.Random(20 << 20, 2);
        using (Vault vault = place.Create())
            await TestVault.AcquireAsync(vault, content);
        foreach (Sha256Digest pack in place.Layout.ListPacks())
            File.Delete(place.Layout.Pack(pack));
        using Vault later = place.Open();
        // Everything is stored again, and the old image is whole again with it.
        Assert.Equal(content.Length, (await TestVault.AcquireAsync(later, content)).NewBytes);
        Assert.Equal(Evidence.Verification.ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    [Fact]
    public async Task A_pack_that_cannot_be_read_takes_no_other_content_with_it()
    {
        byte[] sound = TestBytes.Random(100_000, 4);
        byte[] damaged = TestBytes.Random(100_000, 5);
        using (Vault vault = place.Create())
        {
            await TestVault.AcquireAsync(vault, sound, new() { Item = "sound" });
            Sha256Digest[] before = [.. place.Layout.ListPacks()];
            await TestVault.AcquireAsync(vault, damaged, new() { Item = "damaged" });
            foreach (Sha256Digest pack in place.Layout.ListPacks().Except(before))
                TestVault.Flip(place.Layout.Pack(pack), new FileInfo(place.Layout.Pack(pack)).Length - 100);
        }

        using Vault later = place.Open();
        Assert.Equal(["sound", "damaged"], later.Images().Select(i => i.Item).ToArray());
        using (Stream image = later.OpenImage(later.FindImage("sound")).OpenRead())
        {
            var read = new byte[sound.Length];
            image.ReadExactly(read);
            Assert.Equal(sound, read);
        }

        using (Stream image = later.OpenImage(later.FindImage("damaged")).OpenRead())
            Assert.Equal(ErrorCode.ContentRefuted, Assert.Throws<EvidenceException>(() => image.ReadByte()).Code);
        Assert.Equal(0, (await TestVault.AcquireAsync(later, sound)).NewBytes);
    }

    [Fact]
    public async Task A_damaged_segment_is_stored_anew_and_read_from_where_it_is_sound()
    {
        byte[] content = TestBytes.Random(100_000, 6);
        Sha256Digest id;
        using (Vault vault = place.Create())
        {
            var result = await TestVault.AcquireAsync(vault, content, new() { Item = "x" });
            MapRun run = vault.OpenImage(result.Image).Runs().First();
            id = run.Segment;
            Assert.True(vault.Index.TryFind(id, out SegmentLocation at));
            TestVault.Flip(place.Layout.Pack(at.Pack), at.Offset + PackFormat.RecordHeaderSize);
            vault.Index.MarkDamaged(id);
            Assert.False(vault.Index.TryFind(id, out _));
        }

        using (Vault later = place.Open())
        {
            Assert.False(later.Index.TryFind(id, out _));
            Assert.True((await TestVault.AcquireAsync(later, content, new() { Item = "y" })).NewBytes is > 0 and < 20_000);
            Assert.True(later.Index.TryFind(id, out _));
        }

        // With the cache, and without it, where the index may hit upon the damaged copy first.
        foreach (string? cache in (string?[])[place.CacheFolder, null])
        {
            using Vault again = Vault.Open(place.Folder, place.Access with { CacheFolder = cache });
            using Stream image = again.OpenImage(again.FindImage("x")).OpenRead();
            var read = new byte[content.Length];
            image.ReadExactly(read);
            Assert.Equal(content, read);
        }
    }

    [Fact]
    public async Task A_pack_stored_anew_is_not_taken_for_the_damaged_one()
    {
        byte[] content = TestBytes.Random(100_000, 7);
        using Vault vault = place.Create();
        var options = new Evidence.Acquisition.AcquisitionOptions { Item = "x", SkipReadBack = true };
        var result = await TestVault.AcquireAsync(vault, content, options);
        Sha256Digest[] packs = [.. place.Layout.ListPacks()];
        foreach (MapRun run in vault.OpenImage(result.Image).Runs().ToArray())
        {
            Assert.True(vault.Index.TryFind(run.Segment, out SegmentLocation at));
            TestVault.Flip(place.Layout.Pack(at.Pack), at.Offset + PackFormat.RecordHeaderSize + 1);
            vault.Index.MarkDamaged(run.Segment);
        }

        Assert.Equal(content.Length, (await TestVault.AcquireAsync(vault, content, options)).NewBytes);
        Assert.Equal(packs.Length + 1, place.Layout.ListPacks().Count);
        using Stream image = vault.OpenImage(result.Image).OpenRead();
        var read = new byte[content.Length];
        image.ReadExactly(read);
        Assert.Equal(content, read);
    }

    [Fact]
    public async Task Two_vaults_do_not_share_a_cache()
    {
        byte[] content = TestBytes.Random(1_000_000, 3);
        using Vault first = place.Create();
        using Vault second = place.Create(folder: place.At("second"), origin: "vault.example/second");
        await TestVault.AcquireAsync(first, content);
        Assert.Equal(content.Length, (await TestVault.AcquireAsync(second, content)).NewBytes);
    }

    private static Sha256Digest Digest(int a, int b) => Sha256Digest.Compute([.. BitConverter.GetBytes(a), .. BitConverter.GetBytes(b)]);

    /// <summary>An id that is spread well enough, without hashing two million times.</summary>
    private static Sha256Digest Cheap(int pack, int number)
    {
        Span<byte> bytes = stackalloc byte[32];
        BitConverter.TryWriteBytes(bytes, unchecked(((ulong)(uint)number + ((ulong)(uint)pack << 32)) * 0x9E3779B97F4A7C15));
        BitConverter.TryWriteBytes(bytes[8..], number);
        BitConverter.TryWriteBytes(bytes[16..], pack);
        return new Sha256Digest(bytes);
    }

    [Fact]
    public void What_a_killed_process_was_writing_into_the_cache_goes_and_what_a_live_one_is_writing_stays()
    {
        using var own = new TestVault();
        using (Vault made = own.Create())
            Directory.CreateDirectory(Path.Combine(own.CacheFolder, made.Settings.Id));
        string folder = Directory.GetDirectories(own.CacheFolder).Single();
        string dead = Path.Combine(folder, "0011223344556677.run.tmp");
        string live = Path.Combine(folder, "8899aabbccddeeff.run.tmp");
        File.WriteAllText(dead, "half a run");
        using (new FileStream(live, FileMode.CreateNew, FileAccess.Write, FileShare.None))
        {
            using Vault opened = own.Open();
            Assert.False(opened.Index.TryFind(default, out _));
            Assert.False(File.Exists(dead));
            Assert.True(File.Exists(live));
        }
    }

    public void Dispose() => place.Dispose();
}
