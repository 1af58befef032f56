using Evidence.Platform;
using Evidence.Repair;
using Evidence.Segments;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Repair;

/// <summary>Whatever step a repair is stopped after, the next one finishes it.</summary>
public sealed class InterruptedRepairTests
{
    [Fact]
    public async Task After_the_new_packs_and_before_the_entry()
    {
        await using DamagedVault vault = await DamageAsync();
        Dictionary<string, byte[]> before = vault.Snapshot();
        Assert.False((await vault.RepairAsync(vault.Copy)).IsDamaged);
        // The ledger and the damaged files as they were; the new packs are there.
        string[] packs = [.. vault.Place.PublishedFiles().Where(f => f.StartsWith("packs/", StringComparison.Ordinal))];
        Dictionary<string, byte[]> after = vault.Snapshot();
        Directory.Delete(vault.PathOf("damaged"), recursive: true);
        Directory.Delete(vault.PathOf("ledger"), recursive: true);
        foreach ((string name, byte[] bytes) in before)
            Write(vault, name, bytes);
        // What was seen of the ledger would tell that it was set back.
        foreach (string seen in Directory.GetFiles(vault.Place.At("keys"), "seen", SearchOption.AllDirectories))
            File.Delete(seen);
        Assert.All(packs, p => Assert.Equal(after[p], File.ReadAllBytes(vault.PathOf(p))));
        await FinishAsync(vault, entries: 1);
    }

    [Fact]
    public async Task After_the_entry_and_before_the_damaged_pack_is_moved()
    {
        await using DamagedVault vault = await DamageAsync();
        Assert.False((await vault.RepairAsync(vault.Copy)).IsDamaged);
        DurableFile.Move(vault.PathOf("damaged/" + Path.GetFileName(vault.FirstPack)), vault.PathOf(vault.FirstPack));
        await vault.AssertRefutedAsync();
        await FinishAsync(vault, entries: 2);
    }

    [Fact]
    public async Task Before_a_good_manifest_and_a_damaged_one_change_places()
    {
        await using DamagedVault vault = await DamageAsync();
        string manifest = vault.Place.Layout.Manifest(vault.Small.First.Image);
        byte[] good = await File.ReadAllBytesAsync(manifest, TestVault.Stop);
        TestVault.Flip(manifest, 30);
        byte[] damaged = await File.ReadAllBytesAsync(manifest, TestVault.Stop);
        Write(vault, "damaged/" + Path.GetFileName(manifest), good);
        RepairResult result = await vault.RepairAsync(vault.Copy);
        Assert.False(result.IsDamaged, RepairerTests.Describe(result));
        await vault.AssertWholeAsync();
        // Nothing that was there is gone.
        Assert.Contains(vault.Snapshot(), f => f.Key.StartsWith("damaged/", StringComparison.Ordinal) && f.Value.AsSpan().SequenceEqual(damaged));
    }

    [Fact]
    public async Task While_packs_are_being_written()
    {
        await using DamagedVault vault = await DamageAsync();
        using var stop = new CancellationTokenSource();
        using (Vault opened = vault.Place.Open())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Repairer(opened).RepairAsync(
                new RepairOptions { From = [vault.Copy] }, new Cancelling(RepairPhase.BringingBack, stop), stop.Token));
        }

        // Nothing is left but locks.
        Assert.All(
            Directory.EnumerateFileSystemEntries(vault.Place.Layout.Staging), path => Assert.True(Path.GetFileName(path) is "lock" or "resume" or Repairer.LockName, path));
        await FinishAsync(vault, entries: 1);
    }

    [Fact]
    public async Task Before_what_was_written_is_read_back()
    {
        await using DamagedVault vault = await DamageAsync();
        using var stop = new CancellationTokenSource();
        using (Vault opened = vault.Place.Open())
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Repairer(opened).RepairAsync(
                new RepairOptions { From = [vault.Copy] }, new Cancelling(RepairPhase.ReadingBack, stop), stop.Token));
        }

        Assert.Empty(vault.Entries());
        Assert.True(File.Exists(vault.PathOf(vault.FirstPack)));
        await FinishAsync(vault, entries: 1);
    }

    [Fact]
    public async Task Another_repair_that_is_under_way_is_not_disturbed()
    {
        await using DamagedVault vault = await DamageAsync();
        using (FileLock.TryAcquire(Path.Combine(vault.Place.Layout.Staging, Repairer.LockName)))
        {
            var busy = await Assert.ThrowsAsync<EvidenceException>(() => vault.RepairAsync(vault.Copy));
            Assert.Equal(ErrorCode.VaultBusy, busy.Code);
        }

        await FinishAsync(vault, entries: 1);
    }

    private static async Task<DamagedVault> DamageAsync()
    {
        DamagedVault vault = await DamagedVault.CreateAsync();
        PackEntry[] records = vault.Records(vault.FirstPack);
        TestVault.Flip(vault.PathOf(vault.FirstPack), records[0].Offset + 70);
        TestVault.Flip(vault.PathOf(vault.FirstPack), records[1].Offset + 70);
        return vault;
    }

    private static async Task FinishAsync(DamagedVault vault, int entries)
    {
        RepairResult result = await vault.RepairAsync(vault.Copy);
        Assert.False(result.IsDamaged, RepairerTests.Describe(result));
        Assert.Equal(vault.FirstPack, $"packs/{vault.FirstPack[6..8]}/{Assert.Single(result.Outcome.Packs).Pack}.pack");
        Assert.Equal(entries, vault.Entries().Length);
        Assert.False(File.Exists(vault.PathOf(vault.FirstPack)));
        await vault.AssertWholeAsync();
        Assert.False((await vault.RepairAsync(vault.Copy)).HasChanged);
    }

    private static void Write(DamagedVault vault, string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(vault.PathOf(name))!);
        if (File.Exists(vault.PathOf(name)))
            TestVault.Overwrite(vault.PathOf(name), bytes);
        else
            File.WriteAllBytes(vault.PathOf(name), bytes);
    }

    private sealed class Cancelling(RepairPhase phase, CancellationTokenSource stop) : IProgress<RepairProgress>
    {
        public void Report(RepairProgress value)
        {
            if (value.Phase == phase)
                stop.Cancel();
        }
    }
}
