using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Vaults;

namespace Evidence.Preservation;

/// <summary>
/// Which entries of a ledger bear on which asset, so that the gate needs not read all of them each time. It holds no fact: the entries that it names are read from the ledger and
/// judged anew. What it leaves out would be missed, though; so it is kept where the keys are, under a code of this user's, and with the size and root that it is for. One that
/// does not fit is made anew.
/// </summary>
internal sealed class DocketIndex
{
    /// <summary>Where the log grew by fewer entries than this, it is not written again.</summary>
    private const long WorthWriting = 64;

    private const string Name = "docket-4";
    private const int PairLength = 2 * sizeof(long);
    private const int HeaderLength = sizeof(long) + Sha256Digest.Size;

    // In the order of keys, then of entries.
    private readonly List<(ulong Key, long Entry)> pairs;

    private DocketIndex(List<(ulong Key, long Entry)> pairs, long size) => (this.pairs, Size) = (pairs, size);

    /// <summary>How many entries it is over.</summary>
    internal long Size { get; private set; }

    /// <summary>The index of a ledger as of its end: the one that is remembered, brought up to date, or one that is made anew.</summary>
    /// <param name="ledger">The ledger.</param>
    /// <param name="memory">Where it is remembered; null to remember nothing.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="EvidenceException">The ledger is damaged.</exception>
    internal static DocketIndex Open(CustodyLedger ledger, OwnMemory? memory, CancellationToken cancellation = default)
    {
        DocketIndex index = (memory?.TryRead(Name) is { } bytes ? TryDecode(bytes, ledger) : null) ?? new DocketIndex([], 0);
        long known = index.Size;
        index.Grow(ledger, cancellation);
        if (known == 0 || index.Size - known >= WorthWriting)
            memory?.Write(Name, index.Encode(ledger));
        return index;
    }

    /// <summary>The entries under a key, by index.</summary>
    internal IEnumerable<long> Find(string key)
    {
        ulong hash = HashOf(key);
        int at = pairs.BinarySearch((hash, long.MinValue));
        for (int i = at < 0 ? ~at : at; i < pairs.Count && pairs[i].Key == hash; i++)
            yield return pairs[i].Entry;
    }

    /// <summary>The entries that bear on an asset, in the log's order.</summary>
    internal IReadOnlyCollection<long> EntriesOf(string asset, CustodyLedger ledger)
    {
        var entries = new SortedSet<long>();
        var followed = new HashSet<string>(StringComparer.Ordinal);
        var open = new Queue<string>([DocketKeys.All, DocketKeys.Receipts, DocketKeys.Asset(asset)]);
        while (open.TryDequeue(out string? key))
        {
            if (!followed.Add(key))
                continue;
            foreach (long entry in Find(key).Where(entries.Add))
            {
                foreach (string next in DocketKeys.From(LedgerEntry.Parse(ledger.ReadEntry(entry))))
                    open.Enqueue(next);
            }
        }

        return entries;
    }

    private void Grow(CustodyLedger ledger, CancellationToken cancellation)
    {
        if (Size == ledger.Size)
            return;
        var registry = new KeyRegistry();
        foreach (long entry in Find(DocketKeys.All))
            registry.FoldIdentity(entry, LedgerEntry.Parse(ledger.ReadEntry(entry)));
        var receipts = new SortedSet<long>();
        foreach (JudgedEntry judged in EntryJudge.Judge(ledger.ReadEntries(Size, ledger.Size), Size, registry))
        {
            cancellation.ThrowIfCancellationRequested();
            if (judged is not { Entry: { } entry, Verdict.Status: EntrySignatureStatus.Valid })
                continue;
            foreach (string key in DocketKeys.Of(entry).Distinct(StringComparer.Ordinal))
                pairs.Add((HashOf(key), judged.Index));
            if (entry.Payload.Kind == EntryKind.Receipt)
                receipts.Add(judged.Index);
        }

        pairs.Sort();
        foreach (long receipt in Counted(ledger, registry, receipts))
            pairs.Add((HashOf(DocketKeys.Receipts), receipt));
        pairs.Sort();
        Size = ledger.Size;
    }

    /// <summary>
    /// Those of some receipts that count: each is about all images before it, so those are read where there is one; and it counts once, so those that counted before are.
    /// </summary>
    private List<long> Counted(CustodyLedger ledger, KeyRegistry registry, SortedSet<long> receipts)
    {
        var counted = new List<long>();
        if (receipts.Count == 0)
            return counted;
        var book = new ReceiptBook(ledger);
        foreach (long index in receipts.Union(Find(DocketKeys.Acquisitions)).Union(Find(DocketKeys.Receipts)).Order())
        {
            byte[] bytes = ledger.ReadEntry(index);
            var entry = LedgerEntry.Parse(bytes);
            // That it is valid at its place was found when it was put into the index.
            var verdict = new EntryVerdict(EntrySignatureStatus.Valid, registry.Keys[entry.Payload.Key].Identity, null);
            int before = book.Receipts.Count;
            book.Take(new JudgedEntry(index, bytes, entry, verdict, null));
            if (book.Receipts.Count > before && receipts.Contains(index))
                counted.Add(index);
        }

        return counted;
    }

    /// <summary>What is remembered; null where it is of another ledger, or of one that was longer.</summary>
    private static DocketIndex? TryDecode(ReadOnlySpan<byte> bytes, CustodyLedger ledger)
    {
        if (bytes.Length < HeaderLength || (bytes.Length - HeaderLength) % PairLength != 0)
            return null;
        long size = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        if (size < 0 || size > ledger.Size || !bytes.Slice(sizeof(long), Sha256Digest.Size).SequenceEqual(ledger.RootAt(size).ToArray()))
            return null;
        ReadOnlySpan<byte> rest = bytes[HeaderLength..];
        var read = new List<(ulong Key, long Entry)>(rest.Length / PairLength);
        for (; rest.Length > 0; rest = rest[PairLength..])
            read.Add((BinaryPrimitives.ReadUInt64LittleEndian(rest), BinaryPrimitives.ReadInt64LittleEndian(rest[sizeof(ulong)..])));
        return new DocketIndex(read, size);
    }

    private byte[] Encode(CustodyLedger ledger)
    {
        var bytes = new byte[HeaderLength + ((long)pairs.Count * PairLength)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Size);
        ledger.RootAt(Size).ToArray().CopyTo(bytes, sizeof(long));
        Span<byte> rest = bytes.AsSpan(HeaderLength);
        foreach ((ulong key, long entry) in pairs)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, key);
            BinaryPrimitives.WriteInt64LittleEndian(rest[sizeof(ulong)..], entry);
            rest = rest[PairLength..];
        }

        return bytes;
    }

    private static ulong HashOf(string key) => XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(key));
}
