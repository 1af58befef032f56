using System.Buffers.Binary;
using Evidence.Hashing;

namespace Evidence.Ledger;

/// <summary>
/// What the log declares up to its end, by which the sequencer judges an entry before it takes it in. Nearly all entries declare nothing; which ones may, a user remembers of a
/// long log, so that not all of it is read each time. The memory holds no fact: the entries that it names are read from the log, and are held against its root.
/// </summary>
internal static class FoldedLog
{
    /// <summary>What a log must have grown by for that to be remembered, in entries: fewer are read in a moment.</summary>
    internal const long WorthRemembering = 4096;

    private const string Name = "identities-1";
    private const int HeaderLength = sizeof(long) + Sha256Digest.Size;

    /// <summary>Goes through what the log declares, and holds it against the root: what is judged by it goes under a signature.</summary>
    /// <param name="storage">The ledger's files.</param>
    /// <param name="size">The log's size.</param>
    /// <param name="root">Its root, from a checkpoint that was verified.</param>
    /// <param name="memory">What the user remembers; null for nothing.</param>
    /// <param name="passed">Hears of each entry; then all of them are read.</param>
    /// <exception cref="EvidenceException">The entries are not those under the root.</exception>
    internal static KeyRegistry Fold(ILedgerStorage storage, long size, Sha256Digest root, OwnMemory? memory = null, Action<ReadOnlySpan<byte>>? passed = null)
    {
        var tiles = new TileReader(storage, size);
        return tiles.RootAt(size) == root
            ? Fold(tiles, passed is null ? memory : null, passed)
            : throw TileReader.Damaged("tile/", "the tiles do not give the checkpoint's root");
    }

    /// <summary>The same for tiles that were held against a signed root.</summary>
    internal static KeyRegistry Fold(TileReader tiles, OwnMemory? memory, Action<ReadOnlySpan<byte>>? passed = null)
    {
        var registry = new KeyRegistry();
        (long known, List<long> declaring) = Remembered(tiles, memory);
        foreach (long index in declaring)
            Declare(registry, index, CustodyLedger.Read(tiles, index, index + 1).Single());
        long next = known;
        foreach (byte[] bytes in CustodyLedger.Read(tiles, known, tiles.Size))
        {
            passed?.Invoke(bytes);
            // Parsing is most of the work here.
            if (LedgerEntry.MayBe(EntryKind.Identity, bytes))
            {
                declaring.Add(next);
                Declare(registry, next, bytes);
            }

            next++;
        }

        if (tiles.Size - known >= WorthRemembering)
            memory?.Write(Name, Encode(tiles, declaring));
        return registry;
    }

    /// <summary>Why an entry that was judged so does not go in; null where it does.</summary>
    internal static string? Defect(EntryVerdict verdict) => verdict switch
    {
        { Status: EntrySignatureStatus.Invalid } => "One of its signatures is wrong.",
        { Status: EntrySignatureStatus.UnknownSigner } => "It is signed by a key that no entry before it declares.",
        { Status: EntrySignatureStatus.Ended } => $"It is signed by a key that signs no more: {verdict.KeyEnd}.",
        { RefusedIdentity: { } refused } => $"It declares no identity: {refused}",
        _ => null,
    };

    private static void Declare(KeyRegistry registry, long index, byte[] bytes)
    {
        try
        {
            registry.FoldIdentity(index, LedgerEntry.Parse(bytes));
        }
        catch (FormatException)
        {
            // What is no entry declares nothing.
        }
    }

    /// <summary>How many of the first entries were gone through before, and which of them may declare something; none where nothing fits this log.</summary>
    private static (long Size, List<long> Declaring) Remembered(TileReader tiles, OwnMemory? memory)
    {
        if (tiles.Size < WorthRemembering || memory?.TryRead(Name) is not { } bytes || bytes.Length < HeaderLength || (bytes.Length - HeaderLength) % sizeof(long) != 0)
            return (0, []);
        long size = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        if (size < 0 || size > tiles.Size || tiles.RootAt(size) != new Sha256Digest(bytes.AsSpan(sizeof(long), Sha256Digest.Size)))
            return (0, []);
        var declaring = new List<long>();
        for (int at = HeaderLength; at < bytes.Length; at += sizeof(long))
            declaring.Add(BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at)));
        return (size, declaring);
    }

    private static byte[] Encode(TileReader tiles, List<long> declaring)
    {
        byte[] bytes = new byte[HeaderLength + (declaring.Count * sizeof(long))];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, tiles.Size);
        tiles.RootAt(tiles.Size).CopyTo(bytes.AsSpan(sizeof(long)));
        for (int i = 0; i < declaring.Count; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(HeaderLength + (i * sizeof(long))), declaring[i]);
        return bytes;
    }
}
