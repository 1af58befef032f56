using System.Text.Json.Nodes;
using Evidence.Canonical;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Platform;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;

namespace Evidence.Replication;

/// <summary>A file that was sent, as it lay there when it was: the latest word on its name counts.</summary>
/// <param name="Name">Its name in the vault.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Sha256">The SHA-256 of it.</param>
internal sealed record SentFile(string Name, long Length, Sha256Digest Sha256);

/// <summary>
/// What the sender knows to have sent to one replica (<c>docs/format/vault.md</c>, Replicas). It lies beside the sender's keys, where nobody who has the replica
/// can write, and only what is durable at the replica comes into it. Where it is lost, or ends early, files are sent again, and found there.
/// </summary>
internal sealed class ReplicaRecord : IDisposable
{
    private readonly JournalFile file;
    private readonly FileLock held;
    private readonly Dictionary<string, SentFile> files = new(StringComparer.Ordinal);

    private ReplicaRecord(JournalFile file, FileLock held) => (this.file, this.held) = (file, held);

    /// <summary>What was sent, by name.</summary>
    internal IReadOnlyDictionary<string, SentFile> Files => files;

    /// <summary>The newest checkpoint that was sent; null before the first.</summary>
    internal Checkpoint? Checkpoint { get; private set; }

    /// <summary>Opens the record of a replica, or begins it.</summary>
    /// <param name="keys">Beside what it lies.</param>
    /// <param name="origin">The log's origin.</param>
    /// <param name="replica">Which replica.</param>
    /// <param name="logger">Hears of a record that cannot be used.</param>
    /// <exception cref="EvidenceException">Another process sends to this replica (<see cref="ErrorCode.VaultBusy"/>), or it cannot be read.</exception>
    internal static ReplicaRecord Open(KeyStore keys, string origin, ReplicaIdentity replica, ILogger logger)
    {
        string path = keys.ReplicaRecordPath(origin, replica.Id);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        FileLock taken = FileLock.TryAcquire(path + ".lock")
            ?? throw new EvidenceException(ErrorCode.VaultBusy, $"Another process is sending to the replica {replica.Id}. Wait until it has ended.");
        try
        {
            var record = new ReplicaRecord(new JournalFile(path, keys.JournalKey("replica " + replica.Id)), taken);
            DurableFile.SyncName(path);
            record.Read(origin, replica);
            if (record.file.IsForeign)
                Log.ReplicaRecordUnusable(logger, path);
            return record;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    /// <summary>Whether a file was sent.</summary>
    internal bool Has(string name) => files.ContainsKey(name);

    /// <summary>Takes note of files that are durable at the replica; durable on return.</summary>
    internal void Add(IReadOnlyList<SentFile> sent)
    {
        file.Append([.. sent.Select(ToJson)]);
        foreach (SentFile each in sent)
            files[each.Name] = each;
    }

    /// <summary>Takes note of the checkpoint.</summary>
    internal void Add(SentFile sent, Checkpoint checkpoint)
    {
        JsonObject line = ToJson(sent);
        line["size"] = DecimalText.Format(checkpoint.Size);
        line["root"] = checkpoint.Root.ToString();
        file.Append([line]);
        files[sent.Name] = sent;
        Checkpoint = checkpoint;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        file.Dispose();
        held.Dispose();
    }

    private void Read(string origin, ReplicaIdentity replica)
    {
        bool isFirst = true;
        file.Read(line =>
        {
            if (isFirst)
            {
                isFirst = false;
                return string.Equals(line.RequireString("replica"), replica.Id, StringComparison.Ordinal) &&
                    string.Equals(line.RequireString("vault"), replica.Vault, StringComparison.Ordinal) &&
                    string.Equals(line.RequireString("origin"), origin, StringComparison.Ordinal);
            }

            var sent = new SentFile(line.RequireString("file"), line.RequireDecimal("length"), Sha256Digest.Parse(line.RequireDigest("sha256")));
            if (line.ContainsKey("size"))
                Checkpoint = new Checkpoint(origin, line.RequireDecimal("size"), Sha256Digest.Parse(line.RequireDigest("root")));
            files[sent.Name] = sent;
            return true;
        });
        file.Settle();
        if (isFirst || file.IsForeign)
            file.Append([new JsonObject { ["replica"] = replica.Id, ["vault"] = replica.Vault, ["origin"] = origin }]);
    }

    private static JsonObject ToJson(SentFile sent) =>
        new() { ["file"] = sent.Name, ["length"] = DecimalText.Format(sent.Length), ["sha256"] = sent.Sha256.ToString() };
}
