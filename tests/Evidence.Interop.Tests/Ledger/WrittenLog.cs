using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Vaults;
using NodaTime;
using Xunit;

namespace Evidence.Interop.Tests.Ledger;

/// <summary>A log that this library wrote to a temporary folder, with its keys in a key store beside it.</summary>
internal sealed class WrittenLog : IDisposable
{
    internal const string Origin = "evidence.example/vault/interop";

    private readonly DirectoryInfo home = Directory.CreateTempSubdirectory("evidence-interop-");

    internal WrittenLog()
    {
        Store = new KeyStore(Path.Combine(home.FullName, "keys"));
        Storage = new LedgerDirectory(Folder);
        Keys = Store.CreateLog(Origin);
        Actor = Store.CreateActor("examiner");
        Writer = LedgerWriter.Open(Storage, Keys, Store, TestContext.Current.CancellationToken);
    }

    internal string Home => home.FullName;

    internal string Folder => Path.Combine(home.FullName, "ledger");

    internal KeyStore Store { get; }

    internal ILedgerStorage Storage { get; }

    internal LogKeys Keys { get; }

    internal ActorKey Actor { get; }

    internal LedgerWriter Writer { get; }

    internal AppendResult Append(int count, string text) => Writer.Append(
        [
            .. Enumerable.Range(0, count).Select(i => LedgerEntry.Create(
                new EntryPayload(EntryKind.Note, Instant.FromUtc(2026, 1, 2, 3, 4), null, [], new JsonObject { ["text"] = $"{text} {i}" }, Actor.Id),
                Actor).ToBytes()),
        ],
        TestContext.Current.CancellationToken);

    public void Dispose()
    {
        Actor.Dispose();
        Keys.Dispose();
        home.Delete(recursive: true);
    }
}
