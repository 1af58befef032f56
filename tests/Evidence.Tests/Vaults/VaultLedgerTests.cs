using System.Text.Json.Nodes;
using Evidence.Acquisition;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Sources;
using Evidence.Vaults;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Evidence.Tests.Vaults;

/// <summary>Who may write to a vault's ledger, where, and what is remembered of it.</summary>
public sealed class VaultLedgerTests : IDisposable
{
    private readonly TestVault place = new();

    [Fact]
    public void A_staged_entry_that_is_refused_is_told()
    {
        using (Vault vault = place.Create())
            _ = vault;
        string name = new('0', 64);
        string file = Path.Combine(place.Layout.Ledger, "staging", "entries", name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "{}");
        var logger = new ListLogger();

        using (Vault vault = Vault.Open(place.Folder, place.Access with { Logger = logger }))
            Note(vault);

        Assert.Contains(logger.Messages, m => m.StartsWith("Warning", StringComparison.Ordinal) && m.Contains(name, StringComparison.Ordinal));
        Assert.True(File.Exists(file));
    }

    private string PlaceFile => Directory.GetFiles(place.At("keys"), "place", SearchOption.AllDirectories).Single();

    [Fact]
    public async Task A_copy_is_only_read_and_the_message_shows_the_way_out()
    {
        place.Create().Dispose();
        string copy = place.At("copy");
        TestVault.Copy(place.Folder, copy);

        using (Vault vault = Vault.Open(copy, place.Access))
        {
            Assert.False(vault.Ledger.IsSequencer);
            Assert.Equal(2, vault.Ledger.Open().Size);
            EvidenceException error = Assert.Throws<EvidenceException>(() => Note(vault));
            Assert.Equal(ErrorCode.VaultReadOnly, error.Code);
            foreach (string named in (string[])[place.Folder, copy, PlaceFile])
                Assert.Contains(named, error.Message, StringComparison.Ordinal);
            // Nothing is read that could not be recorded.
            var source = new StreamSource(new UnreadStream(), "unread");
            error = await Assert.ThrowsAsync<EvidenceException>(() => new Acquirer(vault).AcquireAsync(source, cancellation: TestVault.Stop));
            Assert.Equal(ErrorCode.VaultReadOnly, error.Code);
            Assert.Equal(2, vault.Ledger.Open().Size);
        }

        using (Vault vault = place.Open())
            Assert.Equal(2, Note(vault));
        File.Delete(PlaceFile);
        Directory.Delete(copy, recursive: true);
        TestVault.Copy(place.Folder, copy);
        using (Vault vault = Vault.Open(copy, place.Access))
            Assert.Equal(3, Note(vault));
        using (Vault vault = place.Open())
            Assert.Equal(ErrorCode.VaultReadOnly, Assert.Throws<EvidenceException>(() => Note(vault)).Code);
    }

    [Fact]
    public void A_vault_that_is_moved_or_restored_goes_on()
    {
        place.Create().Dispose();
        string moved = place.At("moved");
        Directory.Move(place.Folder, moved);
        using (Vault vault = Vault.Open(moved, place.Access))
        {
            Assert.True(vault.Ledger.IsSequencer);
            Assert.Equal(2, Note(vault));
        }

        Assert.Contains(moved, File.ReadAllText(PlaceFile), StringComparison.Ordinal);
        string backup = place.At("backup");
        TestVault.Copy(moved, backup);
        Directory.Move(moved, place.At("given-up"));
        Directory.Move(backup, moved);
        using (Vault vault = Vault.Open(moved, place.Access))
            Assert.Equal(3, Note(vault));
        using (Vault vault = Vault.Open(place.At("given-up"), place.Access with { Keys = place.Keys }))
            Assert.False(vault.Ledger.IsSequencer);
    }

    [Fact]
    public void Where_no_place_was_kept_the_next_append_keeps_it()
    {
        place.Create().Dispose();
        File.Delete(PlaceFile);
        using Vault vault = place.Open();
        Assert.True(vault.Ledger.IsSequencer);
        Note(vault);
        Assert.Contains(place.Folder, File.ReadAllText(PlaceFile), StringComparison.Ordinal);
    }

    [Fact]
    public void Vaults_of_two_keepers_under_one_origin_do_not_accuse_each_other_until_keys_are_pinned()
    {
        place.Create().Dispose();
        string other = place.At("other");
        VaultAccess keeper = place.Access with { Keys = new KeyStore(place.At("other-keys")), CacheFolder = null };
        Vault.Create(other, VaultSettings.CreateNew("vault.example/test"), keeper).Dispose();
        var reader = new KeyStore(place.At("reader-keys"));
        VaultAccess access = place.Access with { Keys = reader, CacheFolder = null };
        long Read(string folder)
        {
            using Vault vault = Vault.Open(folder, access);
            return vault.Ledger.Open().Size;
        }

        Assert.Equal(2, Read(place.Folder));
        Assert.Equal(2, Read(other));

        reader.Pin("vault.example/test", place.Keys.Pinned("vault.example/test"));
        string older = place.At("older");
        TestVault.Copy(place.Folder, older);
        using (Vault vault = place.Open())
            Note(vault);
        Assert.Equal(3, Read(place.Folder));
        Assert.Equal(ErrorCode.LedgerRollback, Assert.Throws<EvidenceException>(() => Read(older)).Code);
        Assert.Equal(ErrorCode.LedgerDamaged, Assert.Throws<EvidenceException>(() => Read(other)).Code);
    }

    [Fact]
    public void A_vault_that_was_begun_and_never_came_to_its_place_does_not_block_its_origin()
    {
        var draft = new VaultLayout(place.At("vault.tmp"));
        VaultSettings settings = VaultSettings.CreateNew("vault.example/test");
        Directory.CreateDirectory(draft.Ledger);
        new VaultLedger(draft, settings, place.Access).Found(Sha256Digest.Compute(settings.Encode()));
        Assert.Null(place.Keys.Find("vault.example/test"));
        Directory.Delete(draft.Folder, recursive: true);

        using Vault vault = place.Create();

        Assert.NotNull(place.Keys.Find("vault.example/test"));
        Assert.Equal(2, Note(vault));
    }

    public void Dispose() => place.Dispose();

    private static long? Note(Vault vault) => vault.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["text"] = "note" });

    private sealed class UnreadStream : MemoryStream
    {
        public override int Read(Span<byte> buffer) => throw new InvalidOperationException("It was read.");

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new InvalidOperationException("It was read.");
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Messages { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Messages.Add($"{logLevel} {formatter(state, exception)}");
    }
}
