using System.Globalization;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Vaults;

namespace Evidence.Replication;

/// <summary>One replication, in its order: packs, manifests, the ledger's files, its checkpoint.</summary>
internal sealed class ReplicationRun
{
    private const string CheckpointName = "ledger/" + CheckpointFile.Name;

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
        SendPacks(wanted, cancellation);
        if (damaged.Count > 0)
            whole.RemoveAll(image => !IsSentWhole(image, heldBack, cancellation));
        List<Sha256Digest> sent = SendManifests(whole, heldBack, cancellation);
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

    private void SendPacks(IReadOnlyCollection<Sha256Digest> wanted, CancellationToken cancellation)
    {
        (Sha256Digest Pack, string Name, long Length)[] missing =
        [
            .. wanted.Concat(lost.Where(l => l.EndsWith(VaultLayout.PackExtension, StringComparison.Ordinal)).Select(l => Sha256Digest.Parse(Path.GetFileNameWithoutExtension(l))))
                .Distinct().Order().Select(pack => (pack, Name: NameOf(pack))).Where(p => IsMissing(p.Name))
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
    private static HashSet<Sha256Digest>? TryFindPacks(ImagePacks packs, ImageRecord image, List<HeldBackImage> heldBack, CancellationToken cancellation)
    {
        try
        {
            return packs.Add(image.Image, cancellation);
        }
        catch (EvidenceException e)
        {
            heldBack.Add(new HeldBackImage(image.Image, image.Item, e.Message));
            return null;
        }
    }

    /// <summary>Where packs are damaged, whether all that an image needs was sent all the same. A manifest at the replica says that everything of its image is there.</summary>
    private bool IsSentWhole(ImageRecord image, List<HeldBackImage> heldBack, CancellationToken cancellation)
    {
        if (!IsMissing(NameOf(image)))
            return true;
        if (TryFindPacks(new ImagePacks(vault), image, heldBack, cancellation) is not { } needed)
            return false;
        Sha256Digest[] absent = [.. needed.Where(p => !record.Has(NameOf(p))).Order()];
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

    private void SendLedger(CancellationToken cancellation)
    {
        var tiles = new GrownTiles(vault.Ledger.Storage, ledger.Size);
        foreach ((TileName tile, byte[] content) in tiles.Since(lost.Count > 0 ? 0 : record.Checkpoint?.Size ?? 0))
        {
            cancellation.ThrowIfCancellationRequested();
            SendTile(tile, content);
        }

        // Those that were superseded since, and are there with other bytes.
        foreach (string name in lost.Order(StringComparer.Ordinal).Where(name => name.StartsWith("ledger/", StringComparison.Ordinal)).ToArray())
        {
            if (TileName.TryParse(name["ledger/".Length..], out TileName? tile))
                SendTile(tile.Value, tiles.Content(tile.Value));
        }

        Settle();
        if (ledger.Checkpoint == record.Checkpoint && !lost.Contains(CheckpointName))
            return;
        record.Add(target.Replace(CheckpointName, ledger.SignedNote.ToArray()), ledger.Checkpoint);
    }

    private void SendTile(TileName tile, byte[] content)
    {
        string name = "ledger/" + tile;
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
