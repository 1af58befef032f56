using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Sources;
using Evidence.Tests.Sources;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Acquisition;

/// <summary>Many sources at once give what each gives alone.</summary>
public sealed class FleetTests : IDisposable
{
    private readonly TestVault place = new();

    /// <summary>Disks of unequal lengths, with holes and bad sectors, and how many of them go side by side.</summary>
    private static readonly Gen<(byte[][] Disks, int Seed, int SideBySide)> Fleets =
        from disks in TestBytes.Disks(200_000).ArrayOf().Where(d => d.Length <= 20)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from sideBySide in Gen.Choose(1, 20)
        select (disks, seed, sideBySide);

    [Fact]
    public async Task Sources_imaged_side_by_side_have_the_roots_digests_and_manifests_that_each_has_alone()
    {
        using Vault apart = place.Create(folder: place.At("apart"), origin: "vault.example/apart");
        using Vault together = place.Create();
        int round = 0;
        foreach ((byte[][] disks, int seed, int sideBySide) in Fleets.Sample(12))
        {
            IReadOnlyList<AcquisitionOutcome> outcomes = await new Acquirer(together).AcquireAllAsync(
                [.. disks.Select((disk, i) => new AcquisitionRequest(SourceOf(disk, seed + i), OptionsOf(round, i)))], sideBySide, TestVault.Stop);
            Assert.Equal(disks.Length, outcomes.Count);
            for (int i = 0; i < disks.Length; i++)
            {
                AcquisitionResult alone = await new Acquirer(apart).AcquireAsync(SourceOf(disks[i], seed + i), OptionsOf(round, i), cancellation: TestVault.Stop);
                Assert.Equal(Facts(alone.Manifest), Facts(outcomes[i].Result!.Manifest));
                Assert.Equal(alone.Item, outcomes[i].Result!.Item);
            }

            round++;
        }

        Assert.NotEqual(ContentVerdict.Refuted, (await place.VerifyAsync(new VerificationOptions { Digests = true, Keys = place.Keys })).Content);
    }

    /// <summary>Larger than one block, and than all that one may have in memory, so that each waits for its blocks to come back.</summary>
    [Fact]
    public async Task Sources_longer_than_their_share_of_memory()
    {
        using Vault vault = place.Create(average: 64 << 10);
        byte[] zeros = new byte[(20 << 20) + 5];
        byte[][] disks = [.. Enumerable.Range(0, 20).Select(i => zeros[..^i])];
        IReadOnlyList<AcquisitionOutcome> outcomes = await new Acquirer(vault).AcquireAllAsync(
            [.. disks.Select((disk, i) => new AcquisitionRequest(new StreamSource(new MemoryStream(disk), "memory"), OptionsOf(0, i)))], disks.Length, TestVault.Stop);
        foreach ((AcquisitionOutcome outcome, byte[] disk) in outcomes.Zip(disks))
        {
            string expected = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(disk));
            Assert.Equal(expected, outcome.Result!.Manifest.Digests.Single(d => d.Algorithm == DigestAlgorithm.Sha256).Value);
        }
    }

    [Fact]
    public async Task One_that_fails_does_not_touch_the_others()
    {
        using Vault vault = place.Create();
        byte[][] disks = [.. Enumerable.Range(0, 9).Select(i => TestBytes.Disk(300_000, i))];
        IReadOnlyList<AcquisitionOutcome> outcomes = await new Acquirer(vault).AcquireAllAsync(
            [
                .. disks.Select((disk, i) => new AcquisitionRequest(
                    i == 4 ? new FailingSource(disk) { VanishesAfter = 0 } : new StreamSource(new MemoryStream(disk), "memory"),
                    // A name that no ledger takes.
                    new AcquisitionOptions { Item = i == 7 ? "\n" : $"{i}" })),
            ],
            cancellation: TestVault.Stop);
        Assert.Equal([4, 7], outcomes.Index().Where(o => o.Item.Failure is not null).Select(o => o.Index));
        Assert.Equal(ErrorCode.SourceFailed, Assert.IsAssignableFrom<EvidenceException>(outcomes[4].Failure).Code);
        Assert.Equal(7, vault.Images().Count);
        Assert.Equal(ContentVerdict.Verified, (await place.VerifyAsync()).Content);
    }

    /// <summary>What is cancelled is an outcome of each, and what was read is kept for the next run.</summary>
    [Fact]
    public async Task A_cancelled_fleet_can_be_gone_on_with()
    {
        byte[][] disks = [.. Enumerable.Range(0, 5).Select(i => TestBytes.Random(70 << 20, i))];
        using (Vault vault = place.Create(average: 64 << 10))
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestVault.Stop);
            // A page of the map is through: that much is worth keeping.
            var progress = new Hearing(p => { if (p.Done > 65 << 20) stop.Cancel(); });
            IReadOnlyList<AcquisitionOutcome> cut = await new Acquirer(vault).AcquireAllAsync(
                [.. disks.Select((disk, i) => new AcquisitionRequest(SourceOf(disk, null), OptionsOf(0, i), progress))], cancellation: stop.Token);
            Assert.All(cut, o => Assert.IsAssignableFrom<OperationCanceledException>(o.Failure));
        }

        using Vault again = place.Open();
        IReadOnlyList<AcquisitionOutcome> outcomes = await new Acquirer(again).AcquireAllAsync(
            [.. disks.Select((disk, i) => new AcquisitionRequest(SourceOf(disk, null), OptionsOf(0, i)))], cancellation: TestVault.Stop);
        Assert.Contains(outcomes, o => o.Result!.Manifest.Runs[^1].Held > 0);
        foreach ((AcquisitionOutcome outcome, byte[] disk) in outcomes.Zip(disks))
            Assert.Equal(disk, await TestVault.ExportAsync(again, outcome.Result!));
    }

    [Fact]
    public async Task No_sources_are_no_work()
    {
        using Vault vault = place.Create();
        Assert.Empty(await new Acquirer(vault).AcquireAllAsync([], cancellation: TestVault.Stop));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => new Acquirer(vault).AcquireAllAsync([], 0, TestVault.Stop));
    }

    public void Dispose() => place.Dispose();

    private static AcquisitionOptions OptionsOf(int round, int disk) => new() { Item = $"{round}-{disk}" };

    /// <summary>A disk; with a seed, one with bad sectors at times.</summary>
    private static FailingSource SourceOf(byte[] content, int? seed)
    {
        var random = new Random(seed ?? 0);
        int bad = seed is null || random.Next(3) > 0 ? 0 : random.Next(6);
        return new FailingSource(content) { BadSectors = [.. Enumerable.Range(0, bad).Select(_ => (long)random.Next((content.Length / 512) + 1))] };
    }

    /// <summary>All that a manifest says of the source: not when it was imaged, and in how many runs.</summary>
    private static string Facts(ImageManifest m) => string.Join(
        '\n',
        [
            $"{m.Size} {m.Root} {m.HolesRead} {m.Segments.AverageLength} {m.Compression}", m.Source.ToJsonString(), .. m.Tables.Select(t => $"{t}"),
            .. m.Totals.OrderBy(t => t.Key).Select(t => $"{t.Key} {t.Value}"), .. m.Absent.Select(a => $"{a}"), .. m.Digests.Select(d => $"{d.Algorithm} {d.Value}"),
            .. m.Differences.Select(d => $"{d}"),
        ]);

    private sealed class Hearing(Action<AcquisitionProgress> hear) : IProgress<AcquisitionProgress>
    {
        public void Report(AcquisitionProgress value) => hear(value);
    }
}
