using System.Runtime.InteropServices;
using Evidence.Hashing;
using Evidence.Ledger.Witnesses;

namespace Evidence.Ledger;

/// <summary>A ledger as of the checkpoint that was read when it was opened. Reading needs no lock and no private key.</summary>
public sealed class CustodyLedger
{
    private readonly ILedgerStorage storage;
    private readonly TileReader tiles;
    private readonly CheckpointFile? file;
    private readonly IReadOnlyCollection<VerifierKey> keys;

    private CustodyLedger(ILedgerStorage storage, string origin, IReadOnlyCollection<VerifierKey> keys, CheckpointFile? file)
    {
        this.storage = storage;
        this.keys = keys;
        this.file = file;
        Checkpoint = file?.Checkpoint ?? new Checkpoint(origin, 0, MerkleTree.EmptyRoot);
        tiles = new TileReader(storage, Checkpoint.Size);
    }

    /// <summary>What the log commits to. A log that was not begun yet has size 0 and no signed note.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>The checkpoint as it was signed; empty for a log that was not begun.</summary>
    public ReadOnlyMemory<byte> SignedNote => file?.Note;

    /// <summary>Which of the known keys signed it, and which Ed25519 signatures this machine could not check.</summary>
    public NoteVerdict Signatures => file?.Verdict ?? new NoteVerdict([], [], []);

    /// <summary>The number of entries.</summary>
    public long Size => Checkpoint.Size;

    /// <summary>The root over them.</summary>
    public Sha256Digest Root => Checkpoint.Root;

    /// <summary>What the user remembers of the log; null for nothing.</summary>
    internal OwnMemory? Memory { get; init; }

    /// <summary>
    /// Opens a ledger for reading: verifies the checkpoint, that the tiles give its root, and that it only grew since it was last seen.
    /// </summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="origin">The log's origin.</param>
    /// <param name="keys">The log's keys, as pinned outside the vault; see <see cref="DeclaredIdentity"/> for a vault met for the first
    /// time.</param>
    /// <param name="seen">What was seen before; null where nothing is remembered.</param>
    /// <exception cref="EvidenceException">The ledger is damaged, or was set back, or is another one than was seen before.</exception>
    public static CustodyLedger Open(
        ILedgerStorage storage, string origin, IReadOnlyCollection<VerifierKey> keys, ISeenCheckpoints? seen = null) => Open(storage, origin, keys, seen, memory: null);

    /// <summary>Opens a ledger of which a user remembers something.</summary>
    internal static CustodyLedger Open(
        ILedgerStorage storage, string origin, IReadOnlyCollection<VerifierKey> keys, ISeenCheckpoints? seen, OwnMemory? memory)
    {
        ArgumentNullException.ThrowIfNull(storage);
        ArgumentNullException.ThrowIfNull(keys);
        Checkpoint? before = SeenRule.Find(seen, origin);
        var ledger = new CustodyLedger(storage, origin, keys, CheckpointFile.TryRead(storage, CheckpointFile.Name, origin, keys)) { Memory = memory };
        if (ledger.tiles.RootAt(ledger.Size) != ledger.Root)
            throw TileReader.Damaged("tile/", "the tiles do not give the checkpoint's root");
        SeenRule.Check(before, origin, ledger.Size, ledger.tiles.RootAt);
        if (seen is not null && ledger.file is { } current && ledger.Size > (before?.Size ?? -1))
            Remember(storage, seen, current);
        return ledger;
    }

    /// <summary>Remembers what was seen, where there is room for it: to read a ledger needs no place that can be written.</summary>
    private static void Remember(ILedgerStorage storage, ISeenCheckpoints seen, CheckpointFile current)
    {
        try
        {
            // Else a power cut could take back what its writer has not flushed yet, and the ledger would look set back.
            storage.Flush(CheckpointFile.Name);
            seen.Record(current.Checkpoint, current.Note);
        }
        catch (EvidenceException e) when (e.Code is ErrorCode.PermissionDenied or ErrorCode.DiskFull or ErrorCode.InputOutput or ErrorCode.DurabilityLost)
        {
            // What was seen before stays in force. A writer remembers by itself, and stops where it cannot.
        }
    }

    /// <summary>
    /// The identity that the vault declares for itself, read without any trust: the first vault identity in the log. Its keys say that the
    /// ledger agrees with itself, not whose it is; for that, pin them.
    /// </summary>
    /// <returns>Null where the readable part of the log declares none.</returns>
    public static VaultIdentity? DeclaredIdentity(ILedgerStorage storage)
    {
        ArgumentNullException.ThrowIfNull(storage);
        if (storage.TryRead(CheckpointFile.Name, Ledger.SignedNote.MaximumLength + 1) is not { } note)
            return null;
        try
        {
            var checkpoint = Checkpoint.Parse(Ledger.SignedNote.Parse(note).Text);
            var registry = new KeyRegistry();
            long index = 0;
            foreach (byte[] bytes in Read(new TileReader(storage, checkpoint.Size) { HoldsAgainstAbove = false }, 0, checkpoint.Size).TakeWhile(_ => registry.Vault is null))
                JudgedEntry.Judge(index++, bytes, registry);

            return registry.Vault;
        }
        catch (FormatException e)
        {
            throw new EvidenceException(ErrorCode.LedgerDamaged, $"The ledger's file {CheckpointFile.Name} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Recomputes everything and reports every wrong file: see <see cref="LedgerCheck"/>.</summary>
    public LedgerCheckResult Check(IReadOnlyCollection<VerifierKey> keys, CancellationToken cancellation = default) =>
        LedgerCheck.Run(storage, Checkpoint.Origin, keys, cancellation);

    /// <summary>
    /// How far witnesses vouch for it: the newest checkpoint with cosignatures, held against the ledger, and judged by a policy. That must be the verifier's own: a
    /// keeper who names the witnesses himself vouches for himself.
    /// </summary>
    /// <param name="policy">The verifier's policy; null for none, and then nothing is witnessed.</param>
    /// <exception cref="EvidenceException">
    /// The cosigned checkpoint is damaged, or is the log's and says that the ledger was set back (<see cref="ErrorCode.LedgerRollback"/>) or is another history
    /// (<see cref="ErrorCode.LedgerFork"/>).
    /// </exception>
    public LedgerWitnessing Witnessing(WitnessPolicy? policy)
    {
        SignedNote[] notes = [.. new SignedNote?[] { WitnessedCheckpoint.TryRead(storage, this, keys), file is null ? null : Ledger.SignedNote.Parse(file.Note) }.OfType<SignedNote>()];
        return policy is null
            ? new LedgerWitnessing(Size, [])
            : new LedgerWitnessing(Size, [.. notes.Select(note => (Ledger.Checkpoint.Parse(note.Text).Size, policy.Judge(note, keys)))]);
    }

    /// <summary>The size of the log as its files have it now, which may have grown since this was opened.</summary>
    internal long CurrentSize() => CheckpointFile.TryRead(storage, CheckpointFile.Name, Checkpoint.Origin, keys)?.Checkpoint.Size ?? 0;

    /// <summary>An entry's bytes.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The log has no such entry.</exception>
    /// <exception cref="EvidenceException">The entry's files are damaged: it is not what the tree holds.</exception>
    public byte[] ReadEntry(long index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Size);
        return ReadEntries(index, index + 1).First();
    }

    /// <summary>The bytes of a range of entries, each held against its leaf hash.</summary>
    /// <param name="from">The first index.</param>
    /// <param name="to">The index after the last, at most <see cref="Size"/>.</param>
    public IEnumerable<byte[]> ReadEntries(long from, long to)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to, Size);
        return Read(tiles, from, to);
    }

    /// <summary>All entries in order, each parsed, and its signatures judged at its place in the log.</summary>
    /// <param name="registry">Takes in the keys as the entries declare them.</param>
    public IEnumerable<JudgedEntry> JudgeEntries(KeyRegistry registry) => EntryJudge.Judge(Read(tiles, 0, Size), 0, registry);

    /// <summary>All entries in order, each judged at its place, and beside that what the whole log knows later of the keys on which it rests, and which earlier one says the same.</summary>
    /// <param name="times">What is proved from outside.</param>
    public IEnumerable<JudgedEntry> JudgeEntries(ProvedTimes times)
    {
        var hindsight = new Hindsight(FoldIdentities(), times);
        var said = new Statements();
        return JudgeEntries(new KeyRegistry()).Select(judged => judged with
        {
            Verdict = judged.Verdict is { } verdict ? hindsight.AddTo(judged.Index, verdict) : null,
            Repeats = judged.Entry is { } entry && !said.TryAdd(judged.Index, entry) ? said.Find(entry) : null,
        });
    }

    /// <summary>What the whole log declares. Entries that declare nothing are not judged.</summary>
    public KeyRegistry FoldIdentities() => FoldedLog.Fold(tiles, Memory);

    /// <summary>The root over the first entries, computed from the tiles.</summary>
    public Sha256Digest RootAt(long size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, Size);
        return tiles.RootAt(size);
    }

    /// <summary>Proves that an entry is in the log (RFC 6962, section 2.1.1), from the few tiles that the proof is made of.</summary>
    /// <param name="index">The entry's index.</param>
    /// <param name="size">The size of the log that the proof is for, at most <see cref="Size"/>; null for all of it.</param>
    /// <returns>The hashes, from the leaf's sibling up.</returns>
    /// <exception cref="EvidenceException">The tiles are damaged. What they give is held against <see cref="RootAt"/> of that size.</exception>
    public Sha256Digest[] ProveInclusion(long index, long? size = null)
    {
        long count = Within(size);
        Sha256Digest[] proof = MerkleProof.ProveInclusion(index, count, tiles.Subtree);
        return MerkleProof.VerifyInclusion(index, count, tiles.Subtree(0, index), proof, tiles.RootAt(count)) ? proof : throw Inconsistent();
    }

    /// <summary>Proves that the log at an earlier size is the beginning of the log at a later one (RFC 6962, section 2.1.2).</summary>
    /// <param name="oldSize">The earlier size.</param>
    /// <param name="newSize">The later one, at most <see cref="Size"/>; null for all of it.</param>
    /// <returns>The hashes; none where the sizes are equal, or the earlier one is 0.</returns>
    /// <exception cref="EvidenceException">The tiles are damaged.</exception>
    public Sha256Digest[] ProveConsistency(long oldSize, long? newSize = null)
    {
        long count = Within(newSize);
        Sha256Digest[] proof = MerkleProof.ProveConsistency(oldSize, count, tiles.Subtree);
        return MerkleProof.VerifyConsistency(oldSize, tiles.RootAt(oldSize), count, tiles.RootAt(count), proof) ? proof : throw Inconsistent();
    }

    private long Within(long? size)
    {
        long count = size ?? Size;
        ArgumentOutOfRangeException.ThrowIfNegative(count, nameof(size));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Size, nameof(size));
        return count;
    }

    private static EvidenceException Inconsistent() => TileReader.Damaged(TileName.Prefix, "its tiles contradict each other");

    /// <summary>Some entries, each held against the tree.</summary>
    internal static IEnumerable<byte[]> Read(TileReader tiles, long from, long to)
    {
        for (long bundle = from / TileName.FullWidth; bundle * TileName.FullWidth < to; bundle++)
        {
            IReadOnlyList<ReadOnlyMemory<byte>> entries = tiles.Entries(bundle);
            Sha256Digest[] hashes = tiles.Hashes(0, bundle);
            long first = bundle * TileName.FullWidth;
            for (int i = (int)Math.Max(from - first, 0); i < entries.Count && first + i < to; i++)
            {
                if (MerkleTree.LeafHash(entries[i].Span) != hashes[i])
                {
                    throw TileReader.Damaged(
                        TileName.At(TileName.Entries, bundle, tiles.Size).ToString(),
                        $"the entry {first + i} is not the one that the tree holds");
                }

                yield return entries[i].ToArray();
            }
        }
    }
}

/// <summary>An entry at its place in the log.</summary>
/// <param name="Index">Its index.</param>
/// <param name="Bytes">Its bytes.</param>
/// <param name="Entry">What it says; null where it is not a well-formed entry of a known version.</param>
/// <param name="Verdict">What its signatures are worth; null likewise.</param>
/// <param name="Defect">Why it could not be read, if so.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct JudgedEntry(long Index, ReadOnlyMemory<byte> Bytes, LedgerEntry? Entry, EntryVerdict? Verdict, string? Defect)
{
    /// <summary>The index of the first entry that says the same (<see cref="Statements"/>); null for that one itself, and where it was not asked.</summary>
    public long? Repeats { get; init; }

    internal static JudgedEntry Judge(long index, byte[] bytes, KeyRegistry registry)
    {
        LedgerEntry entry;
        try
        {
            entry = LedgerEntry.Parse(bytes);
        }
        catch (FormatException e)
        {
            return new JudgedEntry(index, bytes, null, null, e.Message);
        }

        return new JudgedEntry(index, bytes, entry, registry.Fold(index, entry), null);
    }
}
