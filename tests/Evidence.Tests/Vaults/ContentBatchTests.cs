using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Segments;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

/// <summary>Contents are recomputed many at a time; what is wrong with one of them must be said of that one.</summary>
public sealed class ContentBatchTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public void It_gives_the_digests_of_what_was_added_in_order()
    {
        using var batch = new ContentBatch();
        for (int round = 0; round < 3; round++)
        {
            var expected = new List<Sha256Digest>();
            for (int i = 0; batch.HasRoom(100_000 + i); i++)
            {
                Span<byte> space = batch.Take(100_000 + i);
                TestBytes.Random(space.Length, i + round).CopyTo(space);
                // A content need not be all of what was taken, and not all that is taken has one.
                if (i % 5 == 4)
                    continue;
                ReadOnlySpan<byte> content = space[(i % 7)..^(i % 3)];
                Assert.Equal(expected.Count, batch.Add(content));
                expected.Add(Sha256Digest.Compute(content));
            }

            Assert.InRange(expected.Count, 32, 60);
            Assert.Equal(expected, batch.Digests());
            batch.Clear();
            Assert.Empty(batch.Digests());
        }
    }

    [Fact]
    public void One_content_may_be_larger_than_a_batch()
    {
        using var batch = new ContentBatch();
        Assert.True(batch.HasRoom(PackFormat.LargestContent));
        Span<byte> content = batch.Take(PackFormat.LargestContent);
        content.Fill(3);
        batch.Add(content);
        Assert.False(batch.HasRoom(PackFormat.LargestContent));
        Assert.Equal([Sha256Digest.Compute(content)], batch.Digests());
    }

    [Fact]
    public void What_lies_elsewhere_is_refused()
    {
        using var batch = new ContentBatch();
        batch.Take(100);
        Assert.Throws<ArgumentException>(() => batch.Add(new byte[10]));
    }

    /// <summary>Some thousand segments, in several batches, stored and compressed; every 97th record is damaged.</summary>
    [Fact]
    public async Task What_is_damaged_is_found_and_nothing_else()
    {
        using Vault vault = place.Create();
        AcquisitionResult result = await TestVault.AcquireAsync(vault, [.. TestBytes.Random(7 << 20, 1), .. TestBytes.Disk(7 << 20, 2)]);
        Sha256Digest name = Assert.Single(place.Layout.ListPacks());
        PackEntry[] entries;
        using (PackFile pack = PackFile.Open(place.Layout.Pack(name)))
            entries = [.. pack.ReadIndex(name).OrderBy(e => e.Offset)];
        MapRun[] runs = [.. vault.OpenImage(result.Image).Runs().Where(r => r.Kind == RunKind.Data)];
        HashSet<Sha256Digest> named = [.. runs.Select(r => r.Segment)];
        PackEntry[] damaged = [.. entries.Where(e => named.Contains(e.Header.Id)).Where((_, i) => i % 97 == 5)];
        Assert.Contains(damaged, e => e.Header.Codec == Codec.Stored);
        Assert.Contains(damaged, e => e.Header.Codec != Codec.Stored);
        foreach (PackEntry entry in damaged)
            TestVault.Flip(place.Layout.Pack(name), entry.Offset + PackFormat.RecordHeaderSize + (entry.Header.StoredLength / 2));

        using (PackFile pack = PackFile.Open(place.Layout.Pack(name)))
        {
            foreach (RecordDepth depth in (RecordDepth[])[RecordDepth.StoredBytes, RecordDepth.Content])
            {
                (PackEntry Entry, string? Defect)[] results = [.. RecordCheck.Defects(pack, entries, depth)];
                Assert.Equal(entries, results.Select(r => r.Entry));
                Assert.Equal(damaged, results.Where(r => r.Defect is not null).Select(r => r.Entry));
            }
        }

        using var segments = new SegmentReader(place.Layout, vault.Index, fromMedium: true);
        (MapRun Run, EvidenceException? Error)[] checks = [.. segments.Check(runs, TestVault.Stop)];
        Assert.Equal(runs, checks.Select(c => c.Run));
        HashSet<Sha256Digest> wrong = [.. damaged.Select(e => e.Header.Id)];
        Assert.All(checks, check => Assert.Equal(wrong.Contains(check.Run.Segment) ? ErrorCode.ContentRefuted : null, check.Error?.Code));
    }

    public void Dispose() => place.Dispose();
}
