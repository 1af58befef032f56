using System.Globalization;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>One replication, in its order: packs, manifests, documents, the ledger's files, its checkpoint.</summary>
internal sealed class ReplicationRun
{
    private const string LedgerFolder = "ledger/";
    private const string CheckpointName = LedgerFolder + CheckpointFile.Name;

    /// <summary>Small files go into the record so many at a time.</summary>
    private const int Batch = 256;

    private readonly Vault vault;
    private readonly CustodyLedger ledger;
    private readonly ReplicaFolder target;
    private readonly ReplicaRecord record;
    private readonly HashSet<string> lost;
    private readonly IReadOnlyList<ReplicaDifference> differences;
    private readonly IProgress<ReplicationProgress>? progress;
    private readonly List<NotSentFile> damaged = [];
    private readonly List<SentFile> pending = [];
    private int packs;
    private int documents;
    private long packBytes;

    internal ReplicationRun(
        Vault vault, CustodyLedger ledger, ReplicaFolder target, ReplicaRecord record, IReadOnlyList<ReplicaDifference> lost, IProgress<ReplicationProgress>? progress)
    {
        this.vault = vault;
        this.ledger = ledger;
        this.target = target;
        this.record = record;
        this.progress = progress;
        differences = lost;
        this.lost = lost.Select(d => d.File).ToHashSet(StringComparer.Ordinal);
    }

    internal ReplicationResult Run(ReplicationOptions options, CancellationToken cancellation)
    {
        DemandContinuation();
        IReadOnlyList<ImageRecord> images = options.Images.Count == 0
            ? [.. vault.Images().Where(i => i.Entry < ledger.Size).DistinctBy(i => i.Image)]
            : [.. options.Images.Select(vault.FindImage).DistinctBy(i => i.Image)];
        SendSettings();
        var heldBack = new List<HeldBackImage>();
        ImagePacks? named = options.Images.Count == 0 ? null : new ImagePacks(vault);
        var whole = new List<ImageRecord>(images);
        if (named is not null)
            whole.RemoveAll(image => TryFindPacks(named, image, heldBack, cancellation) is null);
        IReadOnlyCollection<Sha256Digest> wanted = named?.Packs ?? vault.Layout.ListPacks();
        int earlier = wanted.Count(p => !IsMissing(NameOf(p)));
        SendPacks([.. wanted, .. LostPacks()], cancellation);
        whole.RemoveAll(image => !IsSentWhole(image, heldBack, cancellation));
        List<Sha256Digest> sent = SendManifests(whole, heldBack, cancellation);
        SendDocuments(cancellation);
        SendLedger(cancellation);
        return new ReplicationResult
        {
            Replica = target.Identity.Id,
            IsNew = target.IsNew,
            Checkpoint = ledger.Checkpoint,
            Packs = packs,
            PackBytes = packBytes,
            EarlierPacks = earlier,
            OtherBytes = named?.OtherBytes ?? 0,
            Images = sent,
            Documents = documents,
            Damaged = damaged,
            HeldBack = heldBack,
            Resent = differences,
        };
    }

    /// <summary>What was sent before must be the beginning of what is sent now: neither this vault nor the replica may go back, or take another way.</summary>
    private void DemandContinuation()
    {
        Demand(record.Checkpoint, "were sent to this replica before");
        // The one file that is replaced: what it is replaced with may only be newer. Where this machine's record is gone, it still says how far the replica is.
        if (new LedgerDirectory(target.Layout.Ledger).TryRead(CheckpointFile.Name, SignedNote.MaximumLength + 1) is not { } note)
            return;
        try
        {
            CheckpointFile file = CheckpointFile.Parse(note, vault.Ledger.Keys());
            if (file.Defect(ledger.Checkpoint.Origin, vault.Ledger.Keys()) is null)
                Demand(file.Checkpoint, "are at the replica, under a checkpoint that the log's keys signed");
        }
        catch (FormatException)
        {
            // What is no checkpoint says nothing, and is replaced.
        }
    }

    private void Demand(Checkpoint? before, string where)
    {
        if (before is null)
            return;
        if (before.Size > ledger.Size)
        {
            throw new EvidenceException(ErrorCode.LedgerRollback, string.Create(
                CultureInfo.InvariantCulture,
                $"The ledger {ledger.Checkpoint.Origin} has {ledger.Size} entries here, but {before.Size} {where}: it was set back to an older copy. Nothing is sent."));
        }

        Sha256Digest now = ledger.RootAt(before.Size);
        if (now != before.Root)
        {
            throw new EvidenceException(ErrorCode.LedgerFork, string.Create(
                CultureInfo.InvariantCulture,
                $"The first {before.Size} entries of the ledger {ledger.Checkpoint.Origin} are not those that {where}: their root is {now}, it was {before.Root}. " +
                $"There are two histories under one name. Nothing is sent; keep both copies as evidence."));
        }
    }

    private void SendSettings()
    {
        byte[] settings = VaultFiles.ReadBounded(vault.Layout.Settings, 1 << 20);
        var digest = Sha256Digest.Compute(settings);
        if (ledger.FoldIdentities().Vault is { } declared && declared.Vault != digest)
            throw new EvidenceException(ErrorCode.ContentRefuted, $"{vault.Layout.Settings} hashes to {digest}; the ledger says {declared.Vault}. Nothing is sent.");
        const string Name = "vault.json";
        if (IsMissing(Name))
            Note(target.Put(Name, settings, lost.Contains(Name)));
        Settle();
    }

    private IEnumerable<Sha256Digest> LostPacks() =>
        lost.Where(name => name.EndsWith(VaultLayout.PackExtension, StringComparison.Ordinal)).Select(name => Sha256Digest.Parse(Path.GetFileNameWithoutExtension(name)));

    private void SendPacks(IReadOnlyCollection<Sha256Digest> wanted, CancellationToken cancellation)
    {
        (Sha256Digest Pack, string Name, long Length)[] missing =
        [
            .. wanted.Distinct().Order().Select(pack => (pack, Name: NameOf(pack))).Where(p => IsMissing(p.Name))
                .Select(p => (p.pack, p.Name, new FileInfo(vault.Layout.Pack(p.pack)) is { Exists: true } file ? file.Length : 0)),
        ];
        long total = missing.Sum(p => p.Length);
        long done = 0;
        foreach ((Sha256Digest pack, string name, long length) in missing)
        {
            cancellation.ThrowIfCancellationRequested();
            try
            {
                SentFile sent = target.Put(name, Counted(PackTransfer.Read(vault.Layout, pack)), lost.Contains(name));
                record.Add([sent]);
                lost.Remove(name);
                packs++;
                packBytes += sent.Length;
            }
            catch (DamagedSourceException e)
            {
                NotSent(name, e);
            }
        }

        IEnumerable<ReadOnlyMemory<byte>> Counted(IEnumerable<ReadOnlyMemory<byte>> parts)
        {
            foreach (ReadOnlyMemory<byte> part in parts)
            {
                cancellation.ThrowIfCancellationRequested();
                yield return part;
                progress?.Report(new ReplicationProgress(done += part.Length, total));
            }
        }
    }

    /// <summary>The packs of an image; null where it is not whole here, so that it is not sent.</summary>
    private HashSet<Sha256Digest>? TryFindPacks(ImagePacks packs, ImageRecord image, List<HeldBackImage> heldBack, CancellationToken cancellation)
    {
        try
        {
            return packs.Add(image.Image, cancellation);
        }
        catch (EvidenceException e)
        {
            if (!IsManifestGood(image))
                NotSent(NameOf(image), e);
            heldBack.Add(new HeldBackImage(image.Image, image.Item, e.Message));
            return null;
        }
    }

    private bool IsManifestGood(ImageRecord image)
    {
        try
        {
            return Vault.ReadManifestFile(vault.Layout, image.Image).Bytes.Length > 0;
        }
        catch (EvidenceException)
        {
            // Said by the error that led here.
            return false;
        }
    }

    /// <summary>Whether all that an image needs was sent: a manifest at the replica says that everything of its image is there. A pack may be damaged here, or gone.</summary>
    private bool IsSentWhole(ImageRecord image, List<HeldBackImage> heldBack, CancellationToken cancellation)
    {
        if (!IsMissing(NameOf(image)))
            return true;
        if (TryFindPacks(new ImagePacks(vault), image, heldBack, cancellation) is not { } needed)
            return false;
        // One that was sealed since the packs were listed may have what others had before.
        SendPacks([.. needed.Where(p => IsMissing(NameOf(p)) && !damaged.Exists(d => string.Equals(d.File, NameOf(p), StringComparison.Ordinal)))], cancellation);
        Sha256Digest[] absent = [.. needed.Where(p => IsMissing(NameOf(p))).Order()];
        if (absent.Length > 0)
            heldBack.Add(new HeldBackImage(image.Image, image.Item, $"It needs {string.Join(", ", absent.Take(3).Select(NameOf))}{(absent.Length > 3 ? $" and {absent.Length - 3} more" : "")}, not sent because damaged."));
        return absent.Length == 0;
    }

    private List<Sha256Digest> SendManifests(IReadOnlyList<ImageRecord> images, List<HeldBackImage> heldBack, CancellationToken cancellation)
    {
        var sent = new List<Sha256Digest>();
        var known = images.Select(i => i.Image).ToHashSet();
        IEnumerable<ImageRecord> again = lost.Count == 0 ? [] : vault.Images().Where(i => !known.Contains(i.Image) && lost.Contains(NameOf(i))).DistinctBy(i => i.Image);
        foreach (ImageRecord image in images.Concat(again))
        {
            cancellation.ThrowIfCancellationRequested();
            string name = NameOf(image);
            if (!IsMissing(name))
                continue;
            try
            {
                Note(target.Put(name, Vault.ReadManifestFile(vault.Layout, image.Image).Bytes, lost.Contains(name)));
                sent.Add(image.Image);
            }
            catch (EvidenceException e) when (string.Equals(e.Code, ErrorCode.ContentRefuted, StringComparison.Ordinal))
            {
                NotSent(name, e);
                heldBack.Add(new HeldBackImage(image.Image, image.Item, e.Message));
            }
        }

        Settle();
        return sent;
    }

    /// <summary>All documents, before the entries that name them. A damaged one does not hold the ledger back: it is missed there as it is here.</summary>
    private void SendDocuments(CancellationToken cancellation)
    {
        foreach (Sha256Digest document in vault.Layout.ListDocuments())
        {
            cancellation.ThrowIfCancellationRequested();
            string name = Path.GetRelativePath(vault.Layout.Folder, vault.Layout.Document(document));
            if (!IsMissing(name))
                continue;
            try
            {
                Note(target.Put(name, DocumentTransfer.Read(vault.Layout, document, cancellation), lost.Contains(name)));
                documents++;
            }
            catch (DamagedSourceException e)
            {
                NotSent(name, e);
            }
        }

        Settle();
    }

    private void SendLedger(CancellationToken cancellation)
    {
        // A time stamp must not be there before the size that it is over, nor an entry before the time stamp that it names: so the replica goes through the sizes
        // that were stamped, whose signed checkpoints the time stamps carry.
        foreach ((string file, CheckpointFile stamped) in MissingTimestamps().OrderBy(t => t.Stamped.Checkpoint.Size))
        {
            if (stamped.Checkpoint.Size > (record.Checkpoint?.Size ?? 0))
                Advance(stamped.Checkpoint, stamped.Note, cancellation);
            Note(target.Put(LedgerFolder + file, ReadTimestamp(file), lost.Contains(LedgerFolder + file)));
            Settle();
        }

        Advance(ledger.Checkpoint, ledger.SignedNote.ToArray(), cancellation);
        SendWitnessed();
    }

    /// <summary>Takes the replica's ledger to a size: its files first, its checkpoint last.</summary>
    private void Advance(Checkpoint checkpoint, byte[] note, CancellationToken cancellation)
    {
        bool isComparing = lost.Any(name => name.StartsWith(LedgerFolder, StringComparison.Ordinal));
        var tiles = new GrownTiles(vault.Ledger.Storage, checkpoint.Size);
        foreach ((TileName tile, byte[] content) in tiles.Since(isComparing ? 0 : record.Checkpoint?.Size ?? 0))
        {
            cancellation.ThrowIfCancellationRequested();
            SendTile(tile, content);
        }

        if (checkpoint == ledger.Checkpoint)
        {
            // Those that were superseded since, and are there with other bytes.
            foreach (string name in lost.Order(StringComparer.Ordinal).Where(name => name.StartsWith(LedgerFolder, StringComparison.Ordinal)).ToArray())
            {
                if (TileName.TryParse(name[LedgerFolder.Length..], out TileName? tile))
                    SendTile(tile.Value, tiles.Content(tile.Value));
            }
        }

        Settle();
        if (checkpoint != record.Checkpoint || lost.Contains(CheckpointName))
            record.Add(target.Replace(CheckpointName, note), checkpoint);
        lost.Remove(CheckpointName);
    }

    /// <summary>The time stamps that are to be sent, with the checkpoints that they are over.</summary>
    private List<(string File, CheckpointFile Stamped)> MissingTimestamps()
    {
        var missing = new List<(string File, CheckpointFile Stamped)>();
        foreach (string file in vault.Ledger.Storage.List(TimestampDocument.Prefix))
        {
            if (TimestampDocument.DigestOf(file) is null || !IsMissing(LedgerFolder + file))
                continue;
            try
            {
                var stamped = CheckpointFile.Parse(TimestampDocument.Decode(ReadTimestamp(file)).Note, vault.Ledger.Keys());
                // One that was taken since goes with the next replication.
                if (stamped.Checkpoint.Size > ledger.Size)
                    continue;
                if (stamped.Defect(ledger.Checkpoint.Origin, vault.Ledger.Keys()) is { } defect)
                    throw new FormatException(defect);
                if (ledger.RootAt(stamped.Checkpoint.Size) != stamped.Checkpoint.Root)
                    throw new FormatException("it is over another history");
                missing.Add((file, stamped));
            }
            catch (Exception e) when (e is FormatException or EvidenceException { Code: ErrorCode.LedgerDamaged })
            {
                NotSent(LedgerFolder + file, new EvidenceException(ErrorCode.LedgerDamaged, e.Message, e));
            }
        }

        return missing;
    }

    private byte[] ReadTimestamp(string file) =>
        vault.Ledger.Storage.TryRead(file, TimestampDocument.LargestSize + 1) is { } content && Sha256Digest.Compute(content) == TimestampDocument.DigestOf(file)
            ? content
            : throw new EvidenceException(ErrorCode.LedgerDamaged, $"{LedgerFolder}{file} is not the file that its name says.");

    /// <summary>The newest witnessed checkpoint, after the one that it must not be ahead of.</summary>
    private void SendWitnessed()
    {
        const string Name = LedgerFolder + WitnessedNotes.Name;
        if (new WitnessedNotes(vault.Ledger.Storage).Published is not { } note)
            return;
        try
        {
            Checkpoint witnessed = CheckpointFile.Parse(note, []).Checkpoint;
            // One that was published since goes with the next replication.
            if (witnessed.Size > ledger.Size)
                return;
            if (!string.Equals(witnessed.Origin, ledger.Checkpoint.Origin, StringComparison.Ordinal) || ledger.RootAt(witnessed.Size) != witnessed.Root)
                throw new FormatException("it is of another history");
            if (IsMissing(Name) || record.Files[Name].Sha256 != Sha256Digest.Compute(note))
                record.Add([target.Replace(Name, note)]);
        }
        catch (FormatException e)
        {
            NotSent(Name, new EvidenceException(ErrorCode.LedgerDamaged, $"{Name} is damaged: {e.Message}", e));
        }
    }

    /// <summary>An entry names a time stamp once it is there, so those of this checkpoint are there.</summary>
    private void SendTimestamps(CancellationToken cancellation)
    {
        foreach (string file in vault.Ledger.Storage.List(TimestampDocument.Prefix))
        {
            cancellation.ThrowIfCancellationRequested();
            string name = LedgerFolder + file;
            if (TimestampDocument.DigestOf(file) is not { } digest || !IsMissing(name) ||
                vault.Ledger.Storage.TryRead(file, TimestampDocument.LargestSize + 1) is not { } content)
            {
                continue;
            }

            if (Sha256Digest.Compute(content) == digest)
                Note(target.Put(name, content, lost.Contains(name)));
            else
                NotSent(name, new EvidenceException(ErrorCode.LedgerDamaged, $"{name} is not the file that its name says."));
        }
    }

    private void SendTile(TileName tile, byte[] content)
    {
        string name = LedgerFolder + tile;
        if (IsMissing(name))
            Note(target.Put(name, content, lost.Contains(name)));
    }

    /// <summary>Whether a file is to be sent: it was not, or was found not to be there as it was.</summary>
    private bool IsMissing(string name) => !record.Has(name) || lost.Contains(name);

    private void Note(SentFile sent)
    {
        lost.Remove(sent.Name);
        pending.Add(sent);
        if (pending.Count >= Batch)
            Settle();
    }

    private void Settle()
    {
        if (pending.Count == 0)
            return;
        record.Add(pending);
        pending.Clear();
    }

    private void NotSent(string name, EvidenceException reason)
    {
        Log.NotSent(vault.Access.Logger, name, reason.Message);
        damaged.Add(new NotSentFile(name, reason.Message));
    }

    private string NameOf(Sha256Digest pack) => Path.GetRelativePath(vault.Layout.Folder, vault.Layout.Pack(pack));

    private string NameOf(ImageRecord image) => Path.GetRelativePath(vault.Layout.Folder, vault.Layout.Manifest(image.Image));
}
