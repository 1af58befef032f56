using Evidence.Ledger;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;
using Xunit;

namespace Evidence.Tests.Ledger;

/// <summary>What is remembered of a long log saves reading it, and changes no answer.</summary>
public sealed class FoldedLogTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-folded-");
    private readonly KeyStore keys;
    private readonly OwnMemory memory;

    public FoldedLogTests()
    {
        keys = new KeyStore(folder.FullName);
        memory = Remembering("vault");
    }

    private string Kept => keys.MemoryPath("vault", "identities-1");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Of_a_log_that_was_read_once_only_what_came_since_is_read_and_it_declares_the_same()
    {
        LedgerFixture log = Long();
        string before = Told(log, null);
        Assert.Equal(before, Told(log, memory));
        byte[] kept = File.ReadAllBytes(Kept);

        // Little came since: that is read each time, and the memory stays.
        Declare(log, "late");
        log.Append(LedgerFixture.Entries(10, "late"));
        string after = Told(log, null);
        Assert.NotEqual(before, after, StringComparer.Ordinal);
        int first = log.Storage.Reads;
        Assert.Equal(after, Told(log, memory));
        Assert.InRange(log.Storage.Reads - first, 1, 16);
        Assert.Equal(kept, File.ReadAllBytes(Kept));

        // Much came since.
        log.Append(LedgerFixture.Entries((int)FoldedLog.WorthRemembering, "much"));
        Declare(log, "last");
        Assert.Equal(Told(log, null), Told(log, memory));
        Assert.NotEqual(kept, File.ReadAllBytes(Kept));
    }

    [Fact]
    public void A_memory_that_was_changed_or_is_of_another_log_or_user_is_not_used()
    {
        LedgerFixture log = Long();
        string right = Told(log, memory);
        byte[] kept = File.ReadAllBytes(Kept);
        for (int i = 0; i < kept.Length; i++)
        {
            byte[] changed = [.. kept];
            changed[i] ^= 0x04;
            File.WriteAllBytes(Kept, changed);
            Assert.Equal(right, Told(log, memory));
            Assert.Equal(kept, File.ReadAllBytes(Kept));
        }

        foreach (int length in (int[])[0, 10, kept.Length - sizeof(long), kept.Length - 1])
        {
            File.WriteAllBytes(Kept, kept[..length]);
            Assert.Equal(right, Told(log, memory));
        }

        // It is this user's, of a log of this vault that is another one now, and longer or shorter.
        LedgerFixture other = Long("another");
        Assert.Equal(Told(other, null), Told(other, memory));
        Declare(other, "late");
        Assert.Equal(right, Told(log, memory));
        string aside = keys.MemoryPath("other vault", "identities-1");
        Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
        File.Copy(Kept, aside);
        Assert.Equal(Told(other, null), Told(other, Remembering("other vault")));
    }

    [Fact]
    public void What_a_memory_names_is_held_against_the_tree()
    {
        LedgerFixture log = Long();
        Told(log, memory);
        string bundle = log.Storage.Files.Keys.Single(name => name.EndsWith("entries/000", StringComparison.Ordinal));
        log.Storage.Files[bundle][40] ^= 1;
        Assert.Equal(ErrorCode.LedgerDamaged, Assert.Throws<EvidenceException>(() => Told(log, memory)).Code);
    }

    [Fact]
    public void A_short_log_is_not_worth_it()
    {
        var log = new LedgerFixture();
        log.Append([LedgerFixture.Declaration.ToBytes(), .. LedgerFixture.Entries(100)]);
        Told(log, memory);
        Assert.False(File.Exists(Kept));
    }

    private static LedgerFixture Long(string text = "entry")
    {
        var log = new LedgerFixture();
        log.Append([LedgerFixture.Declaration.ToBytes(), .. LedgerFixture.Entries(700, text)]);
        Declare(log, "second");
        log.Append(LedgerFixture.Entries((int)FoldedLog.WorthRemembering, text));
        return log;
    }

    private static void Declare(LedgerFixture log, string name)
    {
        using var actor = ActorKey.Create();
        log.Append([LedgerFixture.Declare(actor, name, Instant.FromUtc(2026, 2, 3, 4, 5)).ToBytes()]);
    }

    private OwnMemory Remembering(string vault) => new(keys, vault, NullLogger.Instance);

    private static string Told(LedgerFixture log, OwnMemory? memory)
    {
        CustodyLedger ledger = log.Reader();
        KeyRegistry registry = FoldedLog.Fold(log.Storage, ledger.Size, ledger.Root, memory);
        return string.Join('\n', registry.Keys.Values.OrderBy(key => key.DeclaredBy).Select(key => $"{key.DeclaredBy} {key.Identity.Name} {key.KeyId} {key.EndedBy}"));
    }
}
