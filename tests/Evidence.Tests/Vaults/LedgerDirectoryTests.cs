using System.Diagnostics;
using Evidence.Ledger;
using Evidence.Tests.Ledger;
using Evidence.Vaults;
using Xunit;

namespace Evidence.Tests.Vaults;

public sealed class LedgerDirectoryTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-ledger-");

    private string Root => Path.Combine(folder.FullName, "ledger");

    private LedgerDirectory Storage => new(Root);

    [Fact]
    public void Files_are_created_once_replaced_deleted_and_listed_by_prefix()
    {
        LedgerDirectory storage = Storage;
        Assert.Null(storage.TryRead("checkpoint", 10));
        Assert.Empty(storage.List(""));
        Assert.True(storage.TryCreate("tile/0/x001/234", "abc"u8));
        Assert.False(storage.TryCreate("tile/0/x001/234", "xyz"u8));
        Assert.True(storage.TryCreate("tile/0/x001/234.p/5", "p"u8));
        Assert.True(storage.TryCreate("staging/entries/00", "s"u8));
        storage.Replace("checkpoint", "1"u8);
        storage.Replace("checkpoint", "2"u8);
        Assert.Equal("ab"u8.ToArray(), storage.TryRead("tile/0/x001/234", 2));
        Assert.Equal("2"u8.ToArray(), storage.TryRead("checkpoint", 100));
        Assert.Equal(["checkpoint", "staging/entries/00", "tile/0/x001/234", "tile/0/x001/234.p/5"], storage.List(""));
        Assert.Equal(["tile/0/x001/234.p/5"], storage.List("tile/0/x001/234.p/"));
        Assert.Equal(["tile/0/x001/234", "tile/0/x001/234.p/5"], storage.List("tile/0/x001/23"));
        storage.Delete("staging/entries/00");
        storage.Delete("staging/entries/00");
        Assert.Empty(storage.List("staging/"));
    }

    [Fact]
    public void A_log_in_a_folder_is_whole_and_the_lock_removes_what_a_crash_left()
    {
        var seen = new MemorySeen();
        Directory.CreateDirectory(Path.Combine(Root, "staging", "tmp"));
        File.WriteAllText(Path.Combine(Root, "staging", "tmp", "000.abc.tmp"), "half a tile");
        foreach (int count in (int[])[5, 251, 1])
        {
            LedgerWriter.Open(Storage, LedgerFixture.Keys, seen, TestContext.Current.CancellationToken)
                .Append(LedgerFixture.Entries(count), TestContext.Current.CancellationToken);
        }

        Assert.Equal(["staging/lock"], Storage.List("staging/"));
        Assert.Empty(LedgerCheck.Run(Storage, LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys, TestContext.Current.CancellationToken).Findings);
        Assert.Equal(257, CustodyLedger.Open(Storage, LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys, seen).Size);
    }

    [Fact]
    public async Task Sequencers_side_by_side_lose_nothing()
    {
        var seen = new KeyStore(Path.Combine(folder.FullName, "keys"));
        seen.Pin(LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys);
        LedgerEntry[] entries = [.. Enumerable.Range(0, 40).Select(i => LedgerFixture.Entry($"entry {i}"))];
        await Parallel.ForEachAsync(entries, TestContext.Current.CancellationToken, (entry, cancellation) =>
        {
            AppendResult result = LedgerWriter.Open(Storage, LedgerFixture.Keys, seen, cancellation).Append([entry.ToBytes()], cancellation);
            var ledger = CustodyLedger.Open(Storage, LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys, seen);
            Assert.Equal(entry.ToBytes(), ledger.ReadEntry(result.FirstIndex));
            return ValueTask.CompletedTask;
        });
        var final = CustodyLedger.Open(Storage, LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys, seen);
        Assert.Equal(
            entries.Select(entry => entry.LeafHash).Order(), final.ReadEntries(0, 40).Select(bytes => LedgerEntry.Parse(bytes).LeafHash).Order());
        Assert.Empty(LedgerCheck.Run(Storage, LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys, TestContext.Current.CancellationToken).Findings);
    }

    [Fact]
    public void Links_and_pipes_in_a_strangers_vault_do_not_keep_the_check_from_ending()
    {
        var seen = new MemorySeen();
        LedgerWriter.Open(Storage, LedgerFixture.Keys, seen, TestContext.Current.CancellationToken)
            .Append(LedgerFixture.Entries(3), TestContext.Current.CancellationToken);
        Directory.CreateSymbolicLink(Path.Combine(Root, "tile", "loop"), Root);
        File.WriteAllText(Path.Combine(Root, ".hidden"), "");
        string tile = Path.Combine(Root, "tile", "0", "000.p", "3");
        File.Delete(tile);
        using (var mkfifo = Process.Start(new ProcessStartInfo("mkfifo", [tile]) { UseShellExecute = false })!)
            mkfifo.WaitForExit();

        LedgerCheckResult result = LedgerCheck.Run(
            Storage, LedgerFixture.Origin, LedgerFixture.Keys.VerifierKeys, TestContext.Current.CancellationToken);

        Assert.Equal(
            [(LedgerFindingKind.Foreign, ".hidden"), (LedgerFindingKind.Foreign, "tile/loop"), (LedgerFindingKind.Unreadable, "tile/0/000.p/3")],
            result.Findings.Select(finding => (finding.Kind, finding.File)));
    }

    public void Dispose() => folder.Delete(recursive: true);
}
