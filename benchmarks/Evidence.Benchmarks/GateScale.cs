using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Evidence.Hashing;
using Evidence.Ledger;
using Evidence.Preservation;
using Evidence.Preservation.Statements;
using Evidence.Vaults;
using Microsoft.Extensions.Logging.Abstractions;
using NodaTime;

namespace Evidence.Benchmarks;

/// <summary>
/// The wipe gate over a large ledger: so many assets, each with a hold, notices, deliveries and answers, and remarks up to so many entries. Prints a table; times are of one run.
/// </summary>
internal static class GateScale
{
    private const string Origin = "vault.example/gate-scale";
    private static readonly Instant Begin = Instant.FromUtc(2012, 1, 20, 9, 0);

    internal static void Run(int assets, long entries)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("evidence-gate-scale-");
        try
        {
            var storage = new LedgerDirectory(Path.Combine(folder.FullName, "ledger"));
            var keys = new KeyStore(Path.Combine(folder.FullName, "keys"));
            using var log = LogKeys.Create(Origin);
            (PreservationPolicy policy, List<OutsideTime> times) = Write(storage, log, assets, entries);
            CustodyLedger ledger = CustodyLedger.Open(storage, Origin, log.VerifierKeys);
            var memory = new OwnMemory(keys, "gate-scale", NullLogger.Instance);
            var material = new Material(policy, times);
            Instant now = times[^1].NotBefore;

            long heap = Heap();
            Docket whole = Timed("first opening: all entries read, all signatures judged", () => Docket.Read(ledger));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  the docket of everything keeps {(Heap() - heap) / 1048576.0:0} MiB"));
            _ = Timed("gate, one asset, on the docket of everything", () => WipeGate.Judge(whole, material, "server-0", now));
            _ = Timed("gate, one asset, again", () => WipeGate.Judge(whole, material, "server-1", now));
            int cleared = Timed("status of all assets", () => whole.Assets.Keys.Count(asset => WipeGate.Judge(whole, material, asset, now).IsCleared));
            _ = Timed("index made anew, and kept", () => DocketIndex.Open(ledger, memory));
            GateDecision answer = Timed("gate by the kept index, ledger opened anew", () =>
            {
                CustodyLedger opened = CustodyLedger.Open(storage, Origin, log.VerifierKeys);
                return WipeGate.Judge(Docket.ReadFor(opened, DocketIndex.Open(opened, memory), "server-2"), material, "server-2", now);
            });
            _ = Timed("again", () =>
            {
                CustodyLedger opened = CustodyLedger.Open(storage, Origin, log.VerifierKeys);
                return WipeGate.Judge(Docket.ReadFor(opened, DocketIndex.Open(opened, memory), "server-3"), material, "server-3", now);
            });
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {ledger.Size} entries, {whole.Assets.Count} assets, {cleared} cleared; index {new FileInfo(keys.MemoryPath("gate-scale", "docket-4")).Length / 1048576.0:0.0} MiB; answer {answer.IsCleared}; peak {Process.GetCurrentProcess().PeakWorkingSet64 / 1048576} MiB"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static long Heap() => GC.GetTotalMemory(forceFullCollection: true);

    private static T Timed<T>(string what, Func<T> work)
    {
        long began = Stopwatch.GetTimestamp();
        T result = work();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {Stopwatch.GetElapsedTime(began).TotalMilliseconds,12:0.0} ms  {what}"));
        return result;
    }

    private static (PreservationPolicy Policy, List<OutsideTime> Times) Write(LedgerDirectory storage, LogKeys log, int assets, long entries)
    {
        using ActorKey keeper = ActorKey.Create();
        var writer = LedgerWriter.Open(storage, log, new Nothing());
        var batch = new List<byte[]>();
        long size = 0;
        Instant now = Begin;
        var times = new List<OutsideTime>();
        PreservationPolicy policy = PreservationPolicy.Default with { Approvals = PreservationPolicy.Default.Approvals with { Count = 0 } };
        Put(EntryKind.Identity, [], new ActorIdentity("keeper", null, keeper.PublicKey).ToJson());
        Put(EntryKind.Identity, [], new VaultIdentity(Origin, default, log.VerifierKeys).ToJson());
        Say([], new PolicyStatement(policy.Digest, policy.Name, null));
        string[] parties = ["customer", "counsel"];
        foreach (string party in parties)
            Say([], new PartyStatement(party, party == "customer" ? PartyRole.Customer : PartyRole.Counsel, party, null, null, "Etc/UTC", null, null));
        string[] all = [.. Enumerable.Range(0, assets).Select(i => $"server-{i}")];
        foreach (string asset in all)
            Say([asset], new AssetDeclaration(asset, [$"SN-{asset}"], [new AssetDisk($"{asset}/sda", null, null)], null, ["customer"]));
        foreach (string asset in all)
            Say([asset], new HoldStatement("counsel", HoldForm.Request, "keep it", null, asset, AssetList.Of([asset]), null, null));
        // Rounds of notices about each asset, by itself, as a firm sends them whose customers differ.
        for (int round = 0; round < 3; round++)
        {
            var window = ResponseWindow.Compute(now + Duration.FromDays(1), 20, WindowUnit.Working, "Etc/UTC", WorkingCalendar.Plain);
            foreach (string asset in all)
            {
                foreach (string party in parties)
                {
                    Sha256Digest leaf = Say([asset], new NoticeStatement(party, Origin, "to be wiped", null, policy.Digest, AssetList.Of([asset]), window));
                    Say([asset], new DeliveryStatement(leaf, "courier", DeliveryOutcome.Delivered, null, leaf));
                }
            }

            Stamp();
            now += Duration.FromDays(40);
            Stamp();
        }

        for (int i = 0; size < entries; i++)
            Put(EntryKind.Note, [all[i % assets]], new JsonObject { ["text"] = string.Create(CultureInfo.InvariantCulture, $"remark {i}") });
        now += Duration.FromDays(1);
        Stamp();
        Flush();
        return (policy, times);

        void Stamp()
        {
            times.Add(new OutsideTime(size, size, now, now, "the authority"));
            Put(EntryKind.Note, [], new JsonObject { ["text"] = "stamped" });
        }

        Sha256Digest Say(IReadOnlyList<string> items, Statement statement) => Put(statement.Kind, items, statement.ToJson());

        Sha256Digest Put(string kind, IReadOnlyList<string> items, JsonObject body)
        {
            var entry = LedgerEntry.Create(new EntryPayload(kind, now, null, items, body, keeper.Id), keeper);
            batch.Add(entry.ToBytes());
            size++;
            if (batch.Count == 8192)
                Flush();
            return entry.LeafHash;
        }

        void Flush()
        {
            writer.Append(batch);
            batch.Clear();
        }
    }

    private sealed class Nothing : ISeenCheckpoints
    {
        public byte[]? Find(string origin) => null;

        public void Record(Checkpoint checkpoint, ReadOnlySpan<byte> signedNote)
        {
            // Each run is of a ledger of its own.
        }
    }

    private sealed class Material(PreservationPolicy policy, IReadOnlyList<OutsideTime> times) : GateMaterial
    {
        public override PreservationPolicy? FindPolicy(Sha256Digest digest) => policy;

        public override WorkingCalendar? FindCalendar(Sha256Digest digest) => null;

        public override bool HasPaper(Sha256Digest digest) => true;

        public override OutsideTimes TimesFor(PreservationPolicy policy) => new(times);
    }
}
