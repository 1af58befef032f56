using Evidence.Hashing;
using Evidence.Ledger;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Evidence.Tests.Ledger;

public sealed class LedgerCheckTests
{
    [Fact]
    public void A_missing_a_shortened_and_a_lengthened_file_are_found()
    {
        var fixture = new LedgerFixture { Storage = new KeepingStorage() };
        fixture.Append(LedgerFixture.Entries(300));
        foreach (string name in fixture.Storage.List("tile/"))
        {
            byte[] content = fixture.Storage.Files[name];
            fixture.Storage.Files.Remove(name);
            Assert.Contains(fixture.Check().Findings, found => (found.Kind, found.File).Equals((LedgerFindingKind.Missing, name)));
            foreach (byte[] wrong in (byte[][])[[], content[..^1], [.. content, 0]])
            {
                fixture.Storage.Files[name] = wrong;
                LedgerFinding finding = fixture.Check().Findings[0];
                Assert.Equal((LedgerFindingKind.Damaged, name), (finding.Kind, finding.File));
            }

            fixture.Storage.Files[name] = content;
        }

        Assert.Empty(fixture.Check().Findings);
    }

    [Fact]
    public void Foreign_files_and_files_past_the_checkpoint_are_reported_and_do_not_refute()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(10));
        fixture.Storage.Files["tile/0/000.p/11"] = new byte[11 * 32];
        fixture.Storage.Files["tile/0/000.p/011"] = [];
        fixture.Storage.Files["tile/7/000"] = new byte[8192];
        fixture.Storage.Files["notes.txt"] = [];
        fixture.Storage.Files["staging/anything"] = [];
        LedgerCheckResult result = fixture.Check();
        Assert.True(result.IsIntact);
        Assert.Equal(
            [
                (LedgerFindingKind.Foreign, "notes.txt"), (LedgerFindingKind.Foreign, "tile/0/000.p/011"),
                (LedgerFindingKind.Ahead, "tile/0/000.p/11"), (LedgerFindingKind.Ahead, "tile/7/000"),
            ],
            result.Findings.Select(finding => (finding.Kind, finding.File)));
    }

    [Fact]
    public void A_checkpoint_that_another_key_signed_and_one_without_one_of_the_signatures_are_refuted()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(3));
        using var other = LogKeys.Create(LedgerFixture.Origin);
        LedgerCheckResult result = LedgerCheck.Run(
            fixture.Storage, LedgerFixture.Origin, other.VerifierKeys, TestContext.Current.CancellationToken);
        Assert.Equal(2, result.Findings.Count(finding => finding.Kind == LedgerFindingKind.Signature));

        string note = System.Text.Encoding.UTF8.GetString(fixture.Storage.Files["checkpoint"]);
        fixture.Storage.Files["checkpoint"] = System.Text.Encoding.UTF8.GetBytes(note[..(note.TrimEnd().LastIndexOf('\n') + 1)]);
        LedgerFinding missing = Assert.Single(fixture.Check().Findings);
        Assert.Contains("missing", missing.Detail, StringComparison.Ordinal);
        Assert.Equal(3, fixture.Reader().Size);
    }

    [Fact]
    public void However_a_ledger_is_mangled_the_check_ends_with_a_verdict()
    {
        var fixture = new LedgerFixture { Storage = new KeepingStorage() };
        foreach (int count in (int[])[100, 160, 260])
            fixture.Append(LedgerFixture.Entries(count));
        var whole = fixture.Storage.Files.ToDictionary();
        string[] names = [.. whole.Keys];
        Prop.ForAll<(int File, int Offset, int Action, byte Value)[]>(changes =>
        {
            foreach ((int file, int offset, int action, byte value) in changes)
            {
                string name = names[Index(file, names.Length)];
                byte[] content = [.. whole[name]];
                int at = Index(offset, content.Length);
                switch (Index(action, 5))
                {
                    case 0:
                        content[at] = value;
                        break;
                    case 1:
                        content = content[..at];
                        break;
                    case 2:
                        content = [.. content, .. new byte[at]];
                        break;
                    case 3:
                        content = whole[names[at % names.Length]];
                        break;
                    default:
                        fixture.Storage.Files.Remove(name);
                        continue;
                }

                fixture.Storage.Files[name] = content;
            }

            bool same = names.All(name => fixture.Storage.Files.TryGetValue(name, out byte[]? content) && content.AsSpan().SequenceEqual(whole[name]));
            LedgerCheckResult result = fixture.Check();
            foreach ((string name, byte[] content) in whole)
                fixture.Storage.Files[name] = content;
            // Without a superseded partial tile the log is still whole; every other change refutes it.
            Assert.True(same ? result.IsIntact : !result.IsIntact || changes.Any(change => Index(change.Action, 5) == 4));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_forged_size_with_a_bundle_to_match_does_not_keep_the_check_counting()
    {
        var fixture = new LedgerFixture();
        fixture.Append(LedgerFixture.Entries(3));
        const long Size = 1L << 60;
        fixture.Storage.Files["checkpoint"] = LedgerFixture.Keys.Sign(new Checkpoint(LedgerFixture.Origin, Size, MerkleTree.EmptyRoot));
        fixture.Storage.Files[TileName.At(TileName.Entries, (Size / 256) - 1, Size).ToString()] = [0];
        LedgerCheckResult result = fixture.Check();
        Assert.Equal(LedgerFindingKind.Missing, result.Findings[0].Kind);
        Assert.False(result.IsIntact);
    }

    [Fact]
    public void Without_a_checkpoint_nothing_is_vouched_for()
    {
        LedgerCheckResult result = new LedgerFixture().Check();
        Assert.False(result.IsIntact);
        Assert.Equal((LedgerFindingKind.Missing, "checkpoint"), (result.Findings[0].Kind, result.Findings[0].File));
    }

    private static int Index(int value, int count) => (int)(unchecked((uint)value) % (uint)count);
}
