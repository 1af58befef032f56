using Evidence.Hashing;
using Evidence.Platform;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Repair;

/// <summary>
/// Brings damaged and missing content of a vault back from other copies, each segment proven by its id, and sets damaged packs aside. Nothing is removed.
/// </summary>
/// <param name="vault">The vault. Whoever opened it needs a key store, or nothing can be recorded.</param>
public sealed class Repairer(Vault vault)
{
    internal const string LockName = "repair.lock";

    private readonly VaultLayout layout = vault.Layout;

    /// <summary>
    /// Repairs the vault. On return everything is durable and recorded. Where it fails or ends early nothing is lost, and the next repair finishes: what is
    /// still good in damaged packs, and what was brought back, is durable in new packs first; then manifests; then the ledger entry; then the damaged packs
    /// are moved to <c>damaged/</c>.
    /// </summary>
    /// <param name="options">What, and from what; null for everything, from what the vault itself holds.</param>
    /// <param name="progress">Hears how far it is, from several threads.</param>
    /// <param name="cancellation">Stops the repair.</param>
    /// <exception cref="EvidenceException">
    /// The ledger is damaged, a place to repair from cannot be opened, the vault is a copy, or it cannot be written; another repair is under way
    /// (<see cref="ErrorCode.VaultBusy"/>).
    /// </exception>
    public Task<RepairResult> RepairAsync(RepairOptions? options = null, IProgress<RepairProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new RepairOptions();
        return Task.Run(() => options.DryRun ? TryOutAsync(options, progress, cancellation) : RunAsync(options, progress, cancellation), cancellation);
    }

    private async Task<RepairResult> TryOutAsync(RepairOptions options, IProgress<RepairProgress>? progress, CancellationToken cancellation)
    {
        using var scratch = ScratchFolder.Create(vault.Access.Logger);
        using var run = new RepairRun(vault, options, scratch.FolderPath, store: null);
        await run.BringBackAsync(progress, cancellation).ConfigureAwait(false);
        return run.Result(newPacks: []);
    }

    private async Task<RepairResult> RunAsync(RepairOptions options, IProgress<RepairProgress>? progress, CancellationToken cancellation)
    {
        vault.Ledger.EnsureKeys();
        // One at a time: two would bring the same back, and take the same packs out of their places.
        DurableFile.CreateDirectory(layout.Staging);
        using FileLock held = FileLock.TryAcquire(Path.Combine(layout.Staging, LockName))
            ?? throw new EvidenceException(ErrorCode.VaultBusy, $"Another repair of {layout.Folder} is under way. Wait until it has ended.");
        using var staging = StagingFolder.Create(layout, vault.Access.Logger);
        using var kept = SegmentIndex.Empty(layout, staging.NewFile("kept"), vault.Access.Logger);
        using var store = new SegmentStore(layout, kept, vault.Access.Logger);
        using var run = new RepairRun(vault, options, staging.NewFile("spill"), new RepairStore(store, kept));

        await run.BringBackAsync(progress, cancellation).ConfigureAwait(false);
        await store.FlushAsync().ConfigureAwait(false);
        ReadBack(store.Sealed, progress, cancellation);
        // From here on there is nothing to wait for, and half of it would only be more to finish.
        cancellation.ThrowIfCancellationRequested();
        run.PublishManifests(staging.FolderPath);
        RepairResult result = run.Result(store.Sealed);
        if (!result.HasChanged)
            return result;
        long? entry = vault.Ledger.RecordRepair(result.Outcome);
        foreach (SetAsidePack pack in result.Outcome.Packs)
            Log.SetAside(vault.Access.Logger, layout.Pack(pack.Pack), SetAsideFiles.MovePack(layout, pack.Pack));
        vault.Index.Refresh();
        return result with { Entry = entry };
    }

    /// <summary>Reads the new packs back from the medium. Before that is done no damaged one leaves its place.</summary>
    private void ReadBack(IReadOnlyList<Sha256Digest> packs, IProgress<RepairProgress>? progress, CancellationToken cancellation)
    {
        long total = packs.Sum(p => new FileInfo(layout.Pack(p)).Length);
        long done = 0;
        foreach (Sha256Digest name in packs)
        {
            using PackFile pack = PackFile.Open(layout.Pack(name));
            pack.DropCache();
            foreach ((PackEntry entry, string? defect) in RecordCheck.Defects(pack, pack.ReadIndex(name).OrderBy(e => e.Offset), RecordDepth.Content))
            {
                cancellation.ThrowIfCancellationRequested();
                if (defect is not null)
                {
                    throw pack.Refuted(
                        $"at offset {entry.Offset}, where it was written just now: {defect} The vault's medium is failing: copy the vault to another, and repair it there");
                }

                done += PackFormat.RecordHeaderSize + entry.Header.StoredLength;
                progress?.Report(new RepairProgress(RepairPhase.ReadingBack, done, total));
            }
        }
    }
}
