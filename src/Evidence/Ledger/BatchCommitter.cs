using System.Globalization;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// Takes a staged batch into the log, in the one order that survives a crash at any point: tiles and bundles, the root recomputed from the
/// bytes on disk by a second path, the signed checkpoint into staging, then, last, <c>checkpoint</c>. Every step may be repeated: it
/// finds its own bytes again.
/// </summary>
internal sealed class BatchCommitter(ILedgerStorage storage, LogKeys keys)
{
    internal const string SignedName = "staging/checkpoint";

    /// <summary>Writes, checks, signs and publishes.</summary>
    /// <param name="batch">The batch; it is durable in staging.</param>
    /// <param name="rootBefore">The root at the batch's start, from a checkpoint that was verified.</param>
    internal CheckpointFile Commit(StagedBatch batch, Sha256Digest rootBefore)
    {
        Sha256Digest root = WriteTiles(batch, rootBefore);
        WrittenTiles.Check(storage, batch.Start, batch.End, root);
        CheckpointFile signed = Sign(new Checkpoint(keys.Origin, batch.End, root), batch.Start);
        storage.Replace(CheckpointFile.Name, signed.Note);
        return signed;
    }

    /// <summary>
    /// Removes what a published batch leaves behind. The batch goes last: while it is there, the rest can be found again.
    /// </summary>
    internal void Clean(StagedBatch batch)
    {
        RemoveStagedEntries(batch);
        RemoveSupersededTiles(batch);
        storage.Delete(SignedName);
        storage.Delete(StagedBatch.Name);
    }

    /// <summary>Whether a checkpoint of the batch's end was signed, so that the batch went through here before.</summary>
    internal bool IsSigned(StagedBatch batch) =>
        CheckpointFile.TryRead(storage, SignedName, keys.Origin, keys.VerifierKeys)?.Checkpoint.Size == batch.End;

    /// <summary>Removes a signed checkpoint without its batch, if the log is past it.</summary>
    /// <exception cref="EvidenceException">It is ahead of the log: to sign anew at its size could make two histories.</exception>
    internal void RemoveStaleCheckpoint(long size)
    {
        CheckpointFile? signed = CheckpointFile.TryRead(storage, SignedName, keys.Origin, keys.VerifierKeys);
        if (signed?.Checkpoint.Size > size)
        {
            throw TileReader.Damaged(SignedName, string.Create(
                CultureInfo.InvariantCulture,
                $"it signs {signed.Checkpoint.Size} entries, the log has {size}, and the batch between them, " +
                $"{StagedBatch.Name}, is missing"));
        }

        if (signed is not null)
            storage.Delete(SignedName);
    }

    private Sha256Digest WriteTiles(StagedBatch batch, Sha256Digest rootBefore)
    {
        var before = new TileReader(storage, batch.Start);
        TreeEdge edge = TreeEdge.Load(before);
        // The edge's hashes become part of new tiles, so they must be those that the last checkpoint signed, not merely those on disk.
        if (edge.Root != rootBefore)
            throw TileReader.Damaged("tile/", "the tiles at the log's end do not give the checkpoint's root");
        var bundle = new List<byte>();
        long open = batch.Start % TileName.FullWidth;
        if (open > 0)
            LoadOpenBundle(before, batch.Start / TileName.FullWidth, edge.Level(0), bundle);
        foreach (ReadOnlyMemory<byte> entry in batch.Entries)
        {
            EntryBundle.Append(bundle, entry.Span);
            edge.Append(MerkleTree.LeafHash(entry.Span), (tile, hashes) =>
            {
                if (tile.Level == 0)
                {
                    Create(tile with { Level = TileName.Entries }, [.. bundle]);
                    bundle.Clear();
                }

                Create(tile, TreeEdge.Encode(hashes));
            });
        }

        foreach ((TileName tile, IReadOnlyList<Sha256Digest> hashes) in edge.PartialTiles())
        {
            if (tile.Level == 0)
                Create(tile with { Level = TileName.Entries }, [.. bundle]);
            Create(tile, TreeEdge.Encode(hashes));
        }

        return edge.Root;
    }

    private static void LoadOpenBundle(TileReader tiles, long index, IReadOnlyList<Sha256Digest> leafHashes, List<byte> bundle)
    {
        IReadOnlyList<ReadOnlyMemory<byte>> entries = tiles.Entries(index);
        for (int i = 0; i < entries.Count; i++)
        {
            if (MerkleTree.LeafHash(entries[i].Span) != leafHashes[i])
            {
                throw TileReader.Damaged(
                    TileName.At(TileName.Entries, index, tiles.Size).ToString(),
                    string.Create(CultureInfo.InvariantCulture, $"its entry {i} is not the one that the tree holds"));
            }

            EntryBundle.Append(bundle, entries[i].Span);
        }
    }

    /// <summary>A tile that exists is never rewritten: the same bytes are fine, other bytes are an error.</summary>
    private void Create(TileName tile, byte[] content)
    {
        string name = tile.ToString();
        if (storage.TryCreate(name, content))
            return;
        byte[]? existing = storage.TryRead(name, content.Length + 1);
        int same = existing.AsSpan().CommonPrefixLength(content);
        if (same != content.Length || existing?.Length != content.Length)
        {
            throw TileReader.Damaged(name, string.Create(
                CultureInfo.InvariantCulture, $"it exists with other content than the log's, from byte {same}; it is not overwritten"));
        }
    }

    private CheckpointFile Sign(Checkpoint checkpoint, long start)
    {
        // ECDSA signatures are random: what was signed before a crash is published as it is, not signed again.
        CheckpointFile? signed = CheckpointFile.TryRead(storage, SignedName, keys.Origin, keys.VerifierKeys);
        if (signed?.Checkpoint.Size <= start)
        {
            storage.Delete(SignedName);
            signed = null;
        }

        if (signed is null)
        {
            storage.TryCreate(SignedName, keys.Sign(checkpoint));
            // Read back and verified: nobody must ever see a signature that a fault spoilt.
            signed = CheckpointFile.TryRead(storage, SignedName, keys.Origin, keys.VerifierKeys);
        }

        return signed?.Checkpoint == checkpoint && signed.Verdict.Verified.Count == keys.VerifierKeys.Count
            ? signed
            : throw TileReader.Damaged(SignedName, string.Create(
                CultureInfo.InvariantCulture,
                $"it is not the checkpoint of {checkpoint.Size} entries with root {checkpoint.Root}, signed by both keys"));
    }

    private void RemoveStagedEntries(StagedBatch batch)
    {
        var staged = storage.List(StagedEntries.Prefix).ToHashSet(StringComparer.Ordinal);
        if (staged.Count == 0)
            return;
        foreach (ReadOnlyMemory<byte> entry in batch.Entries)
        {
            string name = StagedEntries.Name(MerkleTree.LeafHash(entry.Span));
            if (staged.Contains(name))
                storage.Delete(name);
        }
    }

    /// <summary>Only tiles that were open at the batch's start, and are full now, have partial ones beside them.</summary>
    private void RemoveSupersededTiles(StagedBatch batch)
    {
        for (int level = TileName.Entries; level <= TileName.MaximumLevel; level++)
        {
            long hashes = TileName.HashCount(level, batch.Start);
            TileName tile = TileName.At(level, hashes / TileName.FullWidth, batch.End);
            if (tile.Width == 0)
                break;
            if (tile.IsPartial)
                continue;
            foreach (string name in storage.List(tile.PartialPrefix))
                storage.Delete(name);
        }
    }
}
