using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class SeenTests
{
    [Fact]
    public void A_vault_that_was_set_back_is_a_rollback_for_reader_and_writer_with_both_sizes()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(5));
        var older = fixture.Storage.Files.ToDictionary();
        fixture.Append(LedgerFixture.Entries(3, "more"));
        Restore(fixture.Storage, older);

        foreach (Action open in (Action[])[() => fixture.Reader(), () => fixture.Writer()])
        {
            var error = Assert.Throws<EvidenceException>(open);
            Assert.Equal(ErrorCode.LedgerRollback, error.Code);
            Assert.Contains("has 5 entries, but 8 were seen", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_wiped_vault_is_a_rollback_too()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(5));
        fixture.Storage.Files.Clear();
        Assert.Equal(ErrorCode.LedgerRollback, Assert.Throws<EvidenceException>(() => fixture.Writer()).Code);
    }

    [Fact]
    public void Another_history_under_the_same_name_is_a_fork()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(5));
        var other = new LedgerFixture { Seen = new MemorySeen() };
        other.Append(LedgerFixture.Entries(4));
        other.Append(LedgerFixture.Entries(4, "other"));
        Restore(fixture.Storage, other.Storage.Files);

        foreach (Action open in (Action[])[() => fixture.Reader(), () => fixture.Writer()])
        {
            var error = Assert.Throws<EvidenceException>(open);
            Assert.Equal(ErrorCode.LedgerFork, error.Code);
            Assert.Contains("8 entries", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_batch_left_in_an_older_copy_is_not_signed_into_a_second_history()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(5));
        fixture.Storage.WritesLeft = 1;
        Assert.Throws<IOException>(() => fixture.Append(LedgerFixture.Entries(2, "staged")));
        fixture.Storage.WritesLeft = null;
        Assert.True(fixture.Storage.Files.ContainsKey("staging/batch"));
        var older = fixture.Storage.Files.ToDictionary();
        fixture.Storage.Files.Remove("staging/batch");
        fixture.Append(LedgerFixture.Entries(2, "others"));
        Restore(fixture.Storage, older);

        Assert.Equal(ErrorCode.LedgerRollback, Assert.Throws<EvidenceException>(() => fixture.Writer()).Code);
        Assert.Equal(5, Checkpoint.Parse(SignedNote.Parse(fixture.Storage.Files["checkpoint"]).Text).Size);
    }

    /// <summary>A damaged tile gives another root at an earlier size. That accuses nobody.</summary>
    [Fact]
    public void Damage_below_what_was_seen_is_no_other_history()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(100));
        fixture.Append(LedgerFixture.Entries(500));
        // Seen when it had 100, in a tile that is full since.
        var older = new LedgerFixture();
        older.Append([.. fixture.Reader().ReadEntries(0, 100)]);
        fixture.Storage.Files["tile/0/000"][5] ^= 1;
        EvidenceException error = Assert.Throws<EvidenceException>(
            () => CustodyLedger.Open(fixture.Storage, LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys, older.Seen));
        Assert.Equal(ErrorCode.LedgerDamaged, error.Code);
        Assert.Contains("tile/0/000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_checkpoint_over_tiles_is_damage_not_a_new_log()
    {
        var fixture = new LedgerFixture { Seen = new MemorySeen() };
        fixture.Append(LedgerFixture.Entries(5));
        fixture.Storage.Files.Remove("checkpoint");
        var forgetful = new LedgerFixture { Storage = fixture.Storage };
        Assert.Equal(ErrorCode.LedgerDamaged, Assert.Throws<EvidenceException>(() => forgetful.Writer()).Code);
        Assert.False(forgetful.Check().IsIntact);
    }

    private static void Restore(MemoryStorage storage, IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        storage.Files.Clear();
        foreach ((string name, byte[] content) in files)
            storage.Files.Add(name, content);
    }
}
