using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Replication;
using Evidence.Tests.Vaults;
using Evidence.Vaults;
using Evidence.Verification;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Replication;

/// <summary>A vault, and a replica of it with a custodian who has keys of their own.</summary>
internal sealed class ReplicaPlace : IDisposable
{
    private int images;

    public ReplicaPlace()
    {
        Origin.Create().Dispose();
        Replica = Origin.At("replica");
        CustodianKeys = new KeyStore(Origin.At("custodian-keys"));
    }

    public TestVault Origin { get; } = new();

    public string Replica { get; set; }

    public KeyStore CustodianKeys { get; }

    public string ReplicaId => ReplicaIdentity.TryRead(new VaultLayout(Replica))!.Id;

    public VaultAccess Custodian => new() { Keys = CustodianKeys, Actor = "custodian" };

    public async Task<AcquisitionResult> AcquireAsync(byte[]? content = null, string? item = null)
    {
        images++;
        using Vault vault = Origin.Open();
        return await TestVault.AcquireAsync(vault, content ?? TestBytes.Random(20_000, images), new AcquisitionOptions { Item = item ?? $"item-{images}" });
    }

    /// <summary>Adds notes, all under one checkpoint.</summary>
    public void AddNotes(int count)
    {
        using Vault vault = Origin.Open();
        using LogKeys log = Origin.Keys.LoadLog(vault.Settings.Origin);
        using ActorKey actor = Origin.Keys.LoadActor("examiner");
        LedgerWriter.Open(vault.Ledger.Storage, log, Origin.Keys).Append(
        [
            .. Enumerable.Range(0, count).Select(i => LedgerEntry.Create(
                new EntryPayload(EntryKind.Note, SystemClock.Instance.GetCurrentInstant(), null, [], new JsonObject { ["text"] = $"note {i}" }, actor.Id), actor).ToBytes()),
        ]);
    }

    public Task<ReplicationResult> ReplicateAsync(params string[] images) => ReplicateAsync(new ReplicationOptions { Images = images });

    public async Task<ReplicationResult> ReplicateAsync(ReplicationOptions options)
    {
        using Vault vault = Origin.Open();
        return await new Replicator(vault).ReplicateAsync(Replica, options, cancellation: TestVault.Stop);
    }

    public async Task<IReadOnlyList<ReplicaDifference>> CheckAsync()
    {
        using Vault vault = Origin.Open();
        return await new Replicator(vault).CheckAsync(Replica, cancellation: TestVault.Stop);
    }

    /// <summary>As the custodian verifies it, who knows nothing but the files.</summary>
    public Task<VerificationReport> VerifyAsync() =>
        VaultVerifier.VerifyAsync(Replica, new VerificationOptions { Keys = CustodianKeys }, cancellation: TestVault.Stop);

    public async Task IsVerifiedAsync()
    {
        VerificationReport report = await VerifyAsync();
        Assert.True(report.Content == ContentVerdict.Verified && report.Findings.Count == 0, Verification.SmallVault.Describe(report));
    }

    /// <summary>The record says what is there, and nothing else is there: each file, by length and digest.</summary>
    public void RecordIsWhatIsThere()
    {
        var layout = new VaultLayout(Replica);
        using Vault vault = Origin.Open();
        using var record = ReplicaRecord.Open(Origin.Keys, vault.Settings.Origin, ReplicaIdentity.TryRead(layout)!, NullLogger.Instance);
        string[] there = [.. Files(Replica).Where(f => f != "replica.json" && !f.StartsWith("damaged/", StringComparison.Ordinal))];
        string[] sentFiles = [.. record.Files.Keys.Order(StringComparer.Ordinal)];
        Assert.Equal(there, sentFiles);
        Assert.All(record.Files.Values, sent =>
        {
            byte[] bytes = File.ReadAllBytes(Path.Combine(Replica, sent.Name));
            Assert.Equal((sent.Length, sent.Sha256), (bytes.Length, Sha256Digest.Compute(bytes)));
        });
        Assert.Equal(new CustodyLedgerAt(Replica, vault.Settings.Origin, vault.Ledger.Keys()).Checkpoint, record.Checkpoint);
    }

    public static string[] Files(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(folder, path))
            .Where(name => !name.StartsWith("staging/", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    public string PackOf(AcquisitionResult image)
    {
        using Vault vault = Origin.Open();
        Assert.True(vault.Index.TryFind(image.Manifest.Tables[0], out SegmentLocation location));
        return Path.GetRelativePath(vault.Folder, vault.Layout.Pack(location.Pack));
    }

    public void Dispose() => Origin.Dispose();

    private sealed class CustodyLedgerAt(string folder, string origin, IReadOnlyList<VerifierKey> keys)
    {
        public Checkpoint Checkpoint { get; } = CustodyLedger.Open(new LedgerDirectory(new VaultLayout(folder).Ledger), origin, keys).Checkpoint;
    }
}
