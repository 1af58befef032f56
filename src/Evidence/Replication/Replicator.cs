using Evidence.Ledger;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>
/// Copies a vault to a replica: a folder that is a vault of the same id and origin, and is only read. It moves only what is missing there by the sender's own record
/// of what it sent; it does not ask whoever has the replica.
/// </summary>
/// <param name="vault">The vault. Whoever opened it needs a key store: the record lies there.</param>
public sealed class Replicator(Vault vault)
{
    /// <summary>
    /// Sends what is missing: packs, then manifests, then the ledger's files, then its checkpoint, each durable before the next. So a replication that ends early,
    /// however it does, leaves a sound older copy, and the same call goes on. What is damaged in the vault is not sent, nor are the images that need it.
    /// </summary>
    /// <param name="folder">The replica's folder: one that does not exist yet, or is empty, or was replicated to before.</param>
    /// <param name="options">What; null for everything.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="cancellation">Stops the replication.</param>
    /// <exception cref="EvidenceException">
    /// The ledger is damaged, or is not the continuation of what was sent before; the folder is none of this vault's replicas, or cannot be written.
    /// </exception>
    public Task<ReplicationResult> ReplicateAsync(
        string folder, ReplicationOptions? options = null, IProgress<ReplicationProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Task.Run(() => Replicate(folder, options ?? new ReplicationOptions(), progress, cancellation), cancellation);
    }

    /// <summary>Reads everything that was sent to a replica, and compares it with the sender's record.</summary>
    /// <param name="folder">The replica's folder.</param>
    /// <param name="progress">Hears how far it is.</param>
    /// <param name="cancellation">Stops the check.</param>
    /// <returns>What is not there as it was sent.</returns>
    /// <exception cref="EvidenceException">The folder is none of this vault's replicas, or nothing was sent to it from here.</exception>
    public Task<IReadOnlyList<ReplicaDifference>> CheckAsync(string folder, IProgress<ReplicationProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        return Task.Run<IReadOnlyList<ReplicaDifference>>(
            () =>
            {
                ReplicaIdentity identity = ReplicaFolder.Identify(folder, vault);
                using ReplicaRecord record = OpenRecord(identity);
                return record.Files.Count > 0
                    ? Check(new VaultLayout(folder), record, progress, cancellation)
                    : throw new EvidenceException(ErrorCode.DestinationInvalid, $"No record here says that anything was sent to {folder}: there is nothing to compare with.");
            },
            cancellation);
    }

    private ReplicationResult Replicate(string folder, ReplicationOptions options, IProgress<ReplicationProgress>? progress, CancellationToken cancellation)
    {
        // What an entry of this checkpoint names is in packs and manifests that are there now.
        CustodyLedger ledger = vault.Ledger.Open();
        using ReplicaFolder target = ReplicaFolder.Open(folder, vault, vault.Access.Logger);
        using ReplicaRecord record = OpenRecord(target.Identity);
        IReadOnlyList<ReplicaDifference> lost = options.Resend ? Check(target.Layout, record, progress, cancellation) : [];
        return new ReplicationRun(vault, ledger, target, record, lost, progress).Run(options, cancellation);
    }

    private static List<ReplicaDifference> Check(VaultLayout layout, ReplicaRecord record, IProgress<ReplicationProgress>? progress, CancellationToken cancellation)
    {
        long total = record.Files.Values.Sum(f => f.Length);
        long done = 0;
        return [.. ReplicaCheck.Run(layout, record, bytes => progress?.Report(new ReplicationProgress(done += bytes, total)), cancellation)];
    }

    private ReplicaRecord OpenRecord(ReplicaIdentity identity) => ReplicaRecord.Open(
        vault.Access.Keys ?? throw new EvidenceException(ErrorCode.KeyMissing, "The vault was opened without a key store, where the record of what was sent lies."),
        vault.Settings.Origin, identity, vault.Access.Logger);
}
