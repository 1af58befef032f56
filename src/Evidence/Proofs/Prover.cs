using System.Globalization;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Ledger.Timestamping;
using Evidence.Ledger.Witnesses;
using Evidence.Platform;
using Evidence.Segments;
using Evidence.Vaults;

namespace Evidence.Proofs;

/// <summary>
/// Makes proofs to carry out of a vault. The checkpoint is the newest that witnesses cosigned, where it reaches far enough; else the newest one.
/// </summary>
public sealed class Prover
{
    /// <summary>The longest range of an image that one proof is of, in bytes.</summary>
    public const long LongestRange = 256L << 20;

    private const int MostStamps = 4;

    /// <summary>How many more there are at most for places that matter because of a key that was compromised.</summary>
    private const int MostDecisive = 16;
    private const int MostStampsInAll = 64;

    private readonly Vault vault;
    private readonly CustodyLedger ledger;

    /// <summary>Proves from a vault, as its ledger is now.</summary>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    public Prover(Vault vault)
    {
        ArgumentNullException.ThrowIfNull(vault);
        this.vault = vault;
        ledger = vault.Ledger.Open();
    }

    /// <summary>Writes the proof of a subject to a new file. Of a range, one segment at a time is in memory.</summary>
    /// <param name="subject">What is to be proved.</param>
    /// <param name="path">The file; one that is there is not overwritten.</param>
    /// <param name="cancellation">Ends the work; no file is left then.</param>
    /// <exception cref="EvidenceException">There is no such entry, image or range, what it rests on is damaged, or the file cannot be written.</exception>
    public void Write(ProofSubject subject, string path, CancellationToken cancellation = default)
    {
        string written = DurableFile.WriteBeside(path, file => Write(subject, file, cancellation));
        try
        {
            using FileStream file = SmallFile.Open(written);
            Demand(file);
        }
        catch
        {
            File.Delete(written);
            throw;
        }

        if (!DurableFile.TryPublish(written, Path.GetFullPath(path)))
            throw new EvidenceException(ErrorCode.DestinationInvalid, $"There is a file {path} already; name another.");
    }

    /// <summary>The proof of a subject, as the bytes of its file.</summary>
    /// <param name="subject">What is to be proved.</param>
    /// <param name="cancellation">Ends the work.</param>
    /// <exception cref="EvidenceException">There is no such entry, image or range, or what it rests on is damaged.</exception>
    public byte[] Prove(ProofSubject subject, CancellationToken cancellation = default)
    {
        using var file = new MemoryStream();
        Write(subject, file, cancellation);
        file.Position = 0;
        Demand(file);
        return file.ToArray();
    }

    private void Write(ProofSubject subject, Stream file, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(subject);
        if (subject.Entry is { } index && index >= ledger.Size)
            throw new EvidenceException(ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"The ledger has no entry {index}: it has {ledger.Size}, from 0."));
        byte[] note = NoteFor(subject.Entry ?? ledger.Size - 1);
        var checkpoint = Checkpoint.Parse(SignedNote.Parse(note).Text);
        (IReadOnlyList<ProvedEntry> entries, IReadOnlyList<long> about, IReadOnlyList<string> named) = Entries(subject, checkpoint.Size, cancellation);
        var proof = new ProofFile
        {
            Subject = subject,
            Note = note,
            Entries = entries,
            Stamps = Stamps(subject, about, entries, checkpoint.Size, named),
        };
        if (subject.Image is not { } id)
        {
            proof.Write(file, []);
            return;
        }

        VaultImage image = vault.OpenImage(id);
        proof = proof with { Manifest = image.Manifest.ToBytes() };
        if (subject is { Offset: { } offset, Length: { } length })
            (proof with { Pages = Pages(image, offset, length) }).Write(file, Contents(image, offset, length, cancellation));
        else
            proof.Write(file, []);
    }

    /// <summary>What is handed out is checked as whoever gets it will.</summary>
    private static void Demand(Stream file)
    {
        if (ProofCheck.Run(file, null, TrustedAuthorities.None, null).Refutation is { } wrong)
            throw new EvidenceException(ErrorCode.LedgerDamaged, $"The proof does not hold, so none was made: {wrong} 'evidence verify' says what is damaged.");
    }

    private byte[] NoteFor(long index) =>
        WitnessedCheckpoint.TryRead(vault.Ledger.Storage, ledger, vault.Ledger.Keys()) is { } witnessed && Checkpoint.Parse(witnessed.Text).Size > index
            ? SignedNote.Write(witnessed.Text, witnessed.Signatures)
            : ledger.SignedNote.ToArray();

    /// <summary>
    /// The entries that it takes: all for an item, for one entry those that declare keys besides, and the last before it that names a time stamp. And which of them
    /// it is about, and the time stamps that the last entry before each of those names.
    /// </summary>
    private (IReadOnlyList<ProvedEntry> Entries, IReadOnlyList<long> About, IReadOnlyList<string> Stamps) Entries(ProofSubject subject, long size, CancellationToken cancellation)
    {
        var entries = new List<ProvedEntry>();
        var about = new List<long>();
        var stamps = new List<string>();
        (long Index, byte[] Bytes, string File)? stamp = null;
        long index = 0;
        foreach (byte[] bytes in ledger.ReadEntries(0, size))
        {
            cancellation.ThrowIfCancellationRequested();
            // About one entry, most others need not be looked into.
            bool isAnOther = subject.Item is null && index != subject.Entry && !LedgerEntry.MayBe(EntryKind.Identity, bytes) && !LedgerEntry.MayBe(EntryKind.Timestamp, bytes);
            LedgerEntry? entry = isAnOther ? null : TryParse(bytes);
            bool isSubject = index == subject.Entry || (subject.Item is not null && entry?.Payload.Items.Contains(subject.Item, StringComparer.Ordinal) == true);
            if (isSubject)
            {
                about.Add(index);
                if (stamp is { } last)
                {
                    stamps.Add(last.File);
                    if (subject.Item is null)
                        entries.Add(Proved(last.Index, last.Bytes, size));
                }
            }

            if (subject.Item is not null)
                entries.Add(new ProvedEntry(index, bytes, []));
            else if (isSubject || string.Equals(entry?.Payload.Kind, EntryKind.Identity, StringComparison.Ordinal))
                entries.Add(Proved(index, bytes, size));
            if (entry is not null && TimestampDocument.FileOf(entry.Payload) is { } file)
                stamp = (index, bytes, file);
            index++;
        }

        return ([.. entries.OrderBy(entry => entry.Index)], about, stamps);
    }

    private ProvedEntry Proved(long index, byte[] bytes, long size) => new(index, bytes, ledger.ProveInclusion(index, size));

    /// <summary>
    /// The stamps that are over an entry, the smallest logs first, for they tell most (of an item's entries the first over each); those that entries before them name; and those
    /// that prove that what a key signed was there before it was compromised.
    /// </summary>
    private IReadOnlyList<ProvedStamp> Stamps(ProofSubject subject, IReadOnlyList<long> about, IReadOnlyList<ProvedEntry> entries, long size, IReadOnlyList<string> named)
    {
        KeptTimestamp[] kept = [.. vault.Timestamps.List().Where(k => k is { Defect: null, Contradiction: null, Verdict.Refusal: null } && k.Verdict.Checkpoint.Size <= size)];
        IEnumerable<KeptTimestamp> over = subject.Item is null
            ? about.SelectMany(index => kept.Where(k => k.Verdict!.Checkpoint.Size > index).Take(MostStamps))
            : about.Select(index => kept.FirstOrDefault(k => k.Verdict!.Checkpoint.Size > index)).OfType<KeptTimestamp>();
        HashSet<string> wanted = [.. over.Select(k => k.File).Concat(named).Distinct(StringComparer.Ordinal).Take(MostStampsInAll)];
        List<KeptTimestamp> chosen = [.. kept.Where(k => wanted.Contains(k.File))];
        AddDecisive(subject, entries, kept, chosen);
        return
        [
            .. chosen.Select(k => new ProvedStamp(
                vault.Ledger.Storage.TryRead(k.File, TimestampDocument.LargestSize + 1)!,
                ledger.ProveConsistency(k.Verdict!.Checkpoint.Size, size))),
        ];
    }

    /// <summary>Else the proof would leave open what the vault can show.</summary>
    private static void AddDecisive(ProofSubject subject, IReadOnlyList<ProvedEntry> entries, KeptTimestamp[] kept, List<KeptTimestamp> chosen)
    {
        if (kept.Length == 0)
            return;
        var registry = new KeyRegistry();
        var judged = new List<JudgedEntry>();
        foreach (ProvedEntry entry in entries)
        {
            var one = JudgedEntry.Judge(entry.Index, entry.Bytes, registry);
            if (subject.Concerns(one))
                judged.Add(one);
        }

        for (int more = 0; more < MostDecisive; more++)
        {
            var hindsight = new Hindsight(registry, new ProvedTimes(chosen.Select(k => new ProvedTime(k.Verdict!.Checkpoint.Size, k.Verdict.NoLaterThan, k.Verdict.Authority))));
            KeptTimestamp? decisive = judged.Select(one => one.Verdict is { } verdict ? hindsight.AddTo(one.Index, verdict).Later : null).OfType<LaterKnowledge>()
                .Where(later => !later.IsProvedBefore)
                .Select(later => kept.FirstOrDefault(k => k.Verdict!.Checkpoint.Size > later.Place && k.Verdict.NoLaterThan < later.CompromisedSince)).OfType<KeptTimestamp>()
                .FirstOrDefault(k => !chosen.Contains(k));
            if (decisive is null)
                return;
            chosen.Add(decisive);
        }
    }

    /// <summary>The pages of the map that a range touches.</summary>
    private static List<ProvedPage> Pages(VaultImage image, long offset, long length)
    {
        if (length is < 1 or > LongestRange || offset > image.Size - length)
        {
            throw new EvidenceException(
                ErrorCode.Usage, string.Create(CultureInfo.InvariantCulture, $"The image has {image.Size} bytes, and one proof is of 1 to {LongestRange} of them: {offset}+{length} is no such range."));
        }

        SubtreeHash subtrees = MerkleLevels.Of([.. Numbers(image.Manifest.Pages).Select(number => MerkleTree.LeafHash(image.Entry(number).Root.ToArray()))]);
        var pages = new List<ProvedPage>();
        for (long number = offset / SegmentParameters.PageSize; number * SegmentParameters.PageSize < offset + length; number++)
            pages.Add(new ProvedPage(number, MapPage.Encode([.. image.Page(number).Runs]), MerkleProof.ProveInclusion(number, image.Manifest.Pages, subtrees)));
        return pages;
    }

    /// <summary>The content of the segments that a range touches, each once, in the order of their first runs.</summary>
    private static IEnumerable<byte[]> Contents(VaultImage image, long offset, long length, CancellationToken cancellation)
    {
        foreach (MapRun run in image.Runs(offset, length).Where(run => run.Kind == RunKind.Data).DistinctBy(run => run.Segment))
        {
            cancellation.ThrowIfCancellationRequested();
            var content = new byte[run.Length];
            image.ReadRun(run, content);
            yield return content;
        }
    }

    private static IEnumerable<long> Numbers(long count)
    {
        for (long number = 0; number < count; number++)
            yield return number;
    }

    private static LedgerEntry? TryParse(byte[] bytes)
    {
        try
        {
            return LedgerEntry.Parse(bytes);
        }
        catch (FormatException)
        {
            // Of another version: it is proved as it is.
            return null;
        }
    }
}
