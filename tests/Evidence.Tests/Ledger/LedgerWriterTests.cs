using Evidence.Hashing;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class LedgerWriterTests
{
    [Fact]
    public void What_is_appended_is_read_again_in_order_and_the_check_finds_nothing()
    {
        var fixture = new LedgerFixture();
        IReadOnlyList<byte[]> entries = LedgerFixture.Entries(600);
        int at = 0;
        foreach (int count in (int[])[1, 1, 5, 248, 1, 1, 255, 88])
        {
            AppendResult result = fixture.Append([.. entries.Skip(at).Take(count)]);
            Assert.Equal(at, result.FirstIndex);
            at += count;
            Assert.Equal(MerkleTree.Root([.. entries.Take(at).Select(entry => MerkleTree.LeafHash(entry))]), result.Root);
            Assert.Empty(fixture.Check().Findings);
        }

        CustodyLedger ledger = fixture.Reader();
        Assert.Equal(600, ledger.Size);
        Assert.Equal(entries, ledger.ReadEntries(0, 600));
        Assert.Equal(entries[511], ledger.ReadEntry(511));
        Assert.Equal(entries.Skip(200).Take(100), ledger.ReadEntries(200, 300));
        Assert.Empty(fixture.Storage.List("staging/"));
        for (int size = 0; size <= 600; size += 7)
            Assert.Equal(MerkleTree.Root([.. entries.Take(size).Select(entry => MerkleTree.LeafHash(entry))]), ledger.RootAt(size));
    }

    [Fact]
    public void Staged_entries_are_taken_in_first_and_malformed_ones_are_left_and_reported()
    {
        var fixture = new LedgerFixture();
        fixture.Append([LedgerFixture.Declaration.ToBytes()]);
        LedgerEntry staged = LedgerFixture.Entry("by someone without the log key");
        LedgerWriter.Stage(fixture.Storage, staged);
        LedgerWriter.Stage(fixture.Storage, staged);
        string malformed = "staging/entries/" + MerkleTree.LeafHash("{}"u8);
        fixture.Storage.Files[malformed] = "{}"u8.ToArray();
        fixture.Storage.Files["staging/entries/" + new string('0', 64)] = staged.ToBytes();

        AppendResult result = fixture.Append(LedgerFixture.Entries(1));

        Assert.Equal(2, result.FirstIndex);
        Assert.Equal(3, result.Size);
        Assert.Equal(2, result.Refused.Count);
        Assert.Equal(staged.ToBytes(), fixture.Reader().ReadEntry(1));
        Assert.True(fixture.Storage.Files.ContainsKey(malformed));
        Assert.Equal(2, fixture.Storage.List("staging/").Count);
    }

    [Fact]
    public void Seventy_thousand_entries_make_the_tiles_that_the_format_names()
    {
        var fixture = new LedgerFixture();
        byte[] entry = LedgerFixture.Entry("again").ToBytes();
        AppendResult result = fixture.Append([.. Enumerable.Repeat(entry, 70_000)]);

        Assert.Equal(70_000, result.Size);
        Assert.Equal(MerkleTree.Root([.. Enumerable.Repeat(MerkleTree.LeafHash(entry), 70_000)]), result.Root);
        string[] level0 = [.. fixture.Storage.List("tile/0/")];
        Assert.Equal(273, level0.Count(name => !name.Contains(".p/", StringComparison.Ordinal)));
        Assert.Contains("tile/0/273.p/112", level0, StringComparer.Ordinal);
        Assert.True(fixture.Storage.Files.ContainsKey("tile/1/000"));
        Assert.True(fixture.Storage.Files.ContainsKey("tile/1/001.p/17"));
        Assert.True(fixture.Storage.Files.ContainsKey("tile/2/000.p/1"));
        Assert.Empty(fixture.Check().Findings);
    }

    [Theory]
    // The batch is not staged, and what was made of it is taken back; it is, and waits.
    [InlineData(0, ErrorCode.DurabilityLost, 0)]
    [InlineData(3, ErrorCode.LedgerPending, 1)]
    public void After_a_failed_flush_no_writer_that_shares_it_signs_again(int writes, string code, long taken)
    {
        var fixture = new LedgerFixture();
        var failure = new FlushFailure();
        int left = writes;
        fixture.Storage.Written = () =>
        {
            if (left-- == 0)
                throw new EvidenceException(ErrorCode.DurabilityLost, "The flush failed.");
        };
        AppendResult Append() => LedgerWriter.Open(fixture.Storage, LedgerFixture.Keys, fixture.Seen, failure, memory: null, TestContext.Current.CancellationToken)
            .Append([LedgerFixture.Declaration.ToBytes()], TestContext.Current.CancellationToken);
        EvidenceException first = Assert.Throws<EvidenceException>(Append);
        Assert.Equal(code, first.Code);
        Assert.EndsWith("The flush failed.", first.Message, StringComparison.Ordinal);
        int files = fixture.Storage.Files.Count;

        EvidenceException error = Assert.Throws<EvidenceException>(Append);

        Assert.Equal(ErrorCode.DurabilityLost, error.Code);
        Assert.Contains("stopped after a failed flush", error.Message, StringComparison.Ordinal);
        Assert.Equal(files, fixture.Storage.Files.Count);
        // Another process begins with what is there.
        Assert.Equal(taken, fixture.Append([]).Size);
    }
}
