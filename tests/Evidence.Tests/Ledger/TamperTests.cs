using System.Buffers.Binary;
using Evidence.Hashing;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>
/// A ledger's files under the hands of somebody without its keys: whatever is changed in them is found, at its place, and named as what it is. With EVIDENCE_LONG=1 every
/// byte, else some.
/// </summary>
public sealed class TamperTests
{
    private static readonly bool All = Environment.GetEnvironmentVariable("EVIDENCE_LONG") == "1";

    [Fact]
    [Trait("Requirement", "OUT-1")]
    public void A_changed_bit_of_any_byte_of_a_ledger_of_600_entries_is_found_at_its_place()
    {
        // In steps that leave superseded partial tiles beside the full ones, as another implementation might.
        var fixture = new LedgerFixture { Storage = new KeepingStorage() };
        foreach (int count in (int[])[3, 200, 60, 300, 37])
            fixture.Append(LedgerFixture.Entries(count, "e"));
        Assert.True(fixture.Storage.Files.ContainsKey("tile/0/000.p/203"));
        Assert.Empty(fixture.Check().Findings);
        int reads = Reads(fixture);
        int tried = 0;
        foreach (string name in fixture.Storage.List(""))
        {
            // Of the checkpoint every byte. Of tiles, whose bytes are all hashes, and of bundles, some in each hash and each entry.
            int stride = All || name is "checkpoint" ? 1 : IsBundle(name) ? 499 : 13;
            HashSet<int> lengths = IsBundle(name) && !All ? [.. Lengths(fixture.Storage.Files[name]).Where((_, i) => i % 11 == 0)] : [];
            for (int offset = 0; offset < fixture.Storage.Files[name].Length; offset++)
            {
                if (offset % stride != 0 && !lengths.Contains(offset) && !lengths.Contains(offset - 1))
                    continue;
                Try(fixture, name, offset, reads);
                tried++;
            }
        }

        TestContext.Current.TestOutputHelper!.WriteLine($"{tried} bytes of a ledger of 600 entries changed, one at a time: all found at their places");
    }

    [Fact]
    [Trait("Requirement", "OUT-1")]
    public void A_changed_bit_anywhere_in_a_ledger_of_10000_entries_is_found_at_its_place()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(10_000, "e"));
        Assert.Empty(fixture.Check().Findings);
        int reads = Reads(fixture);
        int seed = Environment.TickCount;
        var random = new Random(seed);
        string[] names = [.. fixture.Storage.List("")];
        int bytes = names.Sum(name => fixture.Storage.Files[name].Length);
        int count = All ? 5000 : 100;
        TestContext.Current.TestOutputHelper!.WriteLine($"{count} bytes of {bytes} of a ledger of 10,000 entries changed, one at a time, chosen with the seed {seed}");
        for (int i = 0; i < count; i++)
        {
            // Half of them of all files alike, half of all bytes, which are mostly those of entries.
            int at = random.Next(bytes);
            string name = i % 2 == 0 ? names[random.Next(names.Length)] : names.First(each => (at -= fixture.Storage.Files[each].Length) < 0);
            Try(fixture, name, random.Next(fixture.Storage.Files[name].Length), reads);
        }
    }

    /// <summary>Whoever changes an entry can make the leaf hashes fit, and every tile above them. The checkpoint he cannot.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void An_entry_that_was_exchanged_is_found_however_many_levels_of_tiles_were_made_to_fit(int levels)
    {
        foreach ((int size, int place) in ((int, int)[])[(600, 3), (600, 511), (600, 512), (600, 599), (256, 0), (255, 254), (512, 300), (513, 5)])
        {
            var fixture = new LedgerFixture();
            fixture.Append(LedgerFixture.Entries(size));
            Exchange(fixture, place, LedgerFixture.Entry("another").ToBytes(), levels);
            LedgerCheckResult result = fixture.Check();
            Assert.False(result.IsIntact, $"{size} entries, {place}, {levels} levels");
        }
    }

    private static void Exchange(LedgerFixture fixture, int place, byte[] entry, int levels)
    {
        int size = (int)fixture.Reader().Size;
        SortedDictionary<string, byte[]> files = fixture.Storage.Files;
        TileName bundle = TileName.At(TileName.Entries, place / 256, size);
        List<byte[]> entries = [.. EntryBundle.Read(files[bundle.ToString()], bundle.Width, out _).Select(e => e.ToArray())];
        entries[place % 256] = entry;
        var bytes = new List<byte>();
        entries.ForEach(e => EntryBundle.Append(bytes, e));
        files[bundle.ToString()] = [.. bytes];
        Sha256Digest hash = MerkleTree.LeafHash(entry);
        long index = place;
        for (int level = 0; level < levels; level++)
        {
            TileName tile = TileName.At(level, index / 256, size);
            if (tile.Width <= index % 256)
                return;
            byte[] hashes = files[tile.ToString()];
            hash.ToArray().CopyTo(hashes, index % 256 * 32);
            hash = MerkleTree.Root(TileReader.TryDecode(hashes, tile.Width)!);
            index /= 256;
        }
    }

    private static int Reads(LedgerFixture fixture)
    {
        int before = fixture.Storage.Reads;
        fixture.Check();
        return fixture.Storage.Reads - before;
    }

    private static bool IsBundle(string name) => name.StartsWith("tile/entries/", StringComparison.Ordinal);

    private static void Try(LedgerFixture fixture, string name, int offset, int reads)
    {
        byte[] content = fixture.Storage.Files[name];
        int place = IsBundle(name) ? StartOf(content, offset) : offset / Sha256Digest.Size * Sha256Digest.Size;
        content[offset] ^= (byte)(1 << (offset % 8));
        int before = fixture.Storage.Reads;
        LedgerCheckResult result = fixture.Check();
        content[offset] ^= (byte)(1 << (offset % 8));
        string what = $"byte {offset} of {name}: {string.Join(" | ", result.Findings)}";
        Assert.False(result.IsIntact, what);
        // It ends: what is read to find out is no more than some times what there is.
        Assert.True(fixture.Storage.Reads - before <= (3 * reads) + 16, what);
        LedgerFinding[] refuting = [.. result.Findings.Where(finding => finding.Refutes)];
        if (name is "checkpoint")
        {
            Assert.Equal(name, refuting[0].File);
            return;
        }

        Assert.All(refuting, finding => Assert.True(finding.File == name && finding.Offset == place, $"{place}: {what}"));
    }

    /// <summary>Where the entry begins that has a byte of a bundle.</summary>
    private static int StartOf(byte[] bundle, int offset) => Lengths(bundle).Last(start => start <= offset);

    /// <summary>Where the entries of a bundle begin: with two bytes of length.</summary>
    private static IEnumerable<int> Lengths(byte[] bundle)
    {
        for (int start = 0; start < bundle.Length; start += 2 + BinaryPrimitives.ReadUInt16BigEndian(bundle.AsSpan(start)))
            yield return start;
    }
}
