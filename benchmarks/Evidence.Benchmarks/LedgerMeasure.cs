using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Ledger;
using Evidence.Segments;
using Evidence.Vaults;
using NodaTime;

namespace Evidence.Benchmarks;

/// <summary>
/// The parts that <c>benchmarks/ledger.py</c> runs as processes of their own, so that each has its own peak of memory: a ledger of notes is appended to, made, checked. Of
/// each part that is meant a line is printed: seconds of the wall, and of the processor.
/// </summary>
internal static class LedgerMeasure
{
    private const string Origin = "bench.example/ledger";
    private const int MakingBatch = 8192;

    internal static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case ["append", var folder, var entries, var batch]:
                Append(folder, Number(entries), Number(batch));
                return 0;
            case ["make", var folder, var entries]:
                Make(folder, Number(entries));
                return 0;
            case ["check", var folder]:
                Check(folder);
                return 0;
            default:
                Console.Error.WriteLine("usage: ledger append FOLDER ENTRIES BATCH | make FOLDER ENTRIES | check FOLDER");
                return 2;
        }
    }

    /// <summary>Entries of some hundred bytes, signed before the clock runs, go in by batches.</summary>
    private static void Append(string folder, int count, int batch)
    {
        using ActorKey actor = Begin(folder);
        byte[][][] batches = [.. Enumerable.Range(0, count).Select(i => Note(actor, i)).Chunk(batch)];
        using LogKeys log = Keys(folder).LoadLog(Origin);
        var writer = LedgerWriter.Open(Storage(folder), log, Keys(folder));
        Measure(() =>
        {
            foreach (byte[][] entries in batches)
                writer.Append(entries);
        });
    }

    private static void Make(string folder, int count)
    {
        using ActorKey actor = Begin(folder);
        using LogKeys log = Keys(folder).LoadLog(Origin);
        var writer = LedgerWriter.Open(Storage(folder), log, Keys(folder));
        // The vault's own two come first.
        foreach (int[] part in Enumerable.Range(2, count - 2).Chunk(MakingBatch))
            writer.Append([.. part.Select(i => Note(actor, i))]);
    }

    /// <summary>What a verification is made of: the tree recomputed from the bytes up, then each entry's signature judged at its place.</summary>
    private static void Check(string folder)
    {
        LedgerDirectory storage = Storage(folder);
        IReadOnlyList<VerifierKey> keys = Keys(folder).Pinned(Origin);
        Measure(() => Require(LedgerCheck.Run(storage, Origin, keys).IsIntact));
        Measure(() => Require(CustodyLedger.Open(storage, Origin, keys).JudgeEntries(new KeyRegistry()).All(judged => judged.Verdict?.Status == EntrySignatureStatus.Valid)));
    }

    private static ActorKey Begin(string folder)
    {
        KeyStore keys = Keys(folder);
        Vault.Create(Path.Combine(folder, "vault"), VaultSettings.CreateNew(Origin, SegmentParameters.Default, Compression.Fast), new VaultAccess { Keys = keys, Actor = "bench" }).Dispose();
        return keys.LoadActor("bench");
    }

    private static KeyStore Keys(string folder) => new(Path.Combine(folder, "home"));

    private static LedgerDirectory Storage(string folder) => new(new VaultLayout(Path.Combine(folder, "vault")).Ledger);

    private static byte[] Note(ActorKey actor, int number)
    {
        var body = new JsonObject { ["text"] = string.Create(CultureInfo.InvariantCulture, $"Round {number}: seals whole, doors locked, nothing moved") };
        return LedgerEntry.Create(
            new EntryPayload(EntryKind.Note, Instant.FromUnixTimeSeconds(1_330_000_000 + number), "2012-117", [$"server-{number % 690}"], body, actor.Id), actor).ToBytes();
    }

    private static void Measure(Action work)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        var watch = Stopwatch.StartNew();
        work();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{watch.Elapsed.TotalSeconds:0.000} {(Environment.CpuUsage.TotalTime - before).TotalSeconds:0.000}"));
    }

    private static void Require(bool holds)
    {
        if (!holds)
            throw new InvalidOperationException("The ledger is not in order.");
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
