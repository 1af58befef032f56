using System.Security.Cryptography;
using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Rescue;
using Evidence.Segments;
using Evidence.Sources;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>What was imaged comes back: every byte that was read, and zeros, said to be such, for every byte that was not.</summary>
public sealed class RoundTripTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    [Trait("Requirement", "ACQ-5")]
    public async Task Content_with_holes_and_bad_sectors_comes_back_as_what_was_read_of_it()
    {
        using Vault vault = place.Create();
        var cases = (from content in TestBytes.Disks(300_000)
                     from seed in Gen.Choose(0, int.MaxValue - 1)
                     select (content, seed)).Sample(60);
        foreach ((byte[] content, int seed) in cases)
        {
            var random = new Random(seed);
            SourceExtent[]? extents = random.Next(3) == 0 ? null : Extents(content.Length, random);
            HashSet<long> bad = [.. Enumerable.Range(0, random.Next(3) == 0 ? 0 : random.Next(6)).Select(_ => (long)random.Next((content.Length / 512) + 1))];
            using var source = new FailingSource(content)
            {
                BadSectors = bad,
                ClaimedExtents = extents,
                FailsWholeRequest = random.Next(2) == 0,
            };
            AcquisitionResult result = await new Acquirer(vault).AcquireAsync(
                source, new AcquisitionOptions { Item = "x", ReadHoles = random.Next(4) == 0 }, cancellation: TestVault.Stop);

            RunKind[] expected = Kinds(content, extents, bad, result.Manifest.HolesRead);
            byte[] image = [.. content];
            for (int i = 0; i < image.Length; i++)
            {
                if (expected[i] != RunKind.Data)
                    image[i] = 0;
            }

            await AssertIsAsync(vault, result, image);
            Assert.Equal(expected.Count(k => k == RunKind.Hole), result.Manifest.Totals.GetValueOrDefault(RunKind.Hole));
            Assert.Equal(expected.Count(k => k == RunKind.Unreadable), result.Manifest.Totals.GetValueOrDefault(RunKind.Unreadable));
            Assert.Equal(content.Length, result.Manifest.Totals.Values.Sum());
            Assert.Equal(Ranges(expected), result.Manifest.Absent);
        }

        Assert.NotEqual(ContentVerdict.Refuted, (await place.VerifyAsync()).Content);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData((4 << 20) - 1)]
    [InlineData(4 << 20)]
    [InlineData((4 << 20) + 1)]
    [InlineData((64 << 20) - 1)]
    [InlineData(64 << 20)]
    [InlineData((64 << 20) + 1)]
    [Trait("Requirement", "ACQ-3")]
    public async Task A_size_at_a_limit_comes_back(int size)
    {
        using Vault vault = place.Create(average: 64 << 10);
        // Mostly zeros where it is large: what matters are the ends.
        byte[] content = new byte[size];
        TestBytes.Random(Math.Min(size, 300_000), size).CopyTo(content, 0);
        TestBytes.Random(Math.Min(size, 300_000), size + 1).CopyTo(content, size - Math.Min(size, 300_000));
        AcquisitionResult result = await TestVault.AcquireAsync(vault, content);
        await AssertIsAsync(vault, result, content);
        Assert.Equal((size + (64 << 20) - 1) / (64 << 20), result.Manifest.Pages);
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync(new VerificationOptions { Digests = true, Keys = place.Keys })).Content);
    }

    /// <summary>A hole, and bad sectors, over the end of a page; and a last sector that is none.</summary>
    [Fact]
    public async Task What_is_absent_across_a_page_is_one_range()
    {
        using Vault vault = place.Create(average: 64 << 10);
        byte[] content = new byte[(64 << 20) + 100_100];
        TestBytes.Random(200_000, 1).CopyTo(content, (64 << 20) - 100_000);
        long page = (64 << 20) / 512;
        using var source = new FailingSource(content) { BadSectors = [page - 2, page - 1, page, page + 1, (content.Length / 512)], FailsWholeRequest = true };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        Assert.Equal(
            [new AbsentRange(RunKind.Unreadable, (page - 2) * 512, 2048, "EIO"), new AbsentRange(RunKind.Unreadable, content.Length / 512 * 512, content.Length % 512, "EIO")],
            result.Manifest.Absent);
        Assert.Equal(ContentVerdict.Incomplete, (await place.VerifyAsync()).Content);
    }

    /// <summary>Disks with sectors of 520 bytes exist; what cannot be read of them is still told in the map's own sectors of 512.</summary>
    [Theory]
    [InlineData(520)]
    [InlineData(2048)]
    [InlineData(4096)]
    [Trait("Requirement", "ACQ-5")]
    public async Task A_bad_sector_of_another_size_is_absent_as_a_whole(int sectorSize)
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(100 * sectorSize, 5);
        using var source = new FailingSource(content, sectorSize) { BadSectors = [7], FailsWholeRequest = true };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop);
        AbsentRange absent = Assert.Single(result.Manifest.Absent);
        Assert.True(absent.Offset <= 7 * sectorSize && absent.Offset + absent.Length >= 8 * sectorSize);
        Assert.InRange(absent.Length, sectorSize, 4 * sectorSize);
        byte[] image = [.. content];
        image.AsSpan((int)absent.Offset, (int)absent.Length).Clear();
        await AssertIsAsync(vault, result, image);
    }

    [Fact]
    [Trait("Requirement", "ACQ-5")]
    public async Task A_bad_sector_that_a_second_try_reads_is_read()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(50_000, 6);
        using var source = new FailingSource(content) { BadSectors = [3, 50], FailuresPerSector = 1 };
        AcquisitionResult result = await new Acquirer(vault).AcquireAsync(
            source, new AcquisitionOptions { Rescue = new RescueOptions { Retries = 1 } }, cancellation: TestVault.Stop);
        Assert.True(result.Manifest.IsComplete);
        await AssertIsAsync(vault, result, content);
    }

    private static async Task AssertIsAsync(Vault vault, AcquisitionResult result, byte[] image)
    {
        byte[] exported = await TestVault.ExportAsync(vault, result);
        Assert.True(exported.AsSpan().SequenceEqual(image), $"differs from byte {exported.AsSpan().CommonPrefixLength(image)} of {image.Length}");
        // Not for security: what the image's digests are compared with.
#pragma warning disable CA5350, CA5351
        Assert.Equal(
            [(DigestAlgorithm.Md5, Convert.ToHexStringLower(MD5.HashData(image))), (DigestAlgorithm.Sha1, Convert.ToHexStringLower(SHA1.HashData(image))),
                (DigestAlgorithm.Sha256, Convert.ToHexStringLower(SHA256.HashData(image)))],
            result.Manifest.Digests.Select(d => (d.Algorithm, d.Value)));
#pragma warning restore CA5350, CA5351
        Assert.True(result.Verified);
    }

    /// <summary>Of each byte: read, a hole as a whole sector, or in a sector that is bad.</summary>
    private static RunKind[] Kinds(byte[] content, SourceExtent[]? extents, HashSet<long> bad, bool holesRead)
    {
        var kinds = Enumerable.Repeat(RunKind.Data, content.Length).ToArray();
        bool[] hole = new bool[content.Length];
        foreach (SourceExtent extent in extents ?? [])
            hole.AsSpan((int)extent.Offset, (int)extent.Length).Fill(extent.Kind == SourceExtentKind.Hole);
        for (int sector = 0; sector * 512 < content.Length; sector++)
        {
            Range range = (sector * 512)..Math.Min((sector + 1) * 512, content.Length);
            if (!holesRead && Array.TrueForAll(hole[range], h => h))
                kinds.AsSpan(range).Fill(RunKind.Hole);
            else if (bad.Contains(sector))
                kinds.AsSpan(range).Fill(RunKind.Unreadable);
        }

        return kinds;
    }

    private static List<AbsentRange> Ranges(RunKind[] kinds)
    {
        var ranges = new List<AbsentRange>();
        for (int i = 0; i < kinds.Length; i++)
        {
            if (kinds[i] != RunKind.Unreadable)
                continue;
            if (i > 0 && kinds[i - 1] == RunKind.Unreadable)
                ranges[^1] = ranges[^1] with { Length = ranges[^1].Length + 1 };
            else
                ranges.Add(new AbsentRange(RunKind.Unreadable, i, 1, "EIO"));
        }

        return ranges;
    }

    /// <summary>Ends of extents fall anywhere: file systems have blocks of their own, other people's libraries have bugs.</summary>
    private static SourceExtent[] Extents(int length, Random random)
    {
        var extents = new List<SourceExtent>();
        bool hole = random.Next(2) == 0;
        for (int position = 0; position < length; hole = !hole)
        {
            int count = random.Next(3) == 0 ? random.Next(1, 2000) : 512 * random.Next(1, 100);
            count = Math.Min(count, length - position);
            extents.Add(new SourceExtent(position, count, hole ? SourceExtentKind.Hole : SourceExtentKind.Data));
            position += count;
        }

        return [.. extents];
    }

    public void Dispose() => place.Dispose();
}
