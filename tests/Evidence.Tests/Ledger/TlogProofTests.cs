using System.Text;
using Evidence.Hashing;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class TlogProofTests
{
    private const int Index = 5;

    private static readonly LedgerFixture Fixture = MakeFixture();

    private static readonly byte[] Entry = Fixture.Reader().ReadEntry(Index);

    [Fact]
    public void A_proof_is_written_as_C2SP_has_it_and_read_back_as_it_is()
    {
        CustodyLedger ledger = Fixture.Reader();
        string[] hashes = [.. ledger.ProveInclusion(Index).Select(hash => Convert.ToBase64String(hash.ToArray()))];
        string expected = $"c2sp.org/tlog-proof@v1\nextra {Convert.ToBase64String(Entry)}\nindex 5\n{string.Join('\n', hashes)}\n\n{Encoding.UTF8.GetString(ledger.SignedNote.Span)}";
        byte[] bytes = Make(Entry).ToBytes();
        Assert.Equal(expected, Encoding.UTF8.GetString(bytes));
        var proof = TlogProof.Parse(bytes);
        Assert.Equal((Index, ledger.Checkpoint), (proof.Index, proof.Checkpoint));
        Assert.Equal(Entry, proof.Extra!.Value.ToArray());
        Assert.True(proof.Includes(MerkleTree.LeafHash(Entry)));
        Assert.False(proof.Includes(MerkleTree.LeafHash([.. Entry, 0])));
        Assert.True(NoteVerifier.Verify(proof.SignedCheckpoint, LedgerFixture.Keys.VerifierKeys).IsAccepted);

        Assert.Null(TlogProof.Parse(Make([]).ToBytes()).Extra);
        Assert.DoesNotContain("extra", Encoding.UTF8.GetString(Make([]).ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_of_one_entry_has_a_proof_without_hashes()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(1));
        CustodyLedger ledger = fixture.Reader();
        byte[] bytes = TlogProof.Create(0, ledger.ProveInclusion(0), ledger.SignedNote.Span).ToBytes();
        Assert.StartsWith("c2sp.org/tlog-proof@v1\nindex 0\n\n", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.True(TlogProof.Parse(bytes).Includes(MerkleTree.LeafHash(ledger.ReadEntry(0))));
    }

    [Fact]
    public void No_bit_of_a_proof_can_change_and_it_still_proves_the_entry_under_the_logs_signatures()
    {
        byte[] bytes = Make([]).ToBytes();
        Sha256Digest leaf = MerkleTree.LeafHash(Entry);
        Assert.True(Proves(bytes, leaf));
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(Proves(bytes, leaf), $"bit {bit}");
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < bytes.Length; length++)
            Assert.False(Proves(bytes[..length], leaf), $"{length} bytes");
    }

    [Theory]
    [InlineData("c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\n", "Line 1")]
    [InlineData("index 5\n", "index 05\n", "Line 2")]
    [InlineData("index 5\n", "index -5\n", "Line 2")]
    [InlineData("index 5\n", "index 9223372036854775808\n", "Line 2")]
    [InlineData("index 5\n", "extra \nindex 5\n", "Line 2")]
    [InlineData("index 5\n", "extra AAB=\nindex 5\n", "Line 2")]
    [InlineData("index 5\n", "extra AAA=\nextra AAA=\nindex 5\n", "Line 3")]
    [InlineData("index 5\n", "index 5\nextra AAA=\n", "Line 3")]
    [InlineData("index 5\n", "index 5\nAAAA\n", "Line 3")]
    [InlineData("index 5\n", "index 5\r\n", "Line 2")]
    [InlineData("index 5\n", "index 5\né\n", "Line 3")]
    [InlineData("index 5\n", "index 5 \n", "Line 2")]
    public void What_is_no_proof_is_refused_by_its_line(string right, string wrong, string line)
    {
        string text = Encoding.UTF8.GetString(Make([]).ToBytes());
        Assert.Contains(right, text, StringComparison.Ordinal);
        var error = Assert.Throws<FormatException>(() => TlogProof.Parse(Encoding.UTF8.GetBytes(text.Replace(right, wrong, StringComparison.Ordinal))));
        Assert.StartsWith(line + " of the proof", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_many_hashes_and_too_much_extra_data_are_refused()
    {
        CustodyLedger ledger = Fixture.Reader();
        Sha256Digest[] hashes = [.. Enumerable.Repeat(ledger.Root, 64)];
        Assert.Throws<FormatException>(() => TlogProof.Create(0, hashes, ledger.SignedNote.Span));
        byte[] most = TlogProof.Create(0, hashes[1..], ledger.SignedNote.Span, new byte[TlogProof.LongestExtra]).ToBytes();
        Assert.Equal(63, TlogProof.Parse(most).Hashes.Count);
        Assert.Throws<FormatException>(() => TlogProof.Create(0, [], ledger.SignedNote.Span, new byte[TlogProof.LongestExtra + 1]));
        string text = Encoding.UTF8.GetString(Make([]).ToBytes());
        string more = string.Concat(Enumerable.Repeat(Convert.ToBase64String(ledger.Root.ToArray()) + "\n", 63));
        Assert.Throws<FormatException>(() => TlogProof.Parse(Encoding.UTF8.GetBytes(text.Replace("index 5\n", "index 5\n" + more, StringComparison.Ordinal))));
        Assert.Throws<FormatException>(() => TlogProof.Parse(new byte[TlogProof.MaximumLength + 1]));
    }

    private static bool Proves(byte[] bytes, Sha256Digest leaf)
    {
        try
        {
            var proof = TlogProof.Parse(bytes);
            NoteVerdict verdict = NoteVerifier.Verify(proof.SignedCheckpoint, LedgerFixture.Keys.VerifierKeys);
            return verdict.Failed.Count == 0 && verdict.Verified.Count == 2 && proof.Includes(leaf);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static TlogProof Make(byte[] extra)
    {
        CustodyLedger ledger = Fixture.Reader();
        return TlogProof.Create(Index, ledger.ProveInclusion(Index), ledger.SignedNote.Span, extra);
    }

    private static LedgerFixture MakeFixture()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(11));
        return fixture;
    }
}
