using System.Text.Json.Nodes;
using Evidence.Ledger;
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

    public void Dispose() => place.Dispose();

    private static long? Note(Vault vault) => vault.Ledger.Record(EntryKind.Note, [], null, new JsonObject { ["text"] = "note" });

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
