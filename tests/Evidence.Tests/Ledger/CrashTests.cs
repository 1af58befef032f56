using Evidence.Hashing;
using Evidence.Ledger;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class CrashTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void After_a_crash_at_any_write_the_log_goes_on_with_one_history_and_all_that_was_acknowledged(bool afterWriting)
    {
        for (int writes = 0; ; writes++)
        {
            var fixture = new LedgerFixture();
            IReadOnlyList<byte[]> acknowledged = [LedgerFixture.Declaration.ToBytes(), .. LedgerFixture.Entries(249, "acknowledged")];
            fixture.Append(acknowledged);
            LedgerEntry staged = LedgerFixture.Entry("staged");
            LedgerWriter.Stage(fixture.Storage, staged);
            // Over the end of a tile, so that full tiles, partial tiles and the removal of superseded ones are all among the steps.
            IReadOnlyList<byte[]> interrupted = LedgerFixture.Entries(12, "interrupted");

            var published = new Dictionary<long, Sha256Digest>();
            fixture.Storage.Written = () => Publish(fixture, published);
            fixture.Storage.WritesLeft = writes;
            fixture.Storage.FailAfterWriting = afterWriting;
            bool crashed = false;
            try
            {
                fixture.Append(interrupted);
            }
            catch (IOException)
            {
                crashed = true;
            }

            fixture.Storage.WritesLeft = null;
            // A reader meanwhile sees a whole log, old or new.
            CustodyLedger between = fixture.Reader();
            Assert.Contains(between.Size, (long[])[250, 263]);
            Assert.True(fixture.Check().IsIntact);

            AppendResult result = fixture.Append(LedgerFixture.Entries(3, "later"));

            byte[][] all = [.. fixture.Reader().ReadEntries(0, result.Size)];
            Assert.Equal(acknowledged, all.Take(250));
            Assert.Equal(staged.ToBytes(), all[250]);
            bool taken = result.Size == 250 + 1 + 12 + 3;
            Assert.True(taken || (crashed && result.Size == 250 + 1 + 3));
            if (taken)
                Assert.Equal(interrupted, all.Skip(251).Take(12));
            Assert.Empty(fixture.Check().Findings);
            Assert.Empty(fixture.Storage.List("staging/"));
            if (!crashed)
                break;
        }
    }

    [Fact]
    public void A_crash_at_any_write_of_the_completion_of_a_crashed_append_changes_nothing_either()
    {
        for (int first = 1; first < 12; first += 2)
        {
            for (int second = 0; second < 14; second++)
            {
                var fixture = new LedgerFixture();
                fixture.Append([LedgerFixture.Declaration.ToBytes(), .. LedgerFixture.Entries(249)]);
                var published = new Dictionary<long, Sha256Digest>();
                fixture.Storage.Written = () => Publish(fixture, published);
                foreach (int writes in (int[])[first, second])
                {
                    fixture.Storage.WritesLeft = writes;
                    try
                    {
                        fixture.Append(LedgerFixture.Entries(10, "interrupted"));
                    }
                    catch (IOException)
                    {
                        continue;
                    }
                }

                fixture.Storage.WritesLeft = null;
                fixture.Append(LedgerFixture.Entries(1, "later"));
                Assert.Empty(fixture.Check().Findings);
            }
        }
    }

    [Fact]
    public void A_staged_checkpoint_is_published_as_it_is_and_not_signed_again()
    {
        var fixture = new LedgerFixture();
        byte[]? signed = null;
        fixture.Storage.Written = () =>
        {
            if (signed is null && fixture.Storage.Files.TryGetValue("staging/checkpoint", out signed))
                fixture.Storage.WritesLeft = 0;
        };
        Assert.Throws<IOException>(() => fixture.Append(LedgerFixture.Entries(5)));
        fixture.Storage.WritesLeft = null;
        Assert.False(fixture.Storage.Files.ContainsKey("checkpoint"));

        fixture.Writer();

        Assert.Equal(signed, fixture.Storage.Files["checkpoint"]);
    }

    [Fact]
    public void A_tile_with_other_bytes_is_an_error_that_names_it_and_is_not_overwritten()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(5));
        byte[] planted = new byte[6 * 32];
        fixture.Storage.Files["tile/0/000.p/6"] = planted;

        var error = Assert.Throws<EvidenceException>(() => fixture.Append(LedgerFixture.Entries(1, "next")));

        Assert.Equal(ErrorCode.LedgerDamaged, error.Code);
        Assert.Contains("tile/0/000.p/6", error.Message, StringComparison.Ordinal);
        Assert.Same(planted, fixture.Storage.Files["tile/0/000.p/6"]);
        Assert.Equal(5, fixture.Reader().Size);
    }

    [Fact]
    public void A_bit_that_flips_on_the_medium_before_signing_stops_the_append_unsigned()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(255));
        fixture.Storage.Written = () =>
        {
            if (fixture.Storage.Files.TryGetValue("tile/0/000", out byte[]? tile))
                tile[100] ^= 4;
            fixture.Storage.Written = fixture.Storage.Files.ContainsKey("tile/0/000") ? null : fixture.Storage.Written;
        };

        var error = Assert.Throws<EvidenceException>(() => fixture.Append(LedgerFixture.Entries(2, "next")));

        Assert.Contains("Nothing was signed", error.Message, StringComparison.Ordinal);
        Assert.False(fixture.Storage.Files.ContainsKey("staging/checkpoint"));
        Assert.Equal(255, fixture.Reader().Size);
    }

    /// <summary>Every checkpoint that anybody could see, staged or published: never two roots of one size.</summary>
    private static void Publish(LedgerFixture fixture, Dictionary<long, Sha256Digest> published)
    {
        foreach (string name in (string[])["checkpoint", "staging/checkpoint"])
        {
            if (!fixture.Storage.Files.TryGetValue(name, out byte[]? note))
                continue;
            var checkpoint = Checkpoint.Parse(SignedNote.Parse(note).Text);
            if (!published.TryAdd(checkpoint.Size, checkpoint.Root))
                Assert.Equal(published[checkpoint.Size], checkpoint.Root);
        }
    }
}
