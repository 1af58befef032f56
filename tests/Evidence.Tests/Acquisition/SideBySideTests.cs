using Evidence.Acquisition;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>Several at once: what they share is stored once, and each image is whole.</summary>
public sealed class SideBySideTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public async Task Alike_disks_imaged_through_one_vault()
    {
        using Vault vault = place.Create();
        byte[] content = TestBytes.Random(2_000_000, 1);
        for (int round = 0; round < 8; round++)
        {
            // New content each time, so that each round races to store it.
            byte[] changed = [.. content, .. BitConverter.GetBytes(round)];
            changed.AsSpan(0, content.Length).Fill((byte)round);
            TestBytes.Random(700_000, round).CopyTo(changed, 0);
            AcquisitionResult[] results = await Task.WhenAll(Enumerable.Range(0, 4).Select(i =>
                Task.Run(() => TestVault.AcquireAsync(vault, changed, new() { Item = $"{round}-{i}" }), TestVault.Stop)));
            Assert.Single(results.Select(r => r.Manifest.Root).Distinct());
            Assert.Equal(700_000, results.Sum(r => r.NewBytes), 5000d);
        }

        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
        Assert.Equal(32, vault.Images().Count);
    }

    /// <summary>Two instances know of each other no more than two processes do.</summary>
    [Fact]
    public async Task Alike_disks_imaged_through_two_instances()
    {
        place.Create().Dispose();
        for (int round = 0; round < 6; round++)
        {
            byte[] content = TestBytes.Random(700_000, 100 + round);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(i => Task.Run(
                async () =>
                {
                    using Vault vault = place.Open();
                    AcquisitionResult result = await TestVault.AcquireAsync(vault, content, new() { Item = $"{round}-{i}" });
                    Assert.Equal(content, await TestVault.ExportAsync(vault, result));
                },
                TestVault.Stop)));
        }

        VerificationReport report = await place.VerifyAsync();
        Assert.Equal(ContentVerdict.Verified, report.Content);
        Assert.Equal(18, report.Images.Count);
    }

    /// <summary>
    /// A segment that one run has claimed and is still compressing counts as stored for the others. What they publish must not run ahead of it.
    /// </summary>
    [Fact]
    public async Task A_flush_waits_for_what_others_have_claimed()
    {
        using Vault vault = place.Create();
        byte[] large = TestBytes.Text(16 << 20, 1);
        var id = Evidence.Hashing.Sha256Digest.Compute(large);
        Task<int> first = Task.Run(() => vault.Store.Put(id, large, Evidence.Segments.Compression.Best, new byte[large.Length]), TestVault.Stop);
        await Task.Delay(20, TestVault.Stop);
        if (vault.Store.Put(id, large, Evidence.Segments.Compression.None, new byte[large.Length]) == 0)
        {
            await vault.Store.FlushAsync();
            Assert.True(vault.Index.TryFind(id, out _), "What was said to be stored is in no sealed pack.");
        }

        await first;
    }

    public void Dispose() => place.Dispose();
}
