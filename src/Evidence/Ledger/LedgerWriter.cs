using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// The log's sequencer: appends entries and signs checkpoints. Any number may exist, in any processes; the storage's lock lets one
/// work at a time. Each append first completes what an interrupted one left.
/// </summary>
public sealed class LedgerWriter
{
    private readonly ILedgerStorage storage;
    private readonly LogKeys keys;
    private readonly ISeenCheckpoints seen;
    private readonly FlushFailure failure;
    private readonly OwnMemory? memory;

    private LedgerWriter(ILedgerStorage storage, LogKeys keys, ISeenCheckpoints seen, FlushFailure failure, OwnMemory? memory) =>
        (this.storage, this.keys, this.seen, this.failure, this.memory) = (storage, keys, seen, failure, memory);

    /// <summary>Opens a ledger for writing, begins it where there is none, and completes an append that was interrupted.</summary>
    /// <exception cref="EvidenceException">The ledger is damaged, or was set back, or is another one than was seen before.</exception>
    public static LedgerWriter Open(ILedgerStorage storage, LogKeys keys, ISeenCheckpoints seen, CancellationToken cancellation = default) =>
        Open(storage, keys, seen, new FlushFailure(), memory: null, cancellation);

    /// <summary>Opens a ledger for writing; after a failed flush, no writer that shares the failure signs again.</summary>
    internal static LedgerWriter Open(
        ILedgerStorage storage, LogKeys keys, ISeenCheckpoints seen, FlushFailure failure, OwnMemory? memory, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(seen);
        var writer = new LedgerWriter(storage, keys, seen, failure, memory);
        _ = failure.Guard(() =>
        {
            using (storage.Lock(cancellation))
                return writer.Recover();
        });
        return writer;
    }

    /// <summary>
    /// Appends entries, after those that actors left in staging. On return they are durable and under a signed checkpoint. Beyond 16 MiB
    /// they
    /// go in several batches, each with a checkpoint of its own; after an interruption the first batches may be in and the others not.
    /// </summary>
    /// <param name="entries">Well-formed entries by keys that the log, or an entry before them, declares; may be empty, to take in only what is
    /// staged. Their signatures are not judged here, but after an interruption they are.</param>
    /// <param name="cancellation">Heeded between batches. A batch that has begun is completed.</param>
    /// <exception cref="ArgumentException">One of them is not a well-formed entry. Nothing was written.</exception>
    /// <exception cref="EvidenceException">
    /// The ledger is damaged, or cannot be written. With <see cref="ErrorCode.LedgerPending"/> the entries are durable in staging all the same, and the next
    /// append takes them in: whoever appended them anew would have them twice. With any other code they are not there.
    /// </exception>
    public AppendResult Append(IReadOnlyList<byte[]> entries, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        for (int i = 0; i < entries.Count; i++)
            Demand(entries[i], i);
        return Append((_, _) => entries, cancellation);
    }

    /// <summary>
    /// Appends entries that are made at their place: under the sequencer's lock, after those that actors left in staging, and knowing what the log declares
    /// before them. So no key that they are signed by can end meanwhile.
    /// </summary>
    /// <param name="compose">Makes the entries, given what the log declares up to there, and the index that the first of them takes.</param>
    /// <param name="cancellation">As above.</param>
    internal AppendResult Compose(Func<KeyRegistry, long, IReadOnlyList<LedgerEntry>> compose, CancellationToken cancellation = default) =>
        Append((declared, index) => [.. compose(declared(), index).Select(entry => entry.ToBytes())], cancellation);

    private AppendResult Append(Func<Func<KeyRegistry>, long, IReadOnlyList<byte[]>> compose, CancellationToken cancellation) => failure.Guard(() =>
    {
        using (storage.Lock(cancellation))
            return AppendLocked(compose, cancellation);
    });

    /// <summary>Leaves an entry for the next sequencer, without the log key. Staging the same entry again changes nothing.</summary>
    /// <exception cref="EvidenceException">Something else lies under the entry's name.</exception>
    public static void Stage(ILedgerStorage storage, LedgerEntry entry)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(entry);
        string name = StagedEntries.Name(entry.LeafHash);
        byte[] bytes = entry.ToBytes();
        // Gone again by the time it is read: a sequencer took it in.
        if (CreateStaged(storage, name, bytes) || storage.TryRead(name, bytes.Length + 1) is not { } existing)
            return;
        if (!existing.AsSpan().SequenceEqual(bytes))
            throw TileReader.Damaged(name, "it is not the entry of that leaf hash; remove it, and stage the entry again");
    }

    private AppendResult AppendLocked(Func<Func<KeyRegistry>, long, IReadOnlyList<byte[]>> compose, CancellationToken cancellation)
    {
        Position position = Recover();
        var refused = new List<RefusedEntry>();
        (IReadOnlyList<byte[]> staged, KeyRegistry? registry) = StagedEntries.Take(storage, position.Size, position.Root, refused);
        long firstIndex = position.Size + staged.Count;
        IReadOnlyList<byte[]> entries = compose(() => registry ?? FoldedLog.Fold(storage, position.Size, position.Root, memory), firstIndex);
        EvidenceException? unfinished = null;
        foreach (IReadOnlyList<ReadOnlyMemory<byte>> part in Cut(staged.Concat(entries)))
        {
            cancellation.ThrowIfCancellationRequested();
            // What the last batch left undone comes first, and there is no second try here.
            if (unfinished is not null)
                throw unfinished;
            var batch = new StagedBatch(keys.Origin, position.Size, part);
            if (!CreateStaged(storage, StagedBatch.Name, batch.ToBytes()))
                throw TileReader.Damaged(StagedBatch.Name, "it appeared while this sequencer held the lock: something else writes here");
            position = Publish(batch, position);
            unfinished = TryFinish(batch, position);
        }

        return new AppendResult(firstIndex, position.Size, position.Root, refused) { Unfinished = unfinished };
    }

    /// <summary>Creates a file in staging; where that fails, it is not there, although it may have had its name for a moment.</summary>
    private static bool CreateStaged(ILedgerStorage storage, string name, byte[] bytes)
    {
        bool isNew = storage.TryRead(name, 1) is null;
        try
        {
            return storage.TryCreate(name, bytes);
        }
        catch (EvidenceException e) when (isNew)
        {
            // Whoever hears that it failed does it again, and would have it twice.
            try
            {
                storage.Delete(name);
            }
            catch (EvidenceException)
            {
                throw new EvidenceException(
                    e.Code, $"{e.Message} Whether the entry is recorded is in doubt: 'evidence log' tells, once another one was recorded.", e);
            }

            throw;
        }
    }

    /// <summary>Takes this append's own batch into the log; it is staged, so that it is not lost where that fails.</summary>
    private Position Publish(StagedBatch batch, Position position)
    {
        try
        {
            return new Position(new BatchCommitter(storage, keys).Commit(batch, position.Root));
        }
        catch (EvidenceException e) when (!string.Equals(e.Code, ErrorCode.LedgerDamaged, StringComparison.Ordinal))
        {
            failure.Note(e);
            throw new EvidenceException(
                ErrorCode.LedgerPending,
                $"The entry is signed and waits, durable, in the ledger's {StagedBatch.Name}: whatever is recorded next takes it in. It could not go in now: {e.Message}",
                e);
        }
    }

    /// <summary>Remembers what was published, and removes what it left in staging. Failing at that takes nothing back: the next append does it.</summary>
    private EvidenceException? TryFinish(StagedBatch batch, Position position)
    {
        try
        {
            Finish(batch, position);
            return null;
        }
        catch (EvidenceException e)
        {
            failure.Note(e);
            return e;
        }
    }

    /// <summary>
    /// Reads where the log stands, holds that against what was seen, and only then brings an interrupted append to its end.
    /// </summary>
    private Position Recover()
    {
        Checkpoint? before = SeenRule.Find(seen, keys.Origin);
        var position = new Position(CheckpointFile.TryRead(storage, CheckpointFile.Name, keys.Origin, keys.VerifierKeys));
        var tiles = new TileReader(storage, position.Size);
        if (tiles.RootAt(position.Size) != position.Root)
            throw TileReader.Damaged("tile/", "the tiles do not give the checkpoint's root");
        // Before anything is signed: a batch left in an older copy of the vault must not become a second history.
        SeenRule.Check(before, keys.Origin, position.Size, tiles.RootAt);
        StagedBatch? batch = StagedBatch.TryRead(storage);
        bool isNew = position.Size > (before?.Size ?? -1);
        // A checkpoint that a power cut takes back must not be remembered, nor what it was made from be removed.
        if (position.File is not null && (isNew || batch is not null))
            storage.Flush(CheckpointFile.Name);
        if (position.File is { } file && isNew)
            seen.Record(file.Checkpoint, file.Note);
        return Complete(batch, position);
    }

    private Position Complete(StagedBatch? batch, Position position)
    {
        if (position.File is null && batch is not { Start: 0 } && storage.List(TileName.Prefix) is [var tile, ..])
            throw TileReader.Damaged(CheckpointFile.Name, $"it is missing, although the log has tiles ({tile})");
        var committer = new BatchCommitter(storage, keys);
        if (batch is null)
        {
            committer.RemoveStaleCheckpoint(position.Size);
            return position;
        }

        if (!string.Equals(batch.Origin, keys.Origin, StringComparison.Ordinal))
            throw TileReader.Damaged(StagedBatch.Name, $"it belongs to the log '{batch.Origin}'");
        if (batch.End <= position.Size)
        {
            committer.Clean(batch);
            return position;
        }

        if (batch.Start != position.Size)
        {
            throw TileReader.Damaged(StagedBatch.Name, string.Create(
                CultureInfo.InvariantCulture, $"it follows {batch.Start} entries, but the checkpoint has {position.Size}"));
        }

        Demand(batch, position, committer);
        storage.Flush(StagedBatch.Name);
        position = new Position(committer.Commit(batch, position.Root));
        Finish(batch, position);
        return position;
    }

    private void Finish(StagedBatch batch, Position position)
    {
        seen.Record(position.File!.Checkpoint, position.File.Note);
        new BatchCommitter(storage, keys).Clean(batch);
    }

    private static IEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> Cut(IEnumerable<byte[]> entries)
    {
        var part = new List<ReadOnlyMemory<byte>>();
        int bytes = 0;
        foreach (byte[] entry in entries)
        {
            int cost = StagedBatch.Cost(entry);
            if (bytes + cost > StagedBatch.MaximumEntryBytes)
            {
                yield return part;
                part = [];
                bytes = 0;
            }

            part.Add(entry);
            bytes += cost;
        }

        if (part.Count > 0)
            yield return part;
    }

    private static void Demand(byte[] entry, int index)
    {
        try
        {
            _ = LedgerEntry.Parse(entry);
        }
        catch (FormatException e)
        {
            throw new ArgumentException(
                $"Entry {index.ToString(CultureInfo.InvariantCulture)} is not well-formed: {e.Message}", nameof(entry), e);
        }
    }

    /// <summary>Whoever can write to the vault can put a batch there. They get no more signed than the staging of entries would.</summary>
    private void Demand(StagedBatch batch, Position position, BatchCommitter committer)
    {
        // Signed already: then it was this sequencer's, and nothing but the bytes that were signed can be published.
        if (committer.IsSigned(batch))
            return;
        KeyRegistry registry = FoldedLog.Fold(storage, position.Size, position.Root, memory);
        for (int i = 0; i < batch.Entries.Count; i++)
        {
            var judged = JudgedEntry.Judge(batch.Start + i, batch.Entries[i].ToArray(), registry);
            if ((judged.Defect ?? FoldedLog.Defect(judged.Verdict!)) is { } defect)
                throw TileReader.Damaged(StagedBatch.Name, string.Create(CultureInfo.InvariantCulture, $"its entry {i} cannot go in: {defect.TrimEnd('.')}"));
        }
    }

    /// <summary>Where the log stands.</summary>
    private readonly record struct Position(CheckpointFile? File)
    {
        public long Size => File?.Checkpoint.Size ?? 0;

        public Sha256Digest Root => File?.Checkpoint.Root ?? MerkleTree.EmptyRoot;
    }
}

/// <summary>What an append came to.</summary>
/// <param name="FirstIndex">The index of the first of the given entries; the others follow it.</param>
/// <param name="Size">The log's size now.</param>
/// <param name="Root">Its root now.</param>
/// <param name="Refused">Staged entries of others that were not taken in, and why.</param>
public sealed record AppendResult(long FirstIndex, long Size, Sha256Digest Root, IReadOnlyList<RefusedEntry> Refused)
{
    /// <summary>
    /// What failed after the entries were in and published: to remember the new size outside the vault, or to remove what was staged. The next append does
    /// both before anything else. Null where nothing failed.
    /// </summary>
    public EvidenceException? Unfinished { get; init; }
}
